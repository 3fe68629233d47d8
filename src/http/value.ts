/**
 * JSON values apart from any shape: equal values as equal text, and what a value may not hold whatever
 * its contract says.
 */
import type { FieldFault } from "../domain/problem.ts";

/** JSON with the members of every object in the order of their names: equal values, equal text. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  const members = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, item]) => `${JSON.stringify(name)}:${canonical(item)}`).join(",")}}`;
}

/** How the steps of a path are written. */
export interface PathSteps {
  member(path: string, name: string): string;
  item(path: string, index: number): string;
}

/** Whether a value holds nothing that `contentFaults` would name. */
export function isSound(value: unknown): boolean {
  if (typeof value === "string") return value.isWellFormed() && !value.includes("\u0000");
  if (typeof value === "number") return Math.abs(value) <= Number.MAX_SAFE_INTEGER;
  if (value === null || typeof value !== "object") return true;
  if (Array.isArray(value)) return value.every(isSound);
  for (const name in value) {
    if (!isSound(name) || !isSound((value as Record<string, unknown>)[name])) return false;
  }
  return true;
}

const notText = "Must be Unicode text without U+0000";

/**
 * What no number and no string of a body may be: beyond ±(2^53−1), where JSON readers differ; half a
 * surrogate pair, which has no UTF-8; U+0000, which cuts C strings short.
 */
export function contentFaults(
  value: unknown,
  steps: PathSteps,
  faults: FieldFault[] = [],
  path = "",
): FieldFault[] {
  if (typeof value === "number") {
    if (Math.abs(value) > Number.MAX_SAFE_INTEGER) {
      const over = value > 0;
      const message = `Must be at ${over ? "most" : "least"} ${over ? "" : "-"}9007199254740991`;
      faults.push({ field: path, message, code: over ? "TOO_LARGE" : "TOO_SMALL" });
    }
  } else if (typeof value === "string") {
    if (!value.isWellFormed() || value.includes("\u0000")) {
      faults.push({ field: path, message: notText, code: "INVALID_FORMAT" });
    }
  } else if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      contentFaults(value[index], steps, faults, steps.item(path, index));
    }
  } else if (value !== null && typeof value === "object") {
    for (const [name, item] of Object.entries(value)) {
      const here = steps.member(path, name);
      if (!name.isWellFormed() || name.includes("\u0000")) {
        faults.push({ field: here, message: notText, code: "INVALID_FORMAT" });
      }
      contentFaults(item, steps, faults, here);
    }
  }
  return faults;
}
