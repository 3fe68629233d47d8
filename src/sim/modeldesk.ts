/**
 * The model's other half: what every call about one card must answer (registration, block, reissue,
 * report, read).
 */
import type { Answer } from "./client.ts";
import { ModelCard, type ModelStatus } from "./modelcard.ts";
import type { ModelDevice } from "./modelrule.ts";
import { type Body, bodyOf, ModelTill, refused } from "./modeltill.ts";

export interface Registration {
  readonly cardId: string;
  readonly userId: number;
  readonly name: string;
  readonly createdAt: number;
  readonly keyVersion: number;
  readonly expiresAt?: number;
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

export class ModelDesk extends ModelTill {
  readonly #holders = new Map<number, ModelCard>();
  readonly #reports = new Set<string>();

  registered(call: Registration, answer: Answer, now: number): boolean {
    const { cardId, userId, createdAt } = call;
    const holder = this.#holders.get(userId);
    const refuse = (status: number, error: string) =>
      this.answers("POST /api/cards", answer, status, { error });
    if (this.model.cards.has(cardId)) return refuse(409, "card_already_registered");
    if (holder?.status(now) === "ACTIVE") return refuse(409, "user_has_active_card");
    const body = { cardId, userId, status: "ACTIVE", balance: 0, createdAt };
    if (!this.answers("POST /api/cards", answer, 201, body)) return false;
    this.#put(new ModelCard(cardId, userId, createdAt, call.expiresAt ?? null, 0));
    return true;
  }

  #put(card: ModelCard): void {
    this.model.cards.set(card.cardId, card);
    this.#holders.set(card.userId, card);
  }

  blocked(cardId: string, answer: Answer, now: number): void {
    const card = this.model.cards.get(cardId);
    card?.block("BLOCKED_ADMIN", now);
    this.answers("POST block", answer, 200, { cardId, status: card?.status(now) });
  }

  rekeyed(cardId: string, keyVersion: number, answer: Answer, now: number): boolean {
    const card = this.model.cards.get(cardId);
    const what = "POST rekey";
    if (card?.status(now) !== "ACTIVE") {
      return this.answers(what, answer, 422, { error: "card_blocked" });
    }
    return this.answers(what, answer, 200, { cardId, keyVersion });
  }

  /** The opening balance of the new card, or null where it was refused. */
  reissued(cardId: string, call: ReissueCall, answer: Answer, now: number): number | null {
    const what = "POST reissue";
    const old = this.model.cards.get(cardId);
    if (!old) return refused(this.answers(what, answer, 404, { error: "card_not_found" }));
    if (old.replacedBy !== null) {
      return refused(this.answers(what, answer, 409, { error: "card_replaced" }));
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
    if (!this.answers(what, answer, 201, body)) return null;
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
    this.answers("POST /api/terminal-report", answer, 204, {});
    const { cardId, eventType, counter, timestamp } = report;
    const key = [device.terminalId, cardId, eventType, counter, timestamp].join("/");
    const card = cardId === null ? undefined : this.model.cards.get(cardId);
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
    const card = this.model.cards.get(cardId);
    if (!card) {
      this.answers("GET card", answer, 404, { error: "card_not_found" });
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
    this.answers(`GET card ${cardId}`, answer, 200, body);
    this.findings.same(
      `GET card ${cardId}: expiresAt`,
      card.expiresAt,
      bodyOf(answer).expiresAt ?? null,
    );
  }

  /** `GET /api/cards/:cardId/events`, highest counter first. */
  events(cardId: string, limit: number, answer: Answer): void {
    const card = this.model.cards.get(cardId);
    const known = card?.known.slice(-limit).reverse() ?? [];
    const expected = known.map(({ event: { wire } }) => {
      const { counter, type, amount, balanceAfter, timestamp } = wire;
      return { counter, type, amount, balanceAfter, timestamp };
    });
    const rows = (bodyOf(answer).events ?? []) as Body[];
    const got = rows.map(({ counter, type, amount, balanceAfter, timestamp }) => {
      return { counter, type, amount, balanceAfter, timestamp };
    });
    this.findings.same(`GET events ${cardId}`, expected, got);
    for (const [i, row] of rows.entries()) {
      const flags = new Set(row.flags as string[]);
      const missing = [...(known[i]?.flags ?? [])].filter((reason) => !flags.has(reason));
      this.findings.same(`GET events ${cardId}: flags missing`, [], missing);
    }
  }
}
