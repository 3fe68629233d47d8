/**
 * Things that are made, read, changed and deleted in this order, as the documents let one guess it: what
 * a POST to a path makes is behind the paths that go on from there.
 */
import fc from "fast-check";
import type { Random } from "../../src/sim/random.ts";
import type { Operation } from "./document.ts";
import { type Plan, Plans } from "./plan.ts";
import type { Values } from "./value.ts";
import type { Seen } from "./wire.ts";

interface Creator {
  readonly operation: Operation;
  readonly members: readonly Operation[];
}

export interface Step {
  readonly drawn: { readonly operation: Operation; readonly plan: Plan };
  /** Takes the answer; what is wrong with it at this point of the story. */
  answered(seen: Seen): string;
}

const order = ["GET", "PATCH", "POST", "DELETE"];

export class Story {
  readonly #creators: readonly Creator[];
  readonly #plans = new Map<Operation, fc.Arbitrary<Plan>>();

  constructor(operations: readonly Operation[], values: Values) {
    this.#creators = operations.flatMap((operation) => {
      const { method, path, permission } = operation;
      const members = operations.filter((each) => each.path.startsWith(`${path}/{`));
      const isMaking = method === "POST" && permission !== "public" && !path.includes("{");
      return isMaking && members.length > 0 ? [{ operation, members }] : [];
    });
    for (const { operation, members } of this.#creators) {
      for (const each of [operation, ...members]) {
        this.#plans.set(each, new Plans(values, each).right());
      }
    }
  }

  /** One of them, its steps to be taken one by one, since each asks with what the first was given. */
  *next(random: Random, seed: number): Generator<Step> {
    const { operation, members } = random.pick(this.#creators);
    const who = operation.surface === "device" ? "station" : "owner";
    let id: string | undefined;
    let salt = 0;
    const plan = (of: Operation): Plan => {
      salt += 1;
      const arbitrary = this.#plans.get(of);
      if (arbitrary === undefined) throw new Error(`no plans of ${of.name}`);
      const [made] = fc.sample(arbitrary, { seed: seed * 31 + salt, numRuns: 1 });
      const { params, ...rest } = made as Plan;
      return { ...rest, who, params: id === undefined ? params : [id, ...params.slice(1)] };
    };
    const quiet = (): string => "";
    const [own = ""] = /(?<=\{)\w+/.exec(members[0]?.path ?? "") ?? [];
    const drawn = { operation, plan: plan(operation) };
    yield {
      drawn,
      answered: ({ status, text }) => {
        if (status < 300) id = idIn(text, own);
        return "";
      },
    };
    if (id === undefined) return;
    const reads = members.filter(({ method }) => method === "GET");
    const rest = random.shuffle(members.filter((each) => !reads.includes(each)));
    rest.sort((a, b) => order.indexOf(a.method) - order.indexOf(b.method));
    for (const read of reads) {
      const isPlain = read.path === `${operation.path}/{${own}}`;
      const asked = { ...plan(read), query: [] };
      yield {
        drawn: { operation: read, plan: asked },
        answered: ({ status }) =>
          isPlain && status === 404 ? "what was just made is not there" : "",
      };
    }
    for (const each of [...rest, ...reads]) {
      yield { drawn: { operation: each, plan: plan(each) }, answered: quiet };
    }
  }
}

function idIn(text: string, name: string): string | undefined {
  if (text === "") return undefined;
  const made = JSON.parse(text) as Record<string, unknown> | null;
  const id = made?.[name];
  return typeof id === "string" || typeof id === "number" ? String(id) : undefined;
}
