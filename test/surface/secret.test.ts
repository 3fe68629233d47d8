/**
 * After a busy day, what a thief could copy holds no secret: not the database, its WAL, a backup, a log
 * line of any level, an answer that is not the one it belongs in, an audit row. What is there may be a
 * hash or sealed.
 */

import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createPrivateKey } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { databasePath, type Kartu, openKartu } from "../../src/app.ts";
import { readConfig } from "../../src/config.ts";
import { type SealPlace, unseal } from "../../src/domain/seal.ts";
import { type Serving, serveKartu } from "../../src/serve.ts";
import { backup } from "../../src/store/backup.ts";
import { createLog } from "../../src/system/log.ts";
import { createMasterKey } from "../../src/system/masterkey.ts";
import { systemRandom } from "../../src/system/random.ts";
import { type Call, venueClock } from "../caller.ts";
import { operator, TenantUnderTest } from "../harness.ts";
import { found, type Needle } from "./needle.ts";

const directory = mkdtempSync(join(tmpdir(), "kartu-secret-"));
const dataDir = join(directory, "data");
const clock = venueClock();
const random = systemRandom();
const lines: string[] = [];
const needles: Needle[] = [];
/** Every answer, with the name of the secret that belongs in it, if one does. */
const answers: { text: string; own: string; status: number }[] = [];

let kartu: Kartu;
let serving: Serving;
let tenant: TenantUnderTest;
let masterKey: Uint8Array;

/** A secret as text, and where that is an encoding, what it encodes. */
function remember(name: string, text: string): void {
  needles.push({ name, bytes: Buffer.from(text) });
  const tail = /^k[st]_(.+)$/.exec(text)?.[1];
  if (tail !== undefined) {
    needles.push({ name: `${name}, decoded`, bytes: Buffer.from(tail, "base64url") });
  }
}

