/**
 * The OpenAPI 3.1 documents of the operator surface, one a namespace, made from the same values that
 * serve the calls, so that they can't say other than these do. Serves nothing: see `../pages.ts`.
 */
import type { TSchema } from "@sinclair/typebox";
import { type Json, type Members, plain } from "../openapi-answer.ts";
import { type DocumentPage, documentPage } from "../pages.ts";
import { Components, responsesOf } from "./openapi-answer.ts";
import type { PlatformAccess, PlatformRoute } from "./route.ts";
import { takesKey } from "./slugs.ts";
import { querySchemaOf } from "./surface.ts";

/** What a namespace's document says besides its calls. */
export interface NamespaceInfo {
  readonly namespace: string;
  readonly title: string;
  /** One sentence, for the index of documents. */
  readonly summary: string;
  readonly description: string;
  /** Headings, in order; those that no call is under are left out. */
  readonly tags: readonly { readonly name: string; readonly description: string }[];
}

export interface DocumentOptions {
  readonly version: string;
  /** Base of every path, without a trailing slash; empty = where the document came from. */
  readonly serverUrl: string;
}

/** The canonical base; the alias has the same calls. */
const documentedBase = "/api/v1";

/** A document for each namespace that has calls, in the order of `infos`. */
export function platformDocuments(
  infos: readonly NamespaceInfo[],
  routes: readonly PlatformRoute[],
  options: DocumentOptions,
): DocumentPage[] {
  const known = new Set(infos.map(({ namespace }) => namespace));
  const stray = routes.find(({ namespace }) => !known.has(namespace));
  if (stray !== undefined) throw new Error(`${stray.operationId}: no namespace ${stray.namespace}`);
  return infos.flatMap((info) => {
    const own = routes.filter(({ namespace }) => namespace === info.namespace);
    if (own.length === 0) return [];
    const { namespace, title, summary } = info;
    return [documentPage({ namespace, title, summary }, () => documentOf(info, own, options))];
  });
}

/** The document of one namespace, as a value. */
export function documentOf(
  info: NamespaceInfo,
  routes: readonly PlatformRoute[],
  { version, serverUrl }: DocumentOptions,
): Members {
  const components = new Components();
  const paths: { [path: string]: Members } = {};
  for (const route of routes) {
    const base = route.root === true ? "" : documentedBase;
    const path = base + route.path.replace(/:([A-Za-z]+)/g, "{$1}");
    paths[path] = {
      ...paths[path],
      [route.method.toLowerCase()]: operationOf(route, components),
    };
  }
  const used = new Set(routes.map(({ tag }) => tag));
  const stray = [...used].find((tag) => !info.tags.some(({ name }) => name === tag));
  if (stray !== undefined)
    throw new Error(`${info.namespace}: the heading ${stray} is not described`);
  return {
    openapi: "3.1.0",
    info: {
      title: info.title,
      version,
      description: info.description,
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: serverUrl === "" ? "/" : serverUrl }],
    tags: info.tags
      .filter(({ name }) => used.has(name))
      .map(({ name, description }) => ({ name, description })),
    paths,
    components: { securitySchemes: securitySchemes(routes), ...components.members() },
  };
}

function securitySchemes(routes: readonly PlatformRoute[]): Members {
  const schemes: Members = {};
  if (routes.some(({ access }) => !("public" in access))) {
    schemes.accessToken = {
      type: "http",
      scheme: "bearer",
      bearerFormat: "JWT",
      description: "The `accessToken` of a sign-in, of an API key's exchange or of an application.",
    };
  }
  if (routes.some(({ stream }) => stream === true)) {
    schemes.streamTicket = {
      type: "apiKey",
      in: "query",
      name: "ticket",
      description: "A ticket of `POST /auth/stream-ticket`, for one stream.",
    };
  }
  return schemes;
}

/** Who may call, in a word: `public`, `self`, a permission, or `role:owner`. */
function permissionOf(access: PlatformAccess): string {
  if ("public" in access) return "public";
  if ("self" in access) return "self";
  return "role" in access ? `role:${access.role}` : access.permission;
}

function operationOf(route: PlatformRoute, components: Components): Members {
  const { access, stream } = route;
  const bearer: Json = { accessToken: [] };
  const made: Members = {
    operationId: route.operationId,
    summary: route.summary,
    tags: [route.tag],
    security: "public" in access ? [] : stream === true ? [bearer, { streamTicket: [] }] : [bearer],
    "x-permission": permissionOf(access),
    parameters: parametersOf(route),
    responses: responsesOf(route, components),
  };
  if (route.description !== undefined) made.description = route.description;
  const { body } = route.contract;
  if (body !== undefined) {
    const content: Members = { schema: plain(body) };
    if (route.examples.request !== undefined) content.example = plain(route.examples.request);
    const type = route.media === "form" ? "application/x-www-form-urlencoded" : "application/json";
    const isDue = ((body.required as string[] | undefined) ?? []).length > 0;
    made.requestBody = { required: isDue, content: { [type]: content } };
  }
  return made;
}

function parametersOf(route: PlatformRoute): Json[] {
  const { params } = route.contract;
  const query = querySchemaOf(route);
  const made: Json[] = [];
  for (const [name, schema] of propertiesOf(params)) {
    made.push(parameter(name, "path", schema, true, route.examples.params?.[name]));
  }
  const required = new Set<string>((query?.required as string[] | undefined) ?? []);
  for (const [name, schema] of propertiesOf(query)) {
    // The ticket is how a caller is let in: it stands with the security schemes.
    if (name === "ticket" && route.stream === true) continue;
    made.push(parameter(name, "query", schema, required.has(name), route.examples.query?.[name]));
  }
  if (takesKey(route)) {
    const required = route.idempotency === "required";
    made.push({
      name: "Idempotency-Key",
      in: "header",
      required,
      description:
        "UUID of version 4 or 7. The first 2xx answer under it is replayed for 24 hours.",
      schema: { type: "string", format: "uuid" },
      ...(required && { example: "0195d1f0-7d5c-4b3a-8a55-1f0e2d3c4b5a" }),
    });
  }
  if (route.stream === true) {
    made.push({
      name: "Last-Event-ID",
      in: "header",
      required: false,
      description: "Position to go on after.",
      schema: { type: "string" },
    });
  }
  return made;
}

const propertiesOf = (schema: TSchema | null | undefined): [string, TSchema][] =>
  Object.entries((schema?.properties ?? {}) as Record<string, TSchema>);

function parameter(
  name: string,
  place: "path" | "query",
  schema: TSchema,
  required: boolean,
  example: string | number | boolean | undefined,
): Json {
  const made: Members = { name, in: place, required, schema: plain(schema) };
  if (typeof schema.description === "string") made.description = schema.description;
  if (example !== undefined) made.example = example;
  return made;
}
