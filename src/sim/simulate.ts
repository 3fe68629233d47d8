/**
 * One run of the virtual fleet against any server: devices come up, cards are made, the venue works for
 * three simulated days with everything that goes wrong, and at the end every card is compared with the
 * model. Talks to the server over HTTP alone.
 */
import type { KeyObject } from "node:crypto";
import { CardLocks } from "./cardlock.ts";
import { Client } from "./client.ts";
import { type Finding, Findings } from "./finding.ts";
import { Fleet, newWallet, type Wallet } from "./fleet.ts";
import { grantSigners, KeyCache } from "./keyring.ts";
import { type CallSummary, Meter } from "./meter.ts";
import { type Mishap, mishaps, replacementOf } from "./mishap.ts";
import { Model } from "./model.ts";
import { ModelDesk } from "./modeldesk.ts";
import { probeScout, probeStation, probeTerminal } from "./probe.ts";
import { Radio } from "./radio.ts";
import { Random } from "./random.ts";
import { Reader } from "./reader.ts";
import { rogues } from "./rogue.ts";
import { Station } from "./station.ts";
import { Terminal } from "./terminal.ts";
import { calm, type DeviceSpec, type SimClock, type Trouble, type World } from "./world.ts";

export interface SimulateOptions {
  readonly url: string;
  /** At least one station and one terminal. */
  readonly devices: readonly DeviceSpec[];
  readonly cards: number;
  /** Members that exist and hold no active card, both ends included: one a card. */
  readonly users: readonly [from: number, to: number];
  /** About so many events in all. */
  readonly events: number;
  /** The same seed makes the same taps. Against one server each run needs its own. */
  readonly seed: number | string;
  /** Events a second at most. */
  readonly rate?: number;
  readonly clock: SimClock;
  /** Nothing goes wrong and nobody cheats. */
  readonly isCalm?: boolean;
  /** Makes and activates a new key version on the server, in the middle of the run. */
  rotate?(): Promise<void>;
  /** Suspends a device on the server, late in the run. */
  suspend?(deviceId: string): Promise<void>;
  onProgress?(progress: SimulateProgress): void;
}

export interface SimulateProgress {
  readonly phase: "devices" | "cards" | "events" | "compare";
  readonly done: number;
  readonly total: number;
}

export interface SimulateResult {
  readonly seed: number | string;
  /** As the server's answers say. */
  readonly accepted: number;
  /** Flag or rejection → how often. */
  readonly reasons: Readonly<Record<string, number>>;
  /** Why terminals refused a tap → how often. */
  readonly refusals: Readonly<Record<string, number>>;
  readonly cardsCompared: number;
  readonly elapsedSec: number;
  /** Events a second while devices talked to the server; the time between is the simulator's own. */
  readonly eventsPerSec: number;
  readonly calls: readonly CallSummary[];
  readonly mismatchCount: number;
  /** The first of them; empty when everything was as modelled. */
  readonly mismatches: readonly Finding[];
}

const days = 3;
const ticksPerDay = 8;
const ticks = days * ticksPerDay;
const tickSec = 4_500;
const nightSec = 86_400 - ticksPerDay * tickSec;
/** Share of the allowance on both sides of now that a run without a clock of its own fills. */
const spread = 0.8;
const atOnce = 32;
const clockErrorMaxSec = 60;
const rekeyShare = 0.4;
const amountMax = 20_000;

const badDay: Trouble = {
  loseRequest: 0.03,
  loseReply: 0.04,
  resend: 0.03,
  recut: 0.3,
  split: 0.15,
};

const names = ["Siti", "Budi", "Ayu", "Dewi", "Agus", "Putri", "Rizky", "Wayan", "Nurul", "Bambang"];

