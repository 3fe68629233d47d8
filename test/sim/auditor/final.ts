/** The last look: the server's file, table by table, against the books. */

import type { Books } from "./books.ts";
import type { View } from "./call.ts";
import { sameCards, sameEvents } from "./finalcard.ts";
import { listOf } from "./listing.ts";
import { line, same } from "./same.ts";
import { ACTIVE, statusNames } from "./thing.ts";

async function review(books: Books, view: View): Promise<void> {
  const rows = await view.rows<
    Record<"kind" | "reason" | "severity" | "status" | "cardId", string> & {
      counter: number | null;
      amount: number | null;
    }
  >(
    `SELECT kind, reason, severity, status, card_id AS cardId, counter, amount FROM flag
     WHERE tenant_id = ${books.start.tenantId}`,
  );
  same(
    "flags",
    books.flags.map((flag) => {
      const { row, reason, severity, status, cardId, counter, amount } = flag;
      return line(row ? "quarantine" : "flag", reason, severity, status, cardId, counter, amount);
    }),
    rows.map((row) => {
      const { kind, reason, severity, status, cardId, counter, amount } = row;
      return line(kind, reason, severity, status, cardId, counter, amount);
    }),
  );
}

/** Which alerts there are; how often one was told is not said. */
async function alerts(books: Books, view: View): Promise<void> {
  const rows = await view.rows<{ reason: string; cardId: string | null }>(
    `SELECT DISTINCT reason, card_id AS cardId FROM alert WHERE tenant_id = ${books.start.tenantId}`,
  );
  const met = rows.map(({ reason, cardId }) => line(reason, cardId));
  const isOpen = (each: string): boolean => books.alertsOpen.has(each) && !books.alerts.has(each);
  same(
    "alerts",
    [...books.alerts],
    met.filter((each) => !isOpen(each)),
  );
}

async function money(books: Books, view: View): Promise<void> {
  const { tenantId } = books.start;
  const topups = await view.rows<
    Record<"topupId" | "cardId" | "status", string> & {
      amount: number;
      booked: number;
    }
  >(
    `SELECT t.uuid AS topupId, c.card_id AS cardId, p.amount, upper(p.status) AS status,
       p.event_id IS NOT NULL AS booked
     FROM topup p JOIN txn t ON t.txn_no = p.topup_no JOIN card c ON c.card_no = p.card_no
     WHERE p.tenant_id = ${tenantId}`,
  );
  same(
    "top-ups",
    [...books.cards.values()].flatMap((card) =>
      card.topups.map((each) => {
        const isBooked = Number(each.event !== undefined);
        return line(each.topupId, card.cardId, each.amount, each.status, isBooked);
      }),
    ),
    topups.map(({ topupId, cardId, amount, status, booked }) =>
      line(topupId, cardId, amount, status, booked),
    ),
  );

  const wallets = await view.rows<{ key: string; available: number; other: number }>(
    `SELECT system_key AS key, available, pending + frozen AS other FROM wallet
     WHERE tenant_id = ${tenantId} AND kind = 'system' AND (available <> 0 OR pending + frozen <> 0)`,
  );
  const { cash, suspense, settlement } = books.ledger;
  const accounts: [string, number][] = [
    ["cash", cash],
    ["suspense", suspense],
  ];
  for (const [terminalId, sum] of settlement) accounts.push([`settlement:${terminalId}`, sum]);
  same(
    "accounts",
    accounts.filter(([, sum]) => sum !== 0).map(([key, sum]) => line(key, sum, 0)),
    wallets.map(({ key, available, other }) => line(key, available, other)),
  );

  const [total] = await view.rows<{ sum: number }>(
    `SELECT coalesce(sum(amount), 0) AS sum FROM entry WHERE tenant_id = ${tenantId}`,
  );
  same("sum of entries", ["0"], [String(total?.sum)]);
}

async function counts(books: Books, view: View, nowSec: number): Promise<void> {
  const { tenantId } = books.start;
  const [met] = await view.rows<{ batches: number; reports: number }>(
    `SELECT (SELECT count(*) FROM batch WHERE tenant_id = ${tenantId}) AS batches,
       (SELECT count(*) FROM report WHERE tenant_id = ${tenantId}) AS reports`,
  );
  const due = line(books.batches, books.reports.length);
  same("batches and reports", [due], [line(met?.batches, met?.reports)]);

  const rows = await view.rows<{ cardId: string; status: number }>(
    `SELECT card_id AS cardId, status FROM listing WHERE tenant_id = ${tenantId} AND listed = 1`,
  );
  const list = [...listOf(books, nowSec)];
  // A card that expired since the job last ran is not in the table yet.
  const known = new Set(rows.map(({ cardId }) => cardId));
  const isDue = (cardId: string): boolean =>
    known.has(cardId) || books.cards.get(cardId)?.status !== ACTIVE;
  same(
    "blocklist",
    list.filter(([cardId]) => isDue(cardId)).map(([cardId, status]) => line(cardId, status)),
    rows.map(({ cardId, status }) => line(cardId, statusNames[status])),
  );
}

/** @throws Divergence at the first table that differs */
export async function finalAudit(books: Books, view: View, nowSec: number): Promise<void> {
  await sameEvents(books, view);
  await money(books, view);
  await sameCards(books, view, nowSec);
  await review(books, view);
  await alerts(books, view);
  await counts(books, view, nowSec);
}
