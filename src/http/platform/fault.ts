/**
 * Why a value breaks its shape: every faulty field with its path, a code of the closed list and a
 * sentence, in the order of the contract's fields. Asked only once the compiled check said no, so it
 * walks schema and value plainly. Never holds what was sent.
 */
import type { TSchema } from "@sinclair/typebox";
import type { FieldCode } from "../../../schema/problem.ts";
import type { FieldFault } from "../../domain/problem.ts";
import { canonical } from "../value.ts";
import { formatFits, formatMessage } from "./format.ts";

/** A document says no more than this. */
export const faultsMax = 50;

/** A name of the caller's that may stand in a path. Others become `*`, and so does every token of ours:
 * all of them are longer, and a caller that mixes up its fields sends one as a name. */
const plainName = /^[\w$.-]{1,40}$/;

/** `recipients[2].userId`, a step further. */
export const memberPath = (path: string, name: string): string => {
  const shown = plainName.test(name) ? name : "*";
  return path === "" ? shown : `${path}.${shown}`;
};
export const itemPath = (path: string, index: number): string => `${path}[${index}]`;

/**
 * The faults of `value` by `schema`, at most 50; empty when there are none.
 * @param unknown code of a member that the schema does not have.
 */
export function faultsOf(
  schema: TSchema,
  value: unknown,
  unknown: "UNKNOWN_FIELD" | "UNKNOWN_PARAMETER" = "UNKNOWN_FIELD",
): FieldFault[] {
  const walk = new Walk(unknown);
  walk.visit(schema, value, "");
  return walk.faults;
}

class Walk {
  readonly faults: FieldFault[] = [];

  constructor(readonly unknown: "UNKNOWN_FIELD" | "UNKNOWN_PARAMETER") {}

  add(field: string, code: FieldCode, message: string): void {
    if (this.faults.length < faultsMax) this.faults.push({ field, message, code });
  }

  addJudged(field: string, judged: Judged | null): void {
    if (judged !== null) this.add(field, ...judged);
  }

  visit(schema: TSchema, value: unknown, path: string): void {
    if (this.faults.length >= faultsMax) return;
    if (Array.isArray(schema.anyOf)) this.union(schema.anyOf as TSchema[], value, path);
    else if (Array.isArray(schema.allOf)) {
      for (const part of schema.allOf as TSchema[]) this.visit(part, value, path);
    } else if (schema.const !== undefined || Array.isArray(schema.enum)) {
      this.addJudged(path, judgeWords([schema], value));
    } else if (schema.type !== undefined && !isOfType(schema, value)) {
      this.add(path, "INVALID_TYPE", `Must be ${typeWords(schema.type)}`);
    } else if (typeof value === "string") this.addJudged(path, judgeString(schema, value));
    else if (typeof value === "number") this.addJudged(path, judgeNumber(schema, value));
    else if (Array.isArray(value)) this.array(schema, value, path);
    else if (value !== null && typeof value === "object") {
      this.object(schema, value as Record<string, unknown>, path);
    }
  }

  union(branches: readonly TSchema[], value: unknown, path: string): void {
    const rest = branches.filter((branch) => branch.type !== "null");
    if (value === null && rest.length < branches.length) return;
    if (rest.every((branch) => branch.const !== undefined || Array.isArray(branch.enum))) {
      this.addJudged(path, judgeWords(rest, value));
      return;
    }
    const fitting = rest.length === 1 ? rest : rest.filter((branch) => isOfType(branch, value));
    let best: FieldFault[] | undefined;
    for (const branch of fitting) {
      const part = new Walk(this.unknown);
      part.visit(branch, value, path);
      if (part.faults.length === 0) return;
      if (best === undefined || part.faults.length < best.length) best = part.faults;
    }
    if (best === undefined) {
      this.add(
        path,
        "INVALID_TYPE",
        `Must be ${rest.map((branch) => typeWords(branch.type)).join(" or ")}`,
      );
    } else for (const fault of best) this.add(fault.field, fault.code, fault.message);
  }

  array(schema: TSchema, value: readonly unknown[], path: string): void {
    const { minItems = 0, maxItems = Number.POSITIVE_INFINITY, uniqueItems, items } = schema;
    if (value.length < minItems) this.add(path, "TOO_FEW", tooFew(path, minItems));
    if (value.length > maxItems) {
      this.add(path, "TOO_MANY", `Must have at most ${counted(maxItems, "item")}`);
    }
    if (value.length < minItems || value.length > maxItems) return;
    const seen = new Set<string>();
    for (const [index, item] of value.entries()) {
      const before = this.faults.length;
      if (items !== undefined) this.visit(items as TSchema, item, itemPath(path, index));
      if (uniqueItems !== true || this.faults.length > before) continue;
      const text = canonical(item);
      if (seen.has(text)) this.add(itemPath(path, index), "DUPLICATE", "Must not be there twice");
      seen.add(text);
    }
  }

