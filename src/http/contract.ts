/**
 * Shapes, compiled once a route, and the sentence that names the first fault: the path and what was
 * expected, never what was sent, and no name that is not the contract's. Knows TypeBox, no route.
 */
import type { TObject, TSchema } from "@sinclair/typebox";
import { type TypeCheck, TypeCompiler } from "@sinclair/typebox/compiler";
import { type ValueError, ValueErrorType } from "@sinclair/typebox/errors";
import type { Fault } from "./route.ts";

/** A contract's part, ready to judge values. */
export interface Shape {
  readonly schema: TSchema;
  check(value: unknown): boolean;
  /** First fault of a value that `check` refused; `root` names the whole value. */
  fault(value: unknown, root: string): Fault;
}

export function compileShape(schema: TSchema): Shape {
  // Compiled by its first use: a server starts with hundreds of shapes, many of which nobody asks for.
  let made: TypeCheck<TSchema> | undefined;
  const compiled = (): TypeCheck<TSchema> => {
    made ??= TypeCompiler.Compile(schema);
    return made;
  };
  let counts: boolean | undefined;
  const tooShort = (value: unknown): ValueError | null => {
    counts ??= asksForChars(schema);
    return counts ? shortText(schema, value, "") : null;
  };
  const firstError = (value: unknown): ValueError | null => {
    for (const error of compiled().Errors(value)) if (!isShortEnough(error)) return error;
    return tooShort(value);
  };
  return {
    schema,
    check: (value) =>
      compiled().Check(value) ? tooShort(value) === null : firstError(value) === null,
    fault: (value, root) => {
      const error = firstError(value);
      if (error === null) throw new Error("contract: a value was refused without a fault");
      return describeError(error, schema, root);
    },
  };
}

/**
 * The length of a string is its number of characters (JSON Schema Validation §6.3.1) as our documents
 * promise and the tables count; TypeBox counts UTF-16 units, of which an emoji has two.
 */
function isShortEnough({ type, value, schema, errors }: ValueError): boolean {
  // A value that may be of several shapes is right where one of them has nothing else against it.
  if (type === ValueErrorType.Union) return errors.some((shape) => [...shape].every(isShortEnough));
  if (type !== ValueErrorType.StringMaxLength || typeof value !== "string") return false;
  const charsMax = Number(schema.maxLength);
  return value.length <= 2 * charsMax && [...value].length <= charsMax;
}

/** What is within a schema. */
const partsOf = ({ properties, anyOf, items }: TSchema): TSchema[] => [
  ...Object.values<TSchema>(properties ?? {}),
  ...((anyOf as TSchema[] | undefined) ?? []),
  ...(items === undefined ? [] : [items as TSchema]),
];

/** Whether a text must have more than one character, which an emoji would pass for with its two units. */
const asksForChars = (schema: TSchema): boolean =>
  Number(schema.minLength ?? 0) > 1 || partsOf(schema).some(asksForChars);

/** The first text with fewer characters than its schema asks for, of a value that is right but for that. */
function shortText(schema: TSchema, value: unknown, path: string): ValueError | null {
  if (typeof value === "string") {
    const options = ((schema.anyOf as TSchema[] | undefined) ?? [schema]).filter(
      ({ type }) => type === "string",
    );
    const long = options.find(({ minLength = 0 }) => [...value].length >= minLength);
    const [first] = options;
    if (first === undefined || long !== undefined) return null;
    const error = { type: ValueErrorType.StringMinLength, schema: first, path, value };
    return { ...error, message: "", errors: [] };
  }
  if (value === null || typeof value !== "object") return null;
  for (const option of (schema.anyOf as TSchema[] | undefined) ?? [schema]) {
    const { properties = {}, items } = option;
    for (const [name, inner] of Object.entries(value)) {
      const part: unknown = Array.isArray(value)
        ? items
        : Object.hasOwn(properties, name) && properties[name];
      const short = part ? shortText(part as TSchema, inner, `${path}/${name}`) : null;
      if (short !== null) return short;
    }
  }
  return null;
}

function describeError(error: ValueError, schema: TSchema, root: string): Fault {
  const pointer = error.path === "" ? [] : error.path.slice(1).split("/");
  switch (error.type) {
    case ValueErrorType.ObjectAdditionalProperties:
      // The last step is the unknown name itself: the caller's word, which may be a secret.
      return { path: pathOf(schema, pointer.slice(0, -1), root), expected: "has an unknown field" };
    case ValueErrorType.ObjectRequiredProperty:
      return { path: pathOf(schema, pointer, root), expected: "is required" };
    case ValueErrorType.ArrayMaxItems:
    case ValueErrorType.ArrayMinItems:
      return {
        path: pathOf(schema, pointer, root),
        expected: `must have ${itemsOf(error.schema)}`,
      };
    case ValueErrorType.ArrayUniqueItems:
      return { path: pathOf(schema, pointer, root), expected: "must have no item twice" };
    default:
      return { path: pathOf(schema, pointer, root), expected: `must be ${describe(error.schema)}` };
  }
}

