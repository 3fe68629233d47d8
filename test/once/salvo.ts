/**
 * Rounds fired together at one server: at one instant, in two halves with a restart between, or with a
 * kill in the middle and the same calls again. After each, what was recorded must be the sum of what the
 * rounds may have recorded, to the row.
 */
import type { Clients } from "./clients.ts";
import { type Heard, judge } from "./judge.ts";
import { type Roll, type Round, shotOf } from "./round.ts";
import type { Reply } from "./shot.ts";
import type { Stand } from "./stand.ts";
import { changeOf, proveBalance, sumOf, type Tally, tallyOf } from "./tally.ts";

/**
 * - `instant`: nothing happens meanwhile
 * - `restart`: half of the clients, the server stopped or killed and started, the other half
 * - `kill`: the server killed, or stopped, while they are on their way; then some of them again
 */
export type Event = "instant" | "restart" | "kill";

/** What one call of a kind records, for each of the calls that a round of it may choose from. */
export type Solos = ReadonlyMap<string, readonly Tally[]>;

export interface SalvoTally {
  calls: number;
  /** Answers that were to wait for the first one. */
  waits: number;
  kills: number;
  /** Of those, where some effect was there before the calls were made again. */
  found: number;
  /** Too slow to be judged, since their grace was over. */
  late: number;
}

/** Connections whose server ended get no answer; one that is stopping says so. */
const isAnswer = (reply: Reply | null): reply is Reply => reply !== null && reply.status !== 503;

const againClients = 8;
const killMsMax = 20;
const writeMsMax = 500;
const betweenMsMax = 3;

export class Salvo {
  /** By round. */
  readonly #heard: Heard[][];
  #firstMs = 0;

  constructor(
    private readonly stand: Stand,
    private readonly clients: Clients,
    private readonly solos: Solos,
    private readonly rounds: readonly Round[],
    private readonly roll: Roll,
    private readonly sum: SalvoTally,
  ) {
    this.#heard = rounds.map(() => []);
  }

  /** @returns what is wrong, a line each */
  async run(event: Event): Promise<string[]> {
    const before = tallyOf(this.stand);
    this.#firstMs = performance.now();
    let isWhole = true;
    if (event === "instant") isWhole = await this.#fire(0, Number.POSITIVE_INFINITY);
    if (event === "restart") isWhole = await this.#restart();
    if (event === "kill") await this.#kill(before);
    else await this.#follow();
    const faults = this.#isLate() ? [] : this.#judge(before, event !== "kill" && isWhole);
    proveBalance(this.stand);
    return faults;
  }

  /** Whoever was cut off may still be at work: one more call with the key waits for it. */
  async #follow(): Promise<void> {
    if (this.rounds.some(({ mode }) => mode === "cut")) await this.#fire(1, 2, "cut");
  }

  /** Sends the shots `from` to before `to` of each round. @returns whether all were answered */
  async #fire(from: number, to: number, only?: Round["mode"], meanwhile?: () => Promise<void>) {
    const places: { round: number; aim: Round["aims"][number] }[] = [];
    const most = Math.min(to, Math.max(...this.rounds.map(({ aims }) => aims.length)));
    for (let at = from; at < most; at += 1) {
      for (const [round, { aims, mode }] of this.rounds.entries()) {
        const aim = aims[at];
        if (aim !== undefined && (only === undefined || mode === only)) places.push({ round, aim });
      }
    }
    const shots = places.map(({ aim }) => shotOf(aim));
    const fire = await this.clients.load(this.stand.url, shots);
    const firing = fire();
    await meanwhile?.();
    const replies = await firing;
    let isWhole = true;
    for (const [at, reply] of replies.entries()) {
      const { round, aim } = places[at] as (typeof places)[number];
      this.sum.calls += 1;
      if (!isAnswer(reply)) {
        if (aim.fate !== "cut") isWhole = false;
        continue;
      }
      this.sum.waits += reply.waits;
      const isKeyed = aim.key !== undefined && this.rounds[round]?.kind.key !== "ignored";
      this.#heard[round]?.push({ which: aim.which, isKeyed, reply });
    }
    return isWhole;
  }

  async #restart(): Promise<boolean> {
    const half = Math.floor(Math.max(...this.rounds.map(({ aims }) => aims.length)) / 2);
    const first = await this.#fire(0, half);
    await this.stand.end(this.roll(2) === 0 ? "SIGTERM" : "SIGKILL");
    await this.stand.start();
    return (await this.#fire(half, Number.POSITIVE_INFINITY)) && first;
  }

  async #kill(before: Tally): Promise<void> {
    const { stand } = this;
    const signal = this.roll(4) === 0 ? "SIGTERM" : "SIGKILL";
    await this.#fire(0, Number.POSITIVE_INFINITY, undefined, async () => {
      // By the clock, or between one write and the next.
      const isTimed = this.roll(2) === 0;
      if (!isTimed) await stand.written(writeMsMax);
      await Bun.sleep(this.roll(isTimed ? killMsMax : betweenMsMax));
      await stand.end(signal);
    });
    await stand.start();
    this.sum.kills += 1;
    if (Object.keys(changeOf(before, tallyOf(stand))).length > 0) this.sum.found += 1;
    if (!(await this.#fire(0, againClients)))
      throw new Error("a server that nobody ended was silent");
  }

  /** Whether a repeat may come too late for its grace. */
  #isLate(): boolean {
    const graces = this.rounds.flatMap(({ kind }) => kind.graceSec ?? []);
    const tookSec = (performance.now() - this.#firstMs) / 1000;
    const isLate = graces.some((graceSec) => tookSec > graceSec - 2);
    if (isLate) this.sum.late += 1;
    return isLate;
  }

  #judge(before: Tally, isWhole: boolean): string[] {
    const verdicts = this.rounds.map((round, at) => {
      const own = this.solos.get(round.name) ?? [];
      const verdict = judge(round, this.#heard[at] ?? [], own, isWhole);
      const label = `${round.name}, ${round.mode}`;
      return { ...verdict, faults: verdict.faults.map((fault) => `${label}: ${fault}`) };
    });
    const expected = sumOf(verdicts.map(({ effect }) => effect));
    const loose = new Set(verdicts.flatMap((verdict) => verdict.loose));
    const off = changeOf(expected, changeOf(before, tallyOf(this.stand)));
    const wrong = Object.entries(off).filter(([name]) => !loose.has(name));
    const faults = verdicts.flatMap((verdict) => verdict.faults);
    if (wrong.length === 0) return faults;
    const names = this.rounds.map(({ name, mode }) => `${name} (${mode})`).join(", ");
    return [
      ...faults,
      `recorded besides: ${JSON.stringify(Object.fromEntries(wrong))}; of ${names}`,
    ];
  }
}
