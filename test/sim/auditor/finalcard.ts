/** The last look at cards and at what came from them: heads, accepted events, those that were kept out. */
import type { Books } from "./books.ts";
import type { View } from "./call.ts";
import { stateOf } from "./chain.ts";
import { line, same } from "./same.ts";
import { type Card, headOf, statusAt } from "./thing.ts";

const codes = { debit: 0, credit: 1, checkin: 2, checkout: 3, admin: 15 } as const;
const states = { IDLE: 0, CHECKED_IN: 1, CHECKED_OUT: 3 } as const;

interface CardRow {
  readonly cardId: string;
  readonly status: number;
  readonly expiresAt: number | null;
  readonly keyVersion: number;
  readonly needsValidation: number;
  readonly counter: number;
  readonly chipBalance: number;
  readonly state: number;
  readonly opening: number;
  readonly available: number;
  readonly pending: number;
  readonly frozen: number;
  readonly replaces: string | null;
  readonly replacedBy: string | null;
}

function cardLine(card: Card, nowSec: number): string {
  const head = headOf(card);
  const { available, pending, frozen } = card.account;
  return line(
    ...[card.cardId, statusAt(card, nowSec), card.keyVersion, Number(card.needsValidation)],
    ...[head?.counter ?? 0, head?.balanceAfter ?? card.opening, states[stateOf(card)]],
    ...[card.opening, available, pending, frozen, card.replaces ?? null, card.replacedBy ?? null],
  );
}

export async function sameCards(books: Books, view: View, nowSec: number): Promise<void> {
  const rows = await view.rows<CardRow>(
    `SELECT c.card_id AS cardId, c.status, c.expires_at_sec AS expiresAt, c.key_version AS keyVersion,
       c.needs_validation AS needsValidation, h.counter, h.chip_balance AS chipBalance,
       h.shown_state AS state, h.opening_balance AS opening, h.available, h.pending, h.frozen,
       o.card_id AS replaces, n.card_id AS replacedBy
     FROM card c JOIN head h ON h.card_no = c.card_no
       LEFT JOIN card o ON o.card_no = c.replaces_no
       LEFT JOIN card n ON n.card_no = c.replaced_by_no
     WHERE c.tenant_id = ${books.start.tenantId}`,
  );
  const met = rows.map(({ expiresAt, ...row }) => {
    // The row turns when the job comes round; the card has expired when its time is over.
    const isOver = row.status === 0 && expiresAt !== null && expiresAt !== 0 && nowSec >= expiresAt;
    return line(
      ...[row.cardId, isOver ? 3 : row.status, row.keyVersion, row.needsValidation],
      ...[row.counter, row.chipBalance, row.state, row.opening],
      ...[row.available, row.pending, row.frozen, row.replaces, row.replacedBy],
    );
  });
  const due = [...books.cards.values()].map((card) => cardLine(card, nowSec));
  same("cards", due, met);
}

interface EventRow {
  readonly cardId: string;
  readonly counter: number;
  readonly type: number;
  readonly amount: number;
  readonly balanceAfter: number;
  readonly timestamp: number;
  readonly hash: number;
  readonly terminalId: number;
}

const eventLine = (event: EventRow): string =>
  line(
    ...[event.cardId, event.counter, event.type, event.amount, event.balanceAfter],
    ...[event.timestamp, event.hash, event.terminalId],
  );

const content = `counter, e.type, e.amount, e.balance_after AS balanceAfter, e.timestamp_sec AS timestamp,
  e.hash, d.terminal_id AS terminalId`;

export async function sameEvents(books: Books, view: View): Promise<void> {
  const { tenantId } = books.start;
  const recorded = await view.rows<EventRow>(
    `SELECT c.card_id AS cardId, e.${content} FROM event e JOIN card c ON c.card_no = e.card_no
     JOIN device d ON d.device_no = e.device_no WHERE e.tenant_id = ${tenantId}`,
  );
  const lineOf = (event: Card["events"][number]): string => {
    const { device, type, hash } = event;
    const numbers = { type: codes[type], hash: Number.parseInt(hash, 16) };
    return eventLine({ ...event, ...numbers, terminalId: device.terminalId });
  };
  const due = [...books.cards.values()].flatMap((card) => card.events.map(lineOf));
  same("accepted events", due, recorded.map(eventLine));

  const kept = await view.rows<EventRow & { reason: string; status: string; side: number }>(
    `SELECT e.card_id AS cardId, e.${content}, e.reason, e.status, e.side FROM quarantine e
     JOIN device d ON d.device_no = e.device_no WHERE e.tenant_id = ${tenantId}`,
  );
  same(
    "quarantine",
    books.quarantine.map(({ event, device, reason, status, side }) => {
      const { type, hash } = event;
      const numbers = { type: codes[type], hash: Number.parseInt(hash, 16) };
      const wire = eventLine({ ...event, ...numbers, terminalId: device.terminalId });
      return line(wire, reason, status, Number(side));
    }),
    kept.map((row) => line(eventLine(row), row.reason, row.status, row.side)),
  );
}
