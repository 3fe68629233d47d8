/**
 * Every error answer of a refusal, in one place: `{error, message}` below `/api`, a problem document (RFC
 * 9457) elsewhere. Decides nothing: it turns a code of the closed list into bytes and headers.
 */
import type { RefusalCode, refusals } from "../../schema/refusal.ts";
import { Refused } from "../domain/refused.ts";
import { StoreUnavailable } from "../store/seam.ts";
import { commonHeaders } from "./context.ts";
import { problemOfRefused, problemResponse } from "./platform/problem.ts";
import { newTraceId } from "./platform/trace.ts";

/** How the errors of an address look. */
export type ErrorStyle = "device" | "problem";

/** Where an unexpected error is remembered: the log alone, never the answer. */
export type ReportFault = (error: unknown, requestId: string, path: string) => void;

const unavailableRetrySec = 1;

/** `/api` and below is the device surface, apart from `/api/v1` and below. */
export const styleOf = (path: string): ErrorStyle =>
  (path === "/api" || path.startsWith("/api/")) &&
  path !== "/api/v1" &&
  !path.startsWith("/api/v1/")
    ? "device"
    : "problem";

/**
 * What was thrown, as a refusal. Storage that can't take the call is 503, since nothing was recorded;
 * anything that is not expected is a bug: reported, and 500 to the caller.
 */
export function refusalOf(error: unknown, onBug: (error: unknown) => void): Refused {
  if (error instanceof Refused) return error;
  if (error instanceof StoreUnavailable) return new Refused("unavailable");
  onBug(error);
  return new Refused("internal_error");
}

export interface ErrorContext {
  readonly requestId: string;
  /** As received, without query. */
  readonly path: string;
  /** What problem types start with, without a trailing slash. */
  readonly problemBase: string;
  /** Trace of the request, where the answer is a problem document; default a new one. */
  readonly traceId?: string;
}

/** The answer to a refused call, with every header its status asks for. */
export function errorResponse(
  refused: Refused,
  context: ErrorContext,
  extra: Readonly<Record<string, string>> = {},
): Response {
  if (styleOf(context.path) === "problem") {
    const traceId = context.traceId ?? newTraceId();
    return problemResponse(problemOfRefused(refused), { ...context, traceId }, extra);
  }
  const headers = { ...commonHeaders(context.requestId), ...extra };
  if (refused.status === 401) headers["www-authenticate"] = 'Bearer error="invalid_token"';
  if (refused.status === 429 || refused.status === 503) {
    headers["retry-after"] = String(
      Math.max(1, refused.extra.retryAfterSec ?? unavailableRetrySec),
    );
  }
  headers["content-type"] = "application/json";
  const body = { error: refused.code, message: refused.message, ...refused.extra.body };
  return new Response(JSON.stringify(body), { status: refused.status, headers });
}

/** The codes that any call of the device surface can answer. */
export const commonRefusals: readonly RefusalCode[] = [
  "not_found",
  "method_not_allowed",
  "version_sunset",
  "payload_too_large",
  "rate_limited",
  "invalid_token",
  "insufficient_role",
  "terminal_suspended",
  "unsupported_media_type",
  "malformed_payload",
  "idempotency_key_conflict",
  "idempotency_in_flight",
  "internal_error",
  "unavailable",
] satisfies (keyof typeof refusals)[];
