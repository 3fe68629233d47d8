/**
 * Every error answer, in one place: `{error, message}` below `/api`, a minimal problem document (RFC
 * 9457) elsewhere. Decides nothing: it turns a code of the closed list into bytes and headers.
 */
import type { RefusalCode, refusals } from "../../schema/refusal.ts";
import { Refused } from "../domain/refused.ts";
import { StoreUnavailable } from "../store/seam.ts";

/** How the errors of an address look. */
export type ErrorStyle = "device" | "problem";

/** Where an unexpected error is remembered: the log alone, never the answer. */
export type ReportFault = (error: unknown, requestId: string, path: string) => void;

const unavailableRetrySec = 1;

/** Slugs of the codes that can come up outside the device surface and are spelt otherwise there. */
const slugs: Partial<Record<RefusalCode, string>> = {
  rate_limited: "rate-limit-exceeded",
  invalid_token: "unauthorized",
  malformed_payload: "validation-error",
  unavailable: "overloaded",
};

const slugOf = (code: RefusalCode): string => slugs[code] ?? code.replaceAll("_", "-");

const titleOf = (slug: string): string =>
  slug.replace(
    /(^|-)(\w)/g,
    (_, dash: string, letter: string) => (dash && " ") + letter.toUpperCase(),
  );

/** `/api` and below is the device surface, apart from `/api/v1` and below. */
export const styleOf = (path: string): ErrorStyle =>
  (path === "/api" || path.startsWith("/api/")) &&
  path !== "/api/v1" &&
  !path.startsWith("/api/v1/")
    ? "device"
    : "problem";

/**
 * The path of a request's URL as received, without query. The URL is a path alone where the `Host` of
 * the request was none that could stand in one.
 */
export function pathOf(url: string): string {
  const start = url.startsWith("/") ? 0 : url.indexOf("/", url.indexOf("://") + 3);
  if (start < 0) return "/";
  const query = url.indexOf("?", start);
  return query < 0 ? url.slice(start) : url.slice(start, query);
}

/** The query of a request's URL, without `?`; empty when there is none. */
export function queryOf(url: string): string {
  const query = url.indexOf("?");
  return query < 0 ? "" : url.slice(query + 1);
}

/** Headers that every answer carries, whatever it is. */
export const commonHeaders = (requestId: string): Record<string, string> => ({
  "x-request-id": requestId,
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
});

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

/** RFC 9457 document without extensions. */
function problemBody(refused: Refused, path: string, problemBase: string): string {
  const slug = slugOf(refused.code);
  return JSON.stringify({
    type: `${problemBase}/${slug}`,
    title: titleOf(slug),
    status: refused.status,
    detail: refused.message,
    instance: path,
    ...refused.extra.body,
  });
}

export interface ErrorContext {
  readonly requestId: string;
  /** As received, without query. */
  readonly path: string;
  /** What problem types start with, without a trailing slash. */
  readonly problemBase: string;
}

/** The answer to a refused call, with every header its status asks for. */
export function errorResponse(
  refused: Refused,
  context: ErrorContext,
  extra: Readonly<Record<string, string>> = {},
): Response {
  const headers = { ...commonHeaders(context.requestId), ...extra };
  if (refused.status === 401) headers["www-authenticate"] = 'Bearer error="invalid_token"';
  if (refused.status === 429 || refused.status === 503) {
    headers["retry-after"] = String(
      Math.max(1, refused.extra.retryAfterSec ?? unavailableRetrySec),
    );
  }
  const device = styleOf(context.path) === "device";
  headers["content-type"] = device ? "application/json" : "application/problem+json";
  const body = device
    ? JSON.stringify({ error: refused.code, message: refused.message, ...refused.extra.body })
    : problemBody(refused, context.path, context.problemBase);
  return new Response(body, { status: refused.status, headers });
}

/** The codes that any call of the device surface can answer. */
export const commonRefusals: readonly RefusalCode[] = [
  "not_found",
  "method_not_allowed",
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
