/** Statements that look over a whole venue, and at what its devices have seen. All only read. */
import { statement } from "./statement.ts";

export interface FleetDeviceRow {
  device_no: number;
  terminal_id: number;
  zone_no: number | null;
  status: "active" | "suspended" | "retired";
  last_seen_at_ms: number | null;
  created_at_ms: number;
}

/** By terminalId, from the one after another. */
export const fleetDevices = statement<
  [tenantId: number, afterTerminalId: number, limit: number],
  FleetDeviceRow
>(
  "fleet.devices",
  `SELECT device_no, terminal_id, zone_no, status, last_seen_at_ms, created_at_ms FROM device
   WHERE tenant_id = ?1 AND terminal_id > ?2 ORDER BY terminal_id LIMIT ?3`,
);

/** As far as is written down: cards whose expiry has come are ACTIVE here. */
export const fleetCards = statement<[tenantId: number], { status: number; cards: number }>(
  "fleet.cards",
  "SELECT status, cards FROM card_count WHERE tenant_id = ?1",
);

/** ACTIVE cards whose expiry has come and is not written down yet. */
export const fleetExpired = statement<[tenantId: number, nowSec: number], { count: number }>(
  "fleet.expired",
  `SELECT count(*) AS count FROM card
   WHERE status = 0 AND expires_at_sec IS NOT NULL AND expires_at_sec <= ?2 AND tenant_id = ?1`,
);

export const fleetOpenFlags = statement<[tenantId: number], { count: number }>(
  "fleet.openFlags",
  "SELECT count(*) AS count FROM flag WHERE tenant_id = ?1 AND status = 'open'",
);

/** Pending top-ups made at or before a moment. */
export const fleetTopups = statement<
  [tenantId: number, untilMs: number],
  { count: number; amount: number }
>(
  "fleet.topups",
  `SELECT count(*) AS count, coalesce(sum(amount), 0) AS amount FROM topup
   WHERE tenant_id = ?1 AND status = 'pending' AND made_at_ms <= ?2`,
);

/** Cards whose row says that they are overdrawn, by number, from the one after another. */
export const fleetOverdrawn = statement<
  [tenantId: number, afterCardNo: number, limit: number],
  { card_no: number; card_id: string }
>(
  "fleet.overdrawn",
  `SELECT h.card_no, c.card_id FROM head h JOIN card c ON c.card_no = h.card_no
   WHERE h.tenant_id = ?1 AND h.available + h.pending < 0 AND h.card_no > ?2 ORDER BY h.card_no LIMIT ?3`,
);

/**
 * Cards with a debit over what they held that is newer than what every row has. By the event, which few
 * flags are newer than: the plus keeps the tenant's index out.
 */
export const fleetOverdrawnLately = statement<
  [tenantId: number],
  { card_no: number; card_id: string }
>(
  "fleet.overdrawnLately",
  `SELECT card_no, card_id FROM flag
   WHERE event_id > coalesce((SELECT through FROM head_round WHERE round = 1), 0)
     AND reason = 'overdrawn' AND card_no IS NOT NULL AND +tenant_id = ?1`,
);

export interface FleetBatchRow {
  batch_no: number;
  received_at_ms: number;
  accepted: number;
  first_event: number;
}

/** Batches of a device, newest first, below a number. */
export const fleetBatches = statement<
  [tenantId: number, deviceNo: number, belowNo: number, limit: number],
  FleetBatchRow
>(
  "fleet.batches",
  `SELECT batch_no, received_at_ms, accepted, first_event FROM batch
   WHERE device_no = ?2 AND batch_no < ?3 AND tenant_id = ?1 ORDER BY batch_no DESC LIMIT ?4`,
);

/** Cards of the events of a batch. */
export const fleetCardsOfEvents = statement<
  [tenantId: number, firstId: number, lastId: number],
  { card_no: number }
>(
  "fleet.cardsOfEvents",
  "SELECT card_no FROM event WHERE event_id BETWEEN ?2 AND ?3 AND tenant_id = ?1",
);

/** How many of these cards are ACTIVE at a moment. `cardNos` is a JSON array of numbers. */
export const fleetActive = statement<
  [tenantId: number, cardNos: string, nowSec: number],
  { count: number }
>(
  "fleet.active",
  `SELECT count(*) AS count FROM json_each(?2) j JOIN card c ON c.card_no = j.value
   WHERE c.tenant_id = ?1 AND c.status = 0 AND (c.expires_at_sec IS NULL OR c.expires_at_sec > ?3)`,
);
