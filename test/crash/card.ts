/**
 * One card as its terminals know it: the chip, what was recorded of it for certain, and what the books
 * must say. Knows no server and no file.
 */
import type { Chain, WireEvent } from "../chip.ts";

export interface Shown {
  readonly status: string;
  readonly balance: number;
  readonly counter: number;
  readonly chipBalance: number;
  readonly pendingTopups: { readonly count: number; readonly amount: number };
  readonly needsValidation: boolean;
}

export class CardModel {
  status = "ACTIVE";
  /** Available and pending money of the wallet. */
  worth: number;
  /** Amounts of top-ups whose credit was not recorded yet. */
  readonly pending: number[] = [];
  /** Of those, the ones that the chip does not carry yet. */
  readonly toWrite: number[] = [];
  needsValidation = false;
  readonly recorded = new Map<number, WireEvent>();
  /** Written, and to be handed in later than what was written after them. */
  readonly held: WireEvent[] = [];
  #highest: WireEvent | undefined;
  /** What the chip showed when the model began. */
  readonly #opening: { readonly counter: number; readonly balance: number };

  constructor(
    readonly chain: Chain,
    worth: number,
  ) {
    this.worth = worth;
    const { counter, balance } = chain;
    this.#opening = { counter, balance };
  }

  get cardId(): string {
    return this.chain.cardId;
  }

  record(event: WireEvent): void {
    if (this.recorded.has(event.counter)) throw new Error(`${this.cardId}: ${event.counter} twice`);
    this.recorded.set(event.counter, event);
    if (event.counter > (this.#highest?.counter ?? 0)) this.#highest = event;
    this.needsValidation = false;
    if (event.type === "debit") this.worth -= event.amount;
    const at = event.type === "credit" ? this.pending.indexOf(event.amount) : -1;
    if (at >= 0) this.pending.splice(at, 1);
  }

  /** The next event of the chip: what a top-up owes it, or a purchase, now and then a new session. */
  next(roll: (max: number) => number, nowSec: number): WireEvent {
    const { chain } = this;
    const at = nowSec - (roll(40) === 0 ? 8 * 86_400 : 0);
    const credit = this.toWrite.shift();
    if (credit !== undefined) return chain.credit(credit, { at });
    if (roll(12) === 0 || chain.balance === 0) return chain.checkin({ at });
    return chain.debit(Math.min(chain.balance, 1 + roll(20)), { at });
  }

  /** The wallet is emptied into that of a new card. Returns what moves. */
  close(): number {
    const moved = Math.max(0, this.worth);
    this.worth -= moved;
    this.pending.length = 0;
    if (this.status === "ACTIVE") this.status = "BLOCKED_ADMIN";
    return moved;
  }

  /** What the server must answer. */
  get shown(): Shown {
    return {
      status: this.status,
      balance: this.worth,
      counter: this.#highest?.counter ?? this.#opening.counter,
      chipBalance: this.#highest?.balanceAfter ?? this.#opening.balance,
      pendingTopups: {
        count: this.pending.length,
        amount: this.pending.reduce((sum, each) => sum + each, 0),
      },
      needsValidation: this.needsValidation,
    };
  }
}
