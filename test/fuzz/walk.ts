/**
 * A walk of hostile calls through one server, from a seed: every operation in turn, many at once, with
 * what was learnt on the way; and what is proved at its end. Many walks after another are `fuzz.ts`.
 */
import fc from "fast-check";
import { Random } from "../../src/sim/random.ts";
import { Estate } from "../surface/estate.ts";
import { type Called, Calling, isOfHouse } from "./caller.ts";
import { Cast, learnKnocks, type Texts, Witness } from "./cast.ts";
import { type Operation, Targets } from "./document.ts";
import { Oracle } from "./oracle.ts";
import { type Caller, type Plan, Plans } from "./plan.ts";
import { Pool } from "./pool.ts";
import { faultsOf } from "./proof.ts";
import { smallestOf } from "./smallest.ts";
import { Story } from "./story.ts";
import type { Finding, Tally } from "./tally.ts";
import { Values } from "./value.ts";
import { inProcess, overSocket, pathOf, type Seen, type Send, type Wire } from "./wire.ts";
import { marker } from "./word.ts";

/** Calls that are under way together. */
const atOnce = 64;
const castCalls = 8_000;
/** Plans that are drawn together, since to begin drawing has its price. */
const drawnPlans = 16;
/** Of a page that no document describes a call each so many rounds. */
const pageRounds = 8;
const hangMs = 20_000;

const environment = {
  KARTU_RATE_DEVICE_TOKEN_PER_MIN: "0",
  KARTU_RATE_DEVICE_TOKEN_IP_PER_MIN: "0",
  KARTU_RATE_GRANT_PER_MIN: "0",
  KARTU_RATE_DEVICE_PER_MIN: "0",
  KARTU_RATE_REPORT_PER_MIN: "0",
};

export interface WalkOptions {
  readonly seed: number;
  /** Which of a hundred go over a socket. */
  readonly socketPercent?: number;
}

interface Drawn {
  readonly operation: Operation;
  readonly plan: Plan;
  readonly isAlias: boolean;
}

export class Walk {
  readonly #random: Random;
  readonly #inside: Send;
  readonly #socket: Send;
  readonly #calling: Calling;
  readonly #plans = new Map<Operation, fc.Arbitrary<Plan>>();
  /** Whose token is good no more. */
  readonly #dead = new Set<Caller>();
  readonly #fresh: { readonly finding: Finding; readonly called: Called }[] = [];
  readonly #drawn = new Map<Operation, Plan[]>();
  readonly #stories: Story;
  #cast: Cast;
  #castUntil = castCalls;
  #draws = 0;
  #round = 0;
  #calls = 0;

  private constructor(
    private readonly estate: Estate,
    readonly targets: Targets,
    private readonly oracle: Oracle,
    private readonly witness: Witness,
    private readonly before: Readonly<Record<string, string>>,
    private readonly pool: Pool,
    private readonly texts: Texts,
    cast: Cast,
    private readonly tally: Tally,
    private readonly options: WalkOptions,
  ) {
    this.#cast = cast;
    const { seed } = options;
    this.#random = new Random(`fuzz ${seed}`);
    this.#inside = inProcess(estate.serving.app);
    this.#socket = overSocket(estate.serving.url);
    this.#calling = new Calling({ pool, texts, witness, random: this.#random });
    const values = new Values(seed);
    for (const operation of [...targets.described, ...targets.pages]) {
      this.#plans.set(operation, new Plans(values, operation).any());
    }
    this.#stories = new Story(targets.described, values);
  }

  static async open(options: WalkOptions, tally: Tally): Promise<Walk> {
    const { seed } = options;
    // Half of the servers hold their answers against their contracts themselves, half are as people run them.
    const config = { ...environment, KARTU_ENV: seed % 2 === 0 ? "staging" : "production" };
    const estate = await Estate.open({ seed, config });
    const get = async (path: string): Promise<unknown> =>
      (await estate.send("GET", path, {}, true)).json();
    const targets = await Targets.of(estate.serving.app, get);
    const witness = await Witness.of(estate, marker, targets.described);
    const other = await estate.house();
    const texts: Texts = new Map();
    const ids = new Random(`values ${seed}`);
    const pool = new Pool(ids, new Set([...witness.ids.values(), witness.house.id].flat()));
    const cast = await Cast.of(estate, other, texts);
    await learnKnocks(estate, cast.house, targets.described, pool, texts);
    await estate.clock.minute();
    const before = await witness.rows(estate);
    const oracle = new Oracle(targets);
    return new Walk(estate, targets, oracle, witness, before, pool, texts, cast, tally, options);
  }

  /** Routes that no call was for. */
  get missed(): string[] {
    return this.targets.names.filter((name) => !this.tally.byRoute.has(name));
  }

  get calls(): number {
    return this.#calls;
  }

