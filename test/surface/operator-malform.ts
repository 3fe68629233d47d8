/**
 * Wrong values with the field and the code that name them, made from a contract: each differs from a right
 * body or query by one thing, so that what is answered can be known without asking the code under test.
 */
import { type TSchema, TypeGuard } from "@sinclair/typebox";
import type { FieldCode } from "../../schema/problem.ts";
import { canary } from "./malform.ts";

export interface WrongBody {
  readonly name: string;
  /** JSON text. */
  readonly text: string;
  /** `email INVALID_FORMAT` */
  readonly error: string;
}

type Bad = readonly [json: string, code: FieldCode, below?: string];
type Steps = readonly (string | number)[];

const quoted = JSON.stringify(canary);
const nothing: Bad = ["null", "INVALID_TYPE"];
const noText: readonly Bad[] = [
  ["true", "INVALID_TYPE"],
  ["7654321", "INVALID_TYPE"],
  [`[${quoted}]`, "INVALID_TYPE"],
  [`{"${canary}":1}`, "INVALID_TYPE"],
];

/** Text of a length that keeps to no pattern. */
const long = (chars: number): string => JSON.stringify(canary.padEnd(chars, "x"));

function wrongStrings(schema: TSchema, right: unknown): Bad[] {
  const { minLength = 0, maxLength, format, pattern } = schema;
  const bad: Bad[] = [...noText];
  const isFree = format === undefined && pattern === undefined;
  if (minLength > 0) bad.push(['""', format === "email" ? "INVALID_FORMAT" : "TOO_SHORT"]);
  else if (!isFree) bad.push(['""', "INVALID_FORMAT"]);
  if (minLength > 1 && isFree) bad.push([JSON.stringify("x".repeat(minLength - 1)), "TOO_SHORT"]);
  if (maxLength !== undefined) {
    bad.push([long(maxLength + 1), "TOO_LONG"]);
    bad.push([JSON.stringify("\u{1f600}".repeat(maxLength + 1)), "TOO_LONG"]);
  }
  if (!isFree && (maxLength ?? 64) > canary.length) {
    bad.push([`"${canary}\\u0007"`, "INVALID_FORMAT"]);
  }
  const text = typeof right === "string" ? right : "x".repeat(Math.max(1, minLength));
  const start = JSON.stringify(text).slice(0, -1);
  if (maxLength === undefined || text.length < maxLength) {
    for (const end of ["\\u0000", "\\ud83d"]) bad.push([`${start}${end}"`, "INVALID_FORMAT"]);
  }
  return bad;
}

function wrongIntegers({ minimum, maximum }: TSchema): Bad[] {
  const bad: Bad[] = [
    ["true", "INVALID_TYPE"],
    ['"1"', "INVALID_TYPE"],
    ["1.5", "INVALID_TYPE"],
    ["1e999", "INVALID_TYPE"],
    ["[1]", "INVALID_TYPE"],
    [`{"${canary}":1}`, "INVALID_TYPE"],
    ["18446744073709551616", "TOO_LARGE"],
  ];
  if (typeof minimum === "number") bad.push([String(minimum - 1), "TOO_SMALL"]);
  if (typeof maximum === "number") bad.push([String(BigInt(maximum) + 1n), "TOO_LARGE"]);
  return bad;
}

function wrongArrays(schema: TSchema, right: unknown): Bad[] {
  const { minItems = 0, maxItems, uniqueItems, items } = schema;
  const bad: Bad[] = [
    ["true", "INVALID_TYPE"],
    [quoted, "INVALID_TYPE"],
    ['{"length":0}', "INVALID_TYPE"],
  ];
  const [first] = Array.isArray(right) ? (right as unknown[]) : [];
  const item = first === undefined ? undefined : JSON.stringify(first);
  if (minItems > 0) bad.push(["[]", "TOO_FEW"]);
  if (maxItems !== undefined) {
    const many = Array.from({ length: maxItems + 1 }, (_, at) => `"${canary}${at}"`);
    bad.push([`[${many.join()}]`, "TOO_MANY"]);
  }
  if (uniqueItems === true && item !== undefined)
    bad.push([`[${item},${item}]`, "DUPLICATE", "[1]"]);
  if (!TypeGuard.IsSchema(items) || items.type === "object") return bad;
  for (const [json, code, below = ""] of wrongFor(items, first)) {
    bad.push([`[${json}]`, code, `[0]${below}`]);
  }
  return bad;
}

const isWord = ({ const: word }: TSchema): boolean => typeof word === "string";

/** Values that are wrong for a field. */
function wrongFor(schema: TSchema, right: unknown): Bad[] {
  // Left to what comes after the shape, which has words of its own.
  if (TypeGuard.IsUnknown(schema)) return [];
  const options = (schema.anyOf ?? []) as TSchema[];
  const rest = options.filter(({ type }) => type !== "null");
  if (options.length === 0) {
    if (typeof schema.const === "string") return wrongWords([schema]);
    return [nothing, ...wrongOfType(schema, right)];
  }
  const isNullable = rest.length < options.length;
  const bad = rest.every(isWord)
    ? wrongWords(rest)
    : rest.length === 1
      ? wrongFor(rest[0] as TSchema, right)
      : ([
          ["true", "INVALID_TYPE"],
          [`[${quoted}]`, "INVALID_TYPE"],
        ] satisfies Bad[]);
  return bad.filter(([json]) => json !== "null" || !isNullable);
}

