/**
 * An expected failure on the operators' side: a slug of the closed list, thrown by a service and turned
 * into words (command line) or a problem document (RFC 9457) by its door. Not for devices: `refused.ts`.
 */
import { type FieldCode, type ProblemSlug, problems } from "../../schema/problem.ts";

/** One faulty field of what was sent. */
export interface FieldFault {
  /** Such as `recipients[2].userId`. */
  readonly field: string;
  /** For a human; never holds what was sent. */
  readonly message: string;
  readonly code: FieldCode;
}

export interface ProblemExtra {
  /** Which input is at fault, where one is. */
  readonly field?: string;
  /** How it is at fault, with `validation-error` alone. */
  readonly code?: FieldCode;
  /** With `validation-error` alone. */
  readonly errors?: readonly FieldFault[];
  /** Whole seconds ≥ 1 after which one retry is enough. */
  readonly retryAfterSec?: number;
  /** Further members of the body, such as `state`, `currentVersion`, `limit`, `used`. */
  readonly members?: Readonly<Record<string, unknown>>;
  /** The upstream's, with `upstream-error` alone. */
  readonly status?: number;
}

export class Problem extends Error {
  override readonly name = "Problem";
  readonly status: number;
  readonly field: string | undefined;

  /** @param detail this occurrence in one sentence; never a secret, a token or what was sent. */
  constructor(
    readonly slug: ProblemSlug,
    detail?: string,
    readonly extra: ProblemExtra = {},
  ) {
    super(detail ?? sentenceOf(slug));
    this.status = extra.status ?? problems[slug].status;
    this.field = extra.field;
  }
}

/** The list's line as a sentence. */
function sentenceOf(slug: ProblemSlug): string {
  const { when } = problems[slug];
  return `${when.charAt(0).toUpperCase()}${when.slice(1)}.`;
}

/** A body, query or header field is at fault. */
export const invalid = (
  errors: readonly FieldFault[],
  part: "body" | "query" | "headers" = "body",
): Problem => new Problem("validation-error", invalidDetails[part], { errors });

export const invalidDetails = {
  body: "The request body contains invalid fields.",
  query: "The query contains invalid parameters.",
  headers: "The request headers are invalid.",
} as const;

/** `version` is given and not the current one. */
export function checkVersion(given: number | undefined, current: number): void {
  if (given === undefined || given === current) return;
  throw new Problem("version-conflict", `The resource is at version ${current}.`, {
    members: { currentVersion: current },
  });
}
