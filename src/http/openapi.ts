/**
 * The OpenAPI 3.1 document of a set of routes, made from the same values that serve them, so that it
 * can't say other than they do. Knows no feature and serves nothing: see `pages.ts`.
 */
import type { TSchema } from "@sinclair/typebox";
import { roles } from "../domain/identity.ts";
import {
  isConditional,
  type Json,
  type Members,
  plain,
  responsesOf,
  takesKey,
} from "./openapi-answer.ts";
import { styleOf } from "./problem.ts";
import type { Route } from "./route.ts";

export interface DocumentInfo {
  readonly title: string;
  readonly version: string;
  readonly description: string;
  /** Base of every path, without a trailing slash; empty = where the document came from. */
  readonly serverUrl: string;
  readonly tags: readonly { readonly name: string; readonly description: string }[];
}

const errorSchema: Json = {
  type: "object",
  description: "Every error of this surface.",
  required: ["error", "message"],
  properties: {
    error: { type: "string", description: "What happened; clients branch on this." },
    message: { type: "string", description: "For a human; never holds what was sent." },
  },
};

const problemSchema: Json = {
  type: "object",
  description: "Problem details (RFC 9457).",
  required: ["type", "title", "status", "detail", "instance"],
  properties: {
    type: { type: "string", format: "uri" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    instance: { type: "string" },
  },
};

/** The document, as a value. */
export function openapiDocument(info: DocumentInfo, routes: readonly Route[]): Members {
  const paths: { [path: string]: Members } = {};
  for (const route of routes) {
    const path = route.path.replace(/:([A-Za-z]+)/g, "{$1}");
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) };
  }
  const hasProblems = routes.some(({ path }) => styleOf(path) === "problem");
  return {
    openapi: "3.1.0",
    info: {
      title: info.title,
      version: info.version,
      description: info.description,
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: info.serverUrl === "" ? "/" : info.serverUrl }],
    tags: info.tags.map(({ name, description }) => ({ name, description })),
    paths,
    components: {
      securitySchemes: {
        deviceToken: {
          type: "http",
          scheme: "bearer",
          description: "The token of a commissioned device, `kt_` and 43 characters.",
        },
      },
      schemas: hasProblems
        ? { Error: errorSchema, Problem: problemSchema }
        : { Error: errorSchema },
    },
  };
}

function operation(route: Route): Members {
  const isPublic = "public" in route.access;
  const made: Members = {
    operationId: route.operationId,
    summary: route.summary,
    tags: [route.tag],
    security: isPublic ? [] : [{ deviceToken: [] }],
    "x-permission": permissionOf(route),
    parameters: parametersOf(route),
    responses: responsesOf(route),
  };
  if (route.description !== undefined) made.description = route.description;
  if (route.contract.body !== undefined) {
    const content: Members = { schema: plain(route.contract.body) };
    if (route.examples.request !== undefined) content.example = plain(route.examples.request);
    made.requestBody = { required: true, content: { "application/json": content } };
  }
  return made;
}

/** Who may call, in words: `public`, or roles and the op that a grant must carry. */
function permissionOf({ access }: Route): string {
  if ("public" in access) return "public";
  const who = access.roles.length === roles.length ? "any device" : access.roles.join(", ");
  return access.op === undefined ? who : `${who}; grant with ${access.op}`;
}

function parametersOf(route: Route): Json[] {
  const { params, query } = route.contract;
  const made: Json[] = [];
  for (const [name, schema] of propertiesOf(params)) {
    made.push(parameter(name, "path", schema, true, route.examples.params?.[name]));
  }
  const required = new Set<string>((query?.required as string[] | undefined) ?? []);
  for (const [name, schema] of propertiesOf(query)) {
    made.push(parameter(name, "query", schema, required.has(name), route.examples.query?.[name]));
  }
  if (takesKey(route)) {
    made.push({
      name: "Idempotency-Key",
      in: "header",
      required: false,
      description:
        "UUID of version 4 or 7. The first 2xx answer under it is replayed for 24 hours.",
      schema: { type: "string", format: "uuid" },
    });
  }
  if (isConditional(route)) {
    made.push({
      name: "If-None-Match",
      in: "header",
      required: false,
      description: "Entity tags that the caller has; 304 if one is current.",
      schema: { type: "string" },
    });
  }
  return made;
}

const propertiesOf = (schema: TSchema | undefined): [string, TSchema][] =>
  Object.entries((schema?.properties ?? {}) as Record<string, TSchema>);

function parameter(
  name: string,
  place: "path" | "query",
  schema: TSchema,
  required: boolean,
  example: string | number | undefined,
): Json {
  const made: Members = { name, in: place, required, schema: plain(schema) };
  if (typeof schema.description === "string") made.description = schema.description;
  if (example !== undefined) made.example = example;
  return made;
}
