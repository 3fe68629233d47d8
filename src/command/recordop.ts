/**
 * Operations on what cards and devices did: lists of cards, batches, events and reports, and the
 * blocklist. All but two only look.
 */
import { Type } from "@sinclair/typebox";
import {
  blockReasonMaxChars,
  searchMaxChars,
  searchMinChars,
  terminalIdMax,
  uint32Max,
} from "../../schema/bound.ts";
import { STATUS_NAME } from "../domain/cardrecord.ts";
import { hashHex } from "../domain/chain.ts";
import { outcomes } from "../domain/handed.ts";
import { cli, operation, reading, tenantOf, tenantSlug, text } from "./kind.ts";
import { isoOfMs, isoOfSec } from "./view.ts";

const tenant = tenantSlug;
const cardId = Type.String({ pattern: "^[0-9a-f]{12}$", title: "12 lowercase hex digits" });
const terminalId = Type.Optional(Type.Integer({ minimum: 1, maximum: terminalIdMax }));
const below = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const place = Type.Optional(Type.Array(below, { minItems: 1, maxItems: 5 }));
const limit = Type.Integer({ minimum: 1, maximum: 1_000 });
const by = { actor: cli } as const;

const every = Number.MAX_SAFE_INTEGER;

export const recordOperations = {
  "card.list": reading(
    {
      ...{ tenant, below, limit },
      status: Type.Optional(Type.Union(STATUS_NAME.map((name) => Type.Literal(name)))),
      userId: Type.Optional(Type.Integer({ minimum: 1, maximum: uint32Max })),
      q: Type.Optional(text(searchMaxChars, searchMinChars)),
    },
    async (host, args) => {
      const { status = null, userId = null, q = null } = args;
      const rest = { keyVersion: null, needsValidation: null, flagged: null, memberId: null };
      const filter = { ...rest, status, userId, q };
      const list = host.card.list(await tenantOf(host, args.tenant), filter);
      const nowSec = Math.floor(host.clock.nowMs() / 1000);
      const cards = await list.page(args.below, args.limit, nowSec);
      return cards.map((card) => ({
        cardNo: card.cardNo,
        card: {
          ...{ cardId: card.cardId, userId: card.userId, name: card.name, status: card.status },
          ...{ state: card.state, keyVersion: card.keyVersion, balance: card.balance },
          ...{ counter: card.counter, openFlags: card.openFlags },
          lastActivityAt: isoOfSec(card.lastActivitySec),
        },
      }));
    },
  ),

  "batch.list": reading({ tenant, below, limit, terminalId }, async (host, args) => {
    const filter = { fromMs: null, toMs: null, flagged: null };
    const found = await host.reconcile.batches(
      await tenantOf(host, args.tenant),
      { ...filter, terminalId: args.terminalId ?? null },
      args.below,
      args.limit,
    );
    return found.map(({ batchNo, receivedAtMs, ...batch }) => ({
      batchNo,
      batch: { ...batch, receivedAt: isoOfMs(receivedAtMs) },
    }));
  }),

  "event.list": reading(
    {
      ...{ tenant, place, limit, terminalId, cardId: Type.Optional(cardId) },
      outcome: Type.Optional(Type.Union(outcomes.map((word) => Type.Literal(word)))),
    },
    async (host, args) => {
      const { cardId = null, terminalId = null, outcome = null } = args;
      const whole = { type: null, fromSec: 0, toSec: every, batchId: null };
      const tenantId = await tenantOf(host, args.tenant);
      const filter = { ...whole, cardId, terminalId, outcome };
      const found = await host.reconcile.handedIn(tenantId, filter, args.place, args.limit);
      return found.map(({ place, timestampSec, receivedAtMs, hash, ...event }) => ({
        place: [...place],
        event: {
          ...{ ...event, hash: hashHex(hash), reasons: [...event.reasons] },
          ...{ timestamp: isoOfSec(timestampSec), receivedAt: isoOfMs(receivedAtMs) },
        },
      }));
    },
  ),

  "report.list": reading(
    { ...{ tenant, below, limit, terminalId }, cardId: Type.Optional(cardId) },
    async (host, args) => {
      const { cardId = null, terminalId = null } = args;
      const filter = { eventType: null, cardId, terminalId, fromSec: 0, toSec: every };
      const tenantId = await tenantOf(host, args.tenant);
      const found = await host.report.page(tenantId, filter, args.below, args.limit);
      return found.map(({ reportNo, timestampSec, receivedAtMs, ...report }) => ({
        reportNo,
        report: {
          ...report,
          ...{ timestamp: isoOfSec(timestampSec), receivedAt: isoOfMs(receivedAtMs) },
        },
      }));
    },
  ),

  "blocklist.list": reading({ tenant, below, limit }, async (host, args) => {
    const tenantId = await tenantOf(host, args.tenant);
    const found = await host.blocklist.page(tenantId, args.below, args.limit);
    return found.map(({ version, blockedAtSec, ...listed }) => ({
      version,
      listed: { ...listed, blockedAt: isoOfSec(blockedAtSec) },
    }));
  }),
  "blocklist.add": operation(
    { tenant, cardId, reason: text(blockReasonMaxChars) },
    async (host, args) => {
      const tenantId = await tenantOf(host, args.tenant);
      const nowMs = host.clock.nowMs();
      const made = await host.store.write((tx) =>
        host.blocklist.list(tx, tenantId, args.cardId, args.reason, by, nowMs),
      );
      return { cardId: made.cardId, status: made.status, reason: made.reason };
    },
  ),
  "blocklist.remove": operation({ tenant, cardId }, async (host, args) => {
    const tenantId = await tenantOf(host, args.tenant);
    const nowMs = host.clock.nowMs();
    await host.store.write((tx) => host.blocklist.unlist(tx, tenantId, args.cardId, by, nowMs));
    return { cardId: args.cardId };
  }),
} as const;
