/**
 * Peer: Hono on Node with better-sqlite3. One process, one connection, prepared statements, WAL with
 * `synchronous=FULL`, and a transaction a request, as its documentation has it. Tables, indexes and SQL
 * are Kartu's, on a copy of the same file. Argument: the setting's path.
 */
import "./runtime.ts";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { serve } from "@hono/node-server";
import Database from "better-sqlite3";
import { Hono } from "hono";
import { auditDetailInsert, auditHead, auditInsert } from "../../../schema/query/audit.ts";
import { batchClean, batchInsert, batchLast } from "../../../schema/query/batch.ts";
import { cardById, cardUpdate, debitWeekPut, headUpdate } from "../../../schema/query/card.ts";
import { eventInsert, eventLast, holeInsert, placeInsert } from "../../../schema/query/event.ts";
import { flagInsert } from "../../../schema/query/flag.ts";
import { txnStatus, walletAdd } from "../../../schema/query/money.ts";
import { publishedInsert } from "../../../schema/query/published.ts";
import { grantInsert, grantWindows } from "../../../schema/query/session.ts";
import { settlementAdd } from "../../../schema/query/settlement.ts";
import type { Param, Statement } from "../../../schema/query/statement.ts";
import { tokenByHash } from "../../../schema/query/token.ts";
import { topupCredited, topupSettle } from "../../../schema/query/topup.ts";
import type { DeviceIdentity } from "../../../src/domain/identity.ts";
import { Callers, isBatch, Refusal, refusal, shownCard } from "./answer.ts";
import { type AwaitingRow, Batch, type Known } from "./batch.ts";
import { type GrantParams, grantDesk } from "./grant.ts";
import { announce, type Setting } from "./setting.ts";
import { awaitingOfCards } from "./sql.ts";

const setting = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as Setting;
const db = new Database(setting.store, { fileMustExist: true });
db.pragma("journal_mode = WAL");
db.pragma("synchronous = FULL");
db.pragma("foreign_keys = ON");
db.pragma("cache_size = -65536");
db.pragma("temp_store = MEMORY");
db.pragma("wal_autocheckpoint = 4000");

/** A statement with `?7` as this driver takes it: plain `?`, the parameters in order of appearance. */
function prepared<P extends readonly Param[], R>({ sql }: Statement<P, R>) {
  const order: number[] = [];
  const text = sql.replace(/\?(\d+)/g, (_, number: string) => {
    order.push(Number(number) - 1);
    return "?";
  });
  const own = db.prepare(text);
  const isPlain = order.every((at, i) => at === i);
  const bound = (params: readonly Param[]): readonly Param[] =>
    isPlain ? params : order.map((at) => params[at] ?? null);
  return {
    get: (...params: P) => own.get(...bound(params)) as R | undefined,
    all: (...params: P) => own.all(...bound(params)) as R[],
    run: (params: readonly Param[]) => own.run(...bound(params)),
  };
}

const read = {
  token: prepared(tokenByHash),
  clean: prepared(batchClean),
  card: prepared(cardById),
  awaiting: prepared(awaitingOfCards),
  windows: prepared(grantWindows),
  lastEvent: prepared(eventLast),
  lastBatch: prepared(batchLast),
  auditHead: prepared(auditHead),
};
const write = {
  grant: prepared(grantInsert),
  batch: prepared(batchInsert),
  audit: prepared(auditInsert),
  auditDetail: prepared(auditDetailInsert),
  events: prepared(eventInsert),
  places: prepared(placeInsert),
  heads: prepared(headUpdate),
  weeks: prepared(debitWeekPut),
  holes: prepared(holeInsert),
  validated: prepared(cardUpdate),
  settled: prepared(topupSettle),
  completed: prepared(txnStatus),
  credited: prepared(topupCredited),
  flags: prepared(flagInsert),
  settlements: prepared(settlementAdd),
  published: prepared(publishedInsert),
  walletAdd: prepared(walletAdd),
};
const many = [
  ...(["events", "places", "heads", "weeks", "holes", "validated", "settled"] as const),
  ...(["completed", "credited", "flags", "settlements", "published"] as const),
];

function known(batch: Batch): Known {
  const { tenantId, deviceNo } = batch.device;
  const cards = batch.cardIds.flatMap((cardId) => read.card.get(tenantId, cardId) ?? []);
  const awaiting: AwaitingRow[] =
    batch.creditIds.length === 0
      ? []
      : read.awaiting.all(tenantId, JSON.stringify(batch.creditIds));
  return {
    cards,
    awaiting,
    windows: read.windows.all(deviceNo, batch.sinceSec),
    firstEventId: (read.lastEvent.get()?.event_id ?? 0) + 1,
    batchNo: (read.lastBatch.get()?.batch_no ?? 0) + 1,
  };
}

const take = db.transaction((batch: Batch) => {
  const { tenantId } = batch.device;
  if (read.clean.get(tenantId, batch.digest) !== undefined) throw batch.resent();
  const writes = batch.decide(known(batch));
  const closing = batch.close(read.auditHead.get(tenantId));
  write.audit.run(closing.audit);
  write.auditDetail.run(closing.auditDetail);
  write.batch.run(closing.batch);
  for (const name of many) for (const row of writes[name]) write[name].run(row);
  write.walletAdd.run(writes.walletAdd);
});
const keepGrant = db.transaction((row: GrantParams) => write.grant.run(row));

const callers = new Callers();
function caller(authorization: string | undefined): DeviceIdentity {
  const nowSec = Math.floor(Date.now() / 1000);
  const digest = callers.digest(authorization);
  const device = callers.known(digest, nowSec);
  if (device !== undefined) return device;
  return callers.learn(digest, read.token.get(Buffer.from(digest, "hex")), nowSec);
}

const desk = await grantDesk(setting);
const app = new Hono();

app.onError((error, c) => {
  if (error instanceof Refusal) return c.json(error.body, error.status);
  process.stderr.write(`${error.stack}\n`);
  return c.json({ error: "internal" }, 500);
});
app.get("/.well-known/jwks.json", (c) => c.json(setting.jwks as object));
app.get("/api/session-grant", async (c) => {
  const { row, text } = desk.issue(caller(c.req.header("authorization")), Date.now());
  keepGrant.immediate(row);
  c.header("kartu-key-id", setting.kid);
  c.header("cache-control", "no-store");
  return c.body(await text, 200, { "content-type": "application/json" });
});
app.post("/api/reconcile", async (c) => {
  const device = caller(c.req.header("authorization"));
  const text = await c.req.text();
  const body: unknown = JSON.parse(text);
  if (!isBatch(body)) throw refusal(400, "malformed_payload");
  const digest = createHash("sha256").update(text).digest();
  const batch = new Batch(setting, device, body, digest, Date.now());
  take.immediate(batch);
  return c.json(batch.answer());
});
app.get("/api/cards/:cardId", (c) => {
  const { tenantId } = caller(c.req.header("authorization"));
  return c.json(shownCard(read.card.get(tenantId, c.req.param("cardId"))));
});

const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, ({ port }) =>
  announce(port),
);
process.once("SIGTERM", () => {
  server.close(() => {
    db.close();
    process.exit(0);
  });
  if ("closeAllConnections" in server) server.closeAllConnections();
});
