/**
 * What a batch adds up to: for settlement, by local day of its events, and for the accounts on the
 * other side of the cards.
 */
import type { DayTotals } from "./batch.ts";
import type { Calendar } from "./calendar.ts";
import type { IncomingEvent } from "./event.ts";

const noTotals = (): DayTotals => ({
  checkins: 0,
  checkouts: 0,
  debits: 0,
  debitAmount: 0,
  credits: 0,
  creditAmount: 0,
  rejected: 0,
  flagged: 0,
  lateEvents: 0,
  parkedAmount: 0,
});

type Moment = Pick<IncomingEvent, "timestamp">;

export class Tally {
  readonly days = new Map<number, DayTotals>();
  debited = 0;
  parked = 0;
  credits = 0;
  flaggedEvents = 0;
  private readonly today: number;

  constructor(
    private readonly calendar: Calendar,
    nowSec: number,
  ) {
    this.today = calendar.dayOf(nowSec);
  }

  private on(day: number): DayTotals {
    let totals = this.days.get(day);
    if (totals === undefined) {
      totals = noTotals();
      this.days.set(day, totals);
    }
    return totals;
  }

  /** The totals of an event that is new here; late if its day was over. */
  private receive(event: Moment): DayTotals {
    const day = this.calendar.dayOf(event.timestamp);
    const totals = this.on(day);
    if (day < this.today) totals.lateEvents += 1;
    return totals;
  }

  reject(event: Moment): void {
    this.receive(event).rejected += 1;
  }

  /** `parked`: a credit whose money waits in suspense. */
  accept(event: IncomingEvent, parked: boolean): void {
    const totals = this.receive(event);
    const { type, amount } = event;
    if (type === "checkin") totals.checkins += 1;
    else if (type === "checkout") totals.checkouts += 1;
    else if (type === "debit") {
      totals.debits += 1;
      totals.debitAmount += amount;
      this.debited += amount;
    } else if (type === "credit") {
      totals.credits += 1;
      totals.creditAmount += amount;
      this.credits += amount;
      if (parked) {
        this.parked += amount;
        totals.parkedAmount += amount;
      }
    }
  }

  flag(event: Moment): void {
    this.flaggedEvents += 1;
    this.on(this.calendar.dayOf(event.timestamp)).flagged += 1;
  }
}
