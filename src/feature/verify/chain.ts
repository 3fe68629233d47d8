/**
 * Cards and their events, in one walk by card and counter: each counter once, each chain unbroken and
 * whole together with what came late, each event judged anew by the one below it, places and holes
 * where they must be, the head what the highest event says, and the sums of debits by local week. A head's row is held against the events up to its
 * `applied`; those above must be ones that it can be brought up to date from.
 */
import { placeEvery } from "../../../schema/bound.ts";
import { calendar, weekdayOf, weekOf } from "../../domain/calendar.ts";
import { EVENT_CODE } from "../../domain/chain.ts";
import { eventType, type Recorded } from "../../domain/event.ts";
import { reasonsOf } from "../../domain/flag.ts";
import { judge } from "../../domain/link.ts";
import type { CardState } from "../../domain/state.ts";
import { Cursor, type Faults } from "./fault.ts";
import {
  events,
  heads,
  holes,
  places,
  readThrough,
  type VerifyEventRow,
  type VerifyHeadRow,
  type VerifyPlaceRow,
  type VerifyWeekRow,
  type Walkable,
  weeks,
} from "./store.ts";

const debit = 0;
const admin = 15;
const idle = 0;
const types: ReadonlySet<number> = new Set(Object.values(EVENT_CODE));
/** How long a session may last is a policy's, and may have been another one then: it is not judged. */
const anySessionSec = Number.POSITIVE_INFINITY;
const noWeek = "0,0,0,0,0,0,0";

type DayRow = Pick<VerifyWeekRow, "d0" | "d1" | "d2" | "d3" | "d4" | "d5" | "d6">;
type HoleRow = { card_no: number; counter: number; event_id: number };

const daysOf = (r: DayRow): string => [r.d0, r.d1, r.d2, r.d3, r.d4, r.d5, r.d6].join();

/** Everything that is walked beside the cards. */
interface Walk {
  readonly event: Cursor<VerifyEventRow>;
  readonly place: Cursor<VerifyPlaceRow>;
  readonly hole: Cursor<HoleRow>;
  readonly week: Cursor<VerifyWeekRow>;
}

/** One card's events on their way through. */
class CardProof {
  depth = 0;
  late = 0;
  chain = 0;
  /** The last event up the card. */
  last: VerifyEventRow | undefined;
  /** Of the events that the head's row holds. */
  top: VerifyEventRow | undefined;
  applied = 0;
  depthHeld = 0;
  shownState = idle;
  shownCounter = 0;
  readonly weeks = new Map<number, number[]>();
  readonly weeksHeld = new Map<number, number[]>();

  constructor(
    readonly head: VerifyHeadRow,
    readonly dayOf: (sec: number) => number,
    readonly through: number,
    readonly faults: Faults,
  ) {}

  key(counter: number): string {
    return `card ${this.head.card_no}, counter ${counter}`;
  }

  /** The next event up; returns the place that it must have. */
  take(e: VerifyEventRow): VerifyPlaceRow | undefined {
    const { faults } = this;
    const key = this.key(e.counter);
    faults.same("event of the card's tenant", "event", key, this.head.card_tenant_id, e.tenant_id);
    if (this.last?.counter === e.counter) {
      const { event_id: other } = this.last;
      faults.add("counter once", "event", key, `event ${other}`, `event ${e.event_id}`);
    } else this.link(e, this.last ?? registered(this.head));
    this.last = e;
    if (e.type === debit) this.spend(this.weeks, e);
    if (e.event_id <= this.head.applied) this.hold(e);
    else this.lack(e);
    return e.late === 1 ? this.takeLate(e) : this.takeChain(e);
  }

  /** What was learnt of the event by the one below it; what was once raised stays raised. */
  private link(e: VerifyEventRow, below: LinkedRow): void {
    // A code that the table forbids is a fault of the row already, and so is a card without a head.
    if (!types.has(e.type) || !types.has(below.type) || this.head.tenant_id === null) return;
    const { faults } = this;
    const due = judge(recorded(e), recorded(below), anySessionSec);
    const key = this.key(e.counter);
    faults.same("link", "event", `${key}, linked`, due.linked ? 1 : 0, e.linked);
    faults.same("link", "event", `${key}, start_sec`, due.start, e.start_sec);
    faults.same("link", "event", `${key}, state`, due.state, e.state);
    const missing = reasonsOf(due.flags & ~e.flags);
    if (missing.length > 0) faults.add("link", "event", `${key}, flags`, missing.join(), e.flags);
  }