/** Calls over the socket, and keeps what came back. */
const call: Call = async <T>(
  method: string,
  path: string,
  { token, body, headers = {} }: Parameters<Call>[2] = {},
) => {
  const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  const response = await fetch(serving.url + path, {
    method,
    headers: {
      ...(text !== undefined && { "content-type": "application/json" }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(text !== undefined && { body: text }),
  });
  const answer = await response.text();
  const json = (answer === "" ? undefined : JSON.parse(answer)) as T;
  const own = keep(path, json);
  const all = `${answer}\n${JSON.stringify([...response.headers])}`;
  answers.push({ text: all, own, status: response.status });
  return { status: response.status, headers: response.headers, json };
};

/** Remembers the secret that an answer is there to give. Returns its name. */
function keep(path: string, json: unknown): string {
  const { token, sessionKey } = (json ?? {}) as { token?: string; sessionKey?: string };
  if (path === "/api/auth/token" && token !== undefined) {
    const name = `token ${needles.length}`;
    remember(name, token);
    return name;
  }
  if (path.startsWith("/api/session-grant") && sessionKey !== undefined) {
    const bytes = Buffer.from(sessionKey, "base64");
    const known = needles.find((needle) => Buffer.from(needle.bytes).equals(bytes));
    if (known !== undefined) return known.name;
    const name = `session key ${needles.length}`;
    needles.push({ name, bytes });
    return name;
  }
  return "nothing";
}

async function open(): Promise<void> {
  const env = {
    KARTU_ENV: "staging",
    KARTU_DATA: dataDir,
    KARTU_RATE_DEVICE_TOKEN_PER_MIN: "0",
    KARTU_RATE_DEVICE_TOKEN_IP_PER_MIN: "0",
  };
  const read = readConfig(env);
  if ("faults" in read) throw new Error(read.faults.join("\n"));
  const log = createLog({ nowMs: clock.nowMs, level: "debug", write: (line) => lines.push(line) });
  kartu = await openKartu({ dataDir, config: read.config, clock, random, log });
}

/** A device as its operator registers it, its secret remembered. */
async function register(deviceId: string, role: "station" | "terminal" | "gate"): Promise<string> {
  const { tenantId } = tenant;
  const { secret, qr } = await kartu.device.register(
    tenantId,
    { deviceId, role },
    operator,
    clock.nowMs(),
  );
  remember(`secret of ${deviceId}`, secret);
  expect(qr.payload).toContain(secret);
  return secret;
}

/** Keys, cards, money, batches and reports, each also refused and under an Idempotency-Key. */
async function busyDay(): Promise<void> {
  const { tenantId } = tenant;
  for (const role of ["station", "terminal"] as const) await register(`spare-${role}`, role);
  const station = await tenant.working("station");
  const terminal = await tenant.working("terminal");
  const chain = await tenant.loaded(station, terminal, 200_000);
  await terminal.hand(chain.debit(5_000), chain.debit(7_000));
  const resent = chain.debit(1_000);
  await terminal.hand(resent);
  await terminal.upload(resent);
  const clone = chain.fork();
  await terminal.upload(clone.debit(2_000), { ...clone.debit(1), cardId: "000000000000" });
  const { key } = kartu;
  await key.create(tenantId, "second", operator, clock.nowMs());
  await key.activate(tenantId, 2, operator, clock.nowMs());
  await station.call("GET", "/api/session-grant?keyVersion=1");
  await station.grant();
  const headers = { "idempotency-key": random.uuid(clock.nowMs()) };
  const topup = { amount: 500, operatorId: 7, timestamp: clock.nowSec() };
  for (const body of [topup, topup, { ...topup, amount: 501 }]) {
    await station.call("POST", `/api/cards/${chain.cardId}/topup`, body, headers);
  }
  await terminal.report({ eventType: "tamper", cardId: chain.cardId, details: "broken" });
  await station.reissue(chain.cardId, "feed00000001", { keyVersion: 2 });
  await refusals(station.token);
  clock.advance(60);
  await clock.minute();
}

/** Whoever gets it wrong sends secrets along: in the wrong field, header, query or path. */
async function refusals(token: string): Promise<void> {
  const secret = await register("late", "gate");
  const wrong = [
    { deviceId: "late", secret, role: "station" },
    { deviceId: secret, secret, role: "gate" },
    { deviceId: "late", secret, role: secret },
    { deviceId: "late", secret, role: "gate", [secret]: secret },
    { deviceId: "late", secret: [secret], role: "gate" },
    `{"deviceId":"late","secret":"${secret}`,
  ];
  for (const body of wrong) await call("POST", "/api/auth/token", { body });
  // Not below /: there the problem document names the path it was asked for (RFC 9457 §3.1.5).
  for (const path of ["/api/policy", "/api/cards/", "/api/"]) {
    await call("GET", `${path}${path.endsWith("/") ? token : ""}?token=${token}&${secret}`, {
      token: `${token}x`,
    });
  }
  const body = { terminalId: token, cardId: secret, [token]: secret };
  for (const path of ["/api/reconcile", "/api/terminal-report", "/api/cards"]) {
    await call("POST", path, { token, body, headers: { "x-request-id": secret } });
    await call("POST", path, { token: secret, body, headers: { "idempotency-key": token } });
  }
  // Commissioned in the end, the answer lost, and once more.
  const right = { body: { deviceId: "late", secret, role: "gate" } };
  await call("POST", "/api/auth/token", right);
  const { json } = await call<{ token: string }>("POST", "/api/auth/token", right);
  await call("GET", "/api/policy", { token: json.token });
  await call("POST", "/api/auth/token", right);
}

/** A fault inside, while a secret is at hand: a table that takes no row. */
async function breakDown(): Promise<void> {
  const secret = await register("unlucky", "gate");
  const db = new Database(databasePath(dataDir), { readwrite: true });
  const tables = ["device_token", "session_grant", "card_change", "batch", "audit_detail"];
  for (const table of tables) {
    db.run(`CREATE TRIGGER broken_${table} BEFORE INSERT ON ${table}
      BEGIN SELECT RAISE(ABORT, 'broken'); END`);
  }
  const [first] = answers.flatMap(({ own }) => needles.filter(({ name }) => name === own));
  const token = Buffer.from(first?.bytes ?? []).toString();
  await call("POST", "/api/auth/token", { body: { deviceId: "unlucky", secret, role: "gate" } });
  await call("GET", "/api/session-grant", { token });
  await call("POST", "/api/reconcile", { token, body: { terminalId: 3, events: [] } });
  for (const table of tables) db.run(`DROP TRIGGER broken_${table}`);
  db.close();
}

const sealedAt = (table: string, row: string, column: string): SealPlace => ({
  table,
  row,
  column,
});

/** The secrets that only the master key opens. */
async function unsealed(): Promise<void> {
  const versions = await tenant.rows<{ uuid: string; version: number; sealed: Uint8Array }>(
    `SELECT t.uuid, k.key_version AS version, k.sealed_secret AS sealed
     FROM key_version k JOIN tenant t ON t.tenant_id = k.tenant_id`,
  );
  for (const { uuid, version, sealed } of versions) {
    const place = sealedAt("key_version", `${uuid}:${version}`, "sealed_secret");
    const bytes = unseal(masterKey, place, sealed);
    needles.push({ name: `key-set secret ${version}`, bytes });
  }
  const keys = await tenant.rows<{ kid: string; sealed: Uint8Array }>(
    "SELECT kid, sealed_private AS sealed FROM signing_key",
  );
  for (const { kid, sealed } of keys) {
    const key = Buffer.from(
      unseal(masterKey, sealedAt("signing_key", kid, "sealed_private"), sealed),
    );
    const { d = "" } = createPrivateKey({ key, format: "der", type: "pkcs8" }).export({
      format: "jwk",
    });
    needles.push({ name: `private key ${kid}`, bytes: Buffer.from(d, "base64url") });
  }
}

beforeAll(async () => {
  mkdirSync(dataDir);
  masterKey = createMasterKey(dataDir, random);
  needles.push({ name: "master key", bytes: masterKey });
  await open();
  const owner = { ownerEmail: "owner@example.com", tenant: { name: "Kantin Utama" } };
  const { ownerPassword = "" } = await kartu.tenant.initialise(
    owner,
    { actor: operator },
    clock.nowMs(),
  );
  remember("the owner's password", ownerPassword);
  serving = await serveKartu(kartu, { host: "127.0.0.1", port: 0 });
  const first = await kartu.tenant.tenantBySlug();
  if (first === undefined) throw new Error("no tenant");
  tenant = new TenantUnderTest(kartu, call, clock, first);
  await busyDay();
  await breakDown();
  await unsealed();
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Every row of every table: values that a page's edge or compression could hide from a search. */
async function allRows(): Promise<string> {
  const tables = await tenant.rows<{ name: string }>(
    "SELECT name FROM sqlite_schema WHERE type = 'table'",
  );
  const rows = await Promise.all(tables.map(({ name }) => tenant.rows(`SELECT * FROM ${name}`)));
  return JSON.stringify(rows, (_, value) =>
    value instanceof Uint8Array ? value.toHex() : (value as unknown),
  );
}

describe("the search", () => {
  test("has something to look for", () => {
    for (const kind of ["master key", "token", "session key", "key-set secret", "private key"]) {
      expect(needles.filter(({ name }) => name.startsWith(kind))).not.toEqual([]);
    }
    expect(needles.length).toBeGreaterThan(20);
    for (const { name, bytes } of needles) expect([name, bytes.length >= 24]).toEqual([name, true]);
  });

  test("finds a secret in every spelling", () => {
    const [needle] = needles;
    if (needle === undefined) throw new Error("nothing to find");
    const { bytes } = needle;
    const hex = Buffer.from(bytes).toString("hex");
    const padded = (shift: number): Buffer => Buffer.concat([Buffer.alloc(shift, 9), bytes]);
    const hays = [
      ...[bytes, hex, hex.toUpperCase(), [...bytes].join(","), JSON.stringify([...bytes])],
      ...[0, 1, 2, 3, 4].map((shift) => `x${padded(shift).toString("base64")}y`),
      ...[0, 1, 2].map((shift) => padded(shift).toString("base64url")),
    ];
    for (const hay of hays) expect(found(hay, [needle])).not.toEqual([]);
    expect(found(random.bytes(4_096), needles)).toEqual([]);
  });

  test("finds in the file what is there to be found: hashes of tokens, the sealed keys", async () => {
    const file = Buffer.concat([
      readFileSync(databasePath(dataDir)),
      readFileSync(`${databasePath(dataDir)}-wal`),
    ]);
    const hashes = await tenant.rows<{ hash: Uint8Array }>(
      "SELECT token_hash AS hash FROM device_token UNION ALL SELECT sealed_secret FROM key_version",
    );
    for (const { hash } of hashes) {
      expect(found(file, [{ name: "hash", bytes: hash }])).toEqual(["hash as raw"]);
    }
  });
});

describe("no secret is", () => {
  test("in a row of any table, the audit record among them", async () => {
    const rows = await allRows();
    expect(rows).toContain("owner@example.com");
    expect(found(rows, needles)).toEqual([]);
    expect(await tenant.auditFaults()).toEqual([]);
  });

  test("in the database as it is open, its WAL, or any other file but the master key's", () => {
    const files = readdirSync(dataDir).filter((name) => name !== "master.key");
    expect(files).toContain("kartu.db-wal");
    for (const name of files) {
      expect([name, ...found(readFileSync(join(dataDir, name)), needles)]).toEqual([name]);
    }
  });

  test("in a backup", async () => {
    const file = join(directory, "backup.tar");
    const source = { database: databasePath(dataDir), kartuVersion: "0", nowMs: clock.nowMs() };
    await backup(source, file);
    const bytes = readFileSync(file);
    expect(bytes.includes("SQLite format 3")).toBe(true);
    expect(bytes.includes("master.key")).toBe(false);
    expect(found(bytes, needles)).toEqual([]);
  });

  test("in an answer but the one that it belongs in", () => {
    const statuses = new Set(answers.map(({ status }) => status));
    for (const status of [200, 201, 204, 400, 401, 404, 409, 500]) {
      expect([...statuses]).toContain(status);
    }
    for (const { text, own } of answers) {
      const others = needles.filter(({ name }) => !name.startsWith(own));
      expect(found(text, others)).toEqual([]);
    }
  });

  test("in a line of the log, faults inside included", () => {
    const log = lines.join("");
    expect(log).toContain('"message":"served"');
    expect(log).toContain('"message":"a call failed"');
    expect(log).toContain("broken");
    expect(found(log, needles)).toEqual([]);
  });

  test("in the file once it is closed", async () => {
    await serving.stop(5);
    expect(existsSync(`${databasePath(dataDir)}-wal`)).toBe(false);
    const bytes = readFileSync(databasePath(dataDir));
    expect(bytes.includes("owner@example.com")).toBe(true);
    expect(found(bytes, needles)).toEqual([]);
    expect(found(lines.join(""), needles)).toEqual([]);
  });
});
