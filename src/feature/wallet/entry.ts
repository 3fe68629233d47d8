/**
 * The entries of a transaction, in the order in which they were made: those that its own row stands for,
 * those that a card's event stands for, and postings. The view `entry` of the tables says the same.
 */
import { uuidMs } from "../../domain/eventid.ts";
import type { Reader } from "../../store/seam.ts";
import {
  type MovingEventRow,
  type PostingRow,
  readCreditOf,
  readEventPostings,
  readPostings,
  type TransactionRow,
} from "./store.ts";
import { FROM_COUNTER, HOLD, TO_COUNTER } from "./unit.ts";
import { type BucketName, bucketNames, type Entry } from "./view.ts";

const byPosting = (row: PostingRow): Entry => ({
  walletId: row.wallet_id,
  bucket: bucketNames[row.bucket] ?? "available",
  amount: row.amount,
  atMs: row.at_ms,
});

/** Out of one bucket, into another. */
const pair = (
  atMs: number,
  amount: number,
  [fromId, fromBucket]: readonly [string | null, BucketName],
  [toId, toBucket]: readonly [string | null, BucketName],
): Entry[] => [
  { walletId: fromId ?? "", bucket: fromBucket, amount: -amount, atMs },
  { walletId: toId ?? "", bucket: toBucket, amount, atMs },
];

function ofHold(row: TransactionRow): Entry[] {
  const { wallet_id: id, counter_id: counter, amount, status } = row;
  const { created_at_ms: createdAtMs, updated_at_ms: endedAtMs } = row;
  const held = pair(createdAtMs, amount, [id, "available"], [id, "frozen"]);
  if (status === "held") return held;
  const to = status === "confirmed" ? counter : id;
  return [...held, ...pair(endedAtMs, amount, [id, "frozen"], [to, "available"])];
}

/** Of a transaction. */
export async function entriesOf(
  q: Reader,
  tenantId: number,
  row: TransactionRow,
): Promise<Entry[]> {
  const { journal, amount, wallet_id: id, counter_id: counter, created_at_ms: atMs } = row;
  if (journal === TO_COUNTER) return pair(atMs, amount, [id, "available"], [counter, "available"]);
  if (journal === FROM_COUNTER) {
    return pair(atMs, amount, [counter, "available"], [id, "available"]);
  }
  if (journal === HOLD) return ofHold(row);
  const posted = (await readPostings(q, tenantId, row.txn_no)).map(byPosting);
  if (row.type !== "topup") return posted;
  const credit = await readCreditOf(q, tenantId, row.txn_no);
  if (credit === undefined) return posted;
  const creditedAtMs = uuidMs(credit.batch_uuid);
  return [...posted, ...pair(creditedAtMs, credit.amount, [id, "pending"], [id, "available"])];
}

/** Of a card's event that is a transaction. */
export async function entriesOfEvent(
  q: Reader,
  tenantId: number,
  row: MovingEventRow,
): Promise<Entry[]> {
  const atMs = uuidMs(row.batch_uuid);
  const { amount } = row;
  const own =
    row.booking === 1
      ? pair(atMs, amount, [row.card_wallet_id, "available"], [row.settlement_id, "available"])
      : pair(atMs, amount, [row.cash_id, "available"], [row.suspense_id, "available"]);
  const posted = await readEventPostings(q, tenantId, row.event_id);
  return [...own, ...posted.map(byPosting)];
}
