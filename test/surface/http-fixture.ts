/**
 * A small surface of made-up routes over a real store and server, for the tests of the HTTP layer. No
 * feature is in it: devices are entries of a map.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { statement } from "../../schema/query/statement.ts";
import idempotencySql from "../../schema/table/idempotency.sql" with { type: "text" };
import type { Op } from "../../src/domain/grant.ts";
import type { DeviceIdentity } from "../../src/domain/identity.ts";
import { roles } from "../../src/domain/identity.ts";
import { Refused } from "../../src/domain/refused.ts";
import { deviceGuard } from "../../src/feature/device/guard.ts";
import { serverLimits } from "../../src/http/body.ts";
import { mountFallback, mountSurface } from "../../src/http/mount.ts";
import { publicRoute, type Route, route } from "../../src/http/route.ts";
import type { Served, SurfaceDeps, SurfaceNotice } from "../../src/http/surface.ts";
import type { Store } from "../../src/store/seam.ts";
import { StoreUnavailable } from "../../src/store/seam.ts";
import { openStore } from "../../src/store/sqlite.ts";

export const bodyMaxBytes = 2_000;
export const batchItemsMax = 5;

const addNote = statement<[text: string]>("test.note.add", "INSERT INTO note (text) VALUES (?1)");
const countNotes = statement<[], { count: number }>(
  "test.note.count",
  "SELECT count(*) AS count FROM note",
);

const noteBody = Type.Object(
  {
    terminalId: Type.Integer({ minimum: 0, maximum: 65_535 }),
    text: Type.String({ minLength: 1, maxLength: 16 }),
    amount: Type.Optional(Type.Integer({ minimum: 0, maximum: 16_777_215 })),
  },
  { additionalProperties: false },
);
const noteAnswer = Type.Object({ count: Type.Integer(), text: Type.String() });
const noteId = Type.Object({ noteId: Type.String({ pattern: "^[0-9a-f]{12}$" }) });
const item = Type.Object(
  { cardId: Type.String({ pattern: "^[0-9a-f]{12}$", title: "12 lowercase hex digits" }) },
  { additionalProperties: false },
);

/** What a handler waits for, so that a test can hold a call open. */
export const gate = { open: Promise.resolve() };

const base = { summary: "A note", tag: "notes", refusals: [] } as const;

