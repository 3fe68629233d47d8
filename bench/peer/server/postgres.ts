/**
 * Peer: Fastify on Node with postgres.js on PostgreSQL. As their documentation has it: JSON schema for
 * the body and the answers, prepared statements, `unnest` for many rows, a transaction a batch that
 * locks its cards' heads in their order, a process for two cores (node:cluster). Batches of different
 * cards run side by side; only the end of the audit chain is one at a time. Argument: the setting's path.
 */
import "./runtime.ts";
import cluster from "node:cluster";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import Fastify from "fastify";
import postgres from "postgres";
import { batchAnswer, batchRequest } from "../../../schema/contract/reconcile.ts";
import { type AuditHeadRow, auditHead } from "../../../schema/query/audit.ts";
import { type CardRow, cardById } from "../../../schema/query/card.ts";
import { type GrantWindowRow, grantInsert, grantWindows } from "../../../schema/query/session.ts";
import type { Param } from "../../../schema/query/statement.ts";
import { type TokenRow, tokenByHash } from "../../../schema/query/token.ts";
import type { DeviceIdentity } from "../../../src/domain/identity.ts";
import { Callers, Refusal, shownCard, type WireBatch } from "./answer.ts";
import { type AwaitingRow, Batch } from "./batch.ts";
import { grantDesk } from "./grant.ts";
import { announce, type Setting } from "./setting.ts";
import { closingWrites, dollars, tableWrites, type Write } from "./unnest.ts";

type Row = Record<string, unknown>;

const setting = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as Setting;

/** A process for half of the cores: the other half is the database's. */
const workers = Math.max(1, Math.ceil(availableParallelism() / 2));

/** Of one process; enough for batches to overlap, few enough not to crowd the database. */
const connections = 8;

const cardSql = dollars(cardById.sql);
const cardsSql = `${cardSql.replace("c.card_id = $2", "c.card_id = ANY($2)")}
  ORDER BY c.card_no FOR UPDATE OF h`;
const awaitingSql = `SELECT t.card_no, t.topup_no, t.amount, t.timestamp_sec, t.counter, t.device_no, t.status
  FROM card c JOIN topup t ON t.card_no = c.card_no AND t.event_id IS NULL AND t.status <> 'canceled'
  WHERE c.tenant_id = $1 AND c.card_id = ANY($2)`;
const windowsSql = dollars(grantWindows.sql);
const numbersSql = `SELECT nextval('event_block') AS event_id, nextval('batch_number') AS batch_no,
  EXISTS (SELECT 1 FROM batch WHERE clean = 1 AND digest = $2 AND tenant_id = $1) AS taken`;
/** Whoever has it appends to the tenant's audit chain; the lock ends with the transaction. */
const auditLockSql = "SELECT pg_advisory_xact_lock($1)";
const auditHeadSql = dollars(auditHead.sql);
const grantSql = dollars(grantInsert.sql);