  /** The head's row holds the event. */
  private hold(e: VerifyEventRow): void {
    this.top = e;
    this.applied = Math.max(this.applied, e.event_id);
    if (e.late === 0) this.depthHeld += 1;
    if (e.type === debit) this.spend(this.weeksHeld, e);
    if (e.state === null) return;
    this.shownState = e.state;
    this.shownCounter = e.counter;
  }

  /** The head's row does not hold the event, so it must lie on top, and be looked for. */
  private lack({ event_id: id, counter, late }: VerifyEventRow): void {
    const { head, faults } = this;
    if (late === 0 && counter > head.counter && id > this.through) return;
    const expected = `events up to ${Math.max(id, this.through)}`;
    faults.add("head", "head", `card ${head.card_no}, applied`, expected, head.applied);
  }

  private takeLate(e: VerifyEventRow): VerifyPlaceRow {
    this.late += 1;
    this.faults.same("late event off the chain", "event", this.key(e.counter), 0, e.prev);
    return e;
  }

  private takeChain(e: VerifyEventRow): VerifyPlaceRow | undefined {
    this.depth += 1;
    this.faults.same("chain", "event", this.key(e.counter), this.chain, e.prev);
    if (e.event_id <= this.chain) {
      const expected = `above event ${this.chain}`;
      this.faults.add(
        "chain in order of arrival",
        "event",
        this.key(e.counter),
        expected,
        e.event_id,
      );
    }
    this.chain = e.event_id;
    return this.depth % placeEvery === 0 ? e : undefined;
  }

  private spend(
    weeks: Map<number, number[]>,
    { timestamp_sec: sec, amount }: VerifyEventRow,
  ): void {
    const day = this.dayOf(sec);
    const week = weekOf(day);
    const days = weeks.get(week) ?? [0, 0, 0, 0, 0, 0, 0];
    const weekday = weekdayOf(day);
    days[weekday] = (days[weekday] ?? 0) + amount;
    weeks.set(week, days);
  }

  /** Holds the head against what the events said. */
  finish(): void {
    const { head, faults } = this;
    const key = `card ${head.card_no}`;
    if (head.tenant_id === null) {
      faults.add("head", "head", key, "a head", null);
      return;
    }
    const top = this.top ?? registered(head);
    const pairs: [string, unknown, unknown][] = [
      ["tenant_id", head.card_tenant_id, head.tenant_id],
      ["event_id", top.event_id, head.event_id],
      ["counter", top.counter, head.counter],
      ["type", top.type, head.type],
      ["amount", top.amount, head.amount],
      ["chip_balance", top.balance_after, head.chip_balance],
      ["timestamp_sec", top.timestamp_sec, head.timestamp_sec],
      ["hash", top.hash, head.hash],
      ["flags", top.flags, head.flags],
      ["linked", top.linked, head.linked],
      ["start_sec", top.start_sec, head.start_sec],
      ["state", top.state, head.state],
      ["shown_state", this.shownState, head.shown_state],
      ["shown_counter", this.shownCounter, head.shown_counter],
      ["depth", this.depthHeld, head.depth],
      ["late", this.late, head.late],
      ["applied", this.applied, head.applied],
    ];
    for (const [column, expected, found] of pairs) {
      faults.same("head", "head", `${key}, ${column}`, expected, found);
    }
  }

  /** The newest week stands in the head, each other one in a row. */
  finishWeeks(rows: readonly VerifyWeekRow[]): void {
    const { head, faults } = this;
    const newestOf = (weeks: Map<number, number[]>) => Math.max(0, ...weeks.keys());
    const key = (week: number) => `card ${head.card_no}, week ${week}`;
    if (head.tenant_id !== null) {
      const newest = newestOf(this.weeksHeld);
      faults.same("week of debits", "head", `card ${head.card_no}, week`, newest, head.week);
      const days = this.weeksHeld.get(newest)?.join() ?? noWeek;
      faults.same("week of debits", "head", key(newest), days, daysOf(head));
    }
    // The newest of all is the head's, whether or not its row has come so far.
    this.weeks.delete(newestOf(this.weeks));
    for (const row of rows) {
      const days = this.weeks.get(row.week)?.join() ?? "no row";
      faults.same("week of debits", "debit_week", key(row.week), days, daysOf(row));
      this.weeks.delete(row.week);
    }
    for (const [week, days] of this.weeks) {
      faults.add("week of debits", "debit_week", key(week), days.join(), "no row");
    }
  }
}

