/**
 * One card while a batch is decided: its head, history, weeks and top-ups as they become, event by
 * event. Knows how an event enters the card's history and what that teaches about those above it;
 * whether it may enter, and which limits it breaks, is `reconcile.ts`.
 */
import type { CardRecord, Head } from "./cardrecord.ts";
import type { IncomingEvent, Recorded } from "./event.ts";
import { History, type Run, unknown } from "./history.ts";
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

export class CardWork {
  head: Head;
  awaiting: Topup[];
  readonly weeks: Map<number, readonly number[]>;
  readonly weeksChanged = new Set<number>();
  readonly amended = new Map<number, Amended>();
  /** Set once something unread was asked for; then the rest of the card waits for the next try. */
  need: Need | null = null;
  private readonly history: History;

  constructor(
    readonly view: CardView,
    private readonly sessionMaxSec: number,
    private readonly onAmend: (event: Recorded) => boolean,
  ) {
    this.head = view.card.head;
    this.awaiting = [...view.awaiting];
    this.weeks = new Map(view.weeks);
    this.history = new History(this.head.top, view.runs);
  }

  get card(): CardRecord {
    return this.view.card;
  }

  /** Notes that `counter` must be read. */
  private ask(counter: number): null {
    this.need = { cardId: this.card.cardId, counter };
    return null;
  }

  /** The event recorded at `counter`; null if none, or if `need` is now set. */
  recordedAt(counter: number): Recorded | null {
    if (counter > this.head.top.counter) return null;
    const found = this.history.at(counter);
    return found === unknown ? this.ask(counter) : found;
  }

  /** How `event` follows from what is below it; null if that must be read first. */
  judgeNew(event: IncomingEvent): Link | null {
    const below = this.history.below(event.counter);
    return below === unknown ? this.ask(event.counter) : judge(event, below, this.sessionMaxSec);
  }

  /** Puts a new event in its place: as the head, or below it. */
  enter(event: Recorded): void {
    this.history.put(event);
    const { top, depth, late } = this.head;
    if (event.counter > top.counter) this.head = { ...this.head, top: event, depth: depth + 1 };
    else this.head = { ...this.head, late: late + 1 };
    this.showState(event);
    if (event.counter < this.head.top.counter) this.rejudgeAbove(event.counter);
  }

  /** New knowledge of an event that is in the history. */
  amend(before: Recorded, after: Recorded): void {
    this.history.put(after);
    if (after.counter === this.head.top.counter) this.head = { ...this.head, top: after };
    if (this.onAmend(after)) return;
    const first = this.amended.get(after.id)?.before ?? before;
    this.amended.set(after.id, { before: first, after });
  }

  /** A filled gap changes what is known of the events above, and so on upward until nothing changes. */
  private rejudgeAbove(counter: number): void {
    let below = this.history.at(counter);
    for (;;) {
      if (below === unknown || below === null) return;
      const event = this.history.above(below.counter);
      if (event === unknown) {
        this.ask(below.counter);
        return;
      }
      if (event === null) return;
      const link = judge(event, below, this.sessionMaxSec);
      const flags = event.flags | link.flags;
      if (
        link.linked === event.linked &&
        link.start === event.start &&
        link.state === event.state &&
        flags === event.flags
      ) {
        return;
      }
      const after: Recorded = { ...event, flags, linked: link.linked, start: link.start, state: link.state };
      this.amend(event, after);
      this.showState(after);
      below = after;
    }
  }

  /** Keeps the shown state that of the highest event whose state is known. */
  private showState(event: Recorded): void {
    if (event.state !== null) {
      if (event.counter < this.head.shownCounter) return;
      this.head = { ...this.head, shownState: event.state, shownCounter: event.counter };
      return;
    }
    if (event.counter !== this.head.shownCounter) return;
    let below = this.history.below(event.counter);
    while (below !== unknown && below.state === null) below = this.history.below(below.counter);
    if (below === unknown) {
      this.ask(event.counter);
      return;
    }
    if (below.state === null) return;
    this.head = { ...this.head, shownState: below.state, shownCounter: below.counter };
  }
}