export const testRoutes: readonly Route[] = [
  route({
    ...base,
    method: "POST",
    path: "/api/notes/:noteId",
    operationId: "writeNote",
    access: { roles: ["station"], suspended: false, op: "topup", bucket: "device" },
    contract: { params: noteId, body: noteBody, response: noteAnswer },
    status: 201,
    refusals: ["card_blocked"],
    malformedParams: "card_not_found",
    examples: { request: { terminalId: 7, text: "hello" }, response: { count: 1, text: "hello" } },
    check: (body) =>
      Buffer.byteLength(body.text) > 16
        ? { path: "text", expected: "must be at most 16 bytes of UTF-8" }
        : null,
    terminalId: (body) => body.terminalId,
    handle: async ({ body, write }) => {
      await gate.open;
      return write(async (tx) => {
        if (body.text === "kept-refusal") {
          await tx.run(addNote, body.text);
          return new Refused("card_blocked");
        }
        if (body.text === "refused") throw new Refused("card_blocked");
        await tx.run(addNote, body.text);
        const row = await tx.get(countNotes);
        return { count: row?.count ?? 0, text: body.text };
      });
    },
  }),
  route({
    ...base,
    method: "GET",
    path: "/api/notes",
    operationId: "readNotes",
    access: { roles, suspended: true, bucket: "device" },
    contract: {
      query: Type.Object(
        {
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
          since: Type.Optional(Type.String({ maxLength: 8 })),
        },
        { additionalProperties: false },
      ),
      response: Type.Object({ limit: Type.Integer() }),
    },
    status: 200,
    etag: true,
    examples: { response: { limit: 10 } },
    handle: ({ query }) => ({ limit: query.limit ?? 10 }),
  }),
  route({
    ...base,
    method: "POST",
    path: "/api/notes/:noteId/clear",
    operationId: "clearNote",
    access: { roles, suspended: true, bucket: "report" },
    contract: { params: noteId, response: null },
    status: 204,
    examples: {},
    handle: () => undefined,
  }),
  route({
    ...base,
    method: "POST",
    path: "/api/batch",
    operationId: "batch",
    access: { roles, suspended: true, bucket: "device" },
    contract: {
      body: Type.Object(
        { items: Type.Array(item, { maxItems: batchItemsMax }) },
        { additionalProperties: false },
      ),
      response: Type.Object({ count: Type.Integer() }),
    },
    status: 200,
    tooMany: { field: "items", code: "batch_too_large" },
    examples: { request: { items: [] }, response: { count: 0 } },
    handle: ({ body, bytes }) => ({ count: bytes.length > 0 ? body.items.length : -1 }),
  }),
  publicRoute({
    ...base,
    method: "POST",
    path: "/api/auth/token",
    operationId: "token",
    access: { public: true, addressBucket: "token" },
    contract: { body: noteBody, response: Type.Object({ nonce: Type.String() }) },
    status: 200,
    refusals: ["invalid_credentials"],
    ignoresIdempotencyKey: true,
    examples: { request: { terminalId: 7, text: "hello" }, response: { nonce: "x" } },
    handle: ({ body }) => {
      if (body.text === "wrong") throw new Refused("invalid_credentials");
      return { nonce: crypto.randomUUID() };
    },
  }),
  publicRoute({
    ...base,
    method: "GET",
    path: "/api/broken/:how",
    operationId: "broken",
    access: { public: true },
    contract: { params: Type.Object({ how: Type.String() }), response: Type.Object({}) },
    status: 200,
    examples: { response: {} },
    handle: ({ params }) => {
      if (params.how === "storage") throw new StoreUnavailable("disk full at /var/secret");
      if (params.how === "undeclared") throw new Refused("card_replaced");
      throw new Error("a secret detail");
    },
  }),
];

export interface World {
  readonly app: Elysia;
  readonly base: string;
  readonly store: Store;
  readonly clock: { ms: number };
  readonly faults: unknown[];
  readonly served: Served[];
  /** What is said of the version of these calls. */
  notice: SurfaceNotice | null;
  /** Makes or changes a device; the token is its name, padded. */
  device(name: string, change?: Partial<DeviceIdentity>, ops?: readonly Op[]): string;
  notes(): Promise<number>;
  close(): Promise<void>;
}

export interface WorldOptions {
  readonly devicePerMin?: number;
  readonly addressPerMin?: number;
  readonly tokenPerMin?: number;
  readonly checkAnswers?: boolean;
  readonly routes?: readonly Route[];
  /** Mounts more before the server listens. */
  readonly extend?: (app: Elysia, deps: SurfaceDeps) => void;
}

const schema = {
  version: 1,
  migrations: [],
  tables: [
    "CREATE TABLE tenant (tenant_id INTEGER PRIMARY KEY) STRICT",
    "CREATE TABLE note (text TEXT NOT NULL) STRICT",
    "INSERT INTO tenant VALUES (1), (2)",
    idempotencySql,
  ],
};

export const tokenOf = (name: string): string => `kt_${name.padEnd(43, "_")}`;

