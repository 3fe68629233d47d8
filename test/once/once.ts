/**
 * Every call that changes money or a credential, sent by many at once, round after round, each with a
 * fresh object: one effect. The plan is by seed; what happens at one instant is the machine's.
 */
import { dice } from "../crash/venue.ts";
import { Clients } from "./clients.ts";
import { kinds } from "./kind/table.ts";
import { drawUp, kindOf, type Mode, modesOf, type Roll, shotOf } from "./round.ts";
import { type Event, Salvo, type SalvoTally, type Solos } from "./salvo.ts";
import { spend } from "./spend.ts";
import { Stand } from "./stand.ts";
import { changeOf, type Tally, tallyOf } from "./tally.ts";

export interface OnceOptions {
  /** Of each kind in each mode, and with each event. */
  readonly rounds: number;
  readonly clients: number;
  readonly seed: number;
  /** So many of a hundred rounds with an event, or in a mode that is not each kind's; the others are left out. */
  readonly percent?: number;
  /** Names that contain this. */
  readonly only?: string;
  /** Servers at a time. */
  readonly stands?: number;
  /** Told after each salvo. */
  readonly onRounds?: (done: number, all: number, told: string) => void;
}

export interface OnceTally extends SalvoTally {
  kinds: number;
  rounds: Record<Event, number>;
  /** Secrets of devices that were spent and asked for again at once. */
  spent: number;
  faults: string[];
}

interface Planned {
  readonly name: string;
  readonly mode: Mode;
}

/** Rounds of one salvo. */
const salvoRounds: Readonly<Record<Event, number>> = { instant: 16, restart: 16, kill: 5 };
/** A file lives for so many: looking at all of it takes longer the larger it is. */
const salvosOfStand = 30;
const faultsMax = 20;

const keptLines = ["kept clear", "kept sealed"];

/** What each call records when nobody else makes it. @throws Error it is not what the table says */
async function measure(stand: Stand, clients: Clients, names: readonly string[]) {
  const solos = new Map<string, Tally[]>();
  const others = new Set<string>();
  for (const name of names) {
    const kind = kindOf(name);
    const first = await kind.make(stand);
    if (first.other !== undefined) others.add(name);
    const tallies: Tally[] = [];
    for (let which = 0; which < first.calls.length; which += 1) {
      const { calls } = which === 0 ? first : await kind.make(stand);
      const call = calls[which] ?? calls[0];
      const key = kind.key === "due" ? crypto.randomUUID() : undefined;
      const before = tallyOf(stand);
      const fire = await clients.load(stand.url, [shotOf({ which, call, key, fate: "whole" })]);
      const [reply] = await fire();
      if (reply?.status !== kind.status)
        throw new Error(`${name}: ${reply?.status} ${reply?.body}`);
      const lines = Object.entries(changeOf(before, tallyOf(stand)));
      tallies.push(Object.fromEntries(lines.filter(([line]) => !keptLines.includes(line))));
    }
    const [solo = {}] = tallies;
    for (const [line, n] of Object.entries(kind.effect)) {
      if ((solo[line] ?? 0) !== n) throw new Error(`${name}: ${line} is ${solo[line]}, not ${n}`);
    }
    solos.set(name, tallies);
  }
  return { solos: solos as Solos, others };
}

const isPlain = (mode: Mode): boolean => mode === "keyed" || mode === "rivals";

/** Rounds with an event, in random order, some to a salvo. */
function* salvosOf(
  event: Event,
  all: readonly Planned[],
  { rounds, percent = 100 }: OnceOptions,
  roll: Roll,
): Generator<{ event: Event; rounds: Planned[] }> {
  const due = all
    .flatMap((planned) => Array.from({ length: rounds }, () => planned))
    .filter(({ mode }) => (event === "instant" && isPlain(mode)) || roll(100) < percent);
  while (due.length > 0) {
    const taken: Planned[] = [];
    while (taken.length < salvoRounds[event] && due.length > 0) {
      const at = roll(due.length);
      const picked = due[at] as Planned;
      due[at] = due.at(-1) as Planned;
      due.pop();
      taken.push(picked);
    }
    yield { event, rounds: taken };
  }
}

/** What a kind can be asked without a key, answers being lost. */
function canLose(name: string, event: Event): boolean {
  const { key, rivals } = kindOf(name);
  if (event === "instant") return true;
  if (rivals.are !== "own") return key !== "due";
  return key !== "due" && (event === "restart" || rivals.once !== undefined);
}

function plan(options: OnceOptions, names: readonly string[], others: Set<string>, roll: Roll) {
  const all = names.flatMap((name) =>
    modesOf(kindOf(name), others.has(name)).map((mode) => ({ name, mode })),
  );
  const plain = all.filter(({ mode }) => isPlain(mode));
  const events: readonly Event[] = ["instant", "restart", "kill"];
  const salvos = events.flatMap((event) => {
    const fit = plain.filter(({ name, mode }) => mode === "keyed" || canLose(name, event));
    return [...salvosOf(event, event === "instant" ? all : fit, options, roll)];
  });
  // So that a short run of each stand sees all events.
  for (let at = salvos.length - 1; at > 0; at -= 1) {
    const with_ = roll(at + 1);
    [salvos[at], salvos[with_]] = [salvos[with_]!, salvos[at]!];
  }
  return salvos;
}

/** @throws Error a server or a client failed; what a round finds is in the tally */
export async function once(options: OnceOptions): Promise<OnceTally> {
  const roll = dice(options.seed);
  const { only = "" } = options;
  const names = Object.keys(kinds).filter((name) => name.includes(only));
  const sum: OnceTally = {
    ...{ kinds: names.length, rounds: { instant: 0, restart: 0, kill: 0 }, faults: [], spent: 0 },
    ...{ calls: 0, waits: 0, kills: 0, found: 0, late: 0 },
  };
  let salvos: ReturnType<typeof plan> | undefined;
  let all = 0;
  let done = 0;

  async function live(clients: Clients): Promise<void> {
    const stand = await Stand.open();
    try {
      const { solos, others } = await measure(stand, clients, names);
      if (salvos === undefined) {
        salvos = plan(options, names, others, roll);
        all = salvos.reduce((n, { rounds }) => n + rounds.length, 0);
      }
      while (sum.spent < options.rounds && sum.faults.length < faultsMax) {
        sum.spent += 1;
        sum.faults.push(...(await spend(stand, clients, options.clients)));
      }
      for (let left = salvosOfStand; left > 0 && sum.faults.length < faultsMax; left -= 1) {
        const next = salvos.pop();
        if (next === undefined) break;
        const { event } = next;
        const rounds = await Promise.all(
          next.rounds.map((planned) => {
            const { clients: count } = options;
            const draft = { ...planned, clients: count, bare: event === "kill" };
            return drawUp(stand, draft, roll);
          }),
        );
        const salvo = new Salvo(stand, clients, solos, rounds, roll, sum);
        sum.faults.push(...(await salvo.run(event)).map((fault) => `${event}: ${fault}`));
        sum.rounds[event] += rounds.length;
        done += rounds.length;
        options.onRounds?.(done, all, `${sum.calls} calls, ${sum.faults.length} faults`);
      }
      await stand.close();
    } catch (error) {
      stand.remove();
      throw error;
    }
  }

  async function lane(): Promise<void> {
    const clients = new Clients();
    try {
      do await live(clients);
      while (salvos !== undefined && salvos.length > 0 && sum.faults.length < faultsMax);
    } finally {
      await clients.close();
    }
  }
  await Promise.all(Array.from({ length: options.stands ?? 1 }, lane));
  return sum;
}
