/** Statements over the top-ups of devices. */
import { statement } from "./statement.ts";

export interface TopupRow {
  topup_no: number;
  uuid: string;
  card_no: number;
  device_no: number;
  amount: number;
  timestamp_sec: number;
  counter: number | null;
  status: string;
  answer_balance: number;
  answer_counter: number;
  cancel_balance: number | null;
  canceled_instead: number | null;
}

const topupColumns = `p.topup_no, t.uuid, p.card_no, p.device_no, p.amount, p.timestamp_sec, p.counter, p.status,
  p.answer_balance, p.answer_counter, p.cancel_balance, p.canceled_instead`;

export const topupInsert = statement<
  [
    topupNo: number,
    tenantId: number,
    cardNo: number,
    deviceNo: number,
    amount: number,
    operatorId: number,
    timestampSec: number,
    counter: number | null,
    answerBalance: number,
    answerCounter: number,
    madeAtMs: number,
  ]
>(
  "topup.insert",
  `INSERT INTO topup (topup_no, tenant_id, card_no, device_no, amount, operator_id, timestamp_sec, counter,
     status, answer_balance, answer_counter, made_at_ms, stale)
   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'pending', ?9, ?10, ?11, 0)`,
);

/** The same top-up again: card, device, amount and timestamp. */
export const topupSame = statement<
  [tenantId: number, cardNo: number, deviceNo: number, amount: number, timestampSec: number],
  TopupRow
>(
  "topup.same",
  `SELECT ${topupColumns} FROM topup p JOIN txn t ON t.txn_no = p.topup_no
   WHERE p.card_no = ?2 AND p.device_no = ?3 AND p.amount = ?4 AND p.timestamp_sec = ?5 AND p.tenant_id = ?1`,
);

export const topupByUuid = statement<[tenantId: number, cardNo: number, uuid: string], TopupRow>(
  "topup.byUuid",
  `SELECT ${topupColumns} FROM txn t JOIN topup p ON p.topup_no = t.txn_no
   WHERE t.uuid = ?3 AND p.card_no = ?2 AND p.tenant_id = ?1`,
);

export const topupUuid = statement<[tenantId: number, topupNo: number], { uuid: string }>(
  "topup.uuid",
  "SELECT uuid FROM txn WHERE txn_no = ?2 AND tenant_id = ?1",
);

/** Top-ups of a card that a credit can still find. */
export const topupsAwaiting = statement<
  [tenantId: number, cardNo: number],
  {
    topup_no: number;
    amount: number;
    timestamp_sec: number;
    counter: number | null;
    device_no: number;
    status: string;
  }
>(
  "topup.awaiting",
  `SELECT topup_no, amount, timestamp_sec, counter, device_no, status FROM topup
   WHERE card_no = ?2 AND event_id IS NULL AND status <> 'canceled' AND tenant_id = ?1`,
);

export const topupSettle = statement<
  [tenantId: number, topupNo: number, settledBy: string, eventId: number | null]
>(
  "topup.settle",
  `UPDATE topup SET status = 'completed', settled_by = ?3, event_id = ?4
   WHERE topup_no = ?2 AND tenant_id = ?1`,
);

/** The late credit of a top-up that a reissue or refund settled. */
export const topupCredited = statement<[tenantId: number, topupNo: number, eventId: number]>(
  "topup.credited",
  "UPDATE topup SET event_id = ?3 WHERE topup_no = ?2 AND tenant_id = ?1",
);

export const topupCancel = statement<[tenantId: number, topupNo: number, balance: number]>(
  "topup.cancel",
  "UPDATE topup SET status = 'canceled', cancel_balance = ?3 WHERE topup_no = ?2 AND tenant_id = ?1",
);

export const topupCancelInstead = statement<
  [tenantId: number, topupNo: number, balance: number, instead: number]
>(
  "topup.cancelInstead",
  "UPDATE topup SET cancel_balance = ?3, canceled_instead = ?4 WHERE topup_no = ?2 AND tenant_id = ?1",
);

export const parkedCredits = statement<
  [tenantId: number, cardNo: number, deviceNo: number, amount: number],
  { flag_no: number; event_id: number; counter: number; timestamp_sec: number }
>(
  "topup.parked",
  `SELECT f.flag_no, f.event_id, e.counter, e.timestamp_sec FROM flag f JOIN event e ON e.event_id = f.event_id
   WHERE f.card_no = ?2 AND f.status = 'open' AND f.reason = 'unauthorised_credit' AND f.device_no = ?3
     AND f.amount = ?4 AND f.tenant_id = ?1`,
);

export interface StaleTopupRow {
  topup_no: number;
  tenant_id: number;
  uuid: string;
  amount: number;
  card_id: string;
  terminal_id: number;
}

/** Pending top-ups of every tenant made before a moment that were not told of. */
export const topupsStale = statement<[madeBeforeMs: number, limit: number], StaleTopupRow>(
  "topup.stale",
  `SELECT p.topup_no, p.tenant_id, t.uuid, p.amount, c.card_id, d.terminal_id
   FROM topup p JOIN txn t ON t.txn_no = p.topup_no JOIN card c ON c.card_no = p.card_no
     JOIN device d ON d.device_no = p.device_no
   WHERE p.status = 'pending' AND p.stale = 0 AND p.made_at_ms <= ?1 ORDER BY p.made_at_ms LIMIT ?2`,
);

/** Marks it as told of, if it is still pending. */
export const topupMarkStale = statement<[tenantId: number, topupNo: number]>(
  "topup.markStale",
  `UPDATE topup SET stale = 1
   WHERE topup_no = ?2 AND tenant_id = ?1 AND status = 'pending' AND stale = 0`,
);
