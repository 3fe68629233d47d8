/**
 * From a schema: texts of JSON that it takes, and texts that differ from such a one in one place. Texts,
 * not values, because `1.0`, `-0`, a member twice and half a surrogate pair are only that. Where a value
 * should be one that the server gave before, a reference stands: see `pool.ts`.
 */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { password } from "../surface/served.ts";
import type { Schema } from "./document.ts";
import { refText } from "./pool.ts";
import {
  anything,
  canary,
  days,
  instants,
  naughty,
  noText,
  oddInstants,
  oddNumbers,
  seconds,
  unknownName,
} from "./word.ts";

/** JSON text, in which references may stand. */
export type Text = fc.Arbitrary<string>;

/** How many values of a leaf a seed has: drawing among them is all that a request costs. */
const leafValues = 24;
/** Of the verifier below (RFC 7636 §4.2). */
const challenge = createHash("sha256").update("v".repeat(43)).digest("base64url");
const safeMax = Number.MAX_SAFE_INTEGER;

const one = (texts: readonly string[]): Text => fc.constantFrom(...texts);
const quoted = (texts: readonly string[]): string[] => texts.map((text) => JSON.stringify(text));
const chars = (text: string): number => [...text].length;
const exactly = (count: number, letter: string): string => letter.repeat(count);

/** Of strings whose schemas leave open what they must be. */
const wordOf: Readonly<Record<string, readonly string[]>> = {
  ...{ password: [password], currentPassword: [password], newPassword: [password] },
  ...{ timezone: ["Asia/Jakarta"], currency: ["IDR"], locale: ["id-ID"] },
  ...{ response_type: ["code"], response_mode: ["query"], code_challenge_method: ["S256"] },
  code_challenge: [challenge],
  code_verifier: ["v".repeat(43)],
  scope: ["openid email", "openid", "users.list"],
  prompt: ["none", "login", "consent"],
  grant_type: ["authorization_code", "refresh_token", "client_credentials"],
};

interface Weighted {
  readonly weight: number;
  readonly arbitrary: Text;
}

export class Values {
  readonly #leaves = new Map<string, readonly [right: Text, wrong: Text]>();

  constructor(private readonly seed: number) {}

  /** A text that the schema takes. @param name what the value is called: who else gives such ones */
  right(schema: Schema, name = ""): Text {
    if (schema.anyOf !== undefined) {
      return fc.oneof(...schema.anyOf.map((option) => this.right(option, name)));
    }
    if (schema.type === "object") return this.#object(schema);
    if (schema.type === "array") return this.#array(schema, name);
    return this.#leaf(schema, name)[0];
  }

  /** A text that is wrong in one place; rarely one that is right after all. */
  wrong(schema: Schema, name = ""): Text {
    if (schema.anyOf !== undefined) {
      const options = schema.anyOf.filter(({ type }) => type !== "null");
      return fc.oneof(one(anything), ...options.map((option) => this.wrong(option, name)));
    }
    if (schema.type === "object") return this.#wrongObject(schema);
    if (schema.type === "array") return this.#wrongArray(schema, name);
    return this.#leaf(schema, name)[1];
  }

