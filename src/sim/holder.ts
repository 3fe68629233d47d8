/**
 * The people with the cards: what one holds, and what it does next. Honest holders stay within every
 * limit, so that nothing of theirs may be flagged.
 */
import { type CardState, CHECKED_IN, IDLE } from "../domain/state.ts";
import { Chip } from "./chip.ts";
import type { LocalDays } from "./localday.ts";
import type { ModelPolicy } from "./modelrule.ts";
import type { Random } from "./random.ts";
import type { Member } from "./station.ts";
import type { Wish } from "./terminal.ts";

const checkoutChance = 0.12;
/** Share of a limit that is used up at most. */
const restraint = 0.9;

/** A card in someone's pocket, and what its holder believes of it. */
export interface Wallet {
  readonly cardId: string;
  readonly member: Member;
  readonly chip: Chip;
  /** UTC seconds; 0 = never. */
  expiresAt: number;
  /** Taken out of everyday life: broken, stolen or replaced. */
  isIdle: boolean;
  state: CardState;
  balance: number;
  startTime: number;
  /** Debits by local day and week, kept below the limits. */
  readonly spent: Map<string, number>;
  wantsTopup: boolean;
}

export const newWallet = (cardId: string, member: Member): Wallet => ({
  cardId,
  member,
  chip: new Chip(),
  expiresAt: 0,
  isIdle: false,
  state: IDLE,
  balance: 0,
  startTime: 0,
  spent: new Map(),
  wantsTopup: false,
});

/** The habits of a venue's members under its policy. */
export class Habits {
  constructor(
    readonly policy: ModelPolicy,
    readonly days: LocalDays,
    readonly random: Random,
    readonly amountMean: number,
  ) {}

  /** What the holder does next; `topup`: it needs money first; null: nothing now. */
  wish(wallet: Wallet, now: number): Wish | "topup" | null {
    const { policy, random } = this;
    if (wallet.isIdle) return null;
    if (wallet.state !== CHECKED_IN) return { type: "checkin", amount: 0 };
    const isLong = now - wallet.startTime > policy.sessionMaxSec * restraint;
    if (isLong || random.chance(checkoutChance)) return { type: "checkout", amount: 0 };
    const amount = random.int(1, 2 * this.amountMean);
    if (wallet.balance < amount) return "topup";
    const [day, week] = this.#spans(now);
    const inDay = (wallet.spent.get(day) ?? 0) + amount;
    const inWeek = (wallet.spent.get(week) ?? 0) + amount;
    const isTooMuch =
      inDay > policy.dailyLimit * restraint || inWeek > policy.weeklyLimit * restraint;
    return isTooMuch ? { type: "checkout", amount: 0 } : { type: "debit", amount };
  }

  /** Remembers what was spent. */
  spend(wallet: Wallet, amount: number, now: number): void {
    for (const span of this.#spans(now)) {
      wallet.spent.set(span, (wallet.spent.get(span) ?? 0) + amount);
    }
  }

  #spans(at: number): [string, string] {
    return [`day ${this.days.day(at)}`, `week ${this.days.week(at)}`];
  }
}
