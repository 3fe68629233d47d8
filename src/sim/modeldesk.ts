/**
 * The model's other half: what every call about one card must answer (registration, top-up, block,
 * reissue, report, read). `exact` says that no batch of the card is under way at the same time, so
 * that its balance and counter are certain.
 */
import type { Answer } from "./client.ts";
import type { Findings } from "./finding.ts";
import type { Model, ModelDevice } from "./model.ts";
import { ModelCard, type ModelStatus, type ModelTopup } from "./modelcard.ts";

export interface Registration {
  readonly cardId: string;
  readonly userId: number;
  readonly name: string;
  readonly createdAt: number;
  readonly keyVersion: number;
  readonly expiresAt?: number;
}

export interface TopupCall {
  readonly amount: number;
  readonly operatorId: number;
  readonly timestamp: number;
  readonly counter?: number;
}

export interface ReissueCall {
  readonly newCardId: string;
  readonly keyVersion: number;
  readonly operatorId: number;
  readonly timestamp: number;
  readonly chipBalance?: number;
}

export interface Report {
  readonly terminalId: number;
  readonly cardId: string | null;
  readonly eventType: "tamper" | "replay" | "write_failure" | "invalid_transition";
  readonly details: string;
  readonly counter: number | null;
  readonly timestamp: number;
}

const blocksMax = 20;
const blocksWindowSec = 86_400;

type Body = Record<string, unknown>;
const bodyOf = (answer: Answer): Body => (answer.body ?? {}) as Body;

export class ModelDesk {
  readonly #model: Model;
  readonly #findings: Findings;
  readonly #holders = new Map<number, ModelCard>();
  readonly #reports = new Set<string>();
  readonly #madeBy = new Map<string, ModelTopup>();

  constructor(model: Model, findings: Findings) {
    this.#model = model;
    this.#findings = findings;
  }

