/**
 * Problem documents (RFC 9457) and the headers that their statuses ask for: what was thrown becomes a
 * problem of the closed list, and that becomes bytes. Decides nothing.
 */
import type { ProblemSlug } from "../../../schema/problem.ts";
import type { RefusalCode } from "../../../schema/refusal.ts";
import { type FieldFault, invalidDetails, Problem } from "../../domain/problem.ts";
import { Refused } from "../../domain/refused.ts";
import { StoreUnavailable } from "../../store/seam.ts";
import { commonHeaders } from "../context.ts";

/** What `Retry-After` says of a 503 whose wait nobody knows, and of a call that still runs. */
const shortRetrySec = 1;

/** What the refusals of services that both surfaces share are called here. */
const slugs: Readonly<Record<RefusalCode, ProblemSlug>> = {
  not_found: "not-found",
  method_not_allowed: "method-not-allowed",
  version_sunset: "version-sunset",
  payload_too_large: "payload-too-large",
  rate_limited: "rate-limit-exceeded",
  invalid_token: "unauthorized",
  insufficient_role: "forbidden",
  terminal_suspended: "forbidden",
  op_not_granted: "forbidden",
  unsupported_media_type: "unsupported-media-type",
  malformed_payload: "validation-error",
  batch_too_large: "payload-too-large",
  invalid_role: "validation-error",
  invalid_credentials: "invalid-credentials",
  device_suspended: "wrong-state",
  terminal_mismatch: "forbidden",
  idempotency_key_conflict: "idempotency-key-conflict",
  idempotency_in_flight: "idempotency-in-flight",
  card_not_found: "not-found",
  topup_not_found: "not-found",
  card_already_registered: "already-exists",
  card_replaced: "wrong-state",
  user_has_active_card: "in-use",
  topup_settled: "wrong-state",
  duplicate_counter: "already-exists",
  invalid_user: "wrong-state",
  invalid_key_version: "wrong-state",
  card_blocked: "wrong-state",
  balance_limit_exceeded: "balance-limit-exceeded",
  internal_error: "internal-error",
  unavailable: "overloaded",
};

/** The same refusal in this surface's words. */
export function problemOfRefused({ code, message, extra }: Refused): Problem {
  const retryAfterSec = extra.retryAfterSec;
  const members = {
    ...(retryAfterSec !== undefined && { retryAfterSec }),
    ...(extra.body !== undefined && { members: extra.body }),
  };
  if (code !== "malformed_payload") return new Problem(slugs[code], message, members);
  // Its sentence is `path: what was expected`.
  const [field = "", expected = message] = message.split(": ", 2);
  const errors = [{ field, message: expected, code: "INVALID_FORMAT" as const }];
  return new Problem("validation-error", invalidDetails.body, { ...members, errors });
}

/**
 * What was thrown, as a problem. Storage that can't take the call is 503, since nothing was recorded;
 * anything that is not expected is a bug: reported, and 500 to the caller.
 */
export function problemOf(error: unknown, onBug: (error: unknown) => void): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof Refused) return problemOfRefused(error);
  if (error instanceof StoreUnavailable) {
    return new Problem("overloaded", "Nothing was recorded; try again shortly.", {
      retryAfterSec: shortRetrySec,
    });
  }
  onBug(error);
  return new Problem("internal-error");
}

/** `rate-limit-exceeded` as `Rate Limit Exceeded`. */
export const titleOf = (slug: string): string =>
  slug.replace(
    /(^|-)(\w)/g,
    (_, dash: string, letter: string) => (dash && " ") + letter.toUpperCase(),
  );

export interface ProblemPlace {
  /** As received, without query; of a batch's item with `#/<index>`. */
  readonly path: string;
  readonly traceId: string;
  /** What problem types start with, without a trailing slash. */
  readonly problemBase: string;
}

/** The members of the document, in the order in which they are written. */
export function problemBody(problem: Problem, place: ProblemPlace): Record<string, unknown> {
  const { slug, status, message, extra, field } = problem;
  const body: Record<string, unknown> = {
    type: `${place.problemBase}/${slug}`,
    title: titleOf(slug),
    status,
    detail: isSentence(problem) ? invalidDetails.body : message,
    instance: place.path,
    traceId: place.traceId,
  };
  if (slug === "validation-error") body.errors = extra.errors ?? errorsOf(problem);
  else if (field !== undefined) body.field = field;
  if (status === 429) body.retryAfter = retryAfterOf(problem);
  return extra.members === undefined ? body : { ...body, ...extra.members };
}

/** A service that names one field in a sentence. */
const isSentence = ({ slug, field, extra }: Problem): boolean =>
  slug === "validation-error" && field !== undefined && extra.errors === undefined;

/** `field: what is due` becomes the field and what is due. */
function errorsOf({ field, message, extra }: Problem): readonly FieldFault[] {
  if (field === undefined) return [];
  const due = message.startsWith(`${field}: `) ? message.slice(field.length + 2) : message;
  const words = due.charAt(0).toUpperCase() + due.slice(1);
  return [{ field, message: words, code: extra.code ?? "INVALID_FORMAT" }];
}

const retryAfterOf = ({ extra }: Problem): number =>
  Math.max(1, Math.ceil(extra.retryAfterSec ?? shortRetrySec));

const waits = (problem: Problem): boolean =>
  problem.status === 429 ||
  problem.status === 503 ||
  problem.slug === "idempotency-in-flight" ||
  problem.extra.retryAfterSec !== undefined;

export interface ProblemContext extends ProblemPlace {
  readonly requestId: string;
}

/** The answer to a call that failed, with every header its status asks for. */
export function problemResponse(
  problem: Problem,
  context: ProblemContext,
  extra: Readonly<Record<string, string>> = {},
): Response {
  const headers: Record<string, string> = {
    ...commonHeaders(context.requestId),
    "x-trace-id": context.traceId,
    ...extra,
    "content-type": "application/problem+json",
  };
  if (problem.status === 401) headers["www-authenticate"] = 'Bearer error="invalid_token"';
  if (waits(problem)) headers["retry-after"] = String(retryAfterOf(problem));
  const body = JSON.stringify(problemBody(problem, context));
  return new Response(body, { status: problem.status, headers });
}
