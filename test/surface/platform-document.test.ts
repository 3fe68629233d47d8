/**
 * The documents of the operator surface: valid for two validators, compiled into a client, saying of each
 * route what it does, and every example what its schema says.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Validator } from "@seriousme/openapi-schema-validator";
import Ajv from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { problems } from "../../schema/problem.ts";
import { documentOf, platformDocuments } from "../../src/http/platform/openapi.ts";
import { operation } from "../../src/http/platform/route.ts";
import { clientFaults } from "./openapi-client.ts";
import { lint } from "./openapi-lint.ts";
import { FakeLog, openPlatform, type PlatformWorld, testRoutes } from "./platform-fixture.ts";

interface Media {
  readonly schema: object;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly $ref: string }>>;
}
interface Answer {
  readonly description: string;
  readonly headers: Readonly<Record<string, { readonly $ref: string }>>;
  readonly content?: Readonly<Record<string, Media>>;
}
interface Operation {
  readonly operationId: string;
  readonly security: readonly object[];
  readonly "x-permission": string;
  readonly parameters: readonly { name: string; in: string; required: boolean; schema: object }[];
  readonly requestBody?: { readonly required: boolean; content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<Record<string, Answer>>;
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, object>>;
    readonly examples: Readonly<Record<string, { readonly value: { status: number } }>>;
    readonly securitySchemes: Readonly<Record<string, unknown>>;
  };
}

const info = {
  namespace: "test",
  title: "Test calls",
  summary: "Made-up calls.",
  description: "Made-up calls.",
  tags: [
    { name: "Notes", description: "Notes" },
    { name: "Nobody", description: "Has no calls" },
  ],
};
const options = { version: "1.0.0", serverUrl: "https://kartu.test" };

let directory: string;
let world: PlatformWorld;
let document: Document;
const operations = new Map<string, Operation>();

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "kartu-platform-document-"));
  world = openPlatform();
  const routes = testRoutes(world.deps, new FakeLog());
  document = documentOf(info, routes, options) as unknown as Document;
  for (const item of Object.values(document.paths)) {
    for (const each of Object.values(item)) operations.set(each.operationId, each);
  }
});
afterAll(async () => {
  await world.close();
  rmSync(directory, { recursive: true });
});

const ajv = new Ajv({ strict: false, allErrors: true });
addFormats(ajv);
const faults = (schema: object, value: unknown): string =>
  ajv.validate({ ...schema, components: document.components }, value)
    ? ""
    : ajv.errorsText(ajv.errors);

describe("the document", () => {
  test("is valid OpenAPI 3.1", async () => {
    const { valid, errors } = await new Validator().validate({ ...structuredClone(document) });
    expect([valid, errors ?? []]).toEqual([true, []]);
  });

  test("passes the linter without a word", async () => {
    expect(await lint(document, directory)).toEqual([]);
  }, 30_000);

  test("becomes a typed client that compiles and knows the calls", async () => {
    const use = `
      type Create = P0["/api/v1/notes"]["post"];
      export const sent: Create["requestBody"]["content"]["application/json"] = { text: "a" };
      export const got: Create["responses"][201]["content"]["application/json"]["text"] = "a";
      // @ts-expect-error: the text is due
      export const wrong: Create["requestBody"]["content"]["application/json"] = {};
    `;
    expect(await clientFaults({ test: document }, directory, use)).toBe("");
  }, 60_000);

  test("has each route once, below the canonical base or at the root", () => {
    const routes = testRoutes(world.deps, new FakeLog());
    expect([...operations.keys()].sort()).toEqual(
      routes.map(({ operationId }) => operationId).sort(),
    );
    expect(Object.keys(document.paths)).toContain("/probe");
    expect(Object.keys(document.paths)).toContain("/api/v1/notes/{id}/clear");
  });

  test("names who may call each", () => {
    const named = Object.fromEntries(
      [...operations].map(([id, each]) => [id, [each["x-permission"], ...each.security]]),
    );
    const bearer = { accessToken: [] };
    expect(named).toMatchObject({
      listNotes: ["notes.read", bearer],
      clearNote: ["self", bearer],
      deleteNote: ["role:owner", bearer],
      login: ["public"],
      streamNotes: ["notes.read", bearer, { streamTicket: [] }],
    });
    expect(Object.keys(document.components.securitySchemes)).toEqual([
      "accessToken",
      "streamTicket",
    ]);
  });

  test("says which answers a call has", () => {
    const answers = (id: string): string =>
      Object.keys(operations.get(id)?.responses ?? {}).join(" ");
    expect(answers("createNote")).toBe("201 400 401 402 403 409 410 413 415 429 500 503");
    expect(answers("readNote")).toBe("200 400 401 402 403 404 410 413 429 500 503");
    expect(answers("createNotes")).toStartWith("201 207 400");
    expect(answers("deleteNote")).toStartWith("204 400");
    expect(answers("login")).toBe("200 400 401 410 413 415 429 500 503");
    expect(answers("away")).toStartWith("200 302");
  });

  test("shows every problem of every answer, each with its status", () => {
    const { examples } = document.components;
    let count = 0;
    for (const [id, { responses }] of operations) {
      for (const [status, { content, description }] of Object.entries(responses)) {
        if (Number(status) < 400) continue;
        const media = content?.["application/problem+json"];
        const slugs = Object.entries(media?.examples ?? {});
        expect([id, status, slugs.length > 0]).toEqual([id, status, true]);
        for (const [slug, { $ref }] of slugs) {
          const example = examples[$ref.split("/").at(-1) ?? ""];
          expect([slug, String(example?.value.status)]).toEqual([slug, status]);
          expect(description).toContain(`\`${slug}\``);
          expect([slug, faults(media?.schema ?? {}, example?.value)]).toEqual([slug, ""]);
          count += 1;
        }
      }
    }
    expect(count).toBeGreaterThan(200);
    for (const slug of Object.keys(examples)) expect(problems).toHaveProperty(slug);
  });

  test("gives examples that are what their schemas say", () => {
    for (const [id, { requestBody, responses }] of operations) {
      const contents = [requestBody?.content, ...Object.values(responses).map((r) => r.content)];
      for (const content of contents) {
        for (const { schema, example } of Object.values(content ?? {})) {
          if (example !== undefined) expect([id, faults(schema, example)]).toEqual([id, ""]);
        }
      }
    }
  });

  test("names parameters, of lists, keys and streams too", () => {
    const names = (id: string): string[] =>
      (operations.get(id)?.parameters ?? []).map(
        ({ name, required }) => `${name}${required ? "!" : ""}`,
      );
    expect(names("listNotes")).toEqual(["q", "kind", "flagged", "types", "limit", "cursor"]);
    expect(names("updateNote")).toEqual(["id!"]);
    expect(names("createNote")).toEqual(["Idempotency-Key"]);
    expect(names("moveMoney")).toEqual(["Idempotency-Key!"]);
    expect(names("streamNotes")).toEqual(["lastEventId", "Last-Event-ID"]);
    expect(names("login")).toEqual([]);
  });

  test("asks for the media type that the call takes", () => {
    const types = (id: string): string[] =>
      Object.keys(operations.get(id)?.requestBody?.content ?? {});
    expect(types("oauthToken")).toEqual(["application/x-www-form-urlencoded"]);
    expect(types("createNote")).toEqual(["application/json"]);
    expect(types("clearNote")).toEqual([]);
  });
});

describe("the documents", () => {
  test("are those of the namespaces that have calls", () => {
    const routes = testRoutes(world.deps, new FakeLog());
    const empty = { ...info, namespace: "empty" };
    const made = platformDocuments([empty, info], routes, options);
    expect(made.map(({ namespace }) => namespace)).toEqual(["test"]);
    expect(JSON.parse(made[0]?.json ?? "")).toEqual(JSON.parse(JSON.stringify(document)));
  });

  test("a call of no namespace, or under no described heading, is a fault", () => {
    const stray = operation({
      namespace: "test",
      tag: "Strays",
      summary: "Astray",
      method: "GET",
      path: "/stray",
      operationId: "stray",
      access: { self: true },
      contract: { response: null },
      status: 204,
      refusals: [],
      examples: {},
      handle: () => undefined,
    });
    expect(() => documentOf(info, [stray], options)).toThrow("Strays");
    expect(() => platformDocuments([], [stray], options)).toThrow("stray");
  });
});
