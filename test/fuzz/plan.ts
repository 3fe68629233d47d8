/**
 * Calls of an operation, right ones and those with something wrong in one part, as fast-check draws them:
 * still without the values that the server gave, which are put in when a call is made.
 */
import fc from "fast-check";
import type { Operation, Parameter, Schema } from "./document.ts";
import { collectionOf, hasRef, refText } from "./pool.ts";
import type { Values } from "./value.ts";
import { brokenTexts, oddHeaders, oddTypes, pathGames, queryGames } from "./word.ts";

/** Who calls. */
export const callers = [
  ...(["owner", "root", "admin", "member", "holder", "key", "app", "other"] as const),
  ...(["station", "till", "gate", "scout", "suspended", "stranger", "garbage", "learnt"] as const),
] as const;
export type Caller = (typeof callers)[number];

/** What is done to a call that is otherwise as it should be. */
export type Twist =
  | { readonly kind: "none" }
  | { readonly kind: "path"; readonly at: number }
  | { readonly kind: "query"; readonly text: string }
  | { readonly kind: "method"; readonly method: string }
  | { readonly kind: "type"; readonly type: string | null }
  | { readonly kind: "broken"; readonly at: number }
  | { readonly kind: "coded"; readonly coding: "gzip" | "deflate" | "br"; readonly isTold: boolean }
  | { readonly kind: "charset"; readonly as: "utf16le" | "utf16be" | "latin1" | "bad" | "bom" }
  /** Spaces up to a length. */
  | { readonly kind: "size"; readonly bytes: number }
  | { readonly kind: "stream"; readonly chunk: number; readonly isCut: boolean }
  /** At once with its like, under one Idempotency-Key. */
  | { readonly kind: "twice"; readonly isSame: boolean };

export interface Plan {
  readonly who: Caller;
  /** In the order of the path's parameters. */
  readonly params: readonly string[];
  readonly query: readonly (readonly [name: string, text: string])[];
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** JSON text. */
  readonly body: string | null;
  readonly twist: Twist;
}

type Weights = Partial<Record<Caller, number>>;

const operatorCallers: Weights = {
  ...{ owner: 12, root: 2, admin: 2, member: 2, holder: 1, key: 2, app: 1, other: 2 },
  ...{ stranger: 1, garbage: 1, learnt: 2, station: 1 },
};
/** Of what one can do to oneself: who is cheap to make again does it most. */
const selfCallers: Weights = {
  ...{
    member: 8,
    admin: 4,
    key: 2,
    app: 2,
    owner: 1,
    other: 1,
    learnt: 4,
    stranger: 1,
    garbage: 1,
  },
};
const rootCallers: Weights = { ...operatorCallers, root: 12, owner: 2 };
const deviceCallers: Weights = {
  ...{ station: 12, till: 4, gate: 2, scout: 2, suspended: 2 },
  ...{ owner: 1, stranger: 1, garbage: 1, learnt: 1 },
};
const anyone: Weights = { stranger: 12, owner: 2, root: 1, station: 1, garbage: 1, learnt: 1 };

function callerOf({ surface, permission }: Operation): fc.Arbitrary<Caller> {
  const isRoots = /^system\.|^role:owner$/.test(permission);
  const weights =
    permission === "public"
      ? anyone
      : surface === "device"
        ? deviceCallers
        : permission === "self"
          ? selfCallers
          : isRoots
            ? rootCallers
            : operatorCallers;
  return fc.constantFrom(
    ...callers.flatMap((who) => new Array<Caller>(weights[who] ?? 0).fill(who)),
  );
}

/** JSON text as the text of a parameter; a reference stays one. */
const plainOf = (json: string): string => {
  if (hasRef(json)) return json;
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "string" ? value : json;
  } catch {
    return json;
  }
};

/** What a parameter's values are called. */
function nameOf(operation: Operation, { name, in: place }: Parameter): string {
  if (name === "cursor") return `cursor ${operation.path}`;
  if (place !== "path" || name !== "id") return name;
  const upTo = operation.path.slice(0, operation.path.indexOf("{id}") + 4);
  return `id ${collectionOf(upTo)}`;
}

type Pairs = readonly (readonly [name: string, text: string])[];

/** Plans of an operation, drawn by what is to be wrong with them. */
export class Plans {
  constructor(
    private readonly values: Values,
    private readonly operation: Operation,
  ) {}