const wrongWords = (words: readonly TSchema[]): Bad[] => [
  nothing,
  [quoted, "NOT_ALLOWED"],
  ['""', "NOT_ALLOWED"],
  [`" ${String(words[0]?.const)}"`, "NOT_ALLOWED"],
  ["1", "INVALID_TYPE"],
  ["true", "INVALID_TYPE"],
  ["[]", "INVALID_TYPE"],
];

function wrongOfType(schema: TSchema, right: unknown): Bad[] {
  switch (schema.type) {
    case "string":
      return wrongStrings(schema, right);
    case "integer":
      return wrongIntegers(schema);
    case "array":
      return wrongArrays(schema, right);
    case "boolean":
      return ['"true"', "1", "[]", "{}"].map((json): Bad => [json, "INVALID_TYPE"]);
    default:
      return ["true", quoted, "1", "[]"].map((json): Bad => [json, "INVALID_TYPE"]);
  }
}

const pathOf = (steps: Steps): string =>
  steps
    .map((step, at) => (typeof step === "number" ? `[${step}]` : at === 0 ? step : `.${step}`))
    .join("");

const hole = "\u0001hole\u0001";

/** The body with a member set to a JSON text, or without one taken away. */
function withMember(body: unknown, steps: Steps, json?: string): string {
  const copy = structuredClone(body) as Record<string | number, unknown>;
  let here = copy;
  for (const step of steps.slice(0, -1)) here = here[step] as Record<string | number, unknown>;
  const last = steps.at(-1) ?? "";
  if (json === undefined) delete here[last];
  // Defined, not assigned: `__proto__` is to be a member like any other.
  else {
    Object.defineProperty(here, last, { value: hole, enumerable: true, configurable: true });
  }
  return JSON.stringify(copy).replace(JSON.stringify(hole), () => json ?? "");
}

/** Every body that differs from a right one by one wrong thing that its schema can tell. */
export function* wrongMembers(
  schema: TSchema,
  body: unknown,
  above: Steps = [],
): Generator<WrongBody> {
  yield* wrongWithin(schema, body, body, above);
}

function* wrongWithin(
  schema: TSchema,
  body: unknown,
  here: unknown,
  above: Steps,
): Generator<WrongBody> {
  const required = (schema.required ?? []) as string[];
  for (const [name, inner] of Object.entries<unknown>(schema.properties ?? {})) {
    if (!TypeGuard.IsSchema(inner)) continue;
    const steps = [...above, name];
    const field = pathOf(steps);
    const right = (here as Record<string, unknown>)[name];
    for (const [json, code, below = ""] of wrongFor(inner, right)) {
      const text = withMember(body, steps, json);
      yield { name: `${field} is ${json.slice(0, 40)}`, text, error: `${field}${below} ${code}` };
    }
    if (required.includes(name)) {
      const text = withMember(body, steps);
      yield { name: `${field} is left out`, text, error: `${field} REQUIRED` };
    }
    const { items } = inner;
    // Items of a batch are judged each by itself.
    if (TypeGuard.IsSchema(items) && TypeGuard.IsUnknown(items)) continue;
    if (Array.isArray(right) && TypeGuard.IsSchema(items) && items.type === "object") {
      yield* wrongWithin(items, body, right[0], [...steps, 0]);
    } else if (right !== null && typeof right === "object" && inner.type === "object") {
      yield* wrongWithin(inner, body, right, steps);
    }
  }
  if (schema.additionalProperties !== false) return;
  for (const extra of ["canary", "__proto__", "constructor", "toString", ""]) {
    const text = withMember(body, [...above, extra], quoted);
    const field = pathOf([...above, extra === "" ? "*" : extra]);
    yield { name: `a member "${extra}"`, text, error: `${field} UNKNOWN_FIELD` };
  }
}

export interface WrongQuery {
  /** What is behind the `?`. */
  readonly query: string;
  readonly error: string;
}

/** Parameters that a query with this schema can't have, each alone. */
export function* wrongQueries(schema: TSchema): Generator<WrongQuery> {
  for (const [name, inner] of Object.entries<unknown>(schema.properties ?? {})) {
    if (!TypeGuard.IsSchema(inner) || inner.type === "array") continue;
    const wrong = (text: string, code: FieldCode): WrongQuery => ({
      query: `${name}=${text}`,
      error: `${name} ${code}`,
    });
    yield { query: `${name}=1&${name}=1`, error: `${name} DUPLICATE` };
    yield { query: `${name.toUpperCase()}=1`, error: `${name.toUpperCase()} UNKNOWN_PARAMETER` };
    const { minimum, maximum, minLength = 0, maxLength, format, pattern, anyOf } = inner;
    if (inner.type === "integer") {
      for (const text of ["", "abc", "1.5", "1e0", "%2B1", "01", "0x1", "%201", "1%20", "null"]) {
        yield wrong(text, "INVALID_TYPE");
      }
      if (typeof minimum === "number") yield wrong(String(minimum - 1), "TOO_SMALL");
      if (typeof maximum === "number") yield wrong(String(BigInt(maximum) + 1n), "TOO_LARGE");
    } else if (inner.type === "boolean") {
      for (const text of ["", "1", "yes", "TRUE", "null"]) yield wrong(text, "INVALID_TYPE");
    } else if (Array.isArray(anyOf)) {
      for (const text of ["", canary, "%00", "nothing"]) yield wrong(text, "NOT_ALLOWED");
    } else if (format !== undefined || pattern !== undefined) {
      yield wrong(canary, "INVALID_FORMAT");
    } else {
      if (minLength > 0) yield wrong("", "TOO_SHORT");
      if (maxLength !== undefined) yield wrong("x".repeat(maxLength + 1), "TOO_LONG");
      yield wrong("xx%00", "INVALID_FORMAT");
    }
  }
}
