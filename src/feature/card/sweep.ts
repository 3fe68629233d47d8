/**
 * Writing the heads whose rows lag behind, a stretch of neighbours at a time, in proportion to the
 * events that are recorded, round and round. After each round the file says which event no head lacks:
 * that of the round's beginning. Which heads there are and how they are read is the book's.
 */
import type { CardRecord } from "../../domain/cardrecord.ts";
import { NumberSet } from "../../domain/numberset.ts";
import type { Writer } from "../../store/seam.ts";
import { writeThrough } from "./store.ts";

export interface SweepDeps {
  /** The least number of events in the course of which all cards are gone over once. */
  readonly roundEventsMin: number;
  /** Heads that one eager turn writes. */
  readonly eagerHeads: number;
  readonly stretchMin: number;
  readonly current: (tx: Writer, cardNo: number) => Promise<CardRecord | undefined>;
  readonly write: (tx: Writer, cards: readonly CardRecord[]) => Promise<void>;
}

interface Round {
  /** Cards up to this number were gone over. */
  at: number;
  /** Last event when the round began: no head lacks it once the round is over. */
  through: number;
  /** Last event when cards were last gone over. */
  sweptId: number;
  /** What the file says. */
  written: number;
}

export class HeadSweep {
  /** Cards whose row lacks events. */
  readonly lagging = new NumberSet();
  /** Highest card number. */
  cards = 0;
  /** Last recorded event, those of the transaction at work included. */
  lastId = 0;
  #round: Round = { at: 0, through: 0, sweptId: 0, written: 0 };

  constructor(private readonly deps: SweepDeps) {}

  /** What was found in the file: no head lacks an event up to `through`; `lastId` is the last. */
  begin(cards: number, through: number, lastId: number): void {
    this.cards = cards;
    this.lastId = lastId;
    this.#round = { at: 0, through: lastId, sweptId: lastId, written: through };
  }

  mark(cardNo: number, lags: boolean): void {
    if (lags) this.lagging.add(cardNo);
    else this.lagging.delete(cardNo);
  }

  /** Cards that are to be gone over for the events since the last turn. */
  #stretch(): number {
    const { cards, lastId, deps } = this;
    const events = lastId - this.#round.sweptId;
    return Math.floor((events * cards) / Math.max(deps.roundEventsMin, cards));
  }

  isDue(): boolean {
    const least = Math.max(1, Math.min(this.deps.stretchMin, this.cards));
    return this.lagging.size > 0 && this.#stretch() >= least;
  }

  /** Some head lacks an event, or the file does not say yet that none does. */
  isOwed(): boolean {
    return this.lagging.size > 0 || this.#round.written < this.lastId;
  }

  /** Goes over the next cards: as many as are due, or `eager` until there is enough to write. */
  async sweep(tx: Writer, eager: boolean): Promise<void> {
    const { lagging, deps } = this;
    const before = this.#round;
    const round = { ...before, sweptId: this.lastId };
    const to = eager ? this.cards : Math.min(this.cards, before.at + this.#stretch());
    const heads: CardRecord[] = [];
    for (let cardNo = lagging.next(round.at + 1); cardNo !== 0 && cardNo <= to; ) {
      const card = await deps.current(tx, cardNo);
      if (card === undefined) throw new RangeError(`card ${cardNo} is gone`);
      heads.push(card);
      round.at = cardNo;
      if (eager && heads.length >= deps.eagerHeads) break;
      cardNo = lagging.next(cardNo + 1);
    }
    if (!eager || heads.length < deps.eagerHeads) round.at = to;
    await deps.write(tx, heads);
    for (const { cardNo } of heads) lagging.delete(cardNo);
    tx.onRollback(() => {
      this.#round = before;
      for (const { cardNo } of heads) lagging.add(cardNo);
    });
    if (lagging.size === 0) round.through = this.lastId;
    if (lagging.size === 0 || round.at >= this.cards) {
      if (round.through > round.written) await writeThrough(tx, round.through);
      round.written = round.through;
      round.through = this.lastId;
      round.at = 0;
    }
    this.#round = round;
  }
}
