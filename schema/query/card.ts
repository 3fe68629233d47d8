/** Statements over card, head and what surrounds a card: its changes, weeks, reissue. */
import { statement } from "./statement.ts";

export interface CardRow {
  card_no: number;
  tenant_id: number;
  card_id: string;
  member_no: number;
  user_id: number;
  status: number;
  key_version: number;
  created_at_sec: number;
  expires_at_sec: number | null;
  blocked_at_sec: number | null;
  replaces_no: number | null;
  replaced_by_no: number | null;
  needs_validation: number;
  event_id: number;
  counter: number;
  type: number;
  amount: number;
  chip_balance: number;
  timestamp_sec: number;
  hash: number;
  flags: number;
  linked: number;
  start_sec: number | null;
  state: number | null;
  shown_state: number;
  shown_counter: number;
  opening_balance: number;
  depth: number;
  late: number;
  quarantined: number;
  available: number;
  pending: number;
  frozen: number;
  week: number;
  d0: number;
  d1: number;
  d2: number;
  d3: number;
  d4: number;
  d5: number;
  d6: number;
  applied: number;
}

const columns = `c.card_no, c.tenant_id, c.card_id, c.member_no, c.user_id, c.status, c.key_version,
  c.created_at_sec, c.expires_at_sec, c.blocked_at_sec, c.replaces_no, c.replaced_by_no, c.needs_validation,
  h.event_id, h.counter, h.type, h.amount, h.chip_balance, h.timestamp_sec, h.hash, h.flags, h.linked,
  h.start_sec, h.state, h.shown_state, h.shown_counter, h.opening_balance, h.depth, h.late, h.quarantined,
  h.available, h.pending, h.frozen, h.week, h.d0, h.d1, h.d2, h.d3, h.d4, h.d5, h.d6,
  h.applied`;

export const cardById = statement<[tenantId: number, cardId: string], CardRow>(
  "card.byId",
  `SELECT ${columns} FROM card c JOIN head h ON h.card_no = c.card_no
   WHERE c.tenant_id = ?1 AND c.card_id = ?2`,
);

export const cardByNo = statement<[tenantId: number, cardNo: number], CardRow>(
  "card.byNo",
  `SELECT ${columns} FROM card c JOIN head h ON h.card_no = c.card_no
   WHERE c.card_no = ?2 AND c.tenant_id = ?1`,
);

/** Cards of every tenant by number: the one, and those from a number on up to another. */
export const cardOfNo = statement<[cardNo: number], CardRow>(
  "card.ofNo",
  `SELECT ${columns} FROM card c JOIN head h ON h.card_no = c.card_no WHERE c.card_no = ?1`,
);
export const cardsBetween = statement<[fromNo: number, toNo: number], CardRow>(
  "card.between",
  `SELECT ${columns} FROM card c JOIN head h ON h.card_no = c.card_no
   WHERE c.card_no >= ?1 AND c.card_no <= ?2`,
);

export const cardLast = statement<[], { card_no: number }>(
  "card.last",
  "SELECT coalesce(max(card_no), 0) AS card_no FROM card",
);

/** ACTIVE cards of a member, whether or not they have expired meanwhile. */
export const activeCardsOfMember = statement<[tenantId: number, memberNo: number], CardRow>(
  "card.activeOfMember",
  `SELECT ${columns} FROM card c JOIN head h ON h.card_no = c.card_no
   WHERE c.member_no = ?2 AND c.status = 0 AND c.tenant_id = ?1`,
);

export const cardInsert = statement<
  [
    tenantId: number,
    cardId: string,
    walletUuid: string,
    memberNo: number,
    userId: number,
    name: string,
    keyVersion: number,
    createdAtSec: number,
    expiresAtSec: number | null,
    replacesNo: number | null,
    registeredAtMs: number,
  ],
  { card_no: number }
>(
  "card.insert",
  `INSERT INTO card (tenant_id, card_id, wallet_uuid, member_no, user_id, name, status, key_version,
     created_at_sec, expires_at_sec, replaces_no, needs_validation, registered_at_ms)
   VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8, ?9, ?10, 0, ?11) RETURNING card_no`,
);

export type HeadParams = [
  cardNo: number,
  tenantId: number,
  eventId: number,
  counter: number,
  type: number,
  amount: number,
  chipBalance: number,
  timestampSec: number,
  hash: number,
  flags: number,
  linked: number,
  startSec: number | null,
  state: number | null,
  shownState: number,
  shownCounter: number,
  openingBalance: number,
  depth: number,
  late: number,
  quarantined: number,
  available: number,
  pending: number,
  frozen: number,
  week: number,
  d0: number,
  d1: number,
  d2: number,
  d3: number,
  d4: number,
  d5: number,
  d6: number,
  applied: number,
];

export const headInsert = statement<HeadParams>(
  "head.insert",
  `INSERT INTO head (card_no, tenant_id, event_id, counter, type, amount, chip_balance, timestamp_sec, hash,
     flags, linked, start_sec, state, shown_state, shown_counter, opening_balance, depth, late, quarantined,
     available, pending, frozen, week, d0, d1, d2, d3, d4, d5, d6, applied)
   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,
     ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31)`,
);

