/**
 * The documents as the whole server serves them: valid to two validators, compiled into clients, an
 * operation for each call that is mounted and none else, and every answer that is really given described.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Validator } from "@seriousme/openapi-schema-validator";
import Ajv, { type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { Estate } from "./estate.ts";
import type { House } from "./house.ts";
import { type Instead, lost, send, walk } from "./knock/send.ts";
import { type Door, doorsOf, tables } from "./knock/table.ts";
import { clientFaults } from "./openapi-client.ts";
import { lint } from "./openapi-lint.ts";

type Content = Readonly<Record<string, { readonly schema: object; readonly example?: unknown }>>;
interface Header {
  readonly $ref?: string;
  readonly schema?: object;
}
interface Operation {
  readonly operationId: string;
  readonly "x-permission": string;
  readonly security: readonly object[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<
    Record<string, { readonly content?: Content; readonly headers?: Record<string, Header> }>
  >;
}
interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string };
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas?: object;
    readonly headers?: Readonly<Record<string, Header>>;
  };
}

/** The closed list of the contract, built or not. */
const namespaces = [
  ...["iam", "data", "money", "files", "notify", "audit", "events", "billing", "gateway"],
  ...["fleet", "terminal"],
];
const built = [...Object.keys(tables), "terminal"];

let estate: Estate;
let house: House;
let directory: string;
const documents: Record<string, Document> = {};
/** By verb and path. */
const operations = new Map<string, { operation: Operation; document: Document }>();

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "kartu-operator-document-"));
  estate = await Estate.open();
  house = await estate.house();
  for (const name of built) {
    const path = `/api/v1/${name}/openapi.json`;
    const response = await estate.send("GET", path, {}, true);
    expect([path, response.status]).toEqual([path, 200]);
    const document = (await response.json()) as Document;
    documents[name] = document;
    for (const [at, item] of Object.entries(document.paths)) {
      for (const [verb, operation] of Object.entries(item)) {
        const key = `${verb.toUpperCase()} ${at.replaceAll(/\{(\w+)\}/g, ":$1")}`;
        expect([key, operations.has(key)]).toEqual([key, false]);
        operations.set(key, { operation, document });
      }
    }
  }
});
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await estate.close();
});

const ajv = new Ajv({ strict: false, allErrors: true });
addFormats(ajv);
const compiled = new Map<string, ValidateFunction>();

/** What is wrong with a value by a schema of a document; empty when nothing is. */
function faults({ info, components }: Document, schema: object, value: unknown): string {
  const key = `${info.title} ${JSON.stringify(schema)}`;
  // References lead to schemas alone; to look through all the rest each time would take long.
  const { schemas } = components;
  const check = compiled.get(key) ?? ajv.compile({ ...schema, components: { schemas } });
  compiled.set(key, check);
  return check(value) ? "" : ajv.errorsText(check.errors);
}

const described = ({ route, base }: Door) => operations.get(`${route.method} ${base}${route.path}`);

