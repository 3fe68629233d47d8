/**
 * The answers of an operator's call as OpenAPI describes them, and the parts that all of them share. The
 * rest of the document is `openapi.ts`.
 */
import { type ProblemSlug, problems } from "../../../schema/problem.ts";
import { invalidDetails, Problem, type ProblemExtra } from "../../domain/problem.ts";
import { type Json, type Members, plain } from "../openapi-answer.ts";
import { problemBody, titleOf } from "./problem.ts";
import type { PlatformRoute } from "./route.ts";
import { refusalsOf, takesKey } from "./slugs.ts";
import { responseSchemaOf } from "./surface.ts";

const problemSchema: Json = {
  type: "object",
  description: "Problem details (RFC 9457). Branch on `type`; further members by type.",
  required: ["type", "title", "status", "detail", "instance", "traceId"],
  properties: {
    type: { type: "string", format: "uri" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    instance: { type: "string" },
    traceId: { type: "string" },
    errors: {
      type: "array",
      description: "With `validation-error` alone: the faulty fields, at most 50.",
      items: {
        type: "object",
        required: ["field", "message", "code"],
        properties: {
          field: { type: "string" },
          message: { type: "string" },
          code: { type: "string" },
        },
      },
    },
    retryAfter: { type: "integer", description: "With 429: as the header." },
    field: { type: "string", description: "Which input is at fault." },
    state: { type: "string", description: "With `wrong-state`: what it is in." },
    currentVersion: { type: "integer", description: "With `version-conflict`." },
    limit: { type: "integer", description: "Where a limit is reached." },
    used: { type: "integer", description: "Where a counted limit is reached." },
  },
  additionalProperties: true,
};

const text = (description: string): Json => ({ description, schema: { type: "string" } });
const whole = (description: string): Json => ({
  description,
  schema: { type: "integer", minimum: 1 },
});

const headers: Readonly<Record<string, Json>> = {
  "X-Request-ID": {
    description: "Names this call in the server's log. A UUID that the caller sent is kept.",
    schema: { type: "string", format: "uuid" },
  },
  "X-Trace-Id": text("Trace of this call, 32 hexadecimal digits."),
  "RateLimit-Policy": text("Limits that count, their windows in seconds."),
  RateLimit: text("What is left of them, and seconds to the reset."),
  "Retry-After": whole("Whole seconds; obeying it once is enough."),
  "WWW-Authenticate": {
    description: "How to authenticate.",
    schema: { type: "string", const: 'Bearer error="invalid_token"' },
  },
  Location: text("Where the resource is."),
  "Idempotent-Replayed": {
    description: "Present on the answer that was kept for the call's Idempotency-Key.",
    schema: { type: "string", const: "true" },
  },
};

/** Parts that the answers of a document share; only what was used is written out. */
export class Components {
  readonly #headers = new Set<string>();
  readonly #problems = new Set<ProblemSlug>();

  headers(names: readonly string[]): Members {
    const made: Members = {};
    for (const name of names) {
      this.#headers.add(name);
      made[name] = { $ref: `#/components/headers/${name}` };
    }
    return made;
  }

  problem(slug: ProblemSlug): Json {
    this.#problems.add(slug);
    return { $ref: `#/components/examples/${slug}` };
  }

  members(): Members {
    const examples: Members = {};
    for (const slug of [...this.#problems].sort()) {
      examples[slug] = { summary: titleOf(slug), value: plain(exampleOf(slug)) };
    }
    return {
      headers: Object.fromEntries([...this.#headers].sort().map((name) => [name, headers[name]!])),
      ...(this.#problems.size > 0 && { schemas: { Problem: problemSchema }, examples }),
    };
  }
}

/** What a problem looks like. */
function exampleOf(slug: ProblemSlug): Record<string, unknown> {
  const extras: Partial<Record<ProblemSlug, ProblemExtra>> = {
    "validation-error": {
      errors: [
        { field: "email", message: "Must be a valid email address", code: "INVALID_FORMAT" },
      ],
    },
    "already-exists": { field: "email" },
    "version-conflict": { members: { currentVersion: 4 } },
    "wrong-state": { members: { state: "blocked" } },
    "rate-limit-exceeded": { retryAfterSec: 42 },
    "too-many-streams": { retryAfterSec: 15 },
  };
  const details: Partial<Record<ProblemSlug, string>> = {
    "validation-error": invalidDetails.body,
    "rate-limit-exceeded":
      "Request rate exceeds limit of 1000 req/min for tenant 0195d1f0-7d5c-7b3a-8a55-1f0e2d3c4b5a",
  };
  return problemBody(new Problem(slug, details[slug], extras[slug]), {
    path: "/api/v1/example",
    traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
    problemBase: "https://kartu.example/problems",
  });
}

/** Every answer of a route by status: its successes, and each problem that it can give. */
export function responsesOf(route: PlatformRoute, components: Components): Members {
  const responses: Members = {};
  for (const status of new Set([route.status, ...(route.alsoStatus ?? [])])) {
    responses[status] = success(route, status, components);
  }
  const byStatus = new Map<number, ProblemSlug[]>();
  for (const slug of refusalsOf(route)) {
    const { status } = problems[slug];
    byStatus.set(status, [...(byStatus.get(status) ?? []), slug]);
  }
  for (const status of [...byStatus.keys()].sort((a, b) => a - b)) {
    responses[status] = failure(route, status, byStatus.get(status) ?? [], components);
  }
  return responses;
}

const commonOf = (route: PlatformRoute): string[] => [
  "X-Request-ID",
  "X-Trace-Id",
  ...("public" in route.access ? [] : ["RateLimit-Policy", "RateLimit"]),
];

const descriptions: Readonly<Record<number, string>> = {
  200: "Done.",
  201: "Created.",
  202: "Queued.",
  204: "Done; no body.",
  207: "Done in part: at least one item failed.",
  302: "Elsewhere.",
};

function success(route: PlatformRoute, status: number, components: Components): Json {
  const names = commonOf(route);
  if (takesKey(route)) names.push("Idempotent-Replayed");
  if (status === 302 || (status === 201 && route.location !== undefined)) names.push("Location");
  const made: Members = {
    description: descriptions[status] ?? "Done.",
    headers: components.headers(names),
  };
  const type = route.stream === true ? "text/event-stream" : route.produces;
  const schema = responseSchemaOf(route);
  if (status === 204 || status === 302) return made;
  if (type !== undefined) return { ...made, content: { [type]: { schema: { type: "string" } } } };
  if (schema === null) return made;
  const content: Members = { schema: plain(schema) };
  if (route.examples.response !== undefined) content.example = plain(route.examples.response);
  const files = (route.alsoProduces ?? []).map((also) => [also, { schema: { type: "string" } }]);
  return { ...made, content: { "application/json": content, ...Object.fromEntries(files) } };
}

function failure(
  route: PlatformRoute,
  status: number,
  slugs: readonly ProblemSlug[],
  components: Components,
): Json {
  const names = commonOf(route);
  if (status === 401) names.push("WWW-Authenticate");
  if (status === 429 || status === 503) names.push("Retry-After");
  const examples: Members = {};
  for (const slug of slugs) examples[slug] = components.problem(slug);
  const { unwell } = route.contract;
  const own = status === 503 && unwell && { "application/json": { schema: plain(unwell) } };
  return {
    description: slugs.map((slug) => `\`${slug}\`: ${problems[slug].when}.`).join(" "),
    headers: components.headers(names),
    content: {
      ...own,
      "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" }, examples },
    },
  };
}
