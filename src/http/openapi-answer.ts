/** The answers of a route as OpenAPI describes them. The rest of the document is `openapi.ts`. */
import { type RefusalCode, refusals } from "../../schema/refusal.ts";
import { roles } from "../domain/identity.ts";
import { styleOf } from "./problem.ts";
import type { Route } from "./route.ts";
import { refusalsOf } from "./surface.ts";

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [name: string]: Json };
export type Members = { [name: string]: Json };

/** A schema without TypeBox's symbols. */
export const plain = (schema: unknown): Json => JSON.parse(JSON.stringify(schema)) as Json;

const requestIdHeader: Json = {
  description: "Names this call in the server's log. A UUID that the caller sent is kept.",
  schema: { type: "string", format: "uuid" },
};

/** Headers that answers of a status carry besides X-Request-ID. */
const headersOf: Readonly<Record<number, Members>> = {
  401: {
    "WWW-Authenticate": {
      description: "How to authenticate.",
      schema: { type: "string", const: 'Bearer error="invalid_token"' },
    },
  },
  429: {
    "Retry-After": {
      description: "Whole seconds; obeying it once is enough.",
      schema: { type: "integer", minimum: 1 },
    },
  },
};

const headersFor = (status: number): Members => ({
  "X-Request-ID": requestIdHeader,
  ...headersOf[status === 503 ? 429 : status],
});

/** Whether the call looks at Idempotency-Key. */
export const takesKey = (route: Route): boolean =>
  route.method === "POST" && !("public" in route.access) && route.ignoresIdempotencyKey !== true;

/** Whether the call takes If-None-Match and can answer 304. */
export const isConditional = (route: Route): boolean =>
  route.etag === true || route.conditional === true;

/** Every answer of a route by status: its success, 304, and each refusal that it can give. */
export function responsesOf(route: Route): Members {
  const responses: Members = { [route.status]: success(route) };
  if (isConditional(route)) {
    responses["304"] = { description: "Unchanged.", headers: { "X-Request-ID": requestIdHeader } };
  }
  const byStatus = new Map<number, RefusalCode[]>();
  for (const code of everyRefusal(route)) {
    const { status } = refusals[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  for (const status of [...byStatus.keys()].sort((a, b) => a - b)) {
    responses[status] = failure(route, status, byStatus.get(status) ?? []);
  }
  return responses;
}

function success(route: Route): Json {
  const headers: Members = headersFor(route.status);
  if (takesKey(route)) {
    headers["Idempotent-Replayed"] = {
      description: "Present on the answer that was kept for the call's Idempotency-Key.",
      schema: { type: "string", const: "true" },
    };
  }
  if (isConditional(route)) {
    headers.ETag = { description: "Version of this answer.", schema: { type: "string" } };
  }
  if (route.contract.response === null) return { description: "Done; no body.", headers };
  const content: Members = { schema: plain(route.contract.response) };
  if (route.examples.response !== undefined) content.example = plain(route.examples.response);
  return {
    description: route.status === 201 ? "Created." : "Done.",
    headers,
    content: { "application/json": content },
  };
}

/** Every code that a call of the route can answer, in order of precedence. */
function everyRefusal(route: Route): RefusalCode[] {
  const { access, method } = route;
  const codes: RefusalCode[] = ["payload_too_large", "rate_limited"];
  if (!("public" in access)) {
    codes.push("invalid_token");
    if (access.roles.length < roles.length) codes.push("insufficient_role");
    if (!access.suspended) codes.push("terminal_suspended");
  }
  if (method === "POST") codes.push("unsupported_media_type");
  codes.push("malformed_payload");
  if (takesKey(route)) codes.push("idempotency_key_conflict", "idempotency_in_flight");
  codes.push(...refusalsOf(route), "internal_error", "unavailable");
  const wanted = new Set(codes);
  return (Object.keys(refusals) as RefusalCode[]).filter((code) => wanted.has(code));
}

function failure(route: Route, status: number, codes: readonly RefusalCode[]): Json {
  const device = styleOf(route.path) === "device";
  const examples: Members = {};
  for (const code of codes) {
    examples[code] = { summary: code, value: { error: code, message: refusals[code].message } };
  }
  const type = device ? "application/json" : "application/problem+json";
  const schema: Json = { $ref: `#/components/schemas/${device ? "Error" : "Problem"}` };
  return {
    description: codes.map((code) => `\`${code}\`: ${refusals[code].message}`).join(" "),
    headers: headersFor(status),
    content: { [type]: device ? { schema, examples } : { schema } },
  };
}