  /** Goes on for so many calls; false when the server can't go on. */
  async run(calls: number, onBatch: () => void = () => undefined): Promise<boolean> {
    const end = this.#calls + calls;
    while (this.#calls < end) {
      for (const drawn of batches(this.#nextRound(), atOnce)) {
        if (!(await this.#batch(drawn))) return false;
        if (this.#dead.size > 0 && !(await this.#revive())) return false;
        onBatch();
      }
      if (!(await this.#tell())) return false;
      if (this.#calls >= this.#castUntil && !(await this.#recast())) return false;
    }
    return true;
  }

  #nextRound(): Drawn[] {
    this.#round += 1;
    const { described, pages } = this.targets;
    const some = pages.filter((_, at) => (at + this.#round) % pageRounds === 0);
    const isAlias = this.#round % 4 === 0;
    return this.#random.shuffle([...described, ...some]).map((operation) => {
      return { operation, plan: this.#draw(operation), isAlias };
    });
  }

  #draw(operation: Operation): Plan {
    const waiting = this.#drawn.get(operation);
    const next = waiting?.pop();
    if (next !== undefined) return next;
    const plans = this.#plans.get(operation);
    if (plans === undefined) throw new Error(`no plans of ${operation.name}`);
    this.#draws += 1;
    const seed = (this.options.seed * 1_000_003 + this.#draws) | 0;
    const [first, ...rest] = fc.sample(plans, { seed, numRuns: drawnPlans });
    this.#drawn.set(operation, rest);
    return first as Plan;
  }

  /** Makes calls together and looks at their answers in order. */
  async #batch(drawn: readonly Drawn[]): Promise<boolean> {
    const called = drawn.flatMap(({ operation, plan, isAlias }) =>
      this.#calling.calls(operation, plan, this.#cast, isAlias),
    );
    const link = this.#calling.link(this.#cast);
    if (link !== undefined) called.push(link);
    const seen = await this.#send(called);
    if (seen === null) return false;
    for (const [at, each] of called.entries()) this.#look(each, seen[at] ?? null);
    for (let at = 1; at < called.length; at++) this.#twins(called[at - 1]!, called[at]!, seen, at);
    this.estate.clock.advance(this.#random.int(0, 2));
    this.#faults(called);
    await this.#settle();
    return true;
  }

  /** Null when one does not come back. */
  async #send(called: readonly Called[]): Promise<(Seen | null)[] | null> {
    const isSocket = this.#random.int(1, 100) <= (this.options.socketPercent ?? 0);
    const send = isSocket ? this.#socket : this.#inside;
    const waiting = new Set(called);
    const all = called.map(async (each) => {
      // Elysia's own handler takes HEAD for GET where the server's routes don't.
      const by = each.wire.method === "HEAD" ? this.#socket : send;
      const seen = await by(each.wire).catch((error: unknown) => {
        this.#found(each, null, `the handler threw: ${String(error)}`);
        return null;
      });
      waiting.delete(each);
      return seen;
    });
    let timer: Timer | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), hangMs);
    });
    const seen = await Promise.race([Promise.all(all), late]);
    clearTimeout(timer);
    if (seen === null) for (const each of waiting) this.#found(each, null, "no answer");
    return seen;
  }

  #look(called: Called, seen: Seen | null): void {
    const { wire, token } = called;
    this.#calls += 1;
    if (seen === null) {
      this.tally.unsent += 1;
      return;
    }
    const path = pathOf(wire);
    const isOwn = token !== null && token === this.#cast.of(wire.who).token;
    const isSent = wire.headers.some(([, value]) => value === `Bearer ${token}`);
    if (seen.status === 401 && isOwn && isSent && wire.who !== "garbage") this.#dead.add(wire.who);
    const found = this.targets.find(wire.method, path);
    this.tally.count(found?.name ?? "nothing", seen.status);
    // Too large a head is refused before any of ours sees it.
    if (seen.status === 431) return;
    for (const why of this.oracle.judge(wire, seen, token)) this.#found(called, seen, why, true);
    const [, slug] = /\/problems\/([a-z-]+)"/.exec(seen.text.slice(0, 200)) ?? [];
    if (slug !== undefined) this.pool.add("text slug", slug);
    if (found !== undefined && seen.status < 300) {
      this.#learn(found.operation, seen, isOfHouse(wire.who));
    }
  }

  /** Two calls under one key: at most one of them ran. */
  #twins(first: Called, second: Called, seen: readonly (Seen | null)[], at: number): void {
    if (second.isTwin !== true) return;
    const [one, two] = [seen[at - 1], seen[at]];
    if (one == null || two == null || one.status >= 300 || two.status >= 300) return;
    const found = this.targets.find(first.wire.method, pathOf(first.wire));
    const keyed = found?.operation.parameters.some(({ name }) => name === "Idempotency-Key");
    if (keyed !== true) return;
    const isReplay = [one, two].some(({ headers }) => headers.has("idempotent-replayed"));
    if (!isReplay) this.#found(second, two, "ran twice under one key");
    else if (one.text !== two.text) this.#found(second, two, "was replayed with another body");
  }

