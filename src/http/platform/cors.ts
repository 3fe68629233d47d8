/**
 * Cross-origin reads (the Fetch standard's CORS protocol): off unless an origin is listed, letter by
 * letter. Credentials may come along, since a refresh token can live in a cookie.
 */
export type CorsOrigins = readonly string[];

const exposed =
  "Deprecation, ETag, Idempotent-Replayed, Link, Location, RateLimit, RateLimit-Policy, " +
  "Retry-After, Sunset, X-Request-ID, X-Trace-Id";
const taken =
  "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, traceparent, X-Request-ID";
const preflightLifeSec = 600;

/** Headers that let the request's origin read the answer; none where it is not listed. */
export function corsHeaders(
  origins: CorsOrigins,
  request: Request,
): Readonly<Record<string, string>> | null {
  if (origins.length === 0) return null;
  const origin = request.headers.get("origin");
  // What is answered depends on the origin, also when it gets nothing.
  if (origin === null || !origins.includes(origin)) return { vary: "Origin" };
  return {
    vary: "Origin",
    "access-control-allow-origin": origin,
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": exposed,
  };
}

/** Further headers of the answer to `OPTIONS`, where it asks for permission on behalf of a page. */
export function preflightHeaders(
  origins: CorsOrigins,
  request: Request,
  allow: string,
): Readonly<Record<string, string>> | null {
  const headers = corsHeaders(origins, request);
  if (headers === null || headers["access-control-allow-origin"] === undefined) return headers;
  if (!request.headers.has("access-control-request-method")) return headers;
  return {
    ...headers,
    "access-control-allow-methods": allow,
    "access-control-allow-headers": taken,
    "access-control-max-age": String(preflightLifeSec),
  };
}
