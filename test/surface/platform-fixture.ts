/**
 * A small operator surface of made-up routes over a real store and server, for the tests of its manners.
 * No feature is in it: callers are entries of a map, and limits refuse whom the test says.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { isProblemSlug, problems } from "../../schema/problem.ts";
import { statement } from "../../schema/query/statement.ts";
import idempotencySql from "../../schema/table/idempotency.sql" with { type: "text" };
import { Problem } from "../../src/domain/problem.ts";
import { Refused } from "../../src/domain/refused.ts";
import { serverLimits } from "../../src/http/body.ts";
import { mountFallback } from "../../src/http/mount.ts";
import { batchAnswer, batchOf } from "../../src/http/platform/batch.ts";
import type { Caller } from "../../src/http/platform/caller.ts";
import type { LimitedCall, Taken } from "../../src/http/platform/limit.ts";
import { fallbackDeps, mountPlatform } from "../../src/http/platform/mount.ts";
import { pageOf } from "../../src/http/platform/page.ts";
import { operation, type PlatformRoute, publicOperation } from "../../src/http/platform/route.ts";
import { StreamCounts, type StreamSource, streamOf } from "../../src/http/platform/stream.ts";
import type {
  Alert,
  PlatformDeps,
  PlatformServed,
  VersionNotice,
} from "../../src/http/platform/surface.ts";
import { Tickets } from "../../src/http/platform/ticket.ts";
import { type Store, StoreUnavailable } from "../../src/store/seam.ts";
import { openStore } from "../../src/store/sqlite.ts";
import { type Clock, manualClock } from "../../src/system/clock.ts";
import { seededRandom } from "../../src/system/random.ts";

export const bodyMaxBytes = 4_000;
export const batchMaxBytes = 8_000;
export const problemBase = "https://kartu.test/problems";
export const startMs = 1_800_000_000_000;
export const noteUuid = "0195d1f0-7d5c-7b3a-8a55-1f0e2d3c4b5a";

const addNote = statement<[text: string, caller: string]>(
  "test.note.add",
  "INSERT INTO note (text, caller) VALUES (?1, ?2)",
);
const countNotes = statement<[], { count: number }>(
  "test.note.count",
  "SELECT count(*) AS count FROM note",
);
const pageNotes = statement<[after: number, limit: number], { no: number; text: string }>(
  "test.note.page",
  "SELECT rowid AS no, text FROM note WHERE rowid > ?1 ORDER BY rowid LIMIT ?2",
);
export const keptAnswers = statement<[], { body: string | null; sealed: Uint8Array | null }>(
  "test.kept",
  "SELECT body, sealed FROM idempotency",
);

const closed = { additionalProperties: false };
const id = Type.String({ format: "uuid" });
const params = Type.Object({ id }, closed);
const noteBody = Type.Object(
  {
    text: Type.String({ minLength: 1, maxLength: 16 }),
    email: Type.Optional(Type.String({ format: "email" })),
    amount: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000 })),
    roles: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 31 }), {
        minItems: 1,
        maxItems: 3,
        uniqueItems: true,
      }),
    ),
    at: Type.Optional(Type.String({ format: "date-time" })),
    kind: Type.Optional(Type.Union([Type.Literal("plain"), Type.Literal("loud")])),
    userId: Type.Optional(id),
    parent: Type.Optional(Type.Union([id, Type.Null()])),
    recipients: Type.Optional(
      Type.Array(Type.Object({ userId: id, name: Type.Optional(Type.String()) }, closed)),
    ),
    metadata: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  },
  closed,
);
const noteAnswer = Type.Object(
  { id: Type.String(), text: Type.String(), parent: Type.Union([Type.String(), Type.Null()]) },
  closed,
);
const example = { id: noteUuid, text: "hello", parent: null };
const text = Type.Object({ text: Type.String({ minLength: 1, maxLength: 16 }) }, closed);

/** What a handler waits for, so that a test can hold a call open. */
export const gate = { open: Promise.resolve() };
/** The log behind the stream. */
export class FakeLog implements StreamSource {
  readonly entries: { position: number; type: string; data: unknown }[] = [];
  readonly wakes = new Set<() => void>();
  floor = 1;
  append(type: string, data: unknown): void {
    this.entries.push({ position: this.floor + this.entries.length, type, data });
    for (const wake of this.wakes) wake();
  }
  drop(count: number): void {
    this.entries.splice(0, count);
    this.floor += count;
  }
  newest = async (): Promise<number> => this.floor + this.entries.length - 1;
  oldest = async (): Promise<number> => this.floor;
  read = async (after: number, limit: number) => {
    const behind = this.entries.filter(({ position }) => position > after).slice(0, limit);
    return {
      events: behind.filter(({ type }) => !type.startsWith("hidden")),
      upTo: behind.at(-1)?.position ?? after,
    };
  };
  subscribe = (wake: () => void): (() => void) => {
    this.wakes.add(wake);
    return () => void this.wakes.delete(wake);
  };
}