/** An event as judging needs it. */
type LinkedRow = Omit<VerifyEventRow, "card_no" | "tenant_id" | "prev" | "late">;

const recorded = (row: LinkedRow): Recorded => ({
  id: row.event_id,
  counter: row.counter,
  type: eventType(row.type),
  amount: row.amount,
  balanceAfter: row.balance_after,
  timestamp: row.timestamp_sec,
  hash: row.hash,
  flags: row.flags,
  linked: row.linked === 1,
  start: row.start_sec,
  state: row.state as CardState | null,
});

/** What stands for the highest event of a card that has none. */
const registered = (head: VerifyHeadRow): LinkedRow => ({
  event_id: 0,
  counter: 0,
  type: admin,
  amount: 0,
  balance_after: head.opening_balance,
  timestamp_sec: 0,
  hash: 0,
  flags: 0,
  linked: 1,
  start_sec: 0,
  state: idle,
});

const isBefore = (
  row: { card_no: number; counter: number },
  card: number,
  counter: number,
): boolean => row.card_no < card || (row.card_no === card && row.counter < counter);

/** Places and holes below (card, counter) that no event asked for. */
function strays({ place, hole }: Walk, card: number, counter: number, faults: Faults): void {
  for (let row = place.next; row !== undefined && isBefore(row, card, counter); row = place.next) {
    const key = `card ${row.card_no}, late ${row.late}, counter ${row.counter}`;
    faults.add("place", "event_place", key, "no row", `event ${row.event_id}`);
    place.take();
  }
  for (let row = hole.next; row !== undefined && isBefore(row, card, counter); row = hole.next) {
    const key = `card ${row.card_no}, counter ${row.counter}`;
    faults.add("hole", "event_hole", key, "no row", `event ${row.event_id}`);
    hole.take();
  }
}

/** The place and the hole that an event must have, and no others. */
function besides(
  walk: Walk,
  e: VerifyEventRow,
  place: VerifyPlaceRow | undefined,
  faults: Faults,
): void {
  strays(walk, e.card_no, e.counter, faults);
  const isHere = (
    row: { card_no: number; counter: number; event_id: number } | undefined,
  ): boolean =>
    row?.card_no === e.card_no && row.counter === e.counter && row.event_id === e.event_id;
  const key = `card ${e.card_no}, counter ${e.counter}`;
  const placed = walk.place.next;
  if (place !== undefined) {
    if (isHere(placed) && placed?.late === place.late) walk.place.take();
    else faults.add("place", "event_place", key, `event ${e.event_id}`, "no row");
  }
  if (e.linked === 0) {
    if (isHere(walk.hole.next)) walk.hole.take();
    else faults.add("hole", "event_hole", key, `event ${e.event_id}`, "no row");
  }
}

function weeksOf({ week }: Walk, card: number, faults: Faults): VerifyWeekRow[] {
  const rows: VerifyWeekRow[] = [];
  for (let row = week.next; row !== undefined && row.card_no <= card; row = week.next) {
    if (row.card_no === card) rows.push(row);
    else faults.add("week of debits", "debit_week", `card ${row.card_no}`, "a card", "no card");
    week.take();
  }
  return rows;
}

/** Events below `card` belong to no card. */
function orphans({ event }: Walk, card: number, faults: Faults): void {
  for (let e = event.next; e !== undefined && e.card_no < card; e = event.next) {
    faults.add("event of a card", "event", `event ${e.event_id}`, "a card", `card ${e.card_no}`);
    event.take();
  }
}

export async function verifyCards(
  q: Walkable,
  zones: ReadonlyMap<number, string>,
  faults: Faults,
): Promise<void> {
  const through = await readThrough(q);
  const walk: Walk = {
    event: new Cursor(events(q)),
    place: new Cursor(places(q)),
    hole: new Cursor(holes(q)),
    week: new Cursor(weeks(q)),
  };
  for (const head of heads(q)) {
    const { card_no: card } = head;
    orphans(walk, card, faults);
    const zone = zones.get(head.card_tenant_id) ?? "UTC";
    const proof = new CardProof(head, calendar(zone).dayOf, through, faults);
    for (let e = walk.event.next; e !== undefined && e.card_no === card; e = walk.event.next) {
      besides(walk, e, proof.take(e), faults);
      walk.event.take();
    }
    proof.finish();
    proof.finishWeeks(weeksOf(walk, card, faults));
  }
  const end = Number.POSITIVE_INFINITY;
  orphans(walk, end, faults);
  strays(walk, end, end, faults);
  weeksOf(walk, end, faults);
}