export function openWorld(options: WorldOptions = {}): World {
  const directory = mkdtempSync(join(tmpdir(), "kartu-http-"));
  const store = openStore({ path: join(directory, "test.db"), schema });
  const clock = { ms: 1_800_000_000_000 };
  const faults: unknown[] = [];
  const served: Served[] = [];
  const devices = new Map<string, { identity: DeviceIdentity; ops: readonly Op[] }>();
  const byNo = new Map<number, readonly Op[]>();
  const perMin = options.devicePerMin ?? 0;
  const deps: SurfaceDeps = {
    store,
    clock: { nowMs: () => clock.ms },
    newRequestId: () => crypto.randomUUID(),
    admit: deviceGuard(
      {
        find: async (hash) => devices.get(hash)?.identity ?? null,
        hasOp: async (device, op) => byNo.get(device.deviceNo)?.includes(op) ?? false,
      },
      { grant: perMin, device: perMin, report: perMin },
    ),
    reportFault: (error) => faults.push(error),
    served: (line) => served.push(line),
    version: () => world.notice,
    problemBase: "https://kartu.test/problems",
    proxyHops: 1,
    bodyMaxBytes,
    addressPerMin: { all: options.addressPerMin ?? 0, token: options.tokenPerMin ?? 0 },
    checkAnswers: options.checkAnswers ?? true,
  };
  const app = new Elysia({ strictPath: true, handler: { standardHostname: false } });
  mountFallback(app, { ...deps, inside: () => world.notice?.headers ?? null });
  mountSurface(app, deps, options.routes ?? testRoutes);
  app.get("/page", () => "a page");
  options.extend?.(app, deps);
  app.listen({ port: 0, hostname: "127.0.0.1", ...serverLimits });
  let count = 0;
  const world: World = {
    notice: null,
    app,
    base: `http://127.0.0.1:${app.server?.port}`,
    store,
    clock,
    faults,
    served,
    device: (name, change = {}, ops = ["topup"]) => {
      const token = tokenOf(name);
      const hash = Bun.SHA256.hash(token, "hex");
      const identity: DeviceIdentity = {
        tenantId: 1,
        deviceNo: devices.get(hash)?.identity.deviceNo ?? ++count,
        deviceId: name,
        terminalId: 7,
        role: "station",
        zoneNo: null,
        memberNo: null,
        suspendedAtSec: null,
        settlementWalletNo: 1,
        ...change,
      };
      devices.set(hash, { identity, ops });
      byNo.set(identity.deviceNo, ops);
      return token;
    },
    notes: async () => (await store.read((q) => q.get(countNotes)))?.count ?? 0,
    close: async () => {
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

const notePath = "/api/notes/0123456789ab";
export const noteText = '{"terminalId":7,"text":"hello"}';

export function call(world: World, spec: CallSpec): Promise<Response> {
  const headers: Record<string, string> = { ...spec.headers };
  const method = spec.method ?? "POST";
  if (spec.token) headers.authorization = `Bearer ${spec.token}`;
  if (spec.type !== null && method !== "GET")
    headers["content-type"] = spec.type ?? "application/json";
  if (spec.key) headers["idempotency-key"] = spec.key;
  if (spec.address) headers["x-forwarded-for"] = spec.address;
  const body =
    method === "GET" || method === "HEAD" ? null : spec.body === undefined ? noteText : spec.body;
  return fetch(world.base + (spec.path ?? notePath), { method, headers, body });
}

/** Status and code of an error answer, after checking what every error answer has. */
export async function refusal(
  response: Response,
): Promise<{ status: number; error: string; message: string }> {
  const text = await response.text();
  const problem = `${response.status} ${text}`;
  if (response.headers.get("content-type") !== "application/json")
    throw new Error(`type: ${problem}`);
  if (!/^[0-9a-f-]{36}$/.test(response.headers.get("x-request-id") ?? ""))
    throw new Error(`id: ${problem}`);
  const { error, message } = JSON.parse(text) as { error: string; message: string };
  if (!/^[a-z][a-z_]*$/.test(error) || message.length === 0) throw new Error(`shape: ${problem}`);
  const wanted: Record<number, [string, RegExp]> = {
    401: ["www-authenticate", /^Bearer error="invalid_token"$/],
    405: ["allow", /OPTIONS/],
    429: ["retry-after", /^[1-9][0-9]*$/],
    503: ["retry-after", /^[1-9][0-9]*$/],
  };
  const [name, pattern] = wanted[response.status] ?? [];
  if (name !== undefined && !pattern?.test(response.headers.get(name) ?? ""))
    throw new Error(`${name}: ${problem}`);
  return { status: response.status, error, message };
}
