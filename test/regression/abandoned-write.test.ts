/**
 * A write that waits for something else than its transaction is given up and rolled back, but its code
 * goes on. What it then told the book of cards stayed in memory with nothing left to take it back: a head
 * ahead of its events, to be written over the true one by the next sweep; or every later look at a card
 * went to the file, because a change seemed to be under way for good.
 */
import { expect, test } from "bun:test";
import type { CardRecord } from "../../src/domain/cardrecord.ts";
import type { Reader, Writer } from "../../src/store/seam.ts";
import { venues } from "../harness.ts";

const open = venues();

const ahead = (card: CardRecord): CardRecord => {
  const top = { ...card.head.top, id: card.head.top.id + 50, counter: 900 };
  return { ...card, head: { ...card.head, top, available: 1, applied: top.id } };
};

/** Nothing is asked of the file. */
const memoryAlone = (q: Reader): Reader => ({
  get: () => Promise.reject(new Error("the file was asked")),
  all: () => Promise.reject(new Error("the file was asked")),
  isNewest: () => q.isNewest(),
});

test("a write that was given up changes no card any more", async () => {
  const venue = await open({ book: { roundEventsMin: 3, stretchMin: 1 } });
  const station = await venue.working("station");
  const terminal = await venue.working("terminal");
  const chain = await venue.loaded(station, terminal, 500);
  const { store, card } = venue.kartu;
  const { book } = card;
  const look = () => store.read((q) => book.read(memoryAlone(q), 1, chain.cardId));
  const before = await look();
  const change = (tx: Writer, found: CardRecord): Promise<void> =>
    book.putAll(tx, [{ before: found, after: ahead(found), appended: true }]);

  for (const hadChanged of [false, true]) {
    const ended = Promise.withResolvers<unknown>();
    const written = store.write(async (tx) => {
      const found = await book.find(tx, 1, chain.cardId);
      if (found === undefined) throw new Error("no card");
      if (hadChanged) await change(tx, found);
      await Bun.sleep(5);
      await change(tx, found).then(ended.resolve, ended.resolve);
    });
    await expect(written).rejects.toThrow("awaited something other than its tx");
    expect(String(await ended.promise)).toContain("this tx has ended");
    expect(await look()).toEqual(before);
  }
  // The server's own log names the faulty write; nothing else is wrong.
  venue.faults.length = 0;
  expect(await terminal.hand(chain.debit(5))).toEqual([]);
});
