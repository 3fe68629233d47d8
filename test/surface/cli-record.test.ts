/** Cards, batches, events, reports and the blocklist by command line, on one directory without a server. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { rmSync } from "node:fs";
import { openVenue } from "../harness.ts";
import { kartu, object, objects } from "./cli-fixture.ts";

const env = { KARTU_MASTER_KEY: new Uint8Array(32).fill(5).toBase64() };
// Each command is a process.
setDefaultTimeout(60_000);
let data = "";
let cards: string[] = [];
const all = (...args: string[]) => objects([...args, "--data", data], { env });
const one = (...args: string[]) => object([...args, "--data", data], { env });
const code = async (...args: string[]) => (await kartu([...args, "--data", data], { env })).code;

beforeAll(async () => {
  const venue = await openVenue();
  data = venue.dataDir;
  const station = await venue.working("station");
  const till = await venue.working("terminal");
  const chain = await venue.loaded(station, till, 50_000);
  const other = await venue.card(station, { name: "Budi" });
  cards = [chain.cardId, other.cardId];
  const fork = chain.fork();
  await till.hand(chain.debit(1_000), chain.credit(500));
  await till.upload(fork.debit(2_000));
  await till.report({ eventType: "tamper", cardId: other.cardId });
  await venue.close();
});
afterAll(() => rmSync(data, { recursive: true, force: true }));

test("cards, by status, member and text", async () => {
  const ids = async (...args: string[]) =>
    (await all("card", "list", ...args)).map((c) => c.cardId);
  expect(await ids()).toEqual(cards.toReversed());
  expect(await ids("--status", "BLOCKED_TAMPER")).toEqual([cards[1]]);
  expect(await ids("--q", "SITI")).toEqual([cards[0]]);
  const [budi] = await all("card", "list", "--q", "budi");
  expect(budi).toMatchObject({ status: "BLOCKED_TAMPER", balance: 0, openFlags: 0 });
  expect(await ids("--member", String(budi?.userId))).toEqual([cards[1]]);
  expect(await code("card", "list", "--status", "GONE")).toBe(2);
});

test("batches, events and reports", async () => {
  const events = await all("event", "list");
  expect(events.map((e) => e.outcome)).toEqual([
    ...["rejected", "flagged", "flagged", "accepted", "accepted", "accepted"],
  ]);
  expect((await all("event", "list", "--outcome", "rejected")).length).toBe(1);
  expect(await all("event", "list", "--card", cards[0] ?? "")).toEqual(events);
  const batches = await all("batch", "list");
  expect(batches.map((b) => b.events)).toEqual([1, 2, 1, 2]);
  const terminal = String(batches[0]?.terminalId);
  expect((await all("batch", "list", "--terminal", terminal)).length).toBe(3);
  expect(await all("report", "list")).toMatchObject([{ cardId: cards[1], action: "blocked" }]);
  expect(await all("report", "list", "--card", cards[0] ?? "")).toEqual([]);
  expect(await code("event", "list", "--outcome", "lost")).toBe(2);
  expect(await code("batch", "list", "--terminal", "0")).toBe(2);
});

test("the blocklist: listed by hand and taken off; a registered card stays", async () => {
  const id = "00000000dead";
  expect(await one("blocklist", "add", id, "--reason", "stolen")).toMatchObject({ cardId: id });
  expect(await code("blocklist", "add", id, "--reason", "stolen")).toBe(2);
  expect((await all("blocklist", "list")).map((l) => [l.cardId, l.registered])).toEqual([
    [id, false],
    [cards[1], true],
  ]);
  expect(await one("blocklist", "remove", id)).toEqual({ cardId: id });
  expect(await code("blocklist", "remove", id)).toBe(2);
  expect(await code("blocklist", "remove", cards[1] ?? "")).toBe(2);
});
