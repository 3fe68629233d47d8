/**
 * The document of the device surface as the server serves it: valid to two validators, an operation for
 * each route that is mounted and none else, every example what its own schema says, every answer that
 * the server really gives described. And its pages ask no other machine for anything.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Validator } from "@seriousme/openapi-schema-validator";
import Ajv from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { refusals } from "../../schema/refusal.ts";
import { styleOf } from "../../src/http/problem.ts";
import { Live } from "./live.ts";
import { lint } from "./openapi-lint.ts";

interface Media {
  readonly schema: object;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}
type Content = Readonly<Record<string, Media>>;

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required: boolean;
  readonly schema: object;
  readonly example?: unknown;
}

interface Answer {
  readonly description: string;
  readonly headers?: Readonly<Record<string, { readonly schema: object }>>;
  readonly content?: Content;
}

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly security: readonly object[];
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, Answer>>;
}

interface Document {
  readonly openapi: string;
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

const documentPath = "/api/v1/terminal/openapi.json";
const pages = ["/", "/api-docs", "/api-docs/terminal", "/api-docs/terminal/redoc"];

let live: Live;
let document: Document;
let directory: string;
const operations = new Map<string, Operation>();

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "kartu-document-"));
  live = await Live.open();
  const response = await live.send({ method: "GET", path: documentPath });
  document = (await response.json()) as Document;
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      operations.set(`${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ":$1")}`, operation);
    }
  }
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await live.close();
});

const ajv = new Ajv({ strict: false, allErrors: true });
addFormats(ajv);

/** What is wrong with a value by a schema of the document; empty when nothing is. */
function faults(schema: object, value: unknown): string {
  const { components } = document;
  const whole = { ...schema, components };
  return ajv.validate(whole, value) ? "" : ajv.errorsText(ajv.errors);
}

/** Every place of the document that holds a schema with examples of it. */
function* exampled(): Generator<[where: string, schema: object, value: unknown]> {
  for (const [name, { parameters, requestBody, responses }] of operations) {
    for (const { name: parameter, schema, example } of parameters) {
      if (example !== undefined) yield [`${name} ${parameter}`, schema, example];
    }
    const contents: [string, Content | undefined][] = [
      ["request", requestBody?.content],
      ...Object.entries(responses).map(([status, { content }]): [string, Content | undefined] => [
        status,
        content,
      ]),
    ];
    for (const [where, content] of contents) {
      for (const { schema, example, examples } of Object.values(content ?? {})) {
        if (example !== undefined) yield [`${name} ${where}`, schema, example];
        for (const [code, { value }] of Object.entries(examples ?? {})) {
          yield [`${name} ${where} ${code}`, schema, value];
        }
      }
    }
  }
}

