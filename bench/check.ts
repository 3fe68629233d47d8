/**
 * What must be true of answers and of the files that servers leave behind. A figure is printed only if
 * all of this held while it was measured.
 */
import { Database } from "bun:sqlite";
import { join } from "node:path";
import type { CardFacts, Cards } from "./domain/card.ts";
import type { Answer } from "./http/wire.ts";

const fail = (what: string, expected: unknown, got: unknown): never => {
  throw new Error(`${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`);
};

/** @throws unless the answer is a card with these facts */
export function checkCard({ status, body }: Answer, facts: CardFacts): void {
  if (status !== 200) fail(`card ${facts.cardId}`, 200, `${status} ${body}`);
  const card = JSON.parse(body) as Record<string, unknown>;
  for (const [name, expected] of Object.entries(facts)) {
    if (card[name] !== expected) fail(`card ${facts.cardId} ${name}`, expected, card[name]);
  }
}

/** Number of cards that a blocklist in full holds. */
export const blockedOf = (body: string): number =>
  (JSON.parse(body) as { add: unknown[] }).add.length;

interface BatchAnswer {
  readonly accepted: number;
  readonly rejected: number;
  readonly flags: readonly { counter: number; cardId: string; reason: string }[];
}

/** @throws unless every event was taken, and exactly those over the limit were flagged */
export function checkTaken(answer: Answer, events: number, overLimit: readonly string[]): void {
  if (answer.status !== 200) fail("batch", 200, `${answer.status} ${answer.body}`);
  const { accepted, rejected, flags } = JSON.parse(answer.body) as BatchAnswer;
  if (accepted !== events || rejected !== 0) fail("batch accepted", events, answer.body);
  const flagged = flags.map(({ cardId, counter, reason }) =>
    reason === "single_tx_limit_exceeded" ? `${cardId} ${counter}` : reason,
  );
  if (flagged.join() !== overLimit.join()) fail("batch flags", overLimit, answer.body);
}

/** @throws unless the whole batch is known already */
export function checkResent(answer: Answer, events: number): void {
  const { error, accepted, rejected } = JSON.parse(answer.body) as Record<string, unknown>;
  const known = answer.status === 409 && error === "duplicate_counter";
  if (!known || accepted !== 0 || rejected !== events) fail("resent batch", 409, answer.body);
}

const opened = <T>(dataDir: string, work: (db: Database) => T): T => {
  const db = new Database(join(dataDir, "kartu.db"), { readonly: true });
  try {
    return work(db);
  } finally {
    db.close(true);
  }
};

const numbers = (db: Database, sql: string): Record<string, number> =>
  db.query<Record<string, number>, []>(sql).get() ?? {};

/**
 * The file of a stopped server against the cards as they know themselves: every event after the
 * first `before` is there once, every head is the card's last event, and all money of the ledger sums to
 * zero. Cards were registered in their order; of more cards than these the file may say anything.
 */
export function checkFile(dataDir: string, cards: Cards, before = cards.count): void {
  opened(dataDir, (db) => {
    const { events = 0, debited = 0 } = numbers(
      db,
      `SELECT count(*) AS events, sum(CASE type WHEN 0 THEN amount ELSE 0 END) AS debited FROM event
       WHERE event_id > ${before}`,
    );
    if (events !== cards.made) fail("events in the file", before + cards.made, before + events);
    if ((debited ?? 0) !== cards.debitedMinor)
      fail("debits in the file", cards.debitedMinor, debited);
    let index = 0;
    const heads = db.query<{ card_id: string; counter: number; chip: number; worth: number }, []>(
      `SELECT c.card_id, h.counter, h.chip_balance AS chip, h.available + h.pending AS worth
       FROM head h JOIN card c ON c.card_no = h.card_no WHERE c.status = 0
       ORDER BY h.card_no LIMIT ${cards.count}`,
    );
    for (const head of heads.iterate()) {
      const { cardId, counter, chipBalance, balance } = cards.facts(index);
      const same = head.counter === counter && head.chip === chipBalance && head.worth === balance;
      if (head.card_id !== cardId || !same) fail(`head of ${cardId}`, cards.facts(index), head);
      index += 1;
    }
    if (index !== cards.count) fail("heads in the file", cards.count, index);
    checkLedger(db);
  });
}

/** Wallets of the house and wallets of cards together hold nothing: money only moves. */
function checkLedger(db: Database): void {
  const { wallets = 0 } = numbers(
    db,
    "SELECT sum(available + pending + frozen) AS wallets FROM wallet",
  );
  const { heads = 0 } = numbers(db, "SELECT sum(available + pending + frozen) AS heads FROM head");
  if (wallets + heads !== 0) fail("sum of the ledger", 0, wallets + heads);
}

export const checkMoney = (dataDir: string): void => opened(dataDir, checkLedger);

/** Rows of a table in a stopped server's file. */
export const rowsOf = (
  dataDir: string,
  table: "session_grant" | "topup" | "refresh_token" | "txn",
): number =>
  opened(dataDir, (db) => numbers(db, `SELECT count(*) AS rows FROM ${table}`).rows ?? 0);
