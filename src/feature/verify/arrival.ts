/**
 * Events in order of arrival: each batch's are the rows that it names, its counts and amounts are
 * theirs, and settlement is their sum by device and local day of the event.
 */
import { type Calendar, calendar, dayText } from "../../domain/calendar.ts";
import { houseNo } from "../../domain/closing.ts";
import { Cursor, type Faults } from "./fault.ts";
import {
  arrivals,
  batches,
  quarantined,
  refunds,
  releases,
  settlement,
  topups,
  type VerifyArrivalRow,
  type VerifyBatchRow,
  type VerifySettlementRow,
  type Walkable,
} from "./store.ts";

const debit = 0;
const credit = 1;
const checkin = 2;
const checkout = 3;
/** Booking of a credit whose money waits in suspense. */
const parked = 3;

type Totals = Omit<VerifySettlementRow, "tenant_id" | "day" | "device_no">;
type Column = keyof Totals;

const zero = (): Totals => ({
  checkins: 0,
  checkouts: 0,
  debits: 0,
  debit_amount: 0,
  credits: 0,
  credit_amount: 0,
  topups: 0,
  topup_amount: 0,
  rejected: 0,
  flagged: 0,
  late_events: 0,
  refunds: 0,
  refund_amount: 0,
  parked_amount: 0,
  released_amount: 0,
  returned_amount: 0,
});
const columns = Object.keys(zero()) as Column[];

/** As many entries as settlement has rows. */
class Days {
  readonly #totals = new Map<string, Totals>();

  constructor(private readonly zones: ReadonlyMap<number, string>) {}

  calendar(tenant: number): Calendar {
    return calendar(this.zones.get(tenant) ?? "UTC");
  }

  at(tenant: number, device: number, day: number): Totals {
    const key = `${tenant} ${day} ${device}`;
    let totals = this.#totals.get(key);
    if (totals === undefined) {
      totals = zero();
      this.#totals.set(key, totals);
    }
    return totals;
  }

  /** Of an event received at `receivedMs`; late if its day was over then. */
  ofEvent(tenant: number, device: number, sec: number, receivedMs: number): Totals {
    const days = this.calendar(tenant);
    const day = days.dayOf(sec);
    const totals = this.at(tenant, device, day);
    if (day < days.dayOf(Math.floor(receivedMs / 1000))) totals.late_events += 1;
    return totals;
  }

  /** Of what the house did at a moment. */
  ofHouse(tenant: number, ms: number): Totals {
    return this.at(tenant, houseNo, this.calendar(tenant).dayOf(Math.floor(ms / 1000)));
  }

  /** The totals of a row, not to be asked for again; undefined if there are none. */
  take({ tenant_id: tenant, day, device_no: device }: VerifySettlementRow): Totals | undefined {
    const key = `${tenant} ${day} ${device}`;
    const totals = this.#totals.get(key);
    this.#totals.delete(key);
    return totals;
  }

  get left(): Iterable<[string, Totals]> {
    return this.#totals;
  }
}

interface Sums {
  accepted: number;
  flagged: number;
  debit: number;
  credit: number;
}

function count(days: Days, batch: VerifyBatchRow, e: VerifyArrivalRow, sums: Sums): void {
  const totals = days.ofEvent(e.tenant_id, e.device_no, e.timestamp_sec, batch.received_at_ms);
  sums.accepted += 1;
  if (e.flags !== 0) {
    sums.flagged += 1;
    totals.flagged += 1;
  }
  if (e.type === debit) {
    sums.debit += e.amount;
    totals.debits += 1;
    totals.debit_amount += e.amount;
  } else if (e.type === credit) {
    sums.credit += e.amount;
    totals.credits += 1;
    totals.credit_amount += e.amount;
    if (e.booking === parked) totals.parked_amount += e.amount;
  } else if (e.type === checkin) totals.checkins += 1;
  else if (e.type === checkout) totals.checkouts += 1;
}

/** The batch's events are the next ones in order of arrival. */
function verifyBatch(
  batch: VerifyBatchRow,
  event: Cursor<VerifyArrivalRow>,
  days: Days,
  faults: Faults,
): void {
  const key = `batch ${batch.batch_no}`;
  const sums: Sums = { accepted: 0, flagged: 0, debit: 0, credit: 0 };
  const { tenant_id: tenant, device_no: device, first_event: first } = batch;
  for (let e = event.next; e !== undefined && e.batch_no === batch.batch_no; e = event.next) {
    const at = `event ${e.event_id}`;
    faults.same("events of a batch", "event", at, first + sums.accepted, e.event_id);
    faults.same("events of a batch", "event", `${at}, tenant_id`, tenant, e.tenant_id);
    faults.same("events of a batch", "event", `${at}, device_no`, device, e.device_no);
    count(days, batch, e, sums);
    event.take();
  }
  faults.same("batch", "batch", `${key}, accepted`, sums.accepted, batch.accepted);
  faults.same("batch", "batch", `${key}, flagged`, sums.flagged, batch.flagged);
  faults.same("batch", "batch", `${key}, debit_amount`, sums.debit, batch.debit_amount);
  faults.same("batch", "batch", `${key}, credit_amount`, sums.credit, batch.credit_amount);
}

function strayEvents(event: Cursor<VerifyArrivalRow>, below: number, faults: Faults): void {
  for (let e = event.next; e !== undefined && e.batch_no < below; e = event.next) {
    faults.add(
      "events of a batch",
      "event",
      `event ${e.event_id}`,
      "a batch",
      `batch ${e.batch_no}`,
    );
    event.take();
  }
}

function verifySettlement(q: Walkable, days: Days, faults: Faults): void {
  for (const row of settlement(q)) {
    const expected = days.take(row) ?? zero();
    const key = `tenant ${row.tenant_id}, ${dayText(row.day)}, device ${row.device_no}`;
    for (const column of columns) {
      faults.same("settlement", "settlement", `${key}, ${column}`, expected[column], row[column]);
    }
  }
  for (const [key, totals] of days.left) {
    if (columns.some((column) => totals[column] !== 0)) {
      faults.add("settlement", "settlement", `tenant, day, device ${key}`, totals, "no row");
    }
  }
}

export function verifyArrivals(
  q: Walkable,
  zones: ReadonlyMap<number, string>,
  faults: Faults,
): void {
  const days = new Days(zones);
  const event = new Cursor(arrivals(q));
  for (const batch of batches(q)) {
    strayEvents(event, batch.batch_no, faults);
    verifyBatch(batch, event, days, faults);
  }
  strayEvents(event, Number.POSITIVE_INFINITY, faults);
  for (const row of quarantined(q)) {
    const { tenant_id: tenant, device_no: device, side, amount } = row;
    const totals = days.ofEvent(tenant, device, row.timestamp_sec, row.received_at_ms);
    totals.rejected += 1;
    totals.debits += side;
    totals.debit_amount += side * amount;
  }
  for (const row of topups(q)) {
    const day = days.calendar(row.tenant_id).dayOf(row.timestamp_sec);
    const totals = days.at(row.tenant_id, row.device_no, day);
    totals.topups += 1;
    totals.topup_amount += row.amount;
  }
  for (const { tenant_id: tenant, amount, created_at_ms: atMs } of refunds(q)) {
    const totals = days.ofHouse(tenant, atMs);
    totals.refunds += 1;
    totals.refund_amount += amount;
  }
  for (const { tenant_id: tenant, amount, at_ms: atMs, to_card: toCard } of releases(q)) {
    days.ofHouse(tenant, atMs)[toCard === 1 ? "released_amount" : "returned_amount"] += amount;
  }
  verifySettlement(q, days, faults);
}
