/** Who is in a planned venue, and acts in the making: which numbers are stations, terminals, chips. */
import type { Role } from "../../../src/domain/identity.ts";
import type { Random } from "../../../src/sim/random.ts";
import type { Act, Amount, Lost, Tap, Topup } from "./act.ts";

/** Pages of a whole write: 53 of the buffer, 16 of the trailer. */
const pagesTotal = 69;

/** A small story, and one with how often it comes. */
export type Scene = (cast: Cast) => void;
export type Weighted = readonly [Scene, number];

export class Cast {
  readonly acts: Act[] = [];
  readonly #roles: Role[] = [];
  members = 0;
  tags = 0;

  constructor(readonly random: Random) {}

  get devices(): number {
    return this.#roles.length;
  }

  add(...acts: readonly Act[]): void {
    for (const act of acts) {
      const isStill = act.sec !== undefined || !this.random.chance(0.5);
      this.acts.push(isStill ? act : { ...act, sec: this.random.int(1, 50) });
    }
  }

  member(): void {
    this.members += 1;
    this.add({ do: "member" });
  }

  enrol(role: Role): void {
    const { random } = this;
    this.#roles.push(role);
    const skew = random.chance(0.3) ? { skew: random.int(-300, 300) } : {};
    const zone = random.chance(0.4) ? { zone: 0 } : {};
    const bound = random.chance(0.6) ? { member: random.int(0, 3) } : {};
    this.add({ do: "enrol", role, ...skew, ...zone, ...bound });
  }

  #of(...roles: readonly Role[]): number {
    const found = this.#roles.flatMap((role, at) => (roles.includes(role) ? [at] : []));
    return found.length === 0 ? 0 : this.random.pick(found);
  }

  station(): number {
    return this.#of("station");
  }
  terminal(): number {
    return this.#of("terminal");
  }
  /** Where cards are checked in and out. */
  door(): number {
    return this.#of("terminal", "gate");
  }
  any(): number {
    return this.random.int(0, this.#roles.length - 1);
  }

  tag(): number {
    return this.random.int(0, Math.max(0, this.tags - 1));
  }

  card(): number {
    return this.random.int(0, 9);
  }

  /** Some time that an event or a grant may be old. */
  some(): number {
    return this.random.pick([60, 600, 3_600, 7_200, 20_000, 30_000, 43_200, 86_400]);
  }

  lost(): { lose?: Lost; retry?: boolean; keyed?: boolean } {
    const { random } = this;
    const keyed = random.chance(0.4) ? { keyed: true } : {};
    if (!random.chance(0.25)) return keyed;
    const lose = random.pick(["request", "reply", "reply"] as const);
    return { ...keyed, lose, retry: random.chance(0.7) };
  }

  /** A new card with its chip; which chip it will be. */
  make(more: { lifeSec?: number } = {}): number {
    const { random } = this;
    const member = this.tags < this.members ? this.tags : random.int(0, 9);
    this.add({ do: "make", device: this.station(), member, ...more });
    this.tags += 1;
    return this.tags - 1;
  }

  topup(tag: number, amount: Amount, then: Topup["then"] = "write"): void {
    this.add({
      ...{ do: "topup", device: this.station(), tag, amount, then },
      ...(this.random.chance(0.4) && { counter: true }),
      ...(then === "tear" || then === "walk" ? { torn: this.pages() } : {}),
    });
  }

  tap(device: number, tag: number, type: Tap["type"], more: Partial<Tap> = {}): void {
    const offline = this.random.chance(0.25) ? { offline: true } : {};
    this.add({ do: "tap", device, tag, type, ...offline, ...more });
  }

  rogue(device: number, tag: number, type: Tap["type"], more: Partial<Tap> = {}): void {
    this.tap(device, tag, type, { rogue: true, ...more });
  }

  pages(): number {
    return this.random.int(0, pagesTotal - 1);
  }

  enter(tag: number): void {
    this.tap(this.door(), tag, "checkin");
  }

  pay(tag: number, more: Partial<Tap> = {}): void {
    const amount = more.amount ?? this.random.int(1, 30) * 10;
    this.tap(this.terminal(), tag, "debit", { ...more, amount });
  }

  upload(device: number): void {
    const { random } = this;
    const lose = random.chance(0.2) ? { lose: random.pick(["request", "reply"] as const) } : {};
    this.add({
      ...{ do: "upload", device, take: random.pick([1, 2, 3, 5, 1_000, 1_000]) },
      ...(random.chance(0.25) && { from: random.int(0, 6) }),
      ...(random.chance(0.2) && { order: random.pick(["shuffled", "reversed"] as const) }),
      ...(random.chance(0.08) && { twice: true }),
      ...(random.chance(0.1) && { with: this.any() }),
      ...(random.chance(0.3) && { keyed: true }),
      ...lose,
    });
  }

  /** Everybody hands in what there is. */
  uploadAll(): void {
    for (let device = 0; device < this.devices; device += 1) {
      this.add({ do: "upload", device, take: 1_000 });
    }
  }

  syncAll(): void {
    for (let device = 0; device < this.devices; device += 1) this.add({ do: "sync", device });
  }
}
