/** Statements over recorded events: append, find by chain and place, amend, holes. */
import { statement } from "./statement.ts";

export const eventLast = statement<[], { event_id: number }>(
  "event.last",
  "SELECT coalesce(max(event_id), 0) AS event_id FROM event",
);

export type EventParams = [
  eventId: number,
  tenantId: number,
  cardNo: number,
  batchNo: number,
  deviceNo: number,
  counter: number,
  type: number,
  amount: number,
  balanceAfter: number,
  timestampSec: number,
  hash: number,
  flags: number,
  linked: number,
  startSec: number | null,
  state: number | null,
  prev: number,
  late: number,
  booking: number,
  topupNo: number | null,
];

export const eventInsert = statement<EventParams>(
  "event.insert",
  `INSERT INTO event (event_id, tenant_id, card_no, batch_no, device_no, counter, type, amount, balance_after,
     timestamp_sec, hash, flags, linked, start_sec, state, prev, late, booking, topup_no)
   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)`,
);

/** Whose events were recorded after one, in order of arrival, of every tenant. */
export const eventCardsAfter = statement<
  [eventId: number, limit: number],
  { event_id: number; card_no: number }
>(
  "event.cardsAfter",
  "SELECT event_id, card_no FROM event WHERE event_id > ?1 ORDER BY event_id LIMIT ?2",
);

/** The newest event of a card that was recorded after another; reads all that were. */
export const eventNewestAfter = statement<
  [tenantId: number, cardNo: number, eventId: number],
  { event_id: number | null }
>(
  "event.newestAfter",
  "SELECT max(event_id) AS event_id FROM event WHERE event_id > ?3 AND card_no = ?2 AND tenant_id = ?1",
);

/** An event with what is known of it now. */
export interface EventRow {
  event_id: number;
  card_no: number;
  batch_no: number;
  device_no: number;
  counter: number;
  type: number;
  amount: number;
  balance_after: number;
  timestamp_sec: number;
  hash: number;
  flags: number;
  linked: number;
  start_sec: number | null;
  state: number | null;
  prev: number;
  late: number;
  booking: number;
  topup_no: number | null;
}

export const eventById = statement<[tenantId: number, eventId: number], EventRow>(
  "event.byId",
  `SELECT e.event_id, e.card_no, e.batch_no, e.device_no, e.counter, e.type, e.amount, e.balance_after,
     e.timestamp_sec, e.hash, e.prev, e.late, e.booking, e.topup_no,
     coalesce(a.flags, e.flags) AS flags, coalesce(a.linked, e.linked) AS linked,
     CASE WHEN a.event_id IS NULL THEN e.start_sec ELSE a.start_sec END AS start_sec,
     CASE WHEN a.event_id IS NULL THEN e.state ELSE a.state END AS state
   FROM event e LEFT JOIN event_amend a ON a.event_id = e.event_id
   WHERE e.event_id = ?2 AND e.tenant_id = ?1`,
);

/** The nearest place on the chain at or above a counter, `skip` places further up. */
export const placeAbove = statement<
  [tenantId: number, cardNo: number, counter: number, skip: number],
  { event_id: number; counter: number }
>(
  "place.above",
  `SELECT event_id, counter FROM event_place
   WHERE card_no = ?2 AND late = 0 AND counter >= ?3 AND tenant_id = ?1 ORDER BY counter LIMIT 1 OFFSET ?4`,
);

export const lateFrom = statement<
  [tenantId: number, cardNo: number, from: number, to: number, limit: number],
  { event_id: number; counter: number }
>(
  "place.lateFrom",
  `SELECT event_id, counter FROM event_place
   WHERE card_no = ?2 AND late = 1 AND counter >= ?3 AND counter <= ?4 AND tenant_id = ?1
   ORDER BY counter LIMIT ?5`,
);

export const lateBelow = statement<
  [tenantId: number, cardNo: number, below: number, limit: number],
  { event_id: number; counter: number }
>(
  "place.lateBelow",
  `SELECT event_id, counter FROM event_place
   WHERE card_no = ?2 AND late = 1 AND counter < ?3 AND tenant_id = ?1 ORDER BY counter DESC LIMIT ?4`,
);

export const placeInsert = statement<
  [cardNo: number, late: number, counter: number, eventId: number, tenantId: number]
>(
  "place.insert",
  "INSERT INTO event_place (card_no, late, counter, event_id, tenant_id) VALUES (?1, ?2, ?3, ?4, ?5)",
);

export const amendPut = statement<
  [
    eventId: number,
    tenantId: number,
    flags: number,
    linked: number,
    startSec: number | null,
    state: number | null,
  ]
>(
  "amend.put",
  `INSERT INTO event_amend (event_id, tenant_id, flags, linked, start_sec, state) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
   ON CONFLICT (event_id) DO UPDATE SET flags = excluded.flags, linked = excluded.linked,
     start_sec = excluded.start_sec, state = excluded.state`,
);

export const holeInsert = statement<
  [cardNo: number, counter: number, tenantId: number, eventId: number, sinceSec: number]
>(
  "hole.insert",
  `INSERT INTO event_hole (card_no, counter, tenant_id, event_id, since_sec, flagged) VALUES (?1, ?2, ?3, ?4, ?5, 0)
   ON CONFLICT (card_no, counter) DO NOTHING`,
);

export const holeDelete = statement<[tenantId: number, cardNo: number, counter: number]>(
  "hole.delete",
  "DELETE FROM event_hole WHERE card_no = ?2 AND counter = ?3 AND tenant_id = ?1",
);

/** Holes of every tenant that have been open since before a moment. */
export const holesOpen = statement<
  [sinceSec: number, limit: number],
  { tenant_id: number; card_no: number; counter: number; event_id: number }
>(
  "hole.open",
  `SELECT tenant_id, card_no, counter, event_id FROM event_hole
   WHERE flagged = 0 AND since_sec <= ?1 ORDER BY since_sec LIMIT ?2`,
);

export const holeFlag = statement<[tenantId: number, cardNo: number, counter: number]>(
  "hole.flag",
  "UPDATE event_hole SET flagged = 1 WHERE card_no = ?2 AND counter = ?3 AND tenant_id = ?1",
);