/** `events[3].amount` for `/events/3/amount`; a name that the schema doesn't have becomes `*`. */
function pathOf(schema: TSchema, pointer: readonly string[], root: string): string {
  let path = "";
  let here: unknown = schema;
  for (const step of pointer) {
    const { properties, items } = (here ?? {}) as {
      properties?: Record<string, unknown>;
      items?: unknown;
    };
    if (items !== undefined) {
      path += `[${Number(step)}]`;
      here = items;
    } else {
      const known = properties !== undefined && Object.hasOwn(properties, step);
      path += (path === "" ? "" : ".") + (known ? step : "*");
      here = known ? properties[step] : undefined;
    }
  }
  return path === "" ? root : path;
}

const itemsOf = (schema: TSchema): string => range(schema.minItems, schema.maxItems, "items");

function range(min: unknown, max: unknown, unit: string): string {
  if (min !== undefined && max !== undefined) return `${min} to ${max} ${unit}`;
  return max === undefined ? `${min} ${unit} or more` : `at most ${max} ${unit}`;
}

/**
 * What a schema asks for, in words. A schema's `title` is used as it is ("12 lowercase hex digits"),
 * since a pattern reads badly.
 */
function describe(schema: TSchema): string {
  if (typeof schema.title === "string") return schema.title;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (Array.isArray(schema.anyOf)) return schema.anyOf.map(describe).join(" or ");
  switch (schema.type) {
    case "integer":
      return describeInteger(schema);
    case "string":
      return schema.minLength === undefined && schema.maxLength === undefined
        ? `a string${schema.pattern === undefined ? "" : " of the right form"}`
        : `a string of ${range(schema.minLength, schema.maxLength, "characters")}`;
    case "array":
      return "an array";
    case "object":
      return "an object";
    case "null":
      return "null";
    case "boolean":
      return "true or false";
    default:
      return "of the right type";
  }
}

function describeInteger({ minimum, maximum }: TSchema): string {
  if (minimum !== undefined && maximum !== undefined)
    return `an integer from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return `an integer of at least ${minimum}`;
  return maximum === undefined ? "an integer" : `an integer of at most ${maximum}`;
}

/**
 * Checks a body whose one long array may hold more than its `maxItems`.
 * @returns null when everything else is in shape, so that only the count is wrong; else the first fault.
 */
export function faultBesidesCount(
  shape: Shape,
  value: unknown,
  field: string,
  root: string,
): Fault | null {
  const itemsMax: unknown = (shape.schema as TObject).properties[field]?.maxItems;
  const items: unknown =
    value !== null && typeof value === "object" ? Reflect.get(value, field) : null;
  if (typeof itemsMax !== "number" || !Array.isArray(items) || items.length <= itemsMax) {
    return shape.fault(value, root);
  }
  for (let start = 0; start < items.length; start += itemsMax) {
    const part = { ...(value as object), [field]: items.slice(start, start + itemsMax) };
    if (shape.check(part)) continue;
    const fault = shape.fault(part, root);
    const shifted = fault.path.replace(/^(\w+)\[(\d+)\]/, (_, name: string, index: string) =>
      name === field ? `${name}[${Number(index) + start}]` : `${name}[${index}]`,
    );
    return { ...fault, path: shifted };
  }
  return null;
}

const decimal = /^(?:0|[1-9][0-9]{0,15})$/;

/**
 * The query of a URL as an object: each parameter once, integers as plain decimal digits.
 * @param schema null: no parameter is accepted.
 * @returns values still to be checked against the schema, or the fault that no schema can see.
 */
export function readQuery(
  query: string,
  schema: TSchema | null,
): { value: Record<string, unknown> } | Fault {
  const value: Record<string, unknown> = {};
  if (query === "") return { value };
  const known: Record<string, TSchema> = schema?.properties ?? {};
  for (const [name, text] of new URLSearchParams(query)) {
    const expected = Object.hasOwn(known, name) ? known[name] : undefined;
    if (expected === undefined) return { path: "query", expected: "has an unknown parameter" };
    if (Object.hasOwn(value, name))
      return { path: `query.${name}`, expected: "is given more than once" };
    value[name] = expected.type === "integer" && decimal.test(text) ? Number(text) : text;
  }
  return { value };
}
