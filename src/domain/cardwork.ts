/**
 * One card while a batch is decided: its head, history, weeks and top-ups as they become, event by
 * event. Knows how an event enters the card's history and what that teaches about those above it;
 * whether it may enter, and which limits it breaks, is `reconcile.ts`.
 */
import type { CardRecord, Head } from "./cardrecord.ts";
import type { IncomingEvent, Recorded } from "./event.ts";
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

/** What is still being made. */
export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export class CardWork {
  /** This decision's own copy, changed in place until it is handed out. */
  readonly head: Mutable<Head>;
  awaiting: readonly Topup[];
  readonly weeks: Map<number, readonly number[]>;
  readonly weeksChanged = new Set<number>();
  /** By event id; those of this batch are not in it. */
  readonly amended = new Map<number, Amended>();
  headChanged = false;
  /** Set once something unread was asked for; then the rest of the card waits for the next try. */
  need: Need | null = null;
  private readonly history: History;

  /** `renew` puts an event of this batch in its older self's place; false if it is not of the batch. */
  constructor(
    readonly view: CardView,
    private readonly sessionMaxSec: number,
    private readonly renew: (event: Recorded) => boolean,
  ) {
    this.head = { ...view.card.head };
    this.awaiting = view.awaiting;
    this.weeks = new Map(view.weeks);
    this.history = new History(this.head.top, view.runs);
  }

  get card(): CardRecord {
    return this.view.card;
  }

  /** Notes that `counter` must be read. */
  private ask(counter: number): Unknown {
    this.need = { cardId: this.card.cardId, counter };
    return unknown;
  }

  /** The event recorded at `counter`, null if there is none. */
  recordedAt(counter: number): Recorded | null | Unknown {
    if (counter > this.head.top.counter) return null;
    const found = this.history.at(counter);
    return found === unknown ? this.ask(counter) : found;
  }

  /** How `event` follows from what is below it. */
  judgeNew(event: IncomingEvent): Link | Unknown {
    const below = this.history.below(event.counter);
    return below === unknown ? this.ask(event.counter) : judge(event, below, this.sessionMaxSec);
  }

  /** Puts a new event in its place: as the head, or below it. */
  enter(event: Recorded): void {
    const { head } = this;
    this.headChanged = true;
    this.history.put(event);
    const late = event.counter < head.top.counter;
    if (late) {
      head.late += 1;
    } else {
      head.top = event;
      head.depth += 1;
    }
    this.showState(event);
    if (late) this.rejudgeAbove(event);
  }

  /** New knowledge of an event that is in the history. */
  amend(before: Recorded, after: Recorded): void {
    this.history.put(after);
    if (after.counter === this.head.top.counter) {
      this.head.top = after;
      this.headChanged = true;
    }
    if (this.renew(after)) return;
    const first = this.amended.get(after.id)?.before ?? before;
    this.amended.set(after.id, { before: first, after });
  }

  /** A filled gap changes what is known of the events above, and so on upward until nothing changes. */
  private rejudgeAbove(filled: Recorded): void {
    for (let below = filled; ; ) {
      const event = this.history.above(below.counter);
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
      const below = this.history.below(from);
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
