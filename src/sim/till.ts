/**
 * Money in at a station: the call and the write on the chip go together, and what the chip did not take
 * is given back. Now and then the staff get into a muddle.
 */
import { recoverImage } from "../domain/recover.ts";
import { nextCounter, writeImage } from "../domain/write.ts";
import type { Chip } from "./chip.ts";
import type { Answer, Call } from "./client.ts";
import { happened } from "./happened.ts";
import type { TopupCall } from "./modeltill.ts";
import type { Seen } from "./reader.ts";
import { type TapResult, Terminal } from "./terminal.ts";
import { type Hold, program, tookEffect } from "./writer.ts";

export class Till extends Terminal {
  /** Who stands at it; recorded as claimed. */
  operatorId = 1;
  readonly #booked = new Map<string, string>();

  /** A POST under an idempotency key. A lost reply is asked for again with the same key. */
  protected async post(kind: Call["kind"], path: string, body: unknown): Promise<Answer> {
    const call = {
      kind,
      method: "POST",
      path,
      body: JSON.stringify(body),
      idempotencyKey: this.random.uuid(),
    } as const;
    const answer = await this.call(call);
    if (!this.random.chance(this.world.trouble.loseReply)) return answer;
    const again = await this.call(call);
    if (answer.status < 300) {
      const { status, body: replayed } = again;
      const first = { status: answer.status, body: answer.body };
      this.world.findings.same(`${kind}: replay`, first, { status, body: replayed });
      const mark = again.headers.get("idempotent-replayed");
      this.world.findings.same(`${kind}: Idempotent-Replayed`, "true", mark);
    }
    return again;
  }

  /** Money in: the call, then the write; a failed write gives it back. */
  async topUp(chip: Chip, amount: number, now: number, hold?: Hold): Promise<TapResult> {
    const reading = this.look(chip, now);
    if (!("card" in reading)) return { done: false, why: reading.kind };
    const { cardId, card } = reading;
    if (reading.kind !== "ok") return { done: false, why: reading.kind };
    if (!this.ring.allows(reading.keyVersion, "topup", now)) return { done: false, why: "op" };
    const exact = this.world.locks.isHeld(cardId);
    return this.world.locks.run([cardId], async () => {
      const counter = this.random.chance(0.5) ? nextCounter(card) : undefined;
      const made = await this.#book(cardId, amount, now, exact, counter);
      if (made?.status !== "PENDING") return { done: false, why: "topup_refused" };
      const wish = { type: "credit", amount, ...(hold ? { hold } : {}) } as const;
      const result = this.write(chip, reading, wish, now, card.expiresAt);
      if (result.done || this.#landed(chip, reading)) return result;
      await this.#cancel(cardId, made.topupId, exact);
      return result;
    });
  }

  /** The call alone; null where the backend refused. */
  async #book(cardId: string, amount: number, now: number, exact: boolean, counter?: number) {
    const call: TopupCall = {
      amount,
      operatorId: this.operatorId,
      timestamp: now,
      ...(counter === undefined ? {} : { counter }),
    };
    const answer = await this.post("topup", `/api/cards/${cardId}/topup`, call);
    const { clock, desk } = this.world;
    const made = desk.topup(this.device, cardId, call, answer, clock.now(), exact);
    if (made) this.#booked.set(cardId, made.topupId);
    return made;
  }

  async #cancel(cardId: string, topupId: string, exact: boolean): Promise<void> {
    const path = `/api/cards/${cardId}/topup/${topupId}/cancel`;
    const answer = await this.post("cancel", path, {});
    this.world.desk.canceled(cardId, topupId, answer, exact);
  }

  /**
   * Muddle at the desk: the last top-up's amount is booked once more and not written, then the wrong
   * one of the two is cancelled, twice, and the call is made a second time with its first timestamp.
   */
  async muddle(cardId: string, amount: number, now: number): Promise<void> {
    const first = this.#booked.get(cardId);
    if (first === undefined || !this.world.locks.isHeld(cardId)) return;
    await this.world.locks.run([cardId], async () => {
      await this.#book(cardId, amount, now + 1, true);
      for (let i = 0; i < 2; i += 1) await this.#cancel(cardId, first, true);
      await this.#book(cardId, amount, now + 1, true);
    });
  }

  /** Cancels the last top-up that this station booked for a card, written or not. */
  async regret(cardId: string): Promise<void> {
    const topupId = this.#booked.get(cardId);
    if (topupId === undefined) return;
    await this.world.locks.run([cardId], () => this.#cancel(cardId, topupId, true));
  }

  /**
   * The card still lies on the reader after a failed write: did the write land after all? If so it is
   * mended at once; else the card is as it was, and the next write skips what was tried.
   */
  #landed(chip: Chip, { cardId, keys, card: before, keyVersion }: Seen): boolean {
    const broken = this.interrupted.get(cardId);
    const card = recoverImage(chip.read(), keys);
    if (!broken || !card) return false;
    this.interrupted.delete(cardId);
    const landed = tookEffect(broken, card);
    if (landed) this.queue.push(happened("credit", before, landed));
    this.mend(chip, { cardId, keys, card, keyVersion }, before.expiresAt, card.plain.lastTimestamp);
    return landed !== null;
  }

  protected mend(
    chip: Chip,
    { card, keys, keyVersion }: Seen,
    expiresAt: number,
    now: number,
  ): void {
    const written = writeImage(card, keys, {
      type: "admin",
      amount: 0,
      timestamp: now,
      counter: nextCounter(card),
      offline: false,
      suspect: true,
      expiresAt,
      keyVersion,
    });
    program(chip, written);
    this.world.reader.remember(chip, keys, written.card);
    this.queue.push(happened("admin", card, written));
  }
}