  #of(place: Parameter["in"]): readonly Parameter[] {
    return this.operation.parameters.filter((each) => each.in === place);
  }

  #texts(parameter: Parameter, isWrong: boolean): fc.Arbitrary<string> {
    const name = nameOf(this.operation, parameter);
    const { schema } = parameter;
    if (!isWrong) return this.values.right(schema, name).map(plainOf);
    const ref = refText(`text ${name}`);
    // What was given, but spoiled.
    const spoiled = fc.constantFrom(
      `${ref}0`,
      ` ${ref}`,
      `${ref}\u0000`,
      `${ref},${ref}`,
      `${ref}=`,
    );
    return fc.oneof(
      { weight: 3, arbitrary: this.values.wrong(schema, name).map(plainOf) },
      { weight: 1, arbitrary: spoiled },
    );
  }

  #params(isWrong: boolean): fc.Arbitrary<readonly string[]> {
    return fc.tuple(...this.#of("path").map((each) => this.#texts(each, isWrong)));
  }

  #query(isWrong: boolean): fc.Arbitrary<Pairs> {
    const each = this.#of("query").map((parameter) => {
      const pair = this.#texts(parameter, isWrong).map((text) => [parameter.name, text] as const);
      if (parameter.required) return pair;
      // Of others' protocols nearly all that is asked is due, whatever a schema says.
      const freq = this.operation.permission === "public" ? 15 : isWrong ? 2 : 1;
      return fc.option(pair, { freq, nil: null });
    });
    return fc.tuple(...each).map((all) => all.filter((pair) => pair !== null));
  }

  #headers(): fc.Arbitrary<Pairs> {
    const each = this.#of("header").map(({ name, required }) => {
      const kind =
        name === "Idempotency-Key" ? "uuid" : name === "If-None-Match" ? "etag" : "text sequence";
      const pair = fc.constant([name, refText(kind)] as const);
      return required ? pair : fc.option(pair, { freq: 3, nil: null });
    });
    return fc.tuple(...each).map((all) => all.filter((pair) => pair !== null));
  }

  #body(isWrong: boolean): fc.Arbitrary<string | null> {
    const { body, name } = this.operation;
    if (body === null) return fc.constant(null);
    if (isWrong) return this.values.wrong(body.schema);
    const known = fc.constant(refText(`body ${name}`));
    return fc.oneof(
      { weight: 3, arbitrary: this.values.right(body.schema) },
      { weight: 1, arbitrary: known },
    );
  }

  #plan(parts: {
    readonly params?: boolean;
    readonly query?: boolean;
    readonly body?: boolean;
    readonly headers?: fc.Arbitrary<Pairs>;
    readonly twist?: fc.Arbitrary<Twist>;
  }): fc.Arbitrary<Plan> {
    const { params = false, query = false, body = false, headers, twist } = parts;
    const own = this.#headers();
    return fc.record({
      who: callerOf(this.operation),
      params: this.#params(params),
      query: this.#query(query),
      headers: headers === undefined ? own : fc.tuple(own, headers).map(([a, b]) => [...a, ...b]),
      body: this.#body(body),
      twist: twist ?? fc.constant<Twist>({ kind: "none" }),
    });
  }

  /** With nothing wrong. */
  right(): fc.Arbitrary<Plan> {
    return this.#plan({});
  }

  /** Of every sort. */
  any(): fc.Arbitrary<Plan> {
    const { operation } = this;
    const odd = fc.array(fc.constantFrom(...oddHeaders), { minLength: 1, maxLength: 3 });
    const has = (place: Parameter["in"]): number => (this.#of(place).length > 0 ? 1 : 0);
    const takesBody = operation.body !== null || operation.method === "POST";
    const twist = takesBody ? fc.oneof(twistOfCall, twistOfBody) : twistOfCall;
    return fc.oneof(
      { weight: 10, arbitrary: this.right() },
      { weight: operation.body === null ? 0 : 8, arbitrary: this.#plan({ body: true }) },
      { weight: 4 * has("query"), arbitrary: this.#plan({ query: true }) },
      { weight: 2 * has("path"), arbitrary: this.#plan({ params: true }) },
      { weight: 3, arbitrary: this.#plan({ headers: odd }) },
      { weight: 5, arbitrary: this.#plan({ twist }) },
      {
        weight: 1,
        arbitrary: this.#plan({ params: true, query: true, body: true, headers: odd, twist }),
      },
    );
  }
}

const methods = ["HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "POST", "GET", "PROPFIND", "QUERY"];

const twistOfCall: fc.Arbitrary<Twist> = fc.oneof(
  fc.nat(pathGames.length - 1).map((at): Twist => ({ kind: "path", at })),
  fc.constantFrom(...queryGames).map((text): Twist => ({ kind: "query", text })),
  fc.constantFrom(...methods).map((method): Twist => ({ kind: "method", method })),
);

const mebibyte = 1_048_576;

const twistOfBody: fc.Arbitrary<Twist> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.nat(brokenTexts.length - 1).map((at): Twist => ({ kind: "broken", at })),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom(...oddTypes, null).map((type): Twist => ({ kind: "type", type })),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constantFrom("gzip", "deflate", "br"), fc.boolean())
      .map(([coding, isTold]): Twist => ({ kind: "coded", coding, isTold })),
  },
  {
    weight: 4,
    arbitrary: fc
      .constantFrom("utf16le", "utf16be", "latin1", "bad", "bom")
      .map((as): Twist => ({ kind: "charset", as })),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom(1, 7, 4_096), fc.boolean())
      .map(([chunk, isCut]): Twist => ({ kind: "stream", chunk, isCut })),
  },
  { weight: 4, arbitrary: fc.boolean().map((isSame): Twist => ({ kind: "twice", isSame })) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(mebibyte - 1, mebibyte, mebibyte + 1, 2 * mebibyte)
      .map((bytes): Twist => ({ kind: "size", bytes })),
  },
);

/** The schema of a parameter, by name; undefined where it is none of the operation's. */
export const schemaOf = (
  { parameters }: Operation,
  place: Parameter["in"],
  name: string,
): Schema | undefined => parameters.find((each) => each.in === place && each.name === name)?.schema;