/** Runs `work` over a list, `width` at a time, in order of start. */
export async function pooled<T>(
  list: readonly T[],
  width: number,
  work: (item: T, index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const lane = async () => {
    for (let i = next++; i < list.length; i = next++) await work(list[i] as T, i);
  };
  await Promise.all(Array.from({ length: Math.min(width, list.length) }, lane));
}

/** @throws Unreachable if the server stays away, RangeError if the options can't make a run. */
export async function simulate(options: SimulateOptions): Promise<SimulateResult> {
  const run = new Run(options);
  await run.devices();
  await run.cards();
  await run.events();
  await run.compare();
  return run.result();
}

class Run {
  readonly #options: SimulateOptions;
  readonly #random: Random;
  readonly #meter = new Meter();
  readonly #findings = new Findings();
  readonly #world: World;
  readonly #fleet: Fleet;
  readonly #scouts: Radio[];
  readonly #plan = new Map<number, [Mishap, Wallet][]>();
  readonly #startMs = performance.now();
  #talkMs = 0;
  #compared = 0;

  constructor(options: SimulateOptions) {
    const { devices, seed, cards, users, events, isCalm } = options;
    const [from, to] = users;
    const roles = new Set(devices.map(({ role }) => role));
    if (!roles.has("station") || !roles.has("terminal")) {
      throw new RangeError("devices: a station and a terminal at least");
    }
    if (cards < 1 || to - from + 1 < cards) throw new RangeError("users: one a card at least");
    this.#options = options;
    this.#random = new Random(seed);
    const wallets = this.#makeWallets();
    const troubled = isCalm ? [] : wallets.filter((_, i) => i % 20 === 0);
    const ids = troubled.flatMap(({ cardId }) => [cardId, replacementOf(cardId)]);
    this.#world = this.#makeWorld(new CardLocks(new Set(ids)));
    const make = <T>(role: DeviceSpec["role"], Kind: new (...args: Parts) => T): T[] =>
      devices
        .filter((spec) => spec.role === role)
        .map((spec) => new Kind(this.#world, spec, this.#random.fork(spec.deviceId)));
    const crew = {
      stations: make("station", Station),
      terminals: make("terminal", Terminal),
      gates: make("gate", Terminal),
    };
    this.#scouts = make("scout", Radio);
    for (const terminal of [...crew.terminals, ...crew.gates]) {
      terminal.clockErrorSec = this.#random.int(-clockErrorMaxSec, clockErrorMaxSec);
    }
    // Small enough that an honest week of one card stays within the limits.
    const perCard = Math.max(1, events / cards);
    const mean = Math.max(100, Math.min(amountMax, Math.floor(2_000_000 / perCard)));
    this.#fleet = new Fleet(this.#world, crew, this.#random.fork("fleet"), mean);
    this.#fleet.wallets.push(...wallets);
    this.#schedule(troubled);
  }

  #makeWallets(): Wallet[] {
    const [from] = this.#options.users;
    return Array.from({ length: this.#options.cards }, (_, i) => {
      const userId = from + i;
      const name = `${this.#random.pick(names)} ${userId}`;
      const member = { userId, name, gender: this.#random.int(0, 2) };
      return newWallet(this.#random.bytes(6).toHex(), member);
    });
  }

  #makeWorld(locks: CardLocks): World {
    const { url, clock, isCalm } = this.#options;
    const findings = this.#findings;
    const client = new Client(url, this.#meter, findings);
    const model = new Model(findings);
    let signers = new Map<string, KeyObject>();
    const signer = async (kid: string) => {
      const known = signers.get(kid);
      if (known) return known;
      const path = "/.well-known/jwks.json";
      const answer = await client.call({ kind: "jwks", method: "GET", path });
      signers = grantSigners(answer.body);
      return signers.get(kid) ?? null;
    };
    return {
      clock,
      client,
      model,
      desk: new ModelDesk(model, findings),
      findings,
      locks,
      reader: new Reader(),
      cache: new KeyCache(),
      trouble: isCalm ? calm : badDay,
      signer,
    };
  }

  /** Each mishap in turn, over the days between the first ticks and the last. */
  #schedule(wallets: readonly Wallet[]): void {
    const kinds = Object.values({ ...mishaps, ...rogues });
    for (const [i, wallet] of wallets.entries()) {
      const tick = this.#random.int(2, ticks - 3);
      const row = this.#plan.get(tick) ?? [];
      row.push([kinds[i % kinds.length] as Mishap, wallet]);
      this.#plan.set(tick, row);
    }
  }

  #progress(phase: SimulateProgress["phase"], done: number, total: number): void {
    this.#options.onProgress?.({ phase, done, total });
  }

  get #all(): Radio[] {
    const { terminals, gates, stations } = this.#fleet.crew;
    return [...stations, ...terminals, ...gates, ...this.#scouts];
  }

  async devices(): Promise<void> {
    const all = this.#all;
    let done = 0;
    // Few at a time: all come from one address, which has a bucket of its own.
    await pooled(all, 4, (radio) => radio.commission());
    await pooled(all, atOnce, async (radio) => {
      await radio.renew();
      done += 1;
      this.#progress("devices", done, all.length);
    });
    const { clock } = this.#options;
    const allowance = this.#fleet.crew.terminals[0]?.policy?.clockDriftAllowanceSec ?? 0;
    this.#fleet.now = clock.now() - (clock.advance ? 0 : Math.floor(allowance * spread));
  }

  async cards(): Promise<void> {
    const fleet = this.#fleet;
    let done = 0;
    for (const wallet of fleet.wallets) {
      const amount = this.#random.int(10, 40) * fleet.amountMean;
      fleet.later(wallet, async (station, now) => {
        const { chip, cardId, member } = wallet;
        if (await station.register(chip, cardId, member, now)) {
          fleet.made += 1;
          await fleet.topUp(station, wallet, amount, now);
        } else wallet.isIdle = true;
        done += 1;
        if (done % 100 === 0) this.#progress("cards", done, fleet.wallets.length);
      });
    }
    await fleet.talk();
    await this.#probe();
  }

  async #probe(): Promise<void> {
    const { terminals, stations, wallets } = { ...this.#fleet.crew, wallets: this.#fleet.wallets };
    const [wallet] = wallets;
    const [from, to] = this.#options.users;
    if (this.#options.isCalm || !wallet) return;
    const freeUserId = from + wallets.length <= to ? from + wallets.length : null;
    const { cardId, member } = wallet;
    await probeTerminal(terminals[0] as Terminal, this.#findings);
    const taken = { cardId, userId: member.userId, freeUserId };
    await probeStation(stations[0] as Station, this.#findings, taken);
    for (const scout of this.#scouts.slice(0, 1)) await probeScout(scout, this.#findings);
  }

  async events(): Promise<void> {
    const { events, isCalm, clock } = this.#options;
    const fleet = this.#fleet;
    for (let tick = 0; tick < ticks; tick += 1) {
      fleet.begin(isCalm === true || tick % ticksPerDay === 0);
      for (const [mishap, wallet] of this.#plan.get(tick) ?? []) {
        if (!wallet.isIdle && fleet.terminals.length > 0) mishap(fleet, wallet);
      }
      const count = Math.ceil(Math.max(0, events - fleet.made) / (ticks - tick));
      fleet.live(count, this.#tickSec());
      const isEvening = (tick + 1) % ticksPerDay === 0;
      if (clock.advance) {
        await clock.advance(tickSec);
        fleet.now = clock.now();
      }
      await this.#talk();
      await this.#scout();
      if (tick === Math.floor(ticks / 2)) await this.#rotate();
      if (tick === Math.floor((ticks * 3) / 4)) await this.#suspend();
      if (tick >= Math.floor(ticks / 2)) this.#rekeySome();
      if (isEvening && clock.advance && tick + 1 < ticks) await this.#night(clock);
      this.#progress("events", Math.min(fleet.made, events), events);
      await this.#pace();
    }
    await fleet.settle();
  }

  #tickSec(): number {
    if (this.#options.clock.advance) return tickSec;
    const allowance = this.#fleet.crew.terminals[0]?.policy?.clockDriftAllowanceSec ?? 0;
    return Math.floor((2 * spread * allowance) / ticks);
  }

  async #talk(): Promise<void> {
    const startMs = performance.now();
    await this.#fleet.talk();
    this.#talkMs += performance.now() - startMs;
  }

  /** Everybody goes home; in the morning all renew before the first card. */
  async #night(clock: SimClock): Promise<void> {
    await clock.advance?.(nightSec);
    this.#fleet.now = clock.now();
    this.#fleet.begin(true);
    await this.#talk();
  }

  async #rotate(): Promise<void> {
    if (!this.#options.rotate) return;
    await this.#options.rotate();
    // Told by the operator; terminals find out by the cards and at their next renewal.
    await pooled(this.#fleet.crew.stations, atOnce, (station) => station.renew(true));
  }

  #rekeySome(): void {
    if (!this.#options.rotate) return;
    const { wallets, random } = this.#fleet;
    const count = Math.ceil((wallets.length * rekeyShare) / (ticks / 2));
    for (let i = 0; i < count; i += 1) {
      const wallet = random.pick(wallets);
      if (wallet.isIdle) continue;
      this.#fleet.later(wallet, async (station, now) => {
        if (await station.rekey(wallet.chip, now)) this.#fleet.made += 1;
      });
    }
  }

  async #suspend(): Promise<void> {
    const terminal = this.#fleet.crew.terminals.at(-1);
    if (!this.#options.suspend || !terminal || this.#fleet.crew.terminals.length < 2) return;
    await this.#options.suspend(terminal.deviceId);
    terminal.device.suspended = true;
  }

  async #scout(): Promise<void> {
    await pooled(this.#scouts, atOnce, async (scout) => {
      const { cardId } = this.#random.pick(this.#fleet.wallets);
      const known = this.#world.model.cards.has(cardId);
      const path = `/api/cards/${cardId}`;
      const answer = await scout.call({ kind: "card", method: "GET", path });
      this.#findings.same(`scout reads ${cardId}`, known ? 200 : 404, answer.status);
    });
  }

  async #pace(): Promise<void> {
    const { rate } = this.#options;
    if (rate === undefined) return;
    const dueMs = (this.#fleet.made / rate) * 1_000;
    const aheadMs = dueMs - (performance.now() - this.#startMs);
    if (aheadMs > 0) await Bun.sleep(aheadMs);
  }

  /** Every card, its events, and the blocklist, as the server tells them now. */
  async compare(): Promise<void> {
    const { model, desk, clock } = this.#world;
    const { terminals, stations } = this.#fleet.crew;
    const readers = [...terminals, ...stations];
    const ids = [...model.cards.keys()];
    await pooled(ids, atOnce, async (cardId, i) => {
      const radio = readers[i % readers.length] as Radio;
      const path = `/api/cards/${cardId}`;
      desk.read(cardId, await radio.call({ kind: "card", method: "GET", path }), clock.now());
      const isLooked = i % 10 === 0 || this.#world.locks.isHeld(cardId);
      if (isLooked) {
        const events = `${path}/events?limit=100`;
        const answer = await radio.call({ kind: "events", method: "GET", path: events });
        desk.events(cardId, 100, answer);
      }
      this.#compared += 1;
      if (i % 100 === 0) this.#progress("compare", i, ids.length);
    });
    await this.#compareBlocklists();
  }

  /** The list kept by deltas all along, and one fetched whole, both against the model. */
  async #compareBlocklists(): Promise<void> {
    const { model, clock } = this.#world;
    const cards = [...model.cards.values()];
    const now = clock.now();
    const blocked = cards.filter((card) => card.status(now) !== "ACTIVE").map((card) => card.cardId);
    const [kept, fresh] = this.#fleet.crew.stations;
    for (const station of [kept, fresh ?? kept]) {
      if (!station) continue;
      if (station === fresh) station.restart();
      await station.renew(station === fresh);
      await station.fetchBlocklist();
      const listed = [...station.blocked].filter((cardId) => model.cards.has(cardId));
      this.#findings.same("blocklist", blocked.toSorted(), listed.toSorted());
    }
  }

  result(): SimulateResult {
    const { model } = this.#world;
    const elapsedSec = (performance.now() - this.#startMs) / 1_000;
    return {
      seed: this.#options.seed,
      accepted: model.accepted,
      reasons: model.tally,
      refusals: this.#fleet.refusals,
      cardsCompared: this.#compared,
      elapsedSec: Math.round(elapsedSec * 10) / 10,
      eventsPerSec: Math.round((model.accepted / Math.max(1, this.#talkMs)) * 1_000),
      calls: this.#meter.summary(),
      mismatchCount: this.#findings.count,
      mismatches: this.#findings.list,
    };
  }
}

type Parts = ConstructorParameters<typeof Radio>;