const base = { namespace: "test", tag: "Notes", summary: "A made-up call", refusals: [] } as const;

export const testRoutes = (deps: PlatformDeps, log: FakeLog): readonly PlatformRoute[] => [
  operation({
    ...base,
    method: "GET",
    path: "/notes",
    operationId: "listNotes",
    access: { permission: "notes.read" },
    contract: {
      query: Type.Object(
        {
          q: Type.Optional(Type.String({ minLength: 2, maxLength: 100 })),
          kind: Type.Optional(Type.Union([Type.Literal("plain"), Type.Literal("loud")])),
          flagged: Type.Optional(Type.Boolean()),
          types: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { maxItems: 3 })),
        },
        closed,
      ),
      list: Type.Object({ text: Type.String() }, closed),
    },
    status: 200,
    examples: {
      response: { data: [{ text: "hello" }], meta: { cursor: null, hasMore: false, total: 1 } },
    },
    handle: (call) =>
      pageOf(
        call,
        {
          read: (after, limit) =>
            deps.store.read((q) => q.all(pageNotes, Number(after?.[0] ?? 0), limit)),
          placeOf: ({ no }) => [no],
          count: async () => (await deps.store.read((q) => q.get(countNotes)))?.count ?? 0,
          ...(call.query.flagged === true && { capped: true as const }),
        },
        (row) => ({ text: row.text }),
      ),
  }),
  operation({
    ...base,
    method: "POST",
    path: "/notes",
    operationId: "createNote",
    access: { permission: "notes.write" },
    contract: { body: noteBody, response: noteAnswer },
    status: 201,
    refusals: ["already-exists"],
    examples: { request: { text: "hello" }, response: example },
    location: (answer) => `/notes/${answer.id}`,
    check: (body) =>
      body.text === "odd" ? [{ field: "text", message: "Is odd", code: "NOT_ALLOWED" }] : [],
    handle: async ({ body, write, caller, headers }) => {
      await gate.open;
      return write(async (tx) => {
        if (body.text === "refused")
          throw new Problem("already-exists", "Taken.", { field: "text" });
        await tx.run(addNote, body.text, caller.id);
        if (body.text === "kept") return new Problem("already-exists");
        headers["x-note"] = "yes";
        return { id: noteUuid, text: body.text, parent: body.parent ?? null };
      });
    },
  }),
  operation({
    ...base,
    method: "POST",
    path: "/notes/batch",
    operationId: "createNotes",
    access: { permission: "notes.write" },
    contract: {
      body: Type.Object(
        { items: Type.Array(Type.Unknown(), { minItems: 1, maxItems: 9 }) },
        closed,
      ),
      response: batchAnswer(text),
    },
    status: 201,
    alsoStatus: [207],
    size: "batch",
    examples: {
      request: { items: [{ text: "hello" }] },
      response: {
        data: [{ index: 0, status: 201, result: { text: "hello" } }],
        meta: { succeeded: 1, failed: 0 },
      },
    },
    handle: (call) =>
      call.write((tx) =>
        batchOf(call, call.body.items, 201, async (item) => {
          if (item === "bad") throw new Problem("already-exists");
          if (item === "old") throw new Refused("not_found");
          await tx.run(addNote, String(item), call.caller.id);
          return { text: String(item) };
        }),
      ),
  }),
  operation({
    ...base,
    method: "GET",
    path: "/notes/:id",
    operationId: "readNote",
    access: { permission: "notes.read", or: ["notes.below"] },
    contract: { params, response: noteAnswer },
    status: 200,
    examples: { response: example },
    handle: ({ params: { id } }) => {
      if (id !== noteUuid) throw new Problem("not-found");
      return { id, text: "hello", parent: null };
    },
  }),
  operation({
    ...base,
    method: "PATCH",
    path: "/notes/:id",
    operationId: "updateNote",
    access: { permission: "notes.write", restricted: true },
    contract: { params, body: noteBody, response: noteAnswer },
    status: 200,
    refusals: ["wrong-state", "version-conflict"],
    examples: { request: { text: "hello" }, response: example },
    handle: ({ params: { id }, body }) => {
      if (id !== noteUuid) throw new Problem("not-found");
      if (body.text === "stale") {
        throw new Problem("version-conflict", undefined, { members: { currentVersion: 4 } });
      }
      if (body.text === "state") throw new Problem("wrong-state");
      return { id, text: body.text, parent: null };
    },
  }),
  operation({
    ...base,
    method: "DELETE",
    path: "/notes/:id",
    operationId: "deleteNote",
    access: { role: "owner" },
    contract: { params, response: null },
    status: 204,
    examples: {},
    handle: () => undefined,
  }),
  operation({
    ...base,
    method: "POST",
    path: "/notes/:id/clear",
    operationId: "clearNote",
    access: { self: true, own: true },
    contract: { params, response: null },
    status: 204,
    examples: {},
    handle: () => undefined,
  }),
  operation({
    ...base,
    method: "POST",
    path: "/money",
    operationId: "moveMoney",
    access: { permission: "money.move", balance: true },
    idempotency: "required",
    contract: { body: text, response: text },
    status: 201,
    examples: { request: { text: "hello" }, response: { text: "hello" } },
    handle: ({ body }) => body,
  }),
  operation({
    ...base,
    method: "POST",
    path: "/secrets",
    operationId: "makeSecret",
    access: { self: true },
    secret: true,
    contract: { response: text },
    status: 201,
    examples: { response: { text: "hello" } },
    handle: ({ headers }) => {
      headers["set-cookie"] = "secret=1";
      return { text: crypto.randomUUID().slice(0, 13) };
    },
  }),
  operation({
    ...base,
    method: "POST",
    path: "/tokens",
    operationId: "makeToken",
    access: { self: true },
    idempotency: "ignored",
    contract: { response: text },
    status: 200,
    examples: { response: { text: "hello" } },
    handle: () => ({ text: crypto.randomUUID().slice(0, 13) }),
  }),
  operation({
    ...base,
    method: "GET",
    path: "/stream",
    operationId: "streamNotes",
    access: { permission: "notes.read" },
    stream: true,
    contract: {},
    status: 200,
    examples: {},
    handle: (call) => streamOf(call, log, deps),
  }),
  publicOperation({
    ...base,
    method: "POST",
    path: "/auth/login",
    operationId: "login",
    access: { public: true, bucket: "auth" },
    contract: { body: noteBody, response: text },
    status: 200,
    refusals: ["invalid-credentials"],
    examples: { request: { text: "hello" }, response: { text: "hello" } },
    handle: ({ body }) => {
      if (body.text === "wrong") throw new Problem("invalid-credentials");
      return { text: crypto.randomUUID().slice(0, 13) };
    },
  }),
  publicOperation({
    ...base,
    method: "POST",
    path: "/oauth/token",
    operationId: "oauthToken",
    access: { public: true },
    media: "form",
    contract: {
      body: Type.Object({ grant_type: Type.String() }),
      response: Type.Object({ grant: Type.String() }),
    },
    status: 200,
    examples: { request: { grant_type: "x" }, response: { grant: "x" } },
    handle: ({ body }) => ({ grant: body.grant_type }),
  }),
  publicOperation({
    ...base,
    method: "GET",
    path: "/probe",
    root: true,
    uncounted: true,
    operationId: "probe",
    access: { public: true },
    contract: { response: Type.Object({ status: Type.String() }) },
    status: 200,
    examples: { response: { status: "ok" } },
    handle: () => ({ status: "ok" }),
  }),
  publicOperation({
    ...base,
    method: "GET",
    path: "/away",
    operationId: "away",
    access: { public: true },
    contract: {},
    status: 200,
    alsoStatus: [302],
    examples: {},
    handle: () => new Response(null, { status: 302, headers: { location: "https://kartu.test" } }),
  }),
  publicOperation({
    ...base,
    method: "GET",
    path: "/broken/:how",
    operationId: "broken",
    access: { public: true },
    contract: {
      params: Type.Object({ how: Type.String() }),
      response: Type.Object({ ok: Type.Literal(true) }, closed),
    },
    status: 200,
    refusals: ["rate-limit-exceeded"],
    examples: { response: { ok: true } },
    handle: ({ params: { how } }) => {
      if (how === "storage") throw new StoreUnavailable("disk full at /var/secret");
      if (how === "bug") throw new Error("a secret detail");
      if (isProblemSlug(how)) throw new Problem(how, "A sentence.", { retryAfterSec: 7 });
      return { ok: how === "yes", more: how } as unknown as { ok: true };
    },
  }),
];

