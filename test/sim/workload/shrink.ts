/**
 * Makes a failing list of acts short: parts are left out as long as the same fault shows (delta debugging),
 * then what is left is made plainer. The seed, and with it the ground, stays.
 */
import type { Act } from "./act.ts";
import type { Fault, Outcome } from "./play.ts";

export interface Shrunk {
  readonly acts: readonly Act[];
  readonly fault: Fault;
  /** How often acts were played. */
  readonly tries: number;
}

type Play = (acts: readonly Act[]) => Promise<Outcome>;

/** What a fault is known by: its words without the numbers and ids of this run. */
export const markOf = ({ kind, message }: Fault): string => {
  const lines = message.split("\n").filter((line) => !/^ *(due:|met:|at )/.test(line));
  return `${kind} ${lines.join(" ")}`
    .replaceAll(/"(time|requestId|stack)":"[^"]*",?/g, "")
    .replaceAll(/[0-9a-f]{8,}[-0-9a-f]*|\d+/g, "#")
    .slice(0, 300);
};

class Shrinker {
  tries = 0;
  #acts: readonly Act[];
  #fault: Fault;
  readonly #mark: string;

  constructor(
    readonly play: Play,
    acts: readonly Act[],
    fault: Fault,
    readonly triesMax: number,
  ) {
    this.#acts = acts.slice(0, fault.at + 1);
    this.#fault = fault;
    this.#mark = markOf(fault);
  }

  get found(): Shrunk {
    return { acts: this.#acts, fault: this.#fault, tries: this.tries };
  }

  /** Keeps these acts if the same fault still shows. */
  async #try(acts: readonly Act[]): Promise<boolean> {
    if (this.tries >= this.triesMax) return false;
    this.tries += 1;
    const { fault } = await this.play(acts);
    if (fault === undefined || markOf(fault) !== this.#mark) return false;
    this.#acts = acts.slice(0, fault.at + 1);
    this.#fault = fault;
    return true;
  }

  async leaveOut(): Promise<void> {
    for (let size = Math.ceil(this.#acts.length / 2); size >= 1; ) {
      let isShorter = false;
      for (let at = this.#acts.length - size; at > -size; at -= size) {
        const from = Math.max(0, at);
        const rest = [...this.#acts.slice(0, from), ...this.#acts.slice(from + size)];
        if (rest.length < this.#acts.length) isShorter = (await this.#try(rest)) || isShorter;
      }
      if (size === 1 && !isShorter) return;
      size = isShorter ? Math.min(size, this.#acts.length) : Math.floor(size / 2);
    }
  }

  /** Fields left out, numbers made small. */
  async plainer(): Promise<void> {
    for (let at = 0; at < this.#acts.length; at += 1) {
      const act = this.#acts[at];
      if (act === undefined) return;
      for (const name of Object.keys(act)) {
        if (name !== "do") await this.#plainer(at, name);
      }
    }
  }

  async #plainer(at: number, name: string): Promise<void> {
    const { [name]: value, ...rest } = this.#acts[at] as Act & Record<string, unknown>;
    if (name === "sec" && (await this.#try(this.#with(at, rest)))) return;
    if (typeof value !== "number") return;
    for (const smaller of [0, 1, Math.trunc(value / 2)]) {
      if (Math.abs(smaller) >= Math.abs(value)) continue;
      if (await this.#try(this.#with(at, { ...rest, [name]: smaller }))) return;
    }
  }

  #with(at: number, act: object): Act[] {
    return this.#acts.map((each, index) => (index === at ? (act as Act) : each));
  }
}

/** @param triesMax plays at the most */
export async function shrink(
  play: Play,
  acts: readonly Act[],
  fault: Fault,
  triesMax = 400,
): Promise<Shrunk> {
  const shrinker = new Shrinker(play, acts, fault, triesMax);
  await shrinker.leaveOut();
  await shrinker.plainer();
  await shrinker.leaveOut();
  return shrinker.found;
}
