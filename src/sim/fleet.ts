/**
 * A venue at work: card holders who check in, pay, top up and leave, terminals that go offline and come
 * back, one tick after the other. Within a tick the taps come first, in memory; then all devices talk
 * to the server at once. So a seed repeats every tap, whatever the server's speed.
 */
import { type CardState, CHECKED_IN, IDLE, stateAfter } from "../domain/state.ts";
import { Chip } from "./chip.ts";
import type { Random } from "./random.ts";
import type { Member, Station } from "./station.ts";
import type { TapResult, Terminal, Wish } from "./terminal.ts";
import type { World } from "./world.ts";

/** A card in someone's pocket, and what its holder believes of it. */
export interface Wallet {
  readonly cardId: string;
  readonly member: Member;
  readonly chip: Chip;
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
  isIdle: false,
  state: IDLE,
  balance: 0,
  startTime: 0,
  spent: new Map(),
  wantsTopup: false,
});

export interface Crew {
  readonly terminals: readonly Terminal[];
  readonly gates: readonly Terminal[];
  readonly stations: readonly Station[];
}

interface Job {
  readonly cardId: string;
  work(station: Station, now: number): Promise<unknown>;
}

const offlineChance = 0.12;
const offlineTicksMax = 4;
const restartChance = 0.01;
const checkoutChance = 0.12;
/** Share of a limit that an honest holder uses up at most. */
const restraint = 0.9;
const missesMax = 20;
const settleRoundsMax = 8;

export class Fleet {
  readonly wallets: Wallet[] = [];
  /** Simulated UTC seconds. */
  now = 0;
  /** Events queued so far. */
  made = 0;
  readonly refusals: Record<string, number> = {};
  readonly #back = new Map<Terminal, number>();
  #jobs: Job[] = [];
  #next: (() => void)[] = [];
  #tick = 0;

  constructor(
    readonly world: World,
    readonly crew: Crew,
    readonly random: Random,
    readonly amountMean: number,
  ) {}

  get terminals(): Terminal[] {
    return this.#ready(this.crew.terminals);
  }

  /** Where people enter and leave. */
  get doors(): Terminal[] {
    const gates = this.#ready(this.crew.gates);
    return gates.length > 0 ? gates : this.terminals;
  }

