/**
 * What top-ups and their cancelling must answer. `exact` says that no batch of the card is under way at
 * the same time, so that its balance and counter are certain.
 */
import type { Answer } from "./client.ts";
import type { Findings } from "./finding.ts";
import type { Model } from "./model.ts";
import type { ModelTopup } from "./modelcard.ts";
import type { ModelDevice } from "./modelrule.ts";

export interface TopupCall {
  readonly amount: number;
  readonly operatorId: number;
  readonly timestamp: number;
  readonly counter?: number;
}

export type Body = Record<string, unknown>;
export const bodyOf = (answer: Answer): Body => (answer.body ?? {}) as Body;

/** A refusal, expected or not, gives the caller nothing to go on with. */
export const refused = (_: boolean): null => null;

export class ModelTill {
  readonly #madeBy = new Map<string, ModelTopup>();
  /** Settled top-up → the equal one that was cancelled in its place. */
  readonly #instead = new Map<string, ModelTopup>();

  constructor(
    protected readonly model: Model,
    protected readonly findings: Findings,
  ) {}

  /** Compares status and either the error code or the named members of the body. */
  protected answers(what: string, answer: Answer, status: number, body: Body): boolean {
    const got: Body = { status: answer.status };
    for (const name of Object.keys(body)) got[name] = bodyOf(answer)[name];
    return this.findings.same(what, { status, ...body }, got) && answer.status < 400;
  }

  /** The top-up to write onto the card, or null where it was refused. */
  topup(
    device: ModelDevice,
    cardId: string,
    call: TopupCall,
    answer: Answer,
    now: number,
    exact: boolean,
  ): { topupId: string; status: string } | null {
    const what = "POST topup";
    const card = this.model.cards.get(cardId);
    if (!card) return refused(this.answers(what, answer, 404, { error: "card_not_found" }));
    const key = [device.deviceId, cardId, call.amount, call.timestamp].join("/");
    const earlier = this.#madeBy.get(key);
    if (earlier) {
      const { topupId, status } = earlier;
      return this.answers(what, answer, 200, { cardId, topupId, status }) ? earlier : null;
    }
    if (card.status(now) !== "ACTIVE") {
      return refused(this.answers(what, answer, 422, { error: "card_blocked" }));
    }
    const max = device.policy?.maxBalance ?? 0;
    const isOver = card.balance + call.amount > max;
    const full = { error: "balance_limit_exceeded" };
    if (isOver && exact) return refused(this.answers(what, answer, 422, full));
    const parked = card.parked.findIndex(
      (row) => row.amount === call.amount && row.deviceId === device.deviceId,
    );
    const status = parked >= 0 ? "COMPLETED" : "PENDING";
    const balance = card.balance + call.amount;
    const counter = card.top?.event.wire.counter ?? 0;
    const { amount, timestamp } = call;
    const certain = exact ? { balance, counter } : {};
    if (!this.answers(what, answer, 200, { cardId, amount, status, ...certain })) return null;
    if (parked >= 0) card.parked.splice(parked, 1);
    const topupId = String(bodyOf(answer).topupId);
    const topup: ModelTopup = {
      topupId,
      amount,
      timestamp,
      counter: call.counter ?? null,
      status,
    };
    card.topups.push(topup);
    card.balance += amount;
    this.#madeBy.set(key, topup);
    return topup;
  }

  canceled(cardId: string, topupId: string, answer: Answer, exact: boolean): void {
    const what = "POST cancel";
    const card = this.model.cards.get(cardId);
    const topup = card?.topups.find((row) => row.topupId === topupId);
    if (!card || !topup) {
      this.answers(what, answer, 404, { error: "topup_not_found" });
      return;
    }
    const before = this.#instead.get(topupId);
    const equal = card.pending().find((row) => row.amount === topup.amount);
    const taken = before ?? (topup.status === "COMPLETED" ? equal : topup);
    if (!taken) {
      this.answers(what, answer, 409, { error: "topup_settled" });
      return;
    }
    const { amount } = topup;
    const isRepeat = taken.status !== "PENDING";
    if (!isRepeat) card.balance -= amount;
    taken.status = "CANCELED";
    if (taken !== topup) this.#instead.set(topupId, taken);
    const certain = exact && !isRepeat ? { balance: card.balance } : {};
    const other = taken === topup ? {} : { canceledTopupId: taken.topupId };
    const body = { cardId, topupId, amount, status: "CANCELED", ...certain, ...other };
    this.answers(what, answer, 200, body);
  }
}