describe("the document", () => {
  test("is valid OpenAPI 3.1", async () => {
    expect(document.openapi).toBe("3.1.0");
    const { valid, errors } = await new Validator().validate({ ...structuredClone(document) });
    expect([valid, errors ?? []]).toEqual([true, []]);
  });

  test("passes the linter without a word", async () => {
    expect(await lint(document, directory)).toEqual([]);
  }, 30_000);

  test("has an operation for each call that is mounted, and none besides", () => {
    const mounted = live.app.routes
      .filter(({ method }) => method !== "HEAD")
      .filter(({ path }) => path.startsWith("/.well-known/jwks") || styleOf(path) === "device")
      .map(({ method, path }) => `${method} ${path}`);
    expect([...operations.keys()].sort()).toEqual(mounted.sort());
  });

  test("names each operation once, with a summary and a tag that is described", () => {
    const ids = [...operations.values()].map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    const tags = new Set(document.tags.map(({ name }) => name));
    for (const { operationId, summary, tags: own } of operations.values()) {
      expect(operationId).toMatch(/^[a-z][A-Za-z]+$/);
      expect(summary.length).toBeGreaterThan(5);
      expect(own.filter((tag) => !tags.has(tag))).toEqual([]);
    }
    const used = new Set([...operations.values()].flatMap((operation) => operation.tags));
    expect([...tags].filter((tag) => !used.has(tag))).toEqual([]);
  });

  test("shows examples of every body that is asked for and answered", () => {
    for (const [name, { requestBody, responses }] of operations) {
      const asked = Object.values(requestBody?.content ?? {});
      const [success] = Object.entries(responses).filter(([status]) => status.startsWith("2"));
      const answered = Object.values(success?.[1].content ?? {});
      expect([name, answered.length]).toEqual([name, success?.[0] === "204" ? 0 : 1]);
      for (const { example } of [...asked, ...answered]) {
        expect([name, example === undefined]).toEqual([name, false]);
      }
    }
  });

  test("gives examples that are what their schemas say", () => {
    let count = 0;
    for (const [where, schema, value] of exampled()) {
      expect([where, faults(schema, value)]).toEqual([where, ""]);
      count += 1;
    }
    expect(count).toBeGreaterThan(150);
  });

  test("describes every refusal with its status, its codes and the headers that come with it", () => {
    for (const [name, { responses, security }] of operations) {
      for (const [status, { description, headers, content }] of Object.entries(responses)) {
        expect([name, status, Object.keys(headers ?? {})[0]]).toEqual([
          name,
          status,
          "X-Request-ID",
        ]);
        if (Number(status) < 400) continue;
        expect(description.length).toBeGreaterThan(10);
        const codes = Object.keys(content?.["application/json"]?.examples ?? {});
        if (name.startsWith("GET /.well-known")) continue;
        expect([name, status, codes.length > 0]).toEqual([name, status, true]);
        for (const code of codes) {
          const row = Object.entries(refusals).find(([known]) => known === code)?.[1];
          expect([name, code, String(row?.status)]).toEqual([name, code, status]);
          expect(description).toContain(`\`${code}\``);
        }
      }
      const all = Object.keys(responses);
      expect([name, ...["400", "429", "500", "503"].filter((s) => !all.includes(s))]).toEqual([
        name,
      ]);
      expect([name, all.includes("401")]).toEqual([
        name,
        security.length > 0 || /token/.test(name),
      ]);
    }
  });

  test("describes the answers that the server gives", async () => {
    for (const route of live.routes) {
      const name = `${route.method} ${route.path}`;
      const operation = operations.get(name);
      const knock = await live.knock(route);
      const replies = [
        await live.send(knock),
        await live.send(knock, { token: null }),
        await live.send(knock, { path: `${knock.path}?x=1` }),
      ];
      if (knock.method === "POST") {
        replies.push(await live.send(knock, { body: "{}", headers: { "content-type": "x/y" } }));
      }
      for (const reply of replies) {
        const described = operation?.responses[reply.status];
        const where = `${name} ${reply.status}`;
        expect([where, described === undefined]).toEqual([where, false]);
        const type = reply.headers.get("content-type");
        const media = type === null ? undefined : described?.content?.[type];
        expect([where, type, media === undefined]).toEqual([where, type, type === null]);
        const text = await reply.text();
        if (media !== undefined) {
          expect([where, faults(media.schema, JSON.parse(text))]).toEqual([where, ""]);
        }
        for (const [header, { schema }] of Object.entries(described?.headers ?? {})) {
          const value = reply.headers.get(header);
          // Present only when a call is answered from what was kept.
          if (header === "Idempotent-Replayed" || value === null) continue;
          const typed = "type" in schema && schema.type === "integer" ? Number(value) : value;
          expect([where, header, faults(schema, typed)]).toEqual([where, header, ""]);
        }
      }
    }
  });

  test("is of this server, wherever it is reached", () => {
    expect(document.servers).toEqual([{ url: "/" }]);
    expect(JSON.stringify(document)).not.toContain("127.0.0.1");
  });
});

describe("the pages", () => {
  test("answer, and ask no other machine for anything", async () => {
    for (const path of pages) {
      const response = await live.send({ method: "GET", path });
      expect([path, response.status]).toEqual([path, 200]);
      const html = await response.text();
      const links = [...html.matchAll(/(?:src|href|action|data-document)="([^"]*)"/g)];
      for (const [, link = ""] of links) {
        expect([path, link]).toEqual([path, expect.stringMatching(/^\/(?!\/)/)]);
        const target = await live.send({ method: "GET", path: link });
        expect([link, target.status]).toEqual([link, 200]);
        await target.body?.cancel();
      }
      expect(html).not.toMatch(/<script>|<script (?![^>]*src=)|javascript:|@import|url\(/);
      const policy = response.headers.get("content-security-policy") ?? "";
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toMatch(/https?:|unsafe-|\*/);
    }
  });
});