  #ready(list: readonly Terminal[]): Terminal[] {
    return list.filter((terminal) => {
      return terminal.ring.isUsable(this.now) && terminal.policy !== null;
    });
  }

  /** Work at a desk when the devices talk next; a card always goes to the same desk, in order. */
  later({ cardId }: Wallet, work: Job["work"]): void {
    this.#jobs.push({ cardId, work });
  }

  /** Taps at the start of the next tick. */
  next(taps: () => void): void {
    this.#next.push(taps);
  }

  /** A new tick: some terminals lose their network, some find it again, one or the other restarts. */
  begin(isCalm: boolean): void {
    this.#weather(isCalm);
    if (this.terminals.length === 0) return;
    const taps = this.#next;
    this.#next = [];
    for (const tap of taps) tap();
  }

  /** Everybody has network again. */
  wake(): void {
    this.#weather(true);
  }

  tap(terminal: Terminal, wallet: Wallet, wish: Wish, at = this.now): TapResult {
    const result = terminal.tap(wallet.chip, wish, at);
    if (result.done) this.#happened(wallet, result.event.wire);
    else this.refusals[result.why] = (this.refusals[result.why] ?? 0) + 1;
    return result;
  }

  #happened(
    wallet: Wallet,
    event: { type: Wish["type"]; balanceAfter: number; timestamp: number },
  ) {
    this.made += 1;
    wallet.balance = event.balanceAfter;
    wallet.state = stateAfter(wallet.state, event.type);
    if (event.type === "checkin") wallet.startTime = event.timestamp;
  }

  /** Brings a card into the state in which it can pay; false if no terminal lets it in. */
  enter(wallet: Wallet): boolean {
    if (wallet.state === CHECKED_IN) return true;
    return this.tap(this.random.pick(this.doors), wallet, { type: "checkin", amount: 0 }).done;
  }

  #weather(isCalm: boolean): void {
    this.#tick += 1;
    for (const terminal of [...this.crew.terminals, ...this.crew.gates]) {
      const isBack = (this.#back.get(terminal) ?? 0) <= this.#tick;
      if (!terminal.isOnline && (isBack || isCalm)) terminal.isOnline = true;
      else if (!isCalm && terminal.isOnline && this.random.chance(offlineChance)) {
        terminal.isOnline = false;
        this.#back.set(terminal, this.#tick + this.random.int(1, offlineTicksMax));
      }
      if (terminal.isOnline && this.random.chance(restartChance)) terminal.restart();
    }
  }

  /** Everyday taps, `count` events spread evenly over `sec` seconds. */
  live(count: number, sec: number): void {
    const from = this.now;
    const until = this.made + count;
    const doors = this.doors;
    const terminals = this.terminals;
    let misses = 0;
    while (this.made < until && misses < count * missesMax && terminals.length > 0) {
      const before = this.made;
      this.now = from + Math.floor((sec * (count - (until - before))) / count);
      const wallet = this.random.pick(this.wallets);
      const wish = this.#wish(wallet);
      if (wish) {
        const crew = wish.type === "debit" ? terminals : doors;
        const result = this.tap(this.random.pick(crew), wallet, wish);
        if (result.done && wish.type === "debit") this.#spend(wallet, wish.amount);
      }
      if (this.made === before) misses += 1;
    }
    this.now = from + sec;
  }

  /** What the holder does next, or null: nothing now. */
  #wish(wallet: Wallet): Wish | null {
    if (wallet.isIdle) return null;
    const { policy } = this.crew.terminals[0] as Terminal;
    if (wallet.state !== CHECKED_IN) return { type: "checkin", amount: 0 };
    const isLong = this.now - wallet.startTime > (policy?.sessionMaxSec ?? 0) * restraint;
    if (isLong || this.random.chance(checkoutChance)) return { type: "checkout", amount: 0 };
    const amount = this.random.int(1, 2 * this.amountMean);
    if (wallet.balance < amount) {
      this.#askTopup(wallet);
      return null;
    }
    const [day, week] = this.#spans(this.now);
    const inDay = (wallet.spent.get(day) ?? 0) + amount;
    const inWeek = (wallet.spent.get(week) ?? 0) + amount;
    const isTooMuch =
      inDay > (policy?.dailyLimit ?? 0) * restraint ||
      inWeek > (policy?.weeklyLimit ?? 0) * restraint;
    return isTooMuch ? { type: "checkout", amount: 0 } : { type: "debit", amount };
  }

  #spans(at: number): [string, string] {
    const { policy } = this.crew.terminals[0] as Terminal;
    const days = this.world.model.days(policy?.timezone ?? "UTC");
    return [`day ${days.day(at)}`, `week ${days.week(at)}`];
  }

  #spend(wallet: Wallet, amount: number): void {
    for (const span of this.#spans(this.now)) {
      wallet.spent.set(span, (wallet.spent.get(span) ?? 0) + amount);
    }
  }

  #askTopup(wallet: Wallet): void {
    if (wallet.wantsTopup) return;
    wallet.wantsTopup = true;
    const amount = this.random.int(5, 25) * this.amountMean;
    this.later(wallet, async (station, now) => {
      await this.topUp(station, wallet, amount, now);
      wallet.wantsTopup = false;
    });
  }

  async topUp(station: Station, wallet: Wallet, amount: number, now: number): Promise<void> {
    const result = await station.topUp(wallet.chip, amount, now);
    if (result.done) this.#happened(wallet, result.event.wire);
    else this.refusals[result.why] = (this.refusals[result.why] ?? 0) + 1;
  }

  /** Stations work off what waits for them while every terminal that can uploads. */
  async talk(): Promise<void> {
    const jobs = this.#jobs;
    this.#jobs = [];
    const { stations, terminals, gates } = this.crew;
    const desk = (cardId: string) => Number.parseInt(cardId.slice(-4), 16) % stations.length;
    const work = stations.map(async (station, i) => {
      await station.renew();
      for (const job of jobs) {
        if (desk(job.cardId) === i) await job.work(station, this.now);
      }
      await station.sync();
    });
    await Promise.all([...work, ...[...terminals, ...gates].map((terminal) => terminal.sync())]);
  }

  /** Until nothing waits any more, with every terminal online. */
  async settle(): Promise<void> {
    for (let round = 0; round < settleRoundsMax; round += 1) {
      this.begin(true);
      await this.talk();
      if (this.#jobs.length + this.#next.length === 0) return;
    }
  }
}