async function work(): Promise<void> {
  const sql = postgres({
    path: `${setting.store}/.s.PGSQL.5432`,
    user: "postgres",
    max: connections,
    types: {
      // Every number of this schema is within ±(2^53 − 1).
      bigint: { to: 20, from: [20], parse: Number, serialize: String },
    },
  });
  const prepared = { prepare: true };

  async function take(batch: Batch): Promise<void> {
    const { tenantId, deviceNo } = batch.device;
    await sql.begin(async (tx) => {
      const rows = <R extends Row>(text: string, ...params: unknown[]) =>
        tx.unsafe<R[]>(text, params as Param[], prepared);
      // Sent at once, answered in order.
      const [numbers, cards, awaiting, windows] = await Promise.all([
        rows<{ event_id: number; batch_no: number; taken: boolean }>(
          numbersSql,
          ...[tenantId, batch.digest],
        ),
        rows<CardRow & Row>(cardsSql, tenantId, batch.cardIds),
        rows<AwaitingRow & Row>(awaitingSql, tenantId, batch.creditIds),
        rows<GrantWindowRow & Row>(windowsSql, deviceNo, batch.sinceSec),
      ]);
      const { event_id = 0, batch_no = 0, taken = false } = numbers[0] ?? {};
      if (taken) throw batch.resent();
      const known = { cards, awaiting, windows, firstEventId: event_id, batchNo: batch_no };
      const writes = batch.decide(known);
      const send = ({ text, params }: Write) => rows(text, ...params);
      await Promise.all(tableWrites(writes).map(send));
      const [, [head]] = await Promise.all([
        rows(auditLockSql, tenantId),
        rows<AuditHeadRow & Row>(auditHeadSql, tenantId),
      ]);
      await Promise.all(closingWrites(batch.close(head)).map(send));
    });
  }

  const callers = new Callers();
  async function caller(authorization: string | undefined): Promise<DeviceIdentity> {
    const nowSec = Math.floor(Date.now() / 1000);
    const digest = callers.digest(authorization);
    const device = callers.known(digest, nowSec);
    if (device !== undefined) return device;
    const hash = Buffer.from(digest, "hex");
    const [row] = await sql.unsafe<(TokenRow & Row)[]>(dollars(tokenByHash.sql), [hash], prepared);
    return callers.learn(digest, row, nowSec);
  }

  const desk = await grantDesk(setting);
  const app = Fastify({
    bodyLimit: 4 * 2 ** 20,
    forceCloseConnections: true,
    // As Kartu: a wrong type or a member too many is refused, not mended.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
  });
  const digests = new WeakMap<object, Uint8Array>();
  app.addContentTypeParser("application/json", { parseAs: "string" }, (_, text, done) => {
    try {
      const body = JSON.parse(String(text)) as object;
      digests.set(body, createHash("sha256").update(text).digest());
      done(null, body);
    } catch (error) {
      done(error as Error);
    }
  });
  app.setErrorHandler<Error & { statusCode?: number }>((error, _, reply) => {
    if (error instanceof Refusal) return reply.code(error.status).send(error.body);
    const status = error.statusCode ?? 500;
    if (status === 500) process.stderr.write(`${error.stack}\n`);
    return reply.code(status).send({ error: error.message });
  });
  app.get("/.well-known/jwks.json", () => setting.jwks);
  app.get("/api/session-grant", async (request, reply) => {
    const device = await caller(request.headers.authorization);
    const { row, text } = desk.issue(device, Date.now());
    const [answer] = await Promise.all([text, sql.unsafe(grantSql, row, prepared)]);
    reply.header("kartu-key-id", setting.kid).header("cache-control", "no-store");
    return reply.type("application/json").send(answer);
  });
  app.post<{ Body: WireBatch }>(
    "/api/reconcile",
    { schema: { body: batchRequest, response: { 200: batchAnswer } } },
    async (request) => {
      const device = await caller(request.headers.authorization);
      const digest = digests.get(request.body) ?? new Uint8Array(32);
      const batch = new Batch(setting, device, request.body, digest, Date.now());
      await take(batch);
      return batch.answer();
    },
  );
  app.get<{ Params: { cardId: string } }>("/api/cards/:cardId", async (request) => {
    const { tenantId } = await caller(request.headers.authorization);
    const params = [tenantId, request.params.cardId];
    const [row] = await sql.unsafe<(CardRow & Row)[]>(cardSql, params, prepared);
    return shownCard(row);
  });
  process.once("SIGTERM", () => {
    app
      .close()
      .then(() => sql.end())
      .then(() => process.exit(0));
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
}

/** The first process hands out connections and passes the end on. */
function lead(): void {
  let listening = 0;
  cluster.on("listening", (_, { port }) => {
    listening += 1;
    if (listening === workers) announce(port);
  });
  cluster.on("exit", (_, code) => {
    if (code !== 0) process.exit(1);
    if (Object.keys(cluster.workers ?? {}).length === 0) process.exit(0);
  });
  for (let i = 0; i < workers; i++) cluster.fork();
  process.once("SIGTERM", () => {
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill("SIGTERM");
  });
}

if (cluster.isPrimary) lead();
else await work();