  /** Compares status and either the error code or the named members of the body. */
  #answers(what: string, answer: Answer, status: number, body: Body): boolean {
    const got: Body = { status: answer.status };
    for (const name of Object.keys(body)) got[name] = bodyOf(answer)[name];
    return this.#findings.same(what, { status, ...body }, got) && answer.status < 400;
  }

  registered(call: Registration, answer: Answer, now: number): boolean {
    const { cardId, userId, createdAt } = call;
    const holder = this.#holders.get(userId);
    const refuse = (status: number, error: string) =>
      this.#answers("POST /api/cards", answer, status, { error });
    if (this.#model.cards.has(cardId)) return refuse(409, "card_already_registered");
    if (holder?.status(now) === "ACTIVE") return refuse(409, "user_has_active_card");
    const body = { cardId, userId, status: "ACTIVE", balance: 0, createdAt };
    if (!this.#answers("POST /api/cards", answer, 201, body)) return false;
    this.#put(new ModelCard(cardId, userId, createdAt, call.expiresAt ?? null, 0));
    return true;
  }

  #put(card: ModelCard): void {
    this.#model.cards.set(card.cardId, card);
    this.#holders.set(card.userId, card);
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
    const card = this.#model.cards.get(cardId);
    if (!card) return refused(this.#answers(what, answer, 404, { error: "card_not_found" }));
    const key = [device.deviceId, cardId, call.amount, call.timestamp].join("/");
    const earlier = this.#madeBy.get(key);
    if (earlier) {
      const { topupId, status } = earlier;
      return this.#answers(what, answer, 200, { cardId, topupId, status }) ? earlier : null;
    }
    if (card.status(now) !== "ACTIVE") {
      return refused(this.#answers(what, answer, 422, { error: "card_blocked" }));
    }
    const max = device.policy?.maxBalance ?? 0;
    const isOver = card.balance + call.amount > max;
    const full = { error: "balance_limit_exceeded" };
    if (isOver && exact) return refused(this.#answers(what, answer, 422, full));
    const parked = card.parked.findIndex(
      (row) => row.amount === call.amount && row.deviceId === device.deviceId,
    );
    const status = parked >= 0 ? "COMPLETED" : "PENDING";
    const balance = card.balance + call.amount;
    const counter = card.top?.event.wire.counter ?? 0;
    const { amount, timestamp } = call;
    const certain = exact ? { balance, counter } : {};
    if (!this.#answers(what, answer, 200, { cardId, amount, status, ...certain })) return null;
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
    const card = this.#model.cards.get(cardId);
    const topup = card?.topups.find((row) => row.topupId === topupId);
    if (!card || !topup) {
      this.#answers(what, answer, 404, { error: "topup_not_found" });
      return;
    }
    const equal = card.pending().find((row) => row.amount === topup.amount);
    const taken = topup.status === "COMPLETED" ? equal : topup;
    if (!taken) {
      this.#answers(what, answer, 409, { error: "topup_settled" });
      return;
    }
    const { amount } = topup;
    if (taken.status === "PENDING") card.balance -= amount;
    taken.status = "CANCELED";
    const certain = exact ? { balance: card.balance } : {};
    const instead = taken === topup ? {} : { canceledTopupId: taken.topupId };
    const body = { cardId, topupId, amount, status: "CANCELED", ...certain, ...instead };
    this.#answers(what, answer, 200, body);
  }

  blocked(cardId: string, answer: Answer, now: number): void {
    const card = this.#model.cards.get(cardId);
    card?.block("BLOCKED_ADMIN", now);
    this.#answers("POST block", answer, 200, { cardId, status: card?.status(now) });
  }

  rekeyed(cardId: string, keyVersion: number, answer: Answer, now: number): boolean {
    const card = this.#model.cards.get(cardId);
    const what = "POST rekey";
    if (card?.status(now) !== "ACTIVE") {
      return this.#answers(what, answer, 422, { error: "card_blocked" });
    }
    return this.#answers(what, answer, 200, { cardId, keyVersion });
  }

  /** The opening balance of the new card, or null where it was refused. */
  reissued(cardId: string, call: ReissueCall, answer: Answer, now: number): number | null {
    const what = "POST reissue";
    const old = this.#model.cards.get(cardId);
    if (!old) return refused(this.#answers(what, answer, 404, { error: "card_not_found" }));
    if (old.replacedBy !== null) {
      return refused(this.#answers(what, answer, 409, { error: "card_replaced" }));
    }
    const chip = call.chipBalance ?? old.balance;
    const moved = Math.max(0, Math.min(old.balance, chip));
    const { userId } = old;
    const body = {
      cardId: call.newCardId,
      replaces: cardId,
      userId,
      status: "ACTIVE",
      balance: moved,
      createdAt: call.timestamp,
    };
    if (!this.#answers(what, answer, 201, body)) return null;
    old.block("BLOCKED_ADMIN", now);
    for (const topup of old.pending()) {
      topup.status = "COMPLETED";
      old.late.push(topup.amount);
    }
    old.balance -= moved;
    old.replacedBy = call.newCardId;
    const card = new ModelCard(call.newCardId, userId, call.timestamp, null, moved);
    card.replaces = cardId;
    this.#put(card);
    return moved;
  }

  reported(device: ModelDevice, report: Report, answer: Answer, now: number): void {
    this.#answers("POST /api/terminal-report", answer, 204, {});
    const { cardId, eventType, counter, timestamp } = report;
    const key = [device.terminalId, cardId, eventType, counter, timestamp].join("/");
    const card = cardId === null ? undefined : this.#model.cards.get(cardId);
    if (!card || this.#reports.has(key)) return;
    this.#reports.add(key);
    if (eventType === "write_failure") card.needsValidation = true;
    const blocks: Partial<Record<string, ModelStatus>> = {
      tamper: "BLOCKED_TAMPER",
      replay: "BLOCKED_FRAUD",
    };
    const status = blocks[eventType];
    if (!status || device.suspended || card.status(now) !== "ACTIVE") return;
    if (device.blocks.filter((at) => at > now - blocksWindowSec).length >= blocksMax) return;
    device.blocks.push(now);
    card.block(status, now);
  }

  /** `GET /api/cards/:cardId`, when nothing of the card is under way. */
  read(cardId: string, answer: Answer, now: number): void {
    const card = this.#model.cards.get(cardId);
    if (!card) {
      this.#answers("GET card", answer, 404, { error: "card_not_found" });
      return;
    }
    const top = card.top?.event.wire;
    const pending = card.pending();
    const count = pending.length;
    const amount = pending.reduce((sum, topup) => sum + topup.amount, 0);
    const body: Body = {
      cardId,
      userId: card.userId,
      status: card.status(now),
      balance: card.balance,
      counter: top?.counter ?? 0,
      createdAt: card.createdAt,
      lastActivity: top?.timestamp ?? card.createdAt,
      chipBalance: top?.balanceAfter ?? card.opening,
      state: card.state,
      pendingTopups: { count, amount },
      needsValidation: card.needsValidation,
    };
    if (card.replaces !== null) body.replaces = card.replaces;
    if (card.replacedBy !== null) body.replacedBy = card.replacedBy;
    this.#answers(`GET card ${cardId}`, answer, 200, body);
    this.#findings.same(
      `GET card ${cardId}: expiresAt`,
      card.expiresAt,
      bodyOf(answer).expiresAt ?? null,
    );
  }

  /** `GET /api/cards/:cardId/events`, highest counter first. */
  events(cardId: string, limit: number, answer: Answer): void {
    const card = this.#model.cards.get(cardId);
    const known = card?.known.slice(-limit).reverse() ?? [];
    const expected = known.map(({ event: { wire } }) => {
      const { counter, type, amount, balanceAfter, timestamp } = wire;
      return { counter, type, amount, balanceAfter, timestamp };
    });
    const rows = (bodyOf(answer).events ?? []) as Body[];
    const got = rows.map(({ counter, type, amount, balanceAfter, timestamp }) => {
      return { counter, type, amount, balanceAfter, timestamp };
    });
    this.#findings.same(`GET events ${cardId}`, expected, got);
    for (const [i, row] of rows.entries()) {
      const flags = new Set(row.flags as string[]);
      const missing = [...(known[i]?.flags ?? [])].filter((reason) => !flags.has(reason));
      this.#findings.same(`GET events ${cardId}: flags missing`, [], missing);
    }
  }
}

/** A refusal, expected or not, gives the caller nothing to go on with. */
const refused = (_: boolean): null => null;
