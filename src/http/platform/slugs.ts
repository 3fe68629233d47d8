/**
 * Which problems a route can answer: its own, and those that follow from how it is made. Said once, for
 * the document and for the check that no other slips out.
 */
import type { ProblemSlug } from "../../../schema/problem.ts";
import type { PlatformRoute } from "./route.ts";

/** Whether the call looks at Idempotency-Key. */
export const takesKey = (route: PlatformRoute): boolean =>
  route.method === "POST" && !("public" in route.access) && route.idempotency !== "ignored";

/** Verbs whose body is read. */
export const takesBody = ({ method }: PlatformRoute): boolean => method !== "GET";

/** Slugs that every route can answer, in the order of checks. */
const always: readonly ProblemSlug[] = ["payload-too-large", "rate-limit-exceeded"];
const withCaller: readonly ProblemSlug[] = [
  "unauthorized",
  "token-expired",
  "token-revoked",
  "limits-unavailable",
  "tenant-blocked",
  "subscription-suspended",
  "subscription-terminated",
  "forbidden",
];
const atLast: readonly ProblemSlug[] = [
  "validation-error",
  "internal-error",
  "response-validation-failed",
  "overloaded",
];

/** Every slug that a call of the route can answer, each once. */
export function refusalsOf(route: PlatformRoute): readonly ProblemSlug[] {
  const { access, contract } = route;
  const slugs: ProblemSlug[] = [...always];
  if (route.root !== true) slugs.push("version-sunset");
  if (!("public" in access)) {
    slugs.push(...withCaller);
    const isOwn = "self" in access && access.own === true;
    const isBalance = "balance" in access && access.balance === true;
    if (isOwn || isBalance || ("restricted" in access && access.restricted === true)) {
      slugs.push("impersonation-restricted");
    }
    if (isBalance) slugs.push("email-not-verified");
  }
  if (takesBody(route)) slugs.push("unsupported-media-type", "malformed-json");
  if (takesKey(route)) {
    if (route.idempotency === "required") slugs.push("idempotency-key-required");
    slugs.push("idempotency-key-invalid", "idempotency-key-conflict", "idempotency-in-flight");
  }
  if (contract.list !== undefined) slugs.push("invalid-cursor");
  if (contract.params !== undefined) slugs.push("not-found");
  if (route.stream === true) slugs.push("too-many-streams");
  return [...new Set([...slugs, ...route.refusals, ...atLast])];
}
