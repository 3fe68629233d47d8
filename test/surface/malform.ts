/**
 * Wrong values by the dozen, made from a contract: for every field of a schema, JSON texts that no one
 * should take for it. They are texts, not values, because `1.0`, `-0` and `"\ud800"` are only that.
 */
import { type TSchema, TypeGuard } from "@sinclair/typebox";

export interface Wrong {
  /** Such as `events[0].amount is a float`. */
  readonly name: string;
  /** The whole body, as JSON text or something that is none. */
  readonly text: string;
  /** Part of it that must never come back. */
  readonly echo: string;
}

type Step = string | number;
type Bad = readonly [what: string, json: string];

/** Told from everything else that could be in an answer. */
export const canary = "Kanari3NeverEchoed";
const quoted = JSON.stringify(canary);

const always: readonly Bad[] = [
  ["is true", "true"],
  ["is an array", `[${quoted}]`],
  ["is an object", `{"${canary}":1}`],
];

function wrongIntegers({ minimum, maximum }: TSchema): Bad[] {
  const bad: Bad[] = [
    ["is a number as text", '"7654321"'],
    ["is empty text", '""'],
    ["is a float", "7654321.25"],
    ["is a whole float", "7654321.0"],
    ["has an exponent", "7654321e0"],
    ["has a capital exponent", "7E0"],
    ["is minus zero", "-0"],
    ["is beyond what a double holds", "9007199254740993"],
    ["is beyond what 64 bits hold", "18446744073709551616"],
    ["is infinite", "1e999"],
    ["is minus infinite", "-1e999"],
    ["is text", quoted],
  ];
  if (typeof minimum === "number") bad.push(["is below", String(minimum - 1)]);
  if (typeof maximum === "number") bad.push(["is above", String(BigInt(maximum) + 1n)]);
  return bad;
}

const notText: readonly Bad[] = [
  ["has NUL", `"${canary}\\u0000"`],
  ["is half a pair", '"\\ud83d"'],
  ["is the other half", `"\\ude00${canary}"`],
  ["is a number", "7654321"],
];

function wrongStrings({ pattern, minLength, maxLength }: TSchema): Bad[] {
  const bad: Bad[] = [...notText];
  if (typeof pattern === "string") {
    bad.push(
      ["is upper case", '"A1B2C3D4E5F6"'],
      ["is a digit short", '"a1b2c3d4e5f"'],
      ["is a digit long", '"a1b2c3d4e5f60"'],
      ["ends in a line feed", '"a1b2c3d4e5f6\\n"'],
      ["has a space", '" a1b2c3d4e5f"'],
      ["has a letter that is no digit", '"g1b2c3d4e5f6"'],
      [
        "has wide digits",
        '"\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19\uff11\uff12\uff13"',
      ],
      ["is text", quoted],
    );
  }
  if (typeof minLength === "number" && minLength > 0) bad.push(["is empty", '""']);
  if (typeof maxLength === "number") {
    const long = canary.padEnd(maxLength + 1, "x");
    bad.push(["is too long", JSON.stringify(long)]);
    bad.push(["is too long in emojis", JSON.stringify("\u{1f600}".repeat(maxLength + 1))]);
  }
  return bad;
}

function wrongArrays({ maxItems }: TSchema): Bad[] {
  const bad: Bad[] = [
    ["is text", quoted],
    ["is an object with a length", '{"length":0}'],
    ["holds null", "[null]"],
    ["holds an array", "[[]]"],
    ["holds an empty object", "[{}]"],
  ];
  if (typeof maxItems === "number") {
    bad.push(["holds more, all wrong", `[${new Array(maxItems + 1).fill("7").join(",")}]`]);
  }
  return bad;
}

/** Texts that are wrong for a field; `null` too, unless it may be that. */
function wrongFor(schema: TSchema): Bad[] {
  const options = (schema.anyOf ?? []) as TSchema[];
  const isNullable = options.some(({ type }) => type === "null");
  const nothing: Bad[] = isNullable ? [] : [["is null", "null"]];
  const concrete = options.find(({ type }) => type !== "null");
  if (options.length > 0 && options.every(({ const: word }) => typeof word === "string")) {
    const word = String(options[0]?.const);
    const capital = JSON.stringify(word.toUpperCase());
    const bad: Bad[] = [
      ["is no such word", quoted],
      ["is upper case", capital],
      ["is 1", "1"],
    ];
    return [...always, ...nothing, ...bad];
  }
  if (concrete !== undefined)
    return [...wrongFor(concrete).filter(([, text]) => text !== "null"), ...nothing];
  if (schema.type === "integer") return [...always, ...nothing, ...wrongIntegers(schema)];
  if (schema.type === "string") return [...always, ...nothing, ...wrongStrings(schema)];
  if (schema.type === "array") return [...always.slice(0, 1), ...nothing, ...wrongArrays(schema)];
  return [...always.slice(0, 2), ...nothing];
}

interface Field {
  readonly path: readonly Step[];
  readonly schema: TSchema;
  readonly required: boolean;
}

/** Every field below an object's schema; of an array its first item stands for all. */
function* fieldsOf(schema: TSchema, above: readonly Step[] = []): Generator<Field> {
  const required = new Set((schema.required ?? []) as string[]);
  for (const [name, inner] of Object.entries<unknown>(schema.properties ?? {})) {
    if (!TypeGuard.IsSchema(inner)) continue;
    const path = [...above, name];
    yield { path, schema: inner, required: required.has(name) };
    if (TypeGuard.IsSchema(inner.items)) yield* fieldsOf(inner.items, [...path, 0]);
  }
}

