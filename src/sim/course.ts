/**
 * Three days at the venue, tick by tick: what befalls cards, everyday taps, the devices' talk with the
 * server, nights, and what the operator does in between (a key rotation, a suspension).
 */
import type { Muster } from "./muster.ts";
import type { SimulateOptions, SimulateProgress } from "./option.ts";
import { pooled } from "./pool.ts";
import type { SimClock } from "./world.ts";

const days = 3;
const ticksPerDay = 8;
export const ticks = days * ticksPerDay;
const tickSec = 4_500;
const nightSec = 86_400 - ticksPerDay * tickSec;
const rotateTick = ticks / 2;
const suspendTick = (ticks * 3) / 4;
/** Share of the allowance on both sides of now that a run without a clock of its own fills. */
const spread = 0.8;
/** Share of the cards that come to a desk for a new key. */
const rekeyShare = 0.4;
const atOnce = 32;

type Say = (phase: SimulateProgress["phase"], done: number, total: number) => void;

export class Course {
  /** Time in which devices talked to the server. */
  talkMs = 0;
  readonly #options: SimulateOptions;
  readonly #muster: Muster;
  readonly #say: Say;

  constructor(options: SimulateOptions, muster: Muster, say: Say) {
    this.#options = options;
    this.#muster = muster;
    this.#say = say;
  }

  /** Every device gets its token, grant, policy and list; simulated time begins. */
  async open(): Promise<void> {
    const { fleet, scouts } = this.#muster;
    const { terminals, gates, stations } = fleet.crew;
    const all = [...stations, ...terminals, ...gates, ...scouts];
    let done = 0;
    // Few at a time: all come from one address, which has a bucket of its own.
    await pooled(all, 4, (radio) => radio.commission());
    await pooled(all, atOnce, async (radio) => {
      await radio.renew();
      done += 1;
      this.#say("devices", done, all.length);
    });
    const { clock } = this.#options;
    fleet.now = clock.now() - (clock.advance ? 0 : Math.floor(this.#allowanceSec * spread));
  }

  /** Each member gets a card with money on it. */
  async issue(): Promise<void> {
    const { fleet, random, brief } = this.#muster;
    const total = fleet.wallets.length;
    let done = 0;
    for (const wallet of fleet.wallets) {
      const amount = random.int(10, 40) * fleet.amountMean;
      // In the middle of a tick, far from the moments at which devices talk.
      if (brief.has(wallet) && this.#options.clock.advance) {
        wallet.expiresAt = fleet.now + random.int(3, ticksPerDay - 1) * tickSec + tickSec / 2;
      }
      fleet.later(wallet, async (station, now) => {
        const { chip, cardId, member, expiresAt } = wallet;
        if (await station.register(chip, cardId, member, now, expiresAt)) {
          fleet.made += 1;
          await fleet.topUp(station, wallet, amount, now);
        } else wallet.isIdle = true;
        done += 1;
        if (done % 100 === 0) this.#say("cards", done, total);
      });
    }
    await this.#talk();
  }

  async live(): Promise<void> {
    const { events, clock } = this.#options;
    const { fleet, plan } = this.#muster;
    const startMs = performance.now();
    const before = fleet.made;
    for (let tick = 0; tick < ticks; tick += 1) {
      fleet.begin(tick % ticksPerDay === 0);
      for (const [mishap, wallet] of plan.get(tick) ?? []) {
        if (!wallet.isIdle && fleet.terminals.length > 0) mishap(fleet, wallet);
      }
      const count = Math.ceil(Math.max(0, events - fleet.made) / (ticks - tick));
      fleet.live(count, this.#tickSec);
      await this.#pass(clock, tickSec);
      await this.#talk();
      await this.#operate(tick);
      if ((tick + 1) % ticksPerDay === 0 && tick + 1 < ticks) await this.#night();
      this.#say("events", Math.min(fleet.made, events), events);
      await this.#pace(fleet.made - before, startMs);
    }
    const startTalkMs = performance.now();
    await fleet.settle();
    this.talkMs += performance.now() - startTalkMs;
  }

  get #allowanceSec(): number {
    return this.#muster.fleet.crew.terminals[0]?.policy?.clockDriftAllowanceSec ?? 0;
  }

  get #tickSec(): number {
    if (this.#options.clock.advance) return tickSec;
    return Math.floor((2 * spread * this.#allowanceSec) / ticks);
  }

  async #pass(clock: SimClock, sec: number): Promise<void> {
    if (!clock.advance) return;
    await clock.advance(sec);
    this.#muster.fleet.now = clock.now();
  }

  async #talk(): Promise<void> {
    const startMs = performance.now();
    await this.#muster.fleet.talk();
    this.talkMs += performance.now() - startMs;
  }

  /** Everybody goes home; in the morning all renew before the first card. */
  async #night(): Promise<void> {
    const { clock } = this.#options;
    if (!clock.advance) return;
    await this.#pass(clock, nightSec);
    this.#muster.fleet.wake();
    await this.#talk();
  }

  async #operate(tick: number): Promise<void> {
    const { rotate, suspend } = this.#options;
    await this.#scout();
    if (rotate && tick === rotateTick) {
      await rotate();
      // Told by the operator; terminals find out by the cards and at their next renewal.
      const { stations } = this.#muster.fleet.crew;
      await pooled(stations, atOnce, (station) => station.renew(true));
    }
    if (rotate && tick >= rotateTick) this.#rekeySome();
    const { terminals } = this.#muster.fleet.crew;
    const last = terminals.at(-1);
    if (suspend && last && tick === suspendTick && terminals.length > 1) {
      await suspend(last.deviceId);
      last.device.suspended = true;
    }
  }

  #rekeySome(): void {
    const { fleet } = this.#muster;
    const count = Math.ceil((fleet.wallets.length * rekeyShare) / (ticks - rotateTick));
    for (let i = 0; i < count; i += 1) {
      const wallet = fleet.random.pick(fleet.wallets);
      if (wallet.isIdle) continue;
      fleet.later(wallet, async (station, now) => {
        if (await station.rekey(wallet.chip, now)) fleet.made += 1;
      });
    }
  }

  /** Members look at their cards while the venue is busy. */
  async #scout(): Promise<void> {
    const { scouts, fleet, random, world, findings } = this.#muster;
    const looks = scouts.map((scout) => ({ scout, cardId: random.pick(fleet.wallets).cardId }));
    await pooled(looks, atOnce, async ({ scout, cardId }) => {
      const path = `/api/cards/${cardId}`;
      const answer = await scout.call({ kind: "card", method: "GET", path });
      const due = world.model.cards.has(cardId) ? 200 : 404;
      findings.same(`scout reads ${cardId}`, due, answer.status);
    });
  }

  async #pace(made: number, startMs: number): Promise<void> {
    const { rate } = this.#options;
    if (rate === undefined) return;
    const aheadMs = (made / rate) * 1_000 - (performance.now() - startMs);
    if (aheadMs > 0) await Bun.sleep(aheadMs);
  }
}