  object(schema: TSchema, value: Record<string, unknown>, path: string): void {
    const known: Record<string, TSchema> = schema.properties ?? {};
    const required: readonly string[] = schema.required ?? [];
    for (const [name, property] of Object.entries(known)) {
      const isThere = Object.hasOwn(value, name) && value[name] !== undefined;
      if (isThere) this.visit(property, value[name], memberPath(path, name));
      else if (required.includes(name)) this.add(memberPath(path, name), "REQUIRED", "Is required");
    }
    const names = Object.keys(value);
    const { minProperties = 0, maxProperties = Number.POSITIVE_INFINITY } = schema;
    if (names.length < minProperties) {
      this.add(path, "TOO_FEW", `Must have at least ${counted(minProperties, "member")}`);
    } else if (names.length > maxProperties) {
      this.add(path, "TOO_MANY", `Must have at most ${counted(maxProperties, "member")}`);
    }
    for (const name of names) {
      if (!Object.hasOwn(known, name)) this.further(schema, value, name, path);
    }
  }

  /** A member that `properties` does not name. */
  further(schema: TSchema, value: Record<string, unknown>, name: string, path: string): void {
    const here = memberPath(path, name);
    const patterns: Record<string, TSchema> = schema.patternProperties ?? {};
    for (const [pattern, property] of Object.entries(patterns)) {
      if (!new RegExp(pattern).test(name)) continue;
      this.visit(property, value[name], here);
      return;
    }
    const { additionalProperties } = schema;
    if (additionalProperties === false) {
      const what = this.unknown === "UNKNOWN_FIELD" ? "field" : "parameter";
      this.add(here, this.unknown, `Is not a known ${what}`);
    } else if (typeof additionalProperties === "object" && additionalProperties !== null) {
      this.visit(additionalProperties as TSchema, value[name], here);
    }
  }
}

/** What is wrong with a value that holds no others. */
type Judged = readonly [code: FieldCode, message: string];

function judgeWords(branches: readonly TSchema[], value: unknown): Judged | null {
  const words = branches.flatMap((branch): unknown[] => branch.enum ?? [branch.const]);
  if (words.includes(value)) return null;
  if (words.some((word) => typeof word === typeof value)) {
    return ["NOT_ALLOWED", `Must be ${orList(words.map(String))}`];
  }
  const types = new Set(words.map((word) => typeWords(typeof word)));
  return ["INVALID_TYPE", `Must be ${[...types].join(" or ")}`];
}

function judgeString(schema: TSchema, value: string): Judged | null {
  const { format, pattern, minLength = 0, maxLength = Number.POSITIVE_INFINITY } = schema;
  // Whatever is wrong with an address is said in one fixed sentence.
  if (format === "email" && !formatFits(format, value)) {
    return ["INVALID_FORMAT", formatMessage(format)];
  }
  // The length of a string is its number of characters; an emoji has two UTF-16 units.
  if (value.length < minLength || (minLength > 1 && [...value].length < minLength)) {
    return ["TOO_SHORT", `Must have at least ${counted(minLength, "character")}`];
  }
  if (value.length > maxLength && [...value].length > maxLength) {
    return ["TOO_LONG", `Must have at most ${counted(maxLength, "character")}`];
  }
  if (typeof pattern === "string" && !new RegExp(pattern).test(value)) {
    return ["INVALID_FORMAT", titled(schema) ?? "Does not have the right form"];
  }
  if (typeof format === "string" && !formatFits(format, value)) {
    return ["INVALID_FORMAT", titled(schema) ?? formatMessage(format)];
  }
  return null;
}

function judgeNumber({ minimum, maximum, multipleOf }: TSchema, value: number): Judged | null {
  if (minimum !== undefined && value < minimum) return ["TOO_SMALL", `Must be at least ${minimum}`];
  if (maximum !== undefined && value > maximum) return ["TOO_LARGE", `Must be at most ${maximum}`];
  if (multipleOf === undefined || value % multipleOf === 0) return null;
  return ["NOT_ALLOWED", `Must be a multiple of ${multipleOf}`];
}

function isOfType(schema: TSchema, value: unknown): boolean {
  if (schema.const !== undefined) return typeof schema.const === typeof value;
  switch (schema.type) {
    case "string":
    case "boolean":
      return typeof value === schema.type;
    case "number":
      return typeof value === "number" && Number.isFinite(value);
    case "integer":
      return Number.isInteger(value);
    case "array":
      return Array.isArray(value);
    case "object":
      return value !== null && typeof value === "object" && !Array.isArray(value);
    case "null":
      return value === null;
    default:
      return true;
  }
}

/** A schema's `title` stands for a pattern, which reads badly. */
const titled = ({ title }: TSchema): string | undefined =>
  typeof title === "string" ? `Must be ${title}` : undefined;

const counted = (count: number, unit: string): string =>
  `${count} ${unit}${count === 1 ? "" : "s"}`;

const orList = (words: readonly string[]): string =>
  words.length < 2 ? `"${words[0]}"` : `one of ${words.join(", ")}`;

/** The list of roles has its own fixed words. */
const tooFew = (path: string, itemsMin: number): string =>
  itemsMin === 1 && (path === "roles" || path.endsWith(".roles"))
    ? "At least one role is required"
    : `Must have at least ${counted(itemsMin, "item")}`;

function typeWords(type: unknown): string {
  switch (type) {
    case "string":
      return "a string";
    case "boolean":
      return "true or false";
    case "number":
      return "a number";
    case "integer":
      return "an integer";
    case "array":
      return "an array";
    case "object":
      return "an object";
    case "null":
      return "null";
    default:
      return "of the right type";
  }
}