export interface PlatformWorld {
  readonly app: Elysia;
  readonly url: string;
  readonly store: Store;
  readonly clock: Clock;
  readonly deps: PlatformDeps;
  readonly log: FakeLog;
  readonly faults: string[];
  readonly served: PlatformServed[];
  readonly alerts: Alert[];
  readonly limited: LimitedCall[];
  /** Addresses and caller ids that are refused. */
  readonly refused: Set<string>;
  /** Tokens by what is thrown for them. */
  readonly ended: Map<string, Problem>;
  notice: VersionNotice | null;
  /** What the gate throws. */
  gated: Problem | null;
  /** Makes or changes a caller; the token is its name. */
  caller(name: string, change?: Partial<Caller>): string;
  notes(): Promise<number>;
  close(): Promise<void>;
}

const schema = {
  version: 1,
  migrations: [],
  tables: [
    "CREATE TABLE tenant (tenant_id INTEGER PRIMARY KEY) STRICT",
    "CREATE TABLE note (text TEXT NOT NULL, caller TEXT NOT NULL) STRICT",
    "INSERT INTO tenant VALUES (1), (2)",
    idempotencySql,
  ],
};

const permissions = ["notes.read", "notes.write", "money.move"];

function callerOf(name: string, change: Partial<Caller>): Caller {
  const held = change.permissions ?? permissions;
  return {
    kind: "user",
    id: `user-${name}`,
    email: `${name}@kartu.test`,
    userNo: 1,
    tenantId: 1,
    tenantUuid: "0195d1f0-7d5c-7b3a-8a55-000000000001",
    tenant: { type: "client", status: "active", slug: "kantin" },
    roles: ["admin"],
    permissions: held,
    isAdmin: true,
    isOwner: true,
    isPlatformOwner: false,
    can: (permission) => held.includes(permission),
    sid: null,
    jti: noteUuid,
    audience: "platform-kernel",
    actorId: null,
    issuedAtSec: startMs / 1000,
    expiresAtSec: startMs / 1000 + 900,
    emailVerified: true,
    ...change,
  };
}

