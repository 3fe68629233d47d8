/**
 * Everything that a run needs before its first call: the world, the devices, a wallet a member, and which
 * cards meet which mishap when. All of it from the seed.
 */
import type { KeyObject } from "node:crypto";
import { CardLocks } from "./cardlock.ts";
import { Client } from "./client.ts";
import { Findings } from "./finding.ts";
import { Fleet } from "./fleet.ts";
import { newWallet, type Wallet } from "./holder.ts";
import { grantSigners, KeyCache } from "./keyring.ts";
import { Meter } from "./meter.ts";
import { type Mishap, mishaps, replacementOf } from "./mishap.ts";
import { Model } from "./model.ts";
import { ModelDesk } from "./modeldesk.ts";
import type { SimulateOptions } from "./option.ts";
import { Radio } from "./radio.ts";
import { Random } from "./random.ts";
import { Reader } from "./reader.ts";
import { rogues } from "./rogue.ts";
import { Station } from "./station.ts";
import { Terminal } from "./terminal.ts";
import type { Role, Trouble, World } from "./world.ts";

export type Plan = Map<number, [Mishap, Wallet][]>;

export interface Muster {
  readonly random: Random;
  readonly meter: Meter;
  readonly findings: Findings;
  readonly world: World;
  readonly fleet: Fleet;
  readonly scouts: readonly Radio[];
  /** Tick → what befalls whom. */
  readonly plan: Plan;
  /** Who gets a card that ends before the run does. */
  readonly brief: ReadonlySet<Wallet>;
}

const badDay: Trouble = {
  loseRequest: 0.03,
  loseReply: 0.04,
  resend: 0.03,
  recut: 0.3,
  split: 0.15,
};
const mishapEveryDefault = 20;
const clockErrorMaxSec = 60;
const amountMin = 100;
const amountMax = 20_000;
/** An honest card's debits of the whole run, on average: well within a week's limit. */
const cardTotal = 2_000_000;
const names = [
  "Siti",
  "Budi",
  "Ayu",
  "Dewi",
  "Agus",
  "Putri",
  "Rizky",
  "Wayan",
  "Nurul",
  "Bambang",
];

/** @throws RangeError if the options can't make a run. */
export function muster(options: SimulateOptions, ticks: number): Muster {
  const { devices, cards, users, events, mishapEvery = mishapEveryDefault } = options;
  const [from, to] = users;
  const has = (role: Role) => devices.some((spec) => spec.role === role);
  if (!has("station") || !has("terminal")) {
    throw new RangeError("devices: a station and a terminal at least");
  }
  if (cards < 1 || to - from + 1 < cards) throw new RangeError("users: one a card at least");
  const random = new Random(options.seed);
  const meter = new Meter();
  const findings = new Findings();
  const wallets = Array.from({ length: cards }, (_, i) => makeWallet(random, from + i));
  const troubled = options.isHonest ? [] : wallets.filter((_, i) => i % mishapEvery === 0);
  // Where the order of calls decides, they must come one after the other.
  const ordered = troubled.flatMap(({ cardId }) => [cardId, replacementOf(cardId)]);
  const world = makeWorld(options, meter, findings, new CardLocks(new Set(ordered)));
  const make = <T>(role: Role, Kind: new (...parts: ConstructorParameters<typeof Radio>) => T) =>
    devices
      .filter((spec) => spec.role === role)
      .map((spec) => new Kind(world, spec, random.fork(spec.deviceId)));
  const terminals = make("terminal", Terminal);
  const gates = make("gate", Terminal);
  for (const terminal of [...terminals, ...gates]) {
    terminal.clockErrorSec = random.int(-clockErrorMaxSec, clockErrorMaxSec);
  }
  const mean = Math.floor(cardTotal / Math.max(1, events / cards));
  const crew = { stations: make("station", Station), terminals, gates };
  const amountMean = Math.max(amountMin, Math.min(amountMax, mean));
  const fleet = new Fleet(world, crew, random.fork("fleet"), amountMean);
  fleet.wallets.push(...wallets);
  const scouts = make("scout", Radio);
  const plan = schedule(random, troubled, ticks);
  const brief = new Set([...plan.values()].flatMap(briefOf));
  return { random, meter, findings, world, fleet, scouts, plan, brief };
}

function makeWallet(random: Random, userId: number): Wallet {
  const name = `${random.pick(names)} ${userId}`;
  const member = { userId, name, gender: random.int(0, 2) };
  return newWallet(random.bytes(6).toHex(), member);
}

function makeWorld(
  { url, clock, trouble }: SimulateOptions,
  meter: Meter,
  findings: Findings,
  locks: CardLocks,
): World {
  const client = new Client(url, meter, findings);
  const model = new Model(findings);
  const desk = new ModelDesk(model, findings);
  return {
    clock,
    client,
    model,
    desk,
    findings,
    locks,
    reader: new Reader(),
    cache: new KeyCache(),
    trouble: trouble ?? badDay,
    signer: signersOf(client),
  };
}

/** The keys of the JWKS, fetched once and again when a kid is not among them. */
function signersOf(client: Client): World["signer"] {
  const fetchAll = async () => {
    const path = "/.well-known/jwks.json";
    const answer = await client.call({ kind: "jwks", method: "GET", path });
    return grantSigners(answer.body);
  };
  let held: Promise<Map<string, KeyObject>> | null = null;
  return async (kid) => {
    held ??= fetchAll();
    const signer = (await held).get(kid);
    if (signer) return signer;
    held = fetchAll();
    return (await held).get(kid) ?? null;
  };
}

const briefOf = (row: readonly [Mishap, Wallet][]): Wallet[] =>
  row.filter(([mishap]) => mishap === rogues.outlive).map(([, wallet]) => wallet);

/** Each mishap in turn, over the ticks between the first and the last. */
function schedule(random: Random, wallets: readonly Wallet[], ticks: number): Plan {
  const kinds = Object.values({ ...mishaps, ...rogues });
  const plan: Plan = new Map();
  for (const [i, wallet] of wallets.entries()) {
    const tick = random.int(2, ticks - 3);
    const row = plan.get(tick) ?? [];
    row.push([kinds[i % kinds.length] as Mishap, wallet]);
    plan.set(tick, row);
  }
  return plan;
}
