/**
 * What a caller sent, against a contract: the query and the body as values of the contract's shape, or
 * a problem that names every faulty field. Not who may send it.
 */
import type { TSchema } from "@sinclair/typebox";
import { type FieldFault, invalid, Problem } from "../../domain/problem.ts";
import { Refused } from "../../domain/refused.ts";
import { checkMediaType, hasBody, readBody } from "../body.ts";
import { parametersOf } from "../context.ts";
import { compileShape, type Shape } from "../contract.ts";
import { countMembers, duplicateMember, type Parsed, parseJson } from "../json.ts";
import { contentFaults, isSound } from "../value.ts";
import { faultsMax, faultsOf, itemPath, memberPath } from "./fault.ts";
import { registerFormats } from "./format.ts";

/** A contract's part made ready; formats are in force from then on. */
export function shapeOf(schema: TSchema): Shape {
  registerFormats();
  return compileShape(schema);
}

const steps = { member: memberPath, item: itemPath };

/** @throws Problem `validation-error` naming the faults of a value that the shape's check refused. */
function refuse(shape: Shape, value: unknown, part: "body" | "query"): never {
  const faults = faultsOf(
    shape.schema,
    value,
    part === "query" ? "UNKNOWN_PARAMETER" : "UNKNOWN_FIELD",
  );
  if (faults.length === 0) throw new Error("a shape refuses a value in which no fault is found");
  throw invalid(faults, part);
}

const wholeNumber = /^-?(?:0|[1-9][0-9]*)$/;

/** A parameter's text as the value that its schema asks for, where it is one. */
function convert(schema: TSchema, text: string): unknown {
  if (schema.type === "integer" && wholeNumber.test(text)) return Number(text);
  if (schema.type === "boolean" && (text === "true" || text === "false")) return text === "true";
  return text;
}

/**
 * The query of a URL as a value of `shape`. Lists may be repeated, or one text with commas.
 * @param shape null: no parameter is accepted.
 * @throws Problem validation-error
 */
export function readQuery(query: string, shape: Shape | null): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  if (query === "") {
    if (shape !== null && !shape.check(value)) refuse(shape, value, "query");
    return value;
  }
  const faults: FieldFault[] = [];
  const known: Record<string, TSchema> = shape?.schema.properties ?? {};
  for (const [name, text] of parametersOf(query)) {
    const schema = Object.hasOwn(known, name) ? known[name] : undefined;
    if (schema?.type === "array") {
      const items = text.split(",").map((item) => convert(schema.items as TSchema, item));
      value[name] = [...((value[name] as unknown[] | undefined) ?? []), ...items];
    } else if (Object.hasOwn(value, name)) {
      const field = memberPath("", name);
      faults.push({ field, message: "Must be given once", code: "DUPLICATE" });
    } else {
      define(value, name, schema === undefined ? text : convert(schema, text));
    }
  }
  if (shape === null) {
    for (const name of Object.keys(value)) {
      const field = memberPath("", name);
      faults.push({ field, message: "Is not a known parameter", code: "UNKNOWN_PARAMETER" });
    }
  } else if (faults.length === 0 && !shape.check(value)) refuse(shape, value, "query");
  if (faults.length === 0 && !isSound(value)) faults.push(...contentFaults(value, steps));
  if (faults.length > 0) throw invalid(faults.slice(0, faultsMax), "query");
  return value;
}

/** A member of any name, `__proto__` too. */
const define = (target: Record<string, unknown>, name: string, value: unknown): void => {
  if (name !== "__proto__") {
    target[name] = value;
    return;
  }
  Object.defineProperty(target, name, {
    value,
    configurable: true,
    enumerable: true,
    writable: true,
  });
};

/** @throws Problem malformed-json. The parser's own words quote the text: they stay inside. */
function parse(bytes: Uint8Array): Parsed {
  try {
    return parseJson(bytes);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const [, expected = "must be JSON"] = error.message.split(": ", 2);
    throw new Problem("malformed-json", `The request body ${expected}.`);
  }
}

/**
 * The value of a JSON body. No body at all is an empty object.
 * @param shape null: no member is accepted.
 * @throws Problem malformed-json · validation-error
 */
export function readJson(bytes: Uint8Array, shape: Shape | null): unknown {
  const parsed = bytes.length === 0 ? null : parse(bytes);
  const value = parsed === null ? {} : parsed.value;
  if (shape === null) return refuseMembers(value);
  if (!shape.check(value)) refuse(shape, value, "body");
  if (parsed === null) return value;
  if (!isSound(value)) throw invalid(contentFaults(value, steps).slice(0, faultsMax));
  if (countMembers(value) !== parsed.members) {
    const path = (duplicateMember(bytes) ?? []).reduce(
      (before: string, step) =>
        typeof step === "number" ? itemPath(before, step) : memberPath(before, step),
      "",
    );
    throw invalid([{ field: path, message: "Must be given once", code: "DUPLICATE" }]);
  }
  return value;
}

function refuseMembers(value: unknown): undefined {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw invalid([{ field: "", message: "Must be an object", code: "INVALID_TYPE" }]);
  }
  const names = Object.keys(value).slice(0, faultsMax);
  if (names.length === 0) return undefined;
  throw invalid(
    names.map((name) => ({
      field: memberPath("", name),
      message: "Is not a known field",
      code: "UNKNOWN_FIELD",
    })),
  );
}

/**
 * The value of a form (`application/x-www-form-urlencoded`). Parameters without a value count as left
 * out (RFC 6749 §3.2).
 * @throws Problem validation-error
 */
export function readForm(bytes: Uint8Array, shape: Shape): unknown {
  const value: Record<string, unknown> = {};
  for (const [name, text] of new URLSearchParams(new TextDecoder().decode(bytes))) {
    if (text === "") continue;
    if (Object.hasOwn(value, name)) {
      const field = memberPath("", name);
      throw invalid([{ field, message: "Must be given once", code: "DUPLICATE" }]);
    }
    define(value, name, text);
  }
  if (!shape.check(value)) refuse(shape, value, "body");
  if (!isSound(value)) throw invalid(contentFaults(value, steps));
  return value;
}

const formType = /^application\/x-www-form-urlencoded\s*(?:;.*)?$/i;

/** @throws Problem unsupported-media-type: a body that is not what the call takes. */
export function checkType(request: Request, media: "json" | "form"): void {
  if (!hasBody(request)) return;
  if (media === "form") {
    if (formType.test(request.headers.get("content-type") ?? "")) return;
    throw new Problem(
      "unsupported-media-type",
      "The request body must be application/x-www-form-urlencoded.",
    );
  }
  checkMediaType(request, true);
}

/** The body's bytes. @throws Problem malformed-json when the caller stopped half-way · Refused payload_too_large */
export async function readBytes(request: Request, bytesMax: number): Promise<Uint8Array> {
  try {
    return await readBody(request, bytesMax);
  } catch (error) {
    if (error instanceof Refused && error.code === "malformed_payload") {
      throw new Problem("malformed-json", "The request body is not complete.");
    }
    throw error;
  }
}
