/**
 * Peer: Hono in workerd with D1. Reads in one `batch()`, decides, writes in one more, which D1 runs as
 * a transaction; the key of the audit chain refuses a second writer, and batches queue within the
 * isolate, so none is. Many rows of a table go in as one JSON parameter. `d1host.ts` starts it.
 */
import "./runtime.ts";
import { createHash } from "node:crypto";
import type { D1Database, D1PreparedStatement } from "@cloudflare/workers-types";
import { Hono } from "hono";
import { auditDetailInsert, auditHead, auditInsert } from "../../../schema/query/audit.ts";
import { batchClean, batchInsert, batchLast } from "../../../schema/query/batch.ts";
import {
  type CardRow,
  cardById,
  cardUpdate,
  debitWeekPut,
  headUpdate,
} from "../../../schema/query/card.ts";
import { eventInsert, eventLast, holeInsert, placeInsert } from "../../../schema/query/event.ts";
import { flagInsert } from "../../../schema/query/flag.ts";
import { txnStatus, walletAdd } from "../../../schema/query/money.ts";
import { publishedInsert } from "../../../schema/query/published.ts";
import { type GrantWindowRow, grantInsert, grantWindows } from "../../../schema/query/session.ts";
import { settlementAdd } from "../../../schema/query/settlement.ts";
import type { Param, Statement } from "../../../schema/query/statement.ts";
import { type TokenRow, tokenByHash } from "../../../schema/query/token.ts";
import { topupCredited, topupSettle } from "../../../schema/query/topup.ts";
import type { DeviceIdentity } from "../../../src/domain/identity.ts";
import { Callers, isBatch, Refusal, refusal, shownCard } from "./answer.ts";
import { type AwaitingRow, Batch, type Known, type Writes } from "./batch.ts";
import { grantDesk } from "./grant.ts";
import type { Setting } from "./setting.ts";
import { awaitingOfCards, cardsById } from "./sql.ts";

interface Env {
  readonly DB: D1Database;
  readonly SETTING: Setting;
}

type Row = readonly Param[];

const bind = (db: D1Database, { sql }: Pick<Statement, "sql">, params: Row): D1PreparedStatement =>
  db.prepare(sql).bind(...params);

/** `INSERT … VALUES (?1, …)` for all rows of a JSON array of arrays. */
const insertMany = ({ sql }: Pick<Statement, "sql">): string =>
  sql.replace(/VALUES \((.*?)\)/s, (_, list: string) => {
    const cells = list.replace(/\?(\d+)/g, (__, n: string) => `one.value ->> ${Number(n) - 1}`);
    // SQLite needs a WHERE between a SELECT and an ON CONFLICT.
    return `SELECT ${cells} FROM json_each(?1) AS one WHERE true`;
  });

/** `UPDATE head …` for all rows of a JSON array of arrays. */
const updateMany = ({ sql }: Pick<Statement, "sql">): string =>
  sql
    .replace(/\?(\d+)/g, (_, n: string) => `one.value ->> ${Number(n) - 1}`)
    .replace("WHERE card_no =", "FROM json_each(?1) AS one WHERE card_no =")
    .replace("AND tenant_id =", "AND head.tenant_id =");

const inserts: readonly (readonly [keyof Writes, string])[] = [
  ["events", insertMany(eventInsert)],
  ["places", insertMany(placeInsert)],
  ["heads", updateMany(headUpdate)],
  ["weeks", insertMany(debitWeekPut)],
  ["holes", insertMany(holeInsert)],
  ["flags", insertMany(flagInsert)],
  ["published", insertMany(publishedInsert)],
];

const updates = [
  ["validated", cardUpdate],
  ["settled", topupSettle],
  ["completed", txnStatus],
  ["credited", topupCredited],
  ["settlements", settlementAdd],
] as const;