  #members(schema: Schema): { name: string; isDue: boolean; schema: Schema }[] {
    return Object.entries(schema.properties ?? {}).map(([name, inner]) => {
      return { name, isDue: (schema.required ?? []).includes(name), schema: inner };
    });
  }

  #object(schema: Schema, instead = new Map<string, fc.Arbitrary<string | null>>()): Text {
    const members = this.#members(schema);
    if (members.length === 0) return one(["{}", `{"till":7}`, `{"a":{"b":["c",null,1.5]}}`]);
    const texts = members.map(({ name, isDue, schema: inner }) => {
      const given = instead.get(name);
      if (given !== undefined) return given;
      const right = this.right(inner, name);
      return isDue ? right : fc.option(right, { freq: 2 });
    });
    const keys = members.map(({ name }) => JSON.stringify(name));
    return fc
      .tuple(...texts)
      .map((all) => `{${all.flatMap((text, at) => (text === null ? [] : `${keys[at]}:${text}`))}}`);
  }

  #array({ items = {}, minItems = 0, maxItems = 20 }: Schema, name: string): Text {
    const item =
      name === "events"
        ? fc.oneof(this.right(items), fc.constant(refText("event")))
        : this.right(items, name);
    const maxLength = Math.min(maxItems, minItems + 3);
    return fc.array(item, { minLength: minItems, maxLength }).map((all) => `[${all}]`);
  }

  #wrongObject(schema: Schema): Text {
    const right = this.#object(schema);
    const members = this.#members(schema);
    const extra = fc.constantFrom(
      "__proto__",
      "constructor",
      "toString",
      "",
      unknownName,
      "id",
      "tenantId",
    );
    const ways: Weighted[] = [
      { weight: 1, arbitrary: one(anything) },
      {
        weight: 2,
        arbitrary: fc.tuple(right, extra, one(anything)).map(([text, name, value]) => {
          const comma = text === "{}" ? "" : ",";
          return `${text.slice(0, -1)}${comma}${JSON.stringify(name)}:${value}}`;
        }),
      },
    ];
    for (const { name, isDue, schema: inner } of members) {
      const wrong = this.#object(schema, new Map([[name, this.wrong(inner, name)]]));
      ways.push({ weight: 4, arbitrary: wrong });
      if (isDue) {
        ways.push({
          weight: 1,
          arbitrary: this.#object(schema, new Map([[name, fc.constant(null)]])),
        });
      }
      const twice = fc.tuple(right, this.right(inner, name)).map(([text, value]) => {
        const comma = text === "{}" ? "" : ",";
        return `{${JSON.stringify(name)}:${value}${comma}${text.slice(1)}`;
      });
      ways.push({ weight: 1, arbitrary: twice });
    }
    return fc.oneof(...ways);
  }

  #wrongArray(schema: Schema, name: string): Text {
    const { items = {}, minItems = 0, maxItems = 100 } = schema;
    const item = this.right(items, name);
    return fc.oneof(
      one(anything),
      this.wrong(items, name).map((text) => `[${text}]`),
      item.map((text) => `[${text},${text}]`),
      item.map((text) => `[${new Array(Math.min(maxItems, 2_000) + 1).fill(text)}]`),
      one([
        `[${new Array(Math.max(0, minItems - 1)).fill("1")}]`,
        `[${new Array(3_000).fill("null")}]`,
      ]),
    );
  }

  #leaf(schema: Schema, name: string): readonly [right: Text, wrong: Text] {
    const key = `${name} ${JSON.stringify(schema)}`;
    let leaf = this.#leaves.get(key);
    if (leaf === undefined) {
      const sampled = (arbitrary: Text): Text =>
        one(fc.sample(arbitrary, { seed: this.seed, numRuns: leafValues }));
      leaf = [sampled(rightLeaf(schema, name)), sampled(wrongLeaf(schema))];
      this.#leaves.set(key, leaf);
    }
    return leaf;
  }
}

function rightLeaf(schema: Schema, name: string): Text {
  if (schema.const !== undefined) return fc.constant(JSON.stringify(schema.const));
  switch (schema.type) {
    case "string":
      return rightString(schema, name);
    case "integer":
      return rightInteger(schema, name);
    case "boolean":
      return one(["true", "false"]);
    case "null":
      return fc.constant("null");
    default:
      return one(anything);
  }
}

function rightInteger({ minimum = -safeMax, maximum = safeMax }: Schema, name: string): Text {
  const near = [minimum, minimum + 1, maximum - 1, maximum, 0, 1, 2, 5, 1_000, ...seconds];
  const fitting = near.filter((value) => value >= minimum && value <= maximum).map(String);
  const small = fc.integer({ min: minimum, max: Math.min(maximum, Math.max(minimum, 0) + 50_000) });
  const own = fc.constant(refText(`number ${name}`));
  return fc.oneof(
    { weight: 3, arbitrary: own },
    { weight: 2, arbitrary: one(fitting) },
    { weight: 2, arbitrary: small.map(String) },
  );
}

