/**
 * What every answer of the server must be, by a second and simpler telling of the rules: it shares no
 * code with the server's and judges each answer as it comes. Where two batches race, the fleet sees to
 * it that their order can't matter, or lets them go one after the other.
 */
import type { Answer } from "./client.ts";
import type { Findings } from "./finding.ts";
import type { Happened } from "./happened.ts";
import { LocalDays } from "./localday.ts";
import { type FlagReason, flagOrder, type Known, type ModelCard } from "./modelcard.ts";
import {
  addTo,
  type ModelDevice,
  type ModelPolicy,
  type Outcome,
  opsOfType,
  partsOf,
  rejection,
  settles,
  shapeOf,
} from "./modelrule.ts";

export class Model {
  readonly cards = new Map<string, ModelCard>();
  /** Reason → how often the answers carried it. */
  readonly tally: Record<string, number> = {};
  accepted = 0;
  readonly #findings: Findings;
  readonly #days = new Map<string, LocalDays>();

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** A batch's answer; the model learns of its events on the way. */
  batch(device: ModelDevice, events: readonly Happened[], answer: Answer, now: number): void {
    const expected = this.#take(device, events, now);
    const got = partsOf(answer);
    if (Bun.deepEquals(got, shapeOf(expected))) this.#count(expected);
    else if (answer.uncertain && Bun.deepEquals(got, shapeOf(this.#take(device, events, now)))) {
      // An earlier attempt had been carried out after all: now everything is a repeat.
      this.#count(expected);
    } else this.#findings.add("POST /api/reconcile", shapeOf(expected), got);
  }

  #count(outcome: Outcome): void {
    this.accepted += outcome.accepted;
    for (const { reason } of outcome.flags) this.tally[reason] = (this.tally[reason] ?? 0) + 1;
    for (const { reason } of outcome.rejections) this.tally[reason] = (this.tally[reason] ?? 0) + 1;
  }

  #take(device: ModelDevice, events: readonly Happened[], now: number): Outcome {
    const rejections: Outcome["rejections"] = [];
    const taken: { card: ModelCard; known: Known }[] = [];
    const lowest = new Map<ModelCard, number>();
    for (const [index, event] of events.entries()) {
      const { cardId, counter } = event.wire;
      const card = this.cards.get(cardId);
      const reason = rejection(card, event.wire, device.policy as ModelPolicy);
      if (reason !== null || !card) {
        rejections.push({ index, counter, cardId, reason: reason ?? "unknown_card" });
        continue;
      }
      const known = card.add(event);
      taken.push({ card, known });
      this.#flag(device, card, known, now);
      card.needsValidation = false;
      lowest.set(card, Math.min(lowest.get(card) ?? counter, counter));
    }
    const { sessionMaxSec } = device.policy as ModelPolicy;
    for (const [card, counter] of lowest) card.relink(counter, sessionMaxSec);
    const flags = taken.flatMap(({ known }) => {
      const { counter, cardId } = known.event.wire;
      const reasons = flagOrder.filter((reason) => known.flags.has(reason));
      return reasons.map((reason) => ({ counter, cardId, reason }));
    });
    return { accepted: taken.length, rejected: rejections.length, flags, rejections };
  }

  /** Flags that hang on the event and the moment alone; those on its neighbours come with relink. */
  #flag(device: ModelDevice, card: ModelCard, known: Known, now: number): void {
    const { type, balanceAfter, timestamp } = known.event.wire;
    const policy = device.policy as ModelPolicy;
    const allowance = policy.clockDriftAllowanceSec;
    const covering = device.grants.filter(
      (grant) =>
        timestamp >= grant.issuedAt - allowance && timestamp <= grant.expiresAt + allowance,
    );
    const present = device.grants.slice(-1);
    const judged = covering.length > 0 ? covering : present;
    const ops = opsOfType[type] ?? [];
    const allowed = judged.some((grant) => ops.some((op) => grant.ops.includes(op)));
    const blocked = card.status(now) !== "ACTIVE" && !(type === "admin" && allowed);
    const set = (reason: FlagReason, when: boolean) => {
      if (when) known.flags.add(reason);
    };
    set("balance_limit_exceeded", balanceAfter > policy.maxBalance);
    set("card_blocked", blocked);
    set("card_expired", card.expiresAt !== null && timestamp > card.expiresAt);
    set("clock_drift", timestamp > now + allowance);
    set("late_submission", covering.length === 0);
    set("op_not_allowed", !allowed);
    set("terminal_suspended", device.suspended);
    if (type === "debit") this.#debit(card, known, policy);
    if (type === "credit") set("unauthorised_credit", !settles(device, card, known, policy));
  }

  #debit(card: ModelCard, known: Known, policy: ModelPolicy): void {
    const { amount, timestamp } = known.event.wire;
    const days = this.days(policy.timezone);
    const inDay = addTo(card.debitsByDay, days.day(timestamp), amount);
    const inWeek = addTo(card.debitsByWeek, days.week(timestamp), amount);
    card.balance -= amount;
    if (amount > policy.singleTxLimit) known.flags.add("single_tx_limit_exceeded");
    if (inDay > policy.dailyLimit) known.flags.add("daily_limit_exceeded");
    if (inWeek > policy.weeklyLimit) known.flags.add("weekly_limit_exceeded");
    if (card.balance < 0) known.flags.add("overdrawn");
  }

  days(timezone: string): LocalDays {
    let days = this.#days.get(timezone);
    if (!days) {
      days = new LocalDays(timezone);
      this.#days.set(timezone, days);
    }
    return days;
  }
}
