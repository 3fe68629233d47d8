/**
 * A venue at work: card holders who check in, pay, top up and leave, terminals that go offline and come
 * back, one tick after the other. Within a tick the taps come first, in memory; then all devices talk
 * to the server at once. So a seed repeats every tap, whatever the server's speed.
 */
import { CHECKED_IN, stateAfter } from "../domain/state.ts";
import { Habits, type Wallet } from "./holder.ts";
import type { Random } from "./random.ts";
import type { Station } from "./station.ts";
import type { TapResult, Terminal, Wish } from "./terminal.ts";
import type { World } from "./world.ts";

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
const missesMax = 20;
/** That a station keeps its events for a later upload. */
const lingerChance = 0.3;
/** People served at once by one station's staff. */
const desksPerStation = 4;
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
    const { doors, terminals, world } = this;
    const policy = terminals[0]?.policy;
    const days = world.model.days(policy?.timezone ?? "UTC");
    const habits = policy ? new Habits(policy, days, this.random, this.amountMean) : null;
    let misses = 0;
    while (habits && this.made < until && misses < count * missesMax) {
      const before = this.made;
      this.now = from + Math.floor((sec * (count - (until - before))) / count);
      const wallet = this.random.pick(this.wallets);
      const wish = habits.wish(wallet, this.now);
      if (wish === "topup") this.#askTopup(wallet);
      else if (wish) {
        const crew = wish.type === "debit" ? terminals : doors;
        const result = this.tap(this.random.pick(crew), wallet, wish);
        if (result.done && wish.type === "debit") habits.spend(wallet, wish.amount, this.now);
      }
      if (this.made === before) misses += 1;
    }
    this.now = from + sec;
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
  async talk(isLast = false): Promise<void> {
    const jobs = this.#jobs;
    this.#jobs = [];
    const { stations, terminals, gates } = this.crew;
    const lanes = stations.length * desksPerStation;
    const laneOf = (cardId: string) => Number.parseInt(cardId.slice(-4), 16) % lanes;
    const lingers = stations.map(() => !isLast && this.random.chance(lingerChance));
    const queues = Map.groupBy(jobs, ({ cardId }) => laneOf(cardId));
    const work = stations.map(async (station, i) => {
      await station.renew();
      const desks = Array.from({ length: desksPerStation }, async (_, desk) => {
        for (const job of queues.get(i * desksPerStation + desk) ?? []) {
          await job.work(station, this.now);
        }
      });
      await Promise.all(desks);
      if (!lingers[i]) await station.sync();
    });
    await Promise.all([...work, ...[...terminals, ...gates].map((terminal) => terminal.sync())]);
  }

  /** Until nothing waits any more, with every terminal online. */
  async settle(): Promise<void> {
    for (let round = 0; round < settleRoundsMax; round += 1) {
      this.begin(true);
      await this.talk(true);
      if (this.#jobs.length + this.#next.length === 0) return;
    }
  }
}