export interface PlatformWorldOptions {
  readonly checkAnswers?: boolean;
  readonly corsOrigins?: readonly string[];
  readonly verifiedEmailDue?: boolean;
  readonly extend?: (app: Elysia, deps: PlatformDeps) => void;
}

export function openPlatform(options: PlatformWorldOptions = {}): PlatformWorld {
  const directory = mkdtempSync(join(tmpdir(), "kartu-platform-"));
  const store = openStore({ path: join(directory, "test.db"), schema });
  const clock = manualClock(startMs);
  const random = seededRandom(11);
  const callers = new Map<string, Caller>();
  const log = new FakeLog();
  const take = (call: LimitedCall): Taken => {
    const { caller, address, operationId, bucket } = call;
    // Of the moment: a call goes on to change.
    world.limited.push({ caller, address, operationId, ...(bucket !== undefined && { bucket }) });
    const key = caller === null ? address : caller.id;
    const headers: Record<string, string> =
      caller === null ? {} : { ratelimit: '"tenant";r=1;t=2' };
    if (!world.refused.has(key)) return { headers };
    return { refusal: { retryAfterSec: 42, detail: `Too many of ${key}` }, headers };
  };
  const deps: PlatformDeps = {
    store,
    clock,
    random,
    masterKey: new Uint8Array(32).fill(9),
    admit: ({ token }) => {
      const ended = world.ended.get(token);
      if (ended !== undefined) throw ended;
      const caller = callers.get(token);
      if (caller === undefined) throw new Problem("unauthorized");
      return caller;
    },
    limits: { take },
    gate: async () => {
      if (world.gated !== null) throw world.gated;
    },
    tickets: new Tickets(random),
    streams: new StreamCounts(),
    version: () => world.notice,
    reportFault: (error) => world.faults.push(String(error)),
    served: (line) => world.served.push(line),
    alert: (alert) => world.alerts.push(alert),
    problemBase,
    proxyHops: 1,
    bodyMaxBytes,
    batchMaxBytes,
    corsOrigins: options.corsOrigins ?? [],
    verifiedEmailDue: options.verifiedEmailDue ?? true,
    checkAnswers: options.checkAnswers ?? true,
  };
  const app = new Elysia({ strictPath: true, handler: { standardHostname: false } });
  mountFallback(app, fallbackDeps(deps));
  mountPlatform(app, deps, testRoutes(deps, log));
  options.extend?.(app, deps);
  app.listen({ port: 0, hostname: "127.0.0.1", ...serverLimits });
  const world: PlatformWorld = {
    app,
    url: `http://127.0.0.1:${app.server?.port}`,
    store,
    clock,
    deps,
    log,
    faults: [],
    served: [],
    alerts: [],
    limited: [],
    refused: new Set(),
    ended: new Map(),
    notice: null,
    gated: null,
    caller: (name, change = {}) => {
      callers.set(name, callerOf(name, change));
      return name;
    },
    notes: async () => (await store.read((q) => q.get(countNotes)))?.count ?? 0,
    close: async () => {
      deps.streams.endAll();
      await app.stop(true);
      await store.close();
      rmSync(directory, { recursive: true });
    },
  };
  return world;
}