function written(db: D1Database, batch: Batch, writes: Writes, head: unknown) {
  const { seq = 0, hash = [] } = (head ?? {}) as { seq?: number; hash?: number[] };
  const closing = batch.close(seq === 0 ? undefined : { seq, hash: Uint8Array.from(hash) });
  const all = [
    bind(db, auditInsert, closing.audit),
    bind(db, auditDetailInsert, closing.auditDetail),
    bind(db, batchInsert, closing.batch),
  ];
  for (const [name, sql] of inserts) {
    if (writes[name].length > 0) all.push(db.prepare(sql).bind(JSON.stringify(writes[name])));
  }
  for (const [name, statement] of updates) {
    for (const row of writes[name]) all.push(bind(db, statement, row));
  }
  all.push(bind(db, walletAdd, writes.walletAdd));
  return all;
}

async function take(db: D1Database, batch: Batch): Promise<void> {
  const { tenantId, deviceNo } = batch.device;
  const [clean, cards, awaiting, windows, lastEvent, lastBatch, head] = await db.batch([
    bind(db, batchClean, [tenantId, batch.digest]),
    bind(db, cardsById, [tenantId, JSON.stringify(batch.cardIds)]),
    bind(db, awaitingOfCards, [tenantId, JSON.stringify(batch.creditIds)]),
    bind(db, grantWindows, [deviceNo, batch.sinceSec]),
    db.prepare(eventLast.sql),
    db.prepare(batchLast.sql),
    bind(db, auditHead, [tenantId]),
  ]);
  if ((clean?.results.length ?? 0) > 0) throw batch.resent();
  const one = (result: typeof lastEvent) =>
    result?.results[0] as Record<string, number> | undefined;
  const known: Known = {
    cards: (cards?.results ?? []) as CardRow[],
    awaiting: (awaiting?.results ?? []) as AwaitingRow[],
    windows: (windows?.results ?? []) as GrantWindowRow[],
    firstEventId: (one(lastEvent)?.event_id ?? 0) + 1,
    batchNo: (one(lastBatch)?.batch_no ?? 0) + 1,
  };
  await db.batch(written(db, batch, batch.decide(known), head?.results[0]));
}

const callers = new Callers();
async function caller(db: D1Database, authorization: string | undefined): Promise<DeviceIdentity> {
  const nowSec = Math.floor(Date.now() / 1000);
  const digest = callers.digest(authorization);
  const device = callers.known(digest, nowSec);
  if (device !== undefined) return device;
  const row = await bind(db, tokenByHash, [Buffer.from(digest, "hex")]).first<TokenRow>();
  return callers.learn(digest, row, nowSec);
}

/** Between the reads and the writes of a batch there is no other. */
let last: Promise<unknown> = Promise.resolve();
function inTurn(work: () => Promise<void>): Promise<void> {
  const own = last.then(work);
  last = own.catch(() => undefined);
  return own;
}

let opened: ReturnType<typeof grantDesk> | undefined;
const app = new Hono<{ Bindings: Env }>();

app.onError((error, c) => {
  if (error instanceof Refusal) return c.json(error.body, error.status);
  return c.json({ error: "internal", message: String(error.stack) }, 500);
});
app.get("/.well-known/jwks.json", (c) => c.json(c.env.SETTING.jwks as object));
app.get("/api/session-grant", async (c) => {
  const { DB, SETTING } = c.env;
  opened ??= grantDesk(SETTING);
  const desk = await opened;
  const device = await caller(DB, c.req.header("authorization"));
  const { row, text } = desk.issue(device, Date.now());
  const [answer] = await Promise.all([text, bind(DB, grantInsert, row).run()]);
  c.header("kartu-key-id", SETTING.kid);
  c.header("cache-control", "no-store");
  return c.body(answer, 200, { "content-type": "application/json" });
});
app.post("/api/reconcile", async (c) => {
  const { DB, SETTING } = c.env;
  const device = await caller(DB, c.req.header("authorization"));
  const text = await c.req.text();
  const body: unknown = JSON.parse(text);
  if (!isBatch(body)) throw refusal(400, "malformed_payload");
  const digest = createHash("sha256").update(text).digest();
  const batch = new Batch(SETTING, device, body, digest, Date.now());
  await inTurn(() => take(DB, batch));
  return c.json(batch.answer());
});
app.get("/api/cards/:cardId", async (c) => {
  const { DB } = c.env;
  const { tenantId } = await caller(DB, c.req.header("authorization"));
  const row = await bind(DB, cardById, [tenantId, c.req.param("cardId")]).first<CardRow>();
  return c.json(shownCard(row));
});

export default app;
