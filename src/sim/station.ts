/**
 * A staffed station, always online: makes cards, tops up, blocks, moves cards to a new key, replaces
 * them, and mends torn ones after asking the backend.
 */
import { firstImage, nextCounter, writeImage } from "../domain/write.ts";
import type { Chip } from "./chip.ts";
import { happened } from "./happened.ts";
import type { Registration, ReissueCall } from "./modeldesk.ts";
import { Till } from "./till.ts";
import { program } from "./writer.ts";

export interface Member {
  readonly userId: number;
  readonly name: string;
  readonly gender: number;
}

export class Station extends Till {
  /** Registers a card and makes its first image; false where the backend refused. */
  async register(
    chip: Chip,
    cardId: string,
    member: Member,
    now: number,
    expiresAt = 0,
  ): Promise<boolean> {
    return this.world.locks.run([cardId], async () => {
      const keyVersion = this.ring.primary;
      const call: Registration = {
        cardId,
        userId: member.userId,
        name: member.name,
        createdAt: now,
        keyVersion,
        ...(expiresAt > 0 ? { expiresAt } : {}),
      };
      const answer = await this.post("register", "/api/cards", call);
      const { clock, desk } = this.world;
      if (!desk.registered(call, answer, clock.now())) return false;
      return this.#first(chip, cardId, { ...member, createdAt: now }, 0, expiresAt, now);
    });
  }

  /** A chip's first image: type admin, amount 0. */
  #first(
    chip: Chip,
    cardId: string,
    holder: Member & { createdAt: number },
    openingBalance: number,
    expiresAt: number,
    now: number,
  ): boolean {
    const keyVersion = this.ring.primary;
    const keys = this.ring.keys(keyVersion, cardId, now);
    if (!keys) return false;
    const written = firstImage(keys, {
      type: "admin",
      amount: 0,
      timestamp: now,
      counter: 1,
      offline: false,
      holder,
      openingBalance,
      expiresAt,
      keyVersion,
    });
    program(chip, written);
    this.world.reader.remember(chip, keys, written.card);
    this.queue.push(happened("admin", null, written));
    return true;
  }

  /** Mends a torn card if the backend knows of nothing newer than what was recovered. */
  async repair(chip: Chip, now: number): Promise<boolean> {
    const reading = this.look(chip, now);
    if (reading.kind !== "torn") return false;
    const { cardId, card } = reading;
    const path = `/api/cards/${cardId}`;
    const answer = await this.call({ kind: "card", method: "GET", path });
    const body = (answer.body ?? {}) as { counter?: number; expiresAt?: number | null };
    if (answer.status !== 200 || card.plain.counter < (body.counter ?? Number.MAX_SAFE_INTEGER)) {
      this.report("write_failure", cardId, card.plain.counter, now);
      return false;
    }
    this.mend(chip, reading, body.expiresAt ?? 0, now);
    return true;
  }

  async block(cardId: string, now: number): Promise<void> {
    await this.world.locks.run([cardId], async () => {
      const body = { reason: "reported lost", operatorId: this.operatorId, timestamp: now };
      const answer = await this.post("block", `/api/cards/${cardId}/block`, body);
      this.world.desk.blocked(cardId, answer, this.world.clock.now());
    });
  }

  /** Rewrites a card under the primary version, if it is under an older one. */
  async rekey(chip: Chip, now: number): Promise<boolean> {
    const reading = this.look(chip, now);
    const keyVersion = this.ring.primary;
    if (reading.kind !== "ok" || reading.keyVersion === keyVersion) return false;
    const { cardId, card } = reading;
    const keys = this.ring.keys(keyVersion, cardId, now);
    if (!keys || !this.ring.allows(keyVersion, "reissue", now)) return false;
    const written = writeImage(card, keys, {
      type: "admin",
      amount: 0,
      timestamp: now,
      counter: nextCounter(card),
      offline: false,
      keyVersion,
    });
    program(chip, written);
    this.world.reader.remember(chip, keys, written.card);
    this.queue.push(happened("admin", card, written));
    return this.world.locks.run([cardId], async () => {
      const body = { keyVersion, operatorId: this.operatorId, timestamp: now };
      const answer = await this.post("rekey", `/api/cards/${cardId}/rekey`, body);
      return this.world.desk.rekeyed(cardId, keyVersion, answer, this.world.clock.now());
    });
  }

  /** A new card in the place of an old one. `oldChip`: still readable, so its balance is known. */
  async reissue(
    cardId: string,
    newCardId: string,
    newChip: Chip,
    member: Member,
    now: number,
    oldChip?: Chip,
  ): Promise<boolean> {
    return this.world.locks.run([cardId, newCardId], async () => {
      const reading = oldChip ? this.look(oldChip, now) : null;
      const chipBalance = reading && "card" in reading ? reading.card.plain.balance : undefined;
      const call: ReissueCall = {
        newCardId,
        keyVersion: this.ring.primary,
        operatorId: this.operatorId,
        timestamp: now,
        ...(chipBalance === undefined ? {} : { chipBalance }),
      };
      const answer = await this.post("reissue", `/api/cards/${cardId}/reissue`, call);
      const { clock, desk } = this.world;
      const opening = desk.reissued(cardId, call, answer, clock.now());
      if (opening === null) return false;
      return this.#first(newChip, newCardId, { ...member, createdAt: now }, opening, 0, now);
    });
  }
}