/** A call that passes every step; each field replaces or, when null, takes away. */
export interface CallSpec {
  readonly method?: string;
  readonly path?: string;
  readonly token?: string | null;
  readonly type?: string | null;
  readonly body?: Bun.BodyInit | null;
  readonly key?: string;
  readonly address?: string;
  readonly headers?: Record<string, string>;
}

export function call(world: PlatformWorld, spec: CallSpec): Promise<Response> {
  const headers: Record<string, string> = { ...spec.headers };
  const method = spec.method ?? "POST";
  const bodiless = method === "GET" || method === "HEAD" || method === "OPTIONS";
  if (spec.token) headers.authorization = `Bearer ${spec.token}`;
  if (spec.type !== null && !bodiless) headers["content-type"] = spec.type ?? "application/json";
  if (spec.key !== undefined) headers["idempotency-key"] = spec.key;
  if (spec.address) headers["x-forwarded-for"] = spec.address;
  const body = bodiless ? null : spec.body === undefined ? '{"text":"hello"}' : spec.body;
  return fetch(world.url + (spec.path ?? "/api/v1/notes"), {
    method,
    headers,
    body,
    redirect: "manual",
  });
}

export interface ProblemDocument {
  readonly slug: string;
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly instance: string;
  readonly errors?: readonly { field: string; message: string; code: string }[];
  readonly [member: string]: unknown;
}

/** The problem of an answer, after checking what every problem has. */
export async function problem(response: Response): Promise<ProblemDocument> {
  const text = await response.text();
  const told = `${response.status} ${text}`;
  const { headers, status } = response;
  if (headers.get("content-type") !== "application/problem+json") throw new Error(`type: ${told}`);
  const body = JSON.parse(text) as Record<string, unknown>;
  const slug = String(body.type).replace(`${problemBase}/`, "");
  if (!isProblemSlug(slug)) throw new Error(`slug: ${told}`);
  if (body.status !== status || problems[slug].status !== status)
    throw new Error(`status: ${told}`);
  if (!/^[0-9a-f]{32}$/.test(String(body.traceId))) throw new Error(`trace: ${told}`);
  if (headers.get("x-trace-id") !== body.traceId) throw new Error(`x-trace-id: ${told}`);
  if (!/^[0-9a-f-]{36}$/.test(headers.get("x-request-id") ?? "")) throw new Error(`id: ${told}`);
  if (headers.get("cache-control") !== "no-store") throw new Error(`cache: ${told}`);
  const wait = headers.get("retry-after");
  if (status === 429 && String(body.retryAfter) !== wait) throw new Error(`retry: ${told}`);
  if ((status === 503 || status === 429) && !/^[1-9]/.test(wait ?? "")) {
    throw new Error(`retry-after: ${told}`);
  }
  const challenge = headers.get("www-authenticate");
  if ((status === 401) !== (challenge === 'Bearer error="invalid_token"')) {
    throw new Error(`www-authenticate: ${told}`);
  }
  if ((slug === "validation-error") !== Array.isArray(body.errors)) throw new Error(told);
  return { ...body, slug } as unknown as ProblemDocument;
}