  #learn({ path }: Operation, { headers, text }: Seen, isHome: boolean): void {
    const tag = headers.get("etag");
    if (tag !== null) this.pool.add("etag", tag);
    const location = headers.get("location");
    if (location?.startsWith("/")) this.pool.add("link", location, isHome);
    if (headers.get("content-type") !== "application/json" || text === "") return;
    if (text.length < 200_000) this.pool.learn(path, JSON.parse(text), isHome);
  }

  /** @param isAlone the answer is wrong by itself, so that the call can be tried again */
  #found(called: Called, seen: Seen | null, why: string, isAlone = false): void {
    const { wire } = called;
    const path = pathOf(wire);
    const known = this.targets.find(wire.method, path)?.name;
    const { seed } = this.options;
    const finding: Finding = {
      ...{ seed, at: this.#calls, operation: known ?? `${wire.method} ${path.slice(0, 60)}`, why },
      call: shown(wire),
      answer: seen && {
        status: seen.status,
        headers: Object.fromEntries(seen.headers),
        text: seen.text.slice(0, 2_000),
      },
    };
    if (this.tally.knows(finding)) return;
    if (isAlone) this.#fresh.push({ finding, called });
    else this.tally.found(finding);
  }

  /** Makes what was found small, and tells it. */
  async #settle(): Promise<void> {
    for (const { finding, called } of this.#fresh.splice(0)) {
      if (this.tally.knows(finding)) continue;
      const isWrong = async (wire: Wire): Promise<boolean> => {
        const seen = await this.#inside(wire);
        return seen !== null && this.oracle.judge(wire, seen, called.token).includes(finding.why);
      };
      const smallest = await smallestOf(called.wire, isWrong);
      this.tally.found({ ...finding, smallest: shown(smallest) });
    }
  }

  /** What the server had to say to its log in a batch. */
  #faults(called: readonly Called[]): void {
    for (const line of this.estate.faults.splice(0)) {
      const { path = "" } = JSON.parse(line) as { path?: string };
      const blamed = called.find(({ wire }) => pathOf(wire) === path) ?? called[0];
      if (blamed !== undefined)
        this.#found(blamed, null, `an error in the log: ${line.slice(0, 1_500)}`);
    }
  }

  /** Things made, read, changed and deleted, one after another. */
  async #tell(): Promise<boolean> {
    for (const { drawn, answered } of this.#stories.next(this.#random, this.#round)) {
      const called = this.#calling.calls(drawn.operation, drawn.plan, this.#cast, false);
      const seen = await this.#send(called);
      if (seen === null) return false;
      for (const [at, each] of called.entries()) this.#look(each, seen[at] ?? null);
      const [first] = seen;
      if (first != null && called[0] !== undefined) {
        const why = answered(first);
        if (why !== "") this.#found(called[0], first, why);
      }
      this.#faults(called);
      await this.#settle();
    }
    return true;
  }

  /** New people; false where nobody can be made any more, as somebody may have seen to. */
  async #revive(): Promise<boolean> {
    const dead = [...this.#dead];
    this.#dead.clear();
    try {
      for (const who of ["root", "owner"] as const) {
        if (dead.includes(who)) await this.#cast.revive(who);
      }
      for (const who of dead) {
        if (who !== "root" && who !== "owner" && who !== "other") await this.#cast.revive(who);
      }
    } catch (error) {
      this.tally.gone(String(error));
      return this.#recast();
    }
    return true;
  }

  async #recast(): Promise<boolean> {
    this.#castUntil = this.#calls + castCalls;
    await this.estate.clock.minute();
    try {
      const { estate, targets, pool, texts } = this;
      pool.move();
      this.#cast = await Cast.of(estate, this.#cast.house, texts);
      await learnKnocks(estate, this.#cast.house, targets.described, pool, texts);
      this.#dead.clear();
    } catch (error) {
      this.tally.gone(String(error));
      return false;
    }
    return true;
  }

  /** Proves what no answer shows, and ends. */
  async close(): Promise<void> {
    const { estate, witness, before, tally } = this;
    const { seed } = this.options;
    const told = (why: string): void =>
      tally.found({ seed, at: this.#calls, operation: "at the end", why, call: {}, answer: null });
    try {
      for (const fault of await faultsOf(estate, witness, before)) told(fault);
    } finally {
      for (const line of estate.faults.splice(0)) told(`an error in the log: ${line}`);
      await estate.close();
    }
  }
}

function* batches<T>(all: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += size) yield all.slice(at, at + size);
}

/** A call as a person can make it again. */
const shown = ({ who, method, target, headers, body, stream }: Wire): object => ({
  ...{ who, method, target, headers, stream },
  body: body === null ? null : Buffer.from(body.subarray(0, 3_000)).toString(),
  ...(body !== null && { bytes: body.length }),
});