export const headUpdate = statement<HeadParams>(
  "head.update",
  `UPDATE head SET event_id = ?3, counter = ?4, type = ?5, amount = ?6, chip_balance = ?7, timestamp_sec = ?8,
     hash = ?9, flags = ?10, linked = ?11, start_sec = ?12, state = ?13, shown_state = ?14, shown_counter = ?15,
     opening_balance = ?16, depth = ?17, late = ?18, quarantined = ?19, available = ?20, pending = ?21,
     frozen = ?22, week = ?23, d0 = ?24, d1 = ?25, d2 = ?26, d3 = ?27, d4 = ?28, d5 = ?29, d6 = ?30, applied = ?31
   WHERE card_no = ?1 AND tenant_id = ?2`,
);

export const headThrough = statement<[], { through: number }>(
  "head.through",
  "SELECT through FROM head_round WHERE round = 1",
);

export const headThroughPut = statement<[through: number]>(
  "head.throughPut",
  `INSERT INTO head_round (round, through) VALUES (1, ?1)
   ON CONFLICT (round) DO UPDATE SET through = excluded.through`,
);

/** The local days of a card's tenant. */
export const cardTimeZone = statement<[tenantId: number], { timezone: string }>(
  "card.timeZone",
  "SELECT timezone FROM tenant WHERE tenant_id = ?1",
);

export const cardUpdate = statement<
  [
    cardNo: number,
    tenantId: number,
    status: number,
    keyVersion: number,
    blockedAtSec: number | null,
    replacedByNo: number | null,
    needsValidation: number,
  ]
>(
  "card.update",
  `UPDATE card SET status = ?3, key_version = ?4, blocked_at_sec = ?5, replaced_by_no = ?6, needs_validation = ?7
   WHERE card_no = ?1 AND tenant_id = ?2`,
);

export const cardBlockNote = statement<
  [cardNo: number, tenantId: number, reason: string, blockedBy: string]
>(
  "card.blockNote",
  "UPDATE card SET block_reason = ?3, blocked_by = ?4 WHERE card_no = ?1 AND tenant_id = ?2",
);

/** ACTIVE cards of every tenant whose expiry has come. */
export const cardsExpired = statement<
  [nowSec: number, limit: number],
  { tenant_id: number; card_id: string }
>(
  "card.expired",
  `SELECT tenant_id, card_id FROM card
   WHERE status = 0 AND expires_at_sec IS NOT NULL AND expires_at_sec <= ?1 ORDER BY expires_at_sec LIMIT ?2`,
);

export const cardDetail = statement<
  [tenantId: number, cardId: string],
  {
    name: string;
    wallet_uuid: string;
    block_reason: string | null;
    blocked_by: string | null;
    replaces: string | null;
    replaced_by: string | null;
    registered_at_ms: number;
  }
>(
  "card.detail",
  `SELECT c.name, c.wallet_uuid, c.block_reason, c.blocked_by, c.registered_at_ms,
     (SELECT o.card_id FROM card o WHERE o.card_no = c.replaces_no) AS replaces,
     (SELECT n.card_id FROM card n WHERE n.card_no = c.replaced_by_no) AS replaced_by
   FROM card c WHERE c.tenant_id = ?1 AND c.card_id = ?2`,
);

export const cardChangeInsert = statement<
  [
    tenantId: number,
    cardNo: number,
    atMs: number,
    kind: string,
    terminalId: number | null,
    actor: string,
    amount: number | null,
    detail: string,
  ]
>(
  "cardChange.insert",
  `INSERT INTO card_change (tenant_id, card_no, at_ms, kind, terminal_id, actor, amount, detail)
   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)`,
);

export const debitWeek = statement<
  [tenantId: number, cardNo: number, week: number],
  { d0: number; d1: number; d2: number; d3: number; d4: number; d5: number; d6: number }
>(
  "debitWeek.get",
  "SELECT d0, d1, d2, d3, d4, d5, d6 FROM debit_week WHERE card_no = ?2 AND week = ?3 AND tenant_id = ?1",
);

export const debitWeekPut = statement<
  [
    cardNo: number,
    week: number,
    tenantId: number,
    d0: number,
    d1: number,
    d2: number,
    d3: number,
    d4: number,
    d5: number,
    d6: number,
  ]
>(
  "debitWeek.put",
  `INSERT INTO debit_week (card_no, week, tenant_id, d0, d1, d2, d3, d4, d5, d6)
   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
   ON CONFLICT (card_no, week) DO UPDATE SET d0 = excluded.d0, d1 = excluded.d1, d2 = excluded.d2,
     d3 = excluded.d3, d4 = excluded.d4, d5 = excluded.d5, d6 = excluded.d6`,
);

/** Number and sum of a card's pending top-ups. */
export const cardPending = statement<
  [tenantId: number, cardNo: number],
  { count: number; amount: number }
>(
  "card.pending",
  `SELECT count(*) AS count, coalesce(sum(amount), 0) AS amount FROM topup
   WHERE card_no = ?2 AND event_id IS NULL AND status <> 'canceled' AND status = 'pending' AND tenant_id = ?1`,
);

/** Events of the id were refused while it was unknown: 1 if there are any. */
export const cardQuarantined = statement<
  [tenantId: number, cardId: string],
  { quarantined: number }
>(
  "card.quarantined",
  `SELECT EXISTS (SELECT 1 FROM quarantine WHERE tenant_id = ?1 AND card_id = ?2) AS quarantined`,
);
