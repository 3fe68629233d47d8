/**
 * One card while a batch is decided: its head, history, weeks and top-ups as they become, event by
 * event. Knows how an event enters the card's history and what that teaches about those above it;
 * whether it may enter, and which limits it breaks, is `reconcile.ts`.
 */
import type { CardRecord, Head } from "./cardrecord.ts";
import type { IncomingEvent, Recorded } from "./event.ts";
import { append } from "./fold.ts";
import { History, type Run, type Unknown, unknown } from "./history.ts";
import { judge, type Link } from "./link.ts";
import type { Topup } from "./topup.ts";

/** What is read of a card before a batch is decided. */
export interface CardView {
  readonly card: CardRecord;
  readonly runs: readonly Run[];
  /** Weeks outside the head that a debit of the batch falls into. */
  readonly weeks: ReadonlyMap<number, readonly number[]>;
  /** Top-ups that a credit of the batch may belong to. */
  readonly awaiting: readonly Topup[];
}

/** A recorded event of which more is known now. */
export interface Amended {
  readonly before: Recorded;
  readonly after: Recorded;
}

/** More of a card's history has to be read before the batch can be decided. */
export interface Need {
  readonly cardId: string;
  /** Around this counter and above it. */
  readonly counter: number;
}

const nothing: ReadonlySet<number> = new Set();
const none: ReadonlyMap<number, Amended> = new Map();

/** What is still being made. */
export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export class CardWork {
  /** This decision's own copy, changed in place until it is handed out. */
  readonly head: Mutable<Head>;
  awaiting: readonly Topup[];
  headChanged = false;
  /** Set once something unread was asked for; then the rest of the card waits for the next try. */
  need: Need | null = null;
  // Most cards of a batch need none of these, so none is made for them.
  private weeksNow: Map<number, readonly number[]> | null = null;
  private weeksPut: Set<number> | null = null;
  private amends: Map<number, Amended> | null = null;
  /** Made when something below the head is asked for, which for most cards never is. */
  private history: History | null = null;
  /** What was put on the head before. */
  private above: Recorded[] | null = null;

  /** `renew` puts an event of this batch in its older self's place; false if it is not of the batch. */
  constructor(
    readonly view: CardView,
    private readonly sessionMaxSec: number,
    private readonly renew: (event: Recorded) => boolean,
  ) {
    this.head = { ...view.card.head };
    this.awaiting = view.awaiting;
  }

  get card(): CardRecord {
    return this.view.card;
  }

  /** Notes that `counter` must be read. */
  private ask(counter: number): Unknown {
    this.need = { cardId: this.card.cardId, counter };
    return unknown;
  }

  /** Weeks outside the head. */
  get weeks(): ReadonlyMap<number, readonly number[]> {
    return this.weeksNow ?? this.view.weeks;
  }

  /** Those of them that became others. */
  get weeksChanged(): ReadonlySet<number> {
    return this.weeksPut ?? nothing;
  }

  /** By event id; those of this batch are not in it. */
  get amended(): ReadonlyMap<number, Amended> {
    return this.amends ?? none;
  }

  private get known(): History {
    if (this.history !== null) return this.history;
    const history = new History(this.view.card.head.top, this.view.runs);
    for (const event of this.above ?? []) history.put(event);
    this.history = history;
    return history;
  }

  /** The event recorded at `counter`, null if there is none. */
  recordedAt(counter: number): Recorded | null | Unknown {
    if (counter > this.head.top.counter) return null;
    const found = this.known.at(counter);
    return found === unknown ? this.ask(counter) : found;
  }

  /** How `event` follows from what is below it. */
  judgeNew(event: IncomingEvent): Link | Unknown {
    const { top } = this.head;
    const below = event.counter > top.counter ? top : this.known.below(event.counter);
    return below === unknown ? this.ask(event.counter) : judge(event, below, this.sessionMaxSec);
  }

  /** Puts a new event in its place: as the head, or below it. */
  enter(event: Recorded): void {
    const { head } = this;
    this.headChanged = true;
    if (event.counter > head.top.counter) {
      if (this.history !== null) this.history.put(event);
      else if (this.above === null) this.above = [event];
      else this.above.push(event);
      append(head, event);
      return;
    }
    this.known.put(event);
    head.late += 1;
    head.applied = event.id;
    this.showState(event);
    this.rejudgeAbove(event);
  }

  /** New knowledge of an event that is in the history. */
  amend(before: Recorded, after: Recorded): void {
    this.known.put(after);
    if (after.counter === this.head.top.counter) {
      this.head.top = after;
      this.headChanged = true;
    }
    if (this.renew(after)) return;
    this.amends ??= new Map();
    const first = this.amends.get(after.id)?.before ?? before;
    this.amends.set(after.id, { before: first, after });
  }

  /** A week outside the head is another one now. */
  putWeek(week: number, days: readonly number[]): void {
    this.weeksNow ??= new Map(this.view.weeks);
    this.weeksNow.set(week, days);
    this.weeksPut ??= new Set();
    this.weeksPut.add(week);
  }

  /** A filled gap changes what is known of the events above, and so on upward until nothing changes. */
  private rejudgeAbove(filled: Recorded): void {
    for (let below = filled; ; ) {
      const event = this.known.above(below.counter);
      if (event === unknown) this.ask(below.counter);
      if (event === unknown || event === null) return;
      const { linked, start, state, flags: learnt } = judge(event, below, this.sessionMaxSec);
      // What was once raised stays raised: an operator has seen it.
      const flags = event.flags | learnt;
      const same = linked === event.linked && start === event.start && state === event.state;
      if (same && flags === event.flags) return;
      const after: Recorded = { ...event, flags, linked, start, state };
      this.amend(event, after);
      this.showState(after);
      below = after;
    }
  }

  /** Keeps the shown state that of the highest event whose state is known. */
  private showState(event: Recorded): void {
    const { head } = this;
    if (event.state !== null) {
      if (event.counter < head.shownCounter) return;
      head.shownState = event.state;
      head.shownCounter = event.counter;
      return;
    }
    if (event.counter === head.shownCounter) this.showBelow(event);
  }

  /** The state that was shown is not known any more: it is that of an event further down. */
  private showBelow(event: Recorded): void {
    let from = event.counter;
    for (;;) {
      const below = this.known.below(from);
      if (below === unknown) {
        this.ask(from);
        return;
      }
      if (below.state !== null) {
        this.head.shownState = below.state;
        this.head.shownCounter = below.counter;
        return;
      }
      from = below.counter;
    }
  }
}
