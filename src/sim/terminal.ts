/**
 * A terminal that works alone: reads a card, decides by its own grant, policy and memory, writes, and
 * queues what happened. A rogue one is made to break rules on purpose.
 */
import type { EventType } from "../domain/chain.ts";
import type { Op } from "../domain/grant.ts";
import type { OpenCard } from "../domain/image.ts";
import { isLawful } from "../domain/state.ts";
import type { Written } from "../domain/write.ts";
import type { Chip } from "./chip.ts";
import { type Happened, happened } from "./happened.ts";
import type { Reading, Seen } from "./reader.ts";
import { Uplink } from "./uplink.ts";
import { type Hold, type Interrupted, tookEffect, writeCard } from "./writer.ts";

export interface Wish {
  readonly type: EventType;
  readonly amount: number;
  /** Breaks the rules of writing (limits, state, op, blocks); the keys it must hold all the same. */
  readonly rogue?: boolean;
  readonly hold?: Hold;
  readonly status?: number;
}

export type TapResult =
  | { readonly done: true; readonly event: Happened }
  | { readonly done: false; readonly why: string };

const opsOf: Readonly<Record<EventType, readonly Op[]>> = {
  debit: ["debit"],
  credit: ["topup"],
  checkin: ["checkin"],
  checkout: ["checkout"],
  admin: ["reissue", "block"],
};
const refuse = (why: string): TapResult => ({ done: false, why });

export class Terminal extends Uplink {
  /** How far its clock is off. */
  clockErrorSec = 0;
  protected readonly seen = new Map<string, number>();
  protected readonly interrupted = new Map<string, Interrupted>();
  readonly #spent = new Map<string, { day: number; sum: number }>();

  override restart(): void {
    super.restart();
    this.seen.clear();
    this.interrupted.clear();
    this.#spent.clear();
  }

  look(chip: Chip, now: number): Reading {
    const allowanceSec = this.policy?.clockDriftAllowanceSec ?? 0;
    const cardId = chip.read().subarray(6, 12).toHex();
    const seen = this.seen.get(cardId) ?? 0;
    const isBlocked = (id: string) => this.blocked.has(id);
    const reading = this.world.reader.read(chip, {
      ring: this.ring,
      now,
      allowanceSec,
      seen,
      isBlocked,
    });
    if (reading.kind === "no_key") this.wanted.add(reading.keyVersion);
    if (reading.kind === "tamper") this.report("tamper", reading.cardId, null, now);
    if (reading.kind === "replay") {
      this.report("replay", reading.cardId, reading.card.plain.counter, now);
    }
    return reading;
  }

  /** Someone holds a card to the terminal. `at` is the true time, UTC seconds. */
  tap(chip: Chip, wish: Wish, at: number): TapResult {
    const now = at + this.clockErrorSec;
    const reading = this.look(chip, now);
    if (!("card" in reading)) return refuse(reading.kind);
    const { cardId, card } = reading;
    const broken = this.interrupted.get(cardId);
    if (reading.kind === "torn" && !broken) {
      this.report("write_failure", cardId, card.plain.counter, now);
      return refuse("torn");
    }
    if (broken) this.#settle(cardId, broken, card);
    this.seen.set(cardId, Math.max(this.seen.get(cardId) ?? 0, card.plain.counter));
    const wrong = wish.rogue ? this.#impossible(reading, wish) : this.#wrong(reading, wish, now);
    if (wrong !== null) return refuse(wrong);
    return this.write(chip, reading, wish, now, broken?.before.expiresAt ?? 0);
  }

  /** Only a write that could not be laid out stops a rogue. */
  #impossible({ card: { plain } }: Seen, { type, amount }: Wish): string | null {
    return type === "debit" && plain.balance < amount ? "balance" : null;
  }

  #wrong(reading: Seen & { kind: string }, wish: Wish, now: number): string | null {
    const { card, keyVersion, cardId } = reading;
    const { plain } = card;
    const { policy } = this;
    if (reading.kind !== "ok" && reading.kind !== "torn") return reading.kind;
    if (!policy) return "no_policy";
    if (!opsOf[wish.type].some((op) => this.ring.allows(keyVersion, op, now))) return "op";
    if (plain.status !== 0 || this.blocked.has(cardId)) return "blocked";
    const { sessionMaxSec } = policy;
    const move = { timestamp: now, startTime: plain.startTime, sessionMaxSec };
    if (!isLawful(plain.state, wish.type, move)) return "state";
    if (wish.type === "debit") {
      if (wish.amount > plain.balance) return "balance";
      if (wish.amount > policy.singleTxLimit) return "single_limit";
      if (this.#spentToday(cardId, now) + wish.amount > policy.dailyLimit) return "daily_limit";
    }
    if (wish.type === "credit" && plain.balance + wish.amount > policy.maxBalance) {
      return "max_balance";
    }
    return null;
  }

  /** Writes and queues. A torn card's trailer proves nothing: `expiresAt` is what is known of it. */
  protected write(
    chip: Chip,
    reading: Seen & { kind: string },
    wish: Wish,
    now: number,
    expiresAt: number,
  ): TapResult {
    const { card, keys, keyVersion, cardId } = reading;
    const mend = card.torn ? { expiresAt, keyVersion, suspect: true } : {};
    const result = writeCard(
      chip,
      card,
      keys,
      {
        type: wish.type,
        amount: wish.amount,
        timestamp: now,
        offline: !this.isOnline,
        terminalId: this.terminalId,
        ...(wish.status === undefined ? {} : { status: wish.status }),
        ...mend,
      },
      wish.hold,
    );
    if (!result.done) {
      this.interrupted.set(cardId, result.interrupted);
      return refuse("write_failed");
    }
    this.world.reader.remember(chip, keys, result.written.card);
    return { done: true, event: this.#queued(wish.type, card, result.written) };
  }

  #queued(type: EventType, before: OpenCard, written: Written): Happened {
    const event = happened(type, before, written);
    const { cardId, counter, amount, timestamp } = event.wire;
    this.queue.push(event);
    this.seen.set(cardId, counter);
    if (type === "debit") {
      this.#spent.set(cardId, {
        day: this.#day(timestamp),
        sum: this.#spentToday(cardId, timestamp) + amount,
      });
    }
    return event;
  }

  /** The card of an interrupted write is back: if the write holds after all, it has happened. */
  #settle(cardId: string, broken: Interrupted, card: OpenCard): void {
    this.interrupted.delete(cardId);
    const written = tookEffect(broken, card);
    if (written) this.#queued(broken.type, broken.before, written);
  }

  #day(timestamp: number): number {
    return this.world.model.days(this.policy?.timezone ?? "UTC").day(timestamp);
  }

  #spentToday(cardId: string, timestamp: number): number {
    const spent = this.#spent.get(cardId);
    return spent?.day === this.#day(timestamp) ? spent.sum : 0;
  }
}