const nameOf = (path: readonly Step[]): string =>
  path
    .map((step, at) => (typeof step === "number" ? `[${step}]` : at === 0 ? step : `.${step}`))
    .join("");

const hole = "\u0001hole\u0001";

/** A body with a member set to a JSON text, or, without one, taken away. */
function withField(body: unknown, path: readonly Step[], json?: string): string {
  const copy = structuredClone(body) as Record<Step, unknown>;
  let here = copy;
  for (const step of path.slice(0, -1)) here = here[step] as Record<Step, unknown>;
  const last = path.at(-1) ?? "";
  if (json === undefined) delete here[last];
  // Defined, not assigned: `__proto__` is to be a member like any other.
  else Object.defineProperty(here, last, { value: hole, enumerable: true });
  return JSON.stringify(copy).replace(JSON.stringify(hole), () => json ?? "");
}

/** Every body that differs from a right one by one wrong thing. */
export function* wrongBodies(schema: TSchema, body: unknown): Generator<Wrong> {
  const objects: Step[][] = [[]];
  for (const { path, schema: field, required } of fieldsOf(schema)) {
    const name = nameOf(path);
    if (path.at(-2) === 0 && objects.length === 1) objects.push(path.slice(0, -1) as Step[]);
    for (const [what, json] of wrongFor(field)) {
      const echo = json.length > 5 ? json.replaceAll('"', "") : canary;
      yield { name: `${name} ${what}`, text: withField(body, path, json), echo };
    }
    if (required) yield { name: `${name} is left out`, text: withField(body, path), echo: canary };
  }
  for (const object of objects) {
    const where = object.length === 0 ? "the body" : nameOf(object);
    for (const extra of [canary, "__proto__", "constructor", "toString", ""]) {
      const text = withField(body, [...object, extra], quoted);
      yield { name: `${where} has a field ${JSON.stringify(extra)}`, text, echo: canary };
    }
  }
  yield* wrongTexts(JSON.stringify(body));
}

/** Texts that are no JSON, or not the JSON that is meant, whatever the contract. */
export function* wrongTexts(right: string): Generator<Wrong> {
  const open = right.slice(0, -1);
  const texts: Readonly<Record<string, string>> = {
    "nothing but spaces": "   ",
    null: "null",
    "an array": `[${right}]`,
    "an empty array": "[]",
    text: quoted,
    "a number": "7654321",
    "an empty object": "{}",
    "cut in the middle": right.slice(0, Math.floor(right.length / 2)),
    "cut by one": open,
    "one too many": `${right}}`,
    "two documents": `${right}${right}`,
    "a comma at the end": `${open},}`,
    "a comment": `${open}/* ${canary} */}`,
    "names without quotes": `{${canary}:1}`,
    "single quotes": `{'${canary}':1}`,
    NaN: `${open},"${canary}":NaN}`,
    "a leading plus": `${open},"${canary}":+1}`,
    "a leading zero": `${open},"${canary}":01}`,
    hexadecimal: `${open},"${canary}":0x10}`,
    "a raw line feed in text": `${open},"${canary}\n":1}`,
    "a bad escape": `${open},"${canary}\\x":1}`,
    "a byte order mark": `\ufeff${right}`,
    "a form": `secret=${canary}&role=station`,
    XML: `<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/${canary}">]><a>&b;</a>`,
    "nested 33 deep": `${"[".repeat(33)}${"]".repeat(33)}`,
    "nested 100 000 deep": `${"[".repeat(100_000)}${"]".repeat(100_000)}`,
    "nested deep in a field": `${open},"${canary}":${"[".repeat(40)}${"]".repeat(40)}}`,
    "open 100 000 times": `{"a":`.repeat(100_000),
  };
  for (const [name, text] of Object.entries(texts)) {
    yield { name: `the body is ${name}`, text, echo: name === "a number" ? "7654321" : canary };
  }
}

/** Bodies that are no UTF-8 text at all. */
export function wrongBytes(right: string): [name: string, bytes: Uint8Array][] {
  const utf16 = new Uint8Array(Buffer.from(right, "utf16le"));
  const inText = (...bytes: number[]): Uint8Array =>
    new Uint8Array([...Buffer.from(`{"${canary}":"`), ...bytes, ...Buffer.from('"}')]);
  return [
    ["UTF-16", utf16],
    ["UTF-16 with its mark", new Uint8Array([0xff, 0xfe, ...utf16])],
    ["a lone continuation", inText(0x80)],
    ["an overlong slash", inText(0xc0, 0xaf)],
    ["an encoded surrogate", inText(0xed, 0xa0, 0x80)],
    ["beyond U+10FFFF", inText(0xf4, 0x90, 0x80, 0x80)],
    ["cut in a letter", new Uint8Array([...Buffer.from('{"a":"'), 0xe2, 0x82])],
    ["Latin-1", inText(0xe9)],
    ["gzip", Bun.gzipSync(Buffer.from(right))],
    ["NUL bytes", new Uint8Array(64)],
  ];
}

/** Values of a whole-number query parameter that are none. */
export function wrongParameters({ minimum, maximum }: TSchema): string[] {
  return [
    ...[
      "",
      "abc",
      "1.5",
      "1.0",
      "1e0",
      "+1",
      "-1",
      "-0",
      "01",
      "0x1",
      "%201",
      "1%20",
      "1%00",
      "null",
    ],
    ...[
      "%EF%BC%91",
      "NaN",
      "Infinity",
      "1,2",
      "1;2",
      "%zz",
      "9007199254740993",
      "18446744073709551616",
    ],
    ...(minimum === 0 ? [] : [String(Number(minimum) - 1)]),
    String(BigInt(maximum) + 1n),
  ];
}