describe("the documents", () => {
  test("are eleven by name, of which the unbuilt are not there, and no other is", async () => {
    for (const name of [...namespaces, "iamx", "v1", "IAM", "__proto__"]) {
      for (const path of [`/api/v1/${name}/openapi.json`, `/v1/${name}/openapi.json`]) {
        const { status } = await estate.send("GET", path, {}, true);
        expect([path, status]).toEqual([path, built.includes(name) ? 200 : 404]);
      }
      for (const path of [`/api-docs/${name}`, `/api-docs/${name}/redoc`]) {
        const { status, headers } = await estate.send("GET", path, {}, true);
        // That of a whole version stands there once the version is about to end.
        const isThere = built.includes(name);
        expect([path, status]).toEqual([path, isThere ? 200 : 404]);
        if (isThere) expect(headers.get("content-type")).toStartWith("text/html");
      }
    }
  });

  test("have an ETag, and are not sent again to who has them", async () => {
    for (const name of built) {
      const path = `/api/v1/${name}/openapi.json`;
      const first = await estate.send("GET", path, {}, true);
      const tag = first.headers.get("etag") ?? "";
      expect(tag).toMatch(/^"[\w+/=-]+"$/);
      await first.body?.cancel();
      const headers = { "if-none-match": tag };
      const again = await estate.send("GET", path, { headers }, true);
      expect([path, again.status, await again.text()]).toEqual([path, 304, ""]);
    }
  });

  test("are valid OpenAPI 3.1 of this server, wherever it is reached", async () => {
    for (const [name, document] of Object.entries(documents)) {
      expect([name, document.openapi]).toEqual([name, "3.1.0"]);
      const { valid, errors } = await new Validator().validate({ ...structuredClone(document) });
      expect([name, valid, errors ?? []]).toEqual([name, true, []]);
      expect(document.servers).toEqual([{ url: "/" }]);
      expect(JSON.stringify(document)).not.toContain("127.0.0.1");
    }
  });

  for (const name of built) {
    test(`pass the linter without a word: ${name}`, async () => {
      const own = mkdtempSync(join(directory, "lint-"));
      expect(await lint(documents[name], own)).toEqual([]);
    }, 60_000);
  }

  test("become typed clients that compile", async () => {
    expect(await clientFaults(documents, directory)).toBe("");
  }, 60_000);

  test("have an operation for each call that is served, and none besides, with an id of its own", () => {
    const served = estate.routes.map(
      ({ method, path, root }) => `${method} ${root ? "" : "/api/v1"}${path}`,
    );
    const { paths = {} } = documents.terminal ?? {};
    const devices = new Set(Object.keys(paths).map((path) => path.replaceAll(/\{(\w+)\}/g, ":$1")));
    const own = [...operations.keys()].filter((key) => !devices.has(key.split(" ")[1] ?? ""));
    expect(own.sort()).toEqual(served.sort());
    const ids = [...operations.values()].map(({ operation }) => operation.operationId);
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
  });

  test("say who may call, as the tables do", async () => {
    const words = { owner: "role:owner", own: "self" } as const;
    const complaints = await walk(doorsOf(estate), async (door) => {
      const { may, ownTenant } = door.row;
      const permission = described(door)?.operation["x-permission"] ?? "";
      if (may === "platform") {
        return /^system\.|^users\.impersonate$/.test(permission) ? null : permission;
      }
      const expected = may === "owner" || may === "own" ? words[may] : (ownTenant ?? may);
      return permission.split(/[ ,|]+/).includes(expected)
        ? null
        : `${permission}, not ${expected}`;
    });
    expect(complaints).toEqual([]);
  });

  test("give examples that are what their schemas say", () => {
    let count = 0;
    for (const [key, { operation, document }] of operations) {
      const contents = [
        operation.requestBody?.content,
        ...Object.values(operation.responses).map(({ content }) => content),
      ];
      for (const content of contents) {
        for (const { schema, example } of Object.values(content ?? {})) {
          if (example === undefined) continue;
          expect([key, faults(document, schema, example)]).toEqual([key, ""]);
          count += 1;
        }
      }
    }
    expect(count).toBeGreaterThan(60);
  });

  test("describe every answer that is given: status, media type, body, headers", async () => {
    const member = await house.token(["member"]);
    const others: Instead[] = [
      { token: null },
      { token: member },
      { suffix: "canary" },
      { body: "{", headers: { "content-type": "application/json" } },
      { body: "x", headers: { "content-type": "text/plain" } },
      { headers: { "idempotency-key": "x" } },
    ];
    const complaints = await walk(doorsOf(estate), async (door) => {
      const known = described(door);
      if (known === undefined) return "is in no document";
      const { operation, document } = known;
      const knock = await door.row.make(house);
      const suffix = knock.path.includes("?") ? "&canary=1" : "?canary=1";
      const replies = [await send(door, lost(knock), house)];
      for (const other of others) {
        const instead = other.suffix === undefined ? other : { suffix };
        replies.push(await send(door, knock, house, instead));
      }
      replies.push(await send(door, await door.row.make(house), house));
      for (const reply of replies) {
        const { status, headers } = reply;
        const isEndless = headers.get("content-type")?.startsWith("text/event-stream") === true;
        if (isEndless) await reply.body?.cancel();
        const text = isEndless ? "" : await reply.text();
        const answer = operation.responses[status];
        if (answer === undefined) return `${status} is not described`;
        const type = headers.get("content-type");
        if (type === null) continue;
        const media = answer.content?.[type] ?? answer.content?.[type.split(";")[0] ?? ""];
        if (media === undefined) return `${status} ${type} is not described`;
        if (/json$/.test(type)) {
          const wrong = faults(document, media.schema, JSON.parse(text));
          if (wrong !== "") return `${status}: ${wrong}`;
        }
        for (const [name, header] of Object.entries(answer.headers ?? {})) {
          const value = headers.get(name);
          if (value === null) continue;
          const key = header.$ref?.split("/").at(-1) ?? "";
          const { schema = {} } = header.$ref ? (document.components.headers?.[key] ?? {}) : header;
          const typed = "type" in schema && schema.type === "integer" ? Number(value) : value;
          const wrong = faults(document, schema, typed);
          if (wrong !== "") return `${status} ${name}: ${wrong}`;
        }
        for (const name of ["location", "retry-after", "www-authenticate"]) {
          const names = Object.keys(answer.headers ?? {}).map((each) => each.toLowerCase());
          if (headers.has(name) && !names.includes(name)) return `${status}: no ${name} described`;
        }
      }
      return null;
    });
    expect(complaints).toEqual([]);
  });
});

describe("the pages", () => {
  test("ask no other machine for anything, and run nothing that stands in them", async () => {
    const pages = [
      "/",
      "/api-docs",
      ...built.flatMap((name) => [`/api-docs/${name}`, `/api-docs/${name}/redoc`]),
    ];
    for (const path of pages) {
      const response = await estate.send("GET", path, {}, true);
      expect([path, response.status]).toEqual([path, 200]);
      const html = await response.text();
      for (const [, link = ""] of html.matchAll(/(?:src|href|action|data-document)="([^"]*)"/g)) {
        expect([path, link]).toEqual([path, expect.stringMatching(/^\/(?!\/)/)]);
        const target = await estate.send("GET", link, {}, true);
        expect([path, link, target.status]).toEqual([path, link, 200]);
        await target.body?.cancel();
      }
      expect(html).not.toMatch(/<script>|<script (?![^>]*src=)|javascript:|@import|url\(/);
      const policy = response.headers.get("content-security-policy") ?? "";
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toMatch(/https?:|unsafe-|\*/);
    }
  });
});