function rightString(schema: Schema, name: string): Text {
  const { format, pattern, minLength = 0, maxLength } = schema;
  const own = fc.constant(refText(`text ${name}`));
  const known = wordOf[name];
  const due: Weighted[] = [{ weight: 6, arbitrary: own }];
  if (known !== undefined) due.push({ weight: 12, arbitrary: one(quoted(known)) });
  const made = formed(format);
  if (made !== undefined)
    return fc.oneof(...due, { weight: format === "uuid" ? 1 : 4, arbitrary: made });
  if (pattern !== undefined && maxLength === undefined) {
    const text = fc.stringMatching(new RegExp(pattern, "u")).map((value) => JSON.stringify(value));
    return fc.oneof(...due, { weight: 2, arbitrary: text });
  }
  const fits = (text: string): boolean =>
    chars(text) >= minLength &&
    chars(text) <= (maxLength ?? 5_000) &&
    (pattern === undefined || new RegExp(pattern, "u").test(text));
  const bounds = [minLength, minLength + 1, (maxLength ?? 300) - 1, maxLength ?? 300];
  const lengths = bounds.filter((count) => count <= 3_000);
  const edges = lengths.flatMap((count) =>
    ["x", "\u00e9", "\u{1f600}", "\u4e2d"].map((letter) => exactly(count, letter)),
  );
  const words = ["Siti", "a word", "Kantin Utama", "till-7", ...naughty, ...edges].filter(fits);
  if (words.length > 0) due.push({ weight: 4, arbitrary: one(quoted(words)) });
  return fc.oneof(...due);
}

/** Of a format: texts of its form. */
function formed(format: string | undefined): Text | undefined {
  switch (format) {
    case "uuid":
      return fc.uuid().map((text) => JSON.stringify(text));
    case "email":
      return fc.nat().map((at) => `"fuzz-${at.toString(36)}@example.com"`);
    case "date-time":
      return one(quoted(instants));
    case "date":
      return one(quoted(days));
    case "uri":
      return one(quoted(["https://app.example/callback", "https://a.example/?x=1"]));
    default:
      return undefined;
  }
}

/** In place of a leaf: of another type, next to a bound, or out of form. */
function wrongLeaf({ type, format, minimum, maximum, minLength = 0, maxLength }: Schema): Text {
  const bad: string[] = [...anything];
  if (type === "integer") {
    bad.push(...oddNumbers, `"${maximum ?? 1}"`);
    if (minimum !== undefined) bad.push(String(BigInt(minimum) - 1n));
    if (maximum !== undefined) bad.push(String(BigInt(maximum) + 1n), `${maximum}.0`);
  }
  if (type !== "string") return one(bad);
  bad.push(...noText, ...quoted(naughty), '"\\u0061\\/"', JSON.stringify(exactly(70_000, "x")));
  if (minLength > 0) bad.push(JSON.stringify(exactly(minLength - 1, "x")));
  if (maxLength !== undefined) {
    for (const letter of ["x", "\u{1f600}"])
      bad.push(JSON.stringify(exactly(maxLength + 1, letter)));
  }
  if (format === "date-time" || format === "date") bad.push(...quoted(oddInstants));
  if (format === "uuid") {
    bad.push('"00000000-0000-0000-0000-000000000000"', `"{0195d1f0-7d5c-4b3a-8a55-1f0e2d3c4b5a}"`);
    bad.push('"0195D1F0-7D5C-4B3A-8A55-1F0E2D3C4B5A"', '"0195d1f07d5c4b3a8a551f0e2d3c4b5a"');
  }
  if (format === "email") bad.push('"a@b"', '"@"', '"a@b@c.example"', `"${canary}@[127.0.0.1]"`);
  return one(bad);
}
