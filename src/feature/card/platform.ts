/** `/fleet/cards`: looking at cards, and blocking them. Nothing is decided here. */
import {
  blockCardRequest,
  cardBlocked,
  cardListQuery,
  cardShown,
  timelineAnswer,
  timelineQuery,
} from "../../../schema/contract/card.ts";
import { cardParams } from "../../../schema/contract/common.ts";
import { BLOCKED_ADMIN, BLOCKED_FRAUD } from "../../domain/cardrecord.ts";
import { instantText, spanMs } from "../../domain/instant.ts";
import { Problem } from "../../domain/problem.ts";
import { byOf } from "../../http/platform/by.ts";
import { pageOf, totalMax } from "../../http/platform/page.ts";
import { operation, type PlatformRoute } from "../../http/platform/route.ts";
import type { CardFilter, CardService, CardShown, TimelineEntry } from "./service.ts";

const cards = { namespace: "fleet", tag: "Cards" } as const;
const read = { permission: "fleet.cards.read" } as const;
const block = { permission: "fleet.cards.block" } as const;

const secText = (sec: number): string => instantText(sec * 1000);
const secOrNull = (sec: number | null): string | null => (sec === null ? null : secText(sec));

const viewOf = (card: CardShown) => ({
  cardId: card.cardId,
  userId: card.userId,
  memberId: card.memberId,
  name: card.name,
  status: card.status,
  statusCode: card.statusCode,
  state: card.state,
  keyVersion: card.keyVersion,
  balance: card.balance,
  pendingTopups: card.pendingTopups,
  counter: card.counter,
  needsValidation: card.needsValidation,
  expiresAt: secOrNull(card.expiresAtSec),
  createdAt: secText(card.createdAtSec),
  lastActivityAt: secText(card.lastActivitySec),
  blockedAt: secOrNull(card.blockedAtSec),
  blockReason: card.blockReason,
  blockedBy: card.blockedBy,
  replaces: card.replaces,
  replacedBy: card.replacedBy,
  openFlags: card.openFlags,
  wallet: card.wallet,
});

const entryOf = (entry: TimelineEntry) => ({
  id: entry.id,
  at: instantText(entry.atMs),
  kind: entry.kind,
  terminalId: entry.terminalId,
  actor: entry.actor,
  amount: entry.amount,
  balanceAfter: entry.balanceAfter,
  counter: entry.counter,
  detail: { ...entry.detail },
});

const cardId = "a1b2c3d4e5f6";
const params = { cardId };
const example = {
  ...{ cardId, userId: 1001, memberId: "01936d7a-0000-7000-8000-000000000001" },
  ...{
    name: "Siti Rahayu",
    status: "ACTIVE" as const,
    statusCode: 0,
    state: "CHECKED_IN" as const,
  },
  ...{ keyVersion: 1, balance: 485_000, pendingTopups: { count: 0, amount: 0 }, counter: 17 },
  ...{ needsValidation: false, expiresAt: null, createdAt: "2026-11-20T08:00:00.000Z" },
  ...{ lastActivityAt: "2026-11-21T16:33:00.000Z", blockedAt: null, blockReason: null },
  ...{ blockedBy: null, replaces: null, replacedBy: null, openFlags: 0 },
  wallet: {
    id: "01936d7a-0000-7000-8000-000000000002",
    balance: { available: 485_000, pending: 0, frozen: 0 },
  },
};
const blocked = {
  ...{ ...example, status: "BLOCKED_ADMIN" as const, statusCode: 4 },
  ...{ blockedAt: "2026-11-21T16:33:00.000Z", blockReason: "reported lost" },
  ...{ blockedBy: "01936d7a-0000-7000-8000-000000000003", changed: true },
};
const entry = {
  id: "01936d7a-0000-7000-8000-000000000004",
  at: "2026-11-21T16:33:00.000Z",
  ...{ kind: "event" as const, terminalId: 42, actor: "till-42", amount: 15_000 },
  ...{ balanceAfter: 485_000, counter: 17 },
  detail: {
    ...{ type: "debit", flags: [], batchId: "01936d7a-0000-7000-8000-000000000005", auditSeq: 812 },
    transactionId: "01936d7a-0000-7000-8000-000000000004",
  },
};

export const cardPlatformRoutes = (service: CardService): PlatformRoute[] => [
  ...lookingRoutes(service),
  ...blockingRoutes(service),
];

/** Expiries that have come are written down first, so that lists and totals know them. */
async function expire(service: CardService, nowMs: number): Promise<void> {
  while ((await service.expireDue(nowMs)) > 0);
}

const lookingRoutes = (service: CardService): PlatformRoute[] => [
  operation({
    ...cards,
    method: "GET",
    path: "/fleet/cards",
    operationId: "listCards",
    summary: "Cards of the venue",
    description: "Newest first, by when they were registered.",
    access: read,
    contract: { query: cardListQuery, list: cardShown },
    status: 200,
    refusals: [],
    examples: {
      query: { status: "ACTIVE" },
      response: { data: [example], meta: { cursor: null, hasMore: false, total: 1 } },
    },
    handle: async (call) => {
      const { caller, query, nowMs, nowSec } = call;
      const { tenantId } = caller;
      await expire(service, nowMs);
      const filter: CardFilter = {
        status: query.status ?? null,
        keyVersion: query.keyVersion ?? null,
        needsValidation: query.needsValidation ?? null,
        flagged: query.flagged ?? null,
        userId: query.userId ?? null,
        memberId: query.memberId ?? null,
        q: query.q ?? null,
      };
      const { page, count } = service.list(tenantId, filter);
      return await pageOf(
        call,
        {
          read: (after, limit) =>
            page(Number(after?.[0] ?? Number.MAX_SAFE_INTEGER), limit, nowSec),
          placeOf: ({ cardNo }) => [cardNo],
          count,
        },
        viewOf,
      );
    },
  }),
  operation({
    ...cards,
    method: "GET",
    path: "/fleet/cards/:cardId",
    operationId: "getCardOfVenue",
    summary: "One card",
    access: read,
    contract: { params: cardParams, response: cardShown },
    status: 200,
    refusals: [],
    examples: { params, response: example },
    handle: async ({ caller, params: { cardId }, nowSec }) =>
      viewOf(await service.find(caller.tenantId, cardId, nowSec)),
  }),
  operation({
    ...cards,
    method: "GET",
    path: "/fleet/cards/:cardId/timeline",
    operationId: "listCardTimeline",
    summary: "All that happened to a card",
    description:
      "Newest first by `at`. The id of an `event` is that of its event and of its transaction; of a " +
      "`flag` that of the flag.",
    access: read,
    contract: { params: cardParams, query: timelineQuery, list: timelineAnswer },
    status: 200,
    refusals: [],
    examples: {
      params,
      response: { data: [entry], meta: { cursor: null, hasMore: false, total: 1 } },
    },
    handle: (call) => {
      const { caller, query, params } = call;
      const { fromMs, toMs } = spanMs(query);
      const filter = {
        kind: query.kind ?? null,
        fromMs: fromMs ?? 0,
        toMs: toMs ?? Number.MAX_SAFE_INTEGER,
      };
      const of = [caller.tenantId, params.cardId, filter] as const;
      return pageOf(
        call,
        {
          capped: true,
          read: (after, limit) => service.timelinePage(...of, after?.map(Number), limit),
          placeOf: ({ place }) => place,
          count: () => service.timelineCount(...of, totalMax + 1),
        },
        entryOf,
      );
    },
  }),
];

const blockingRoutes = (service: CardService): PlatformRoute[] => [
  operation({
    ...cards,
    method: "POST",
    path: "/fleet/cards/:cardId/block",
    operationId: "blockCardOfVenue",
    summary: "Block a card",
    description: "A card that is blocked already keeps its status; the request is recorded.",
    access: block,
    contract: { params: cardParams, body: blockCardRequest, response: cardBlocked },
    status: 200,
    refusals: ["wrong-state"],
    examples: { params, request: { reason: "reported lost" }, response: blocked },
    handle: async (call) => {
      const { caller, params, body, nowMs } = call;
      const as = body.as === "BLOCKED_FRAUD" ? BLOCKED_FRAUD : BLOCKED_ADMIN;
      const by = byOf(call);
      return await call.write(async (tx) => {
        const of = [caller.tenantId, params.cardId, as, body.reason, by, nowMs] as const;
        const { changed, ...card } = await service.blockByOperator(tx, ...of);
        return { ...viewOf(card), changed };
      });
    },
  }),
  operation({
    ...cards,
    method: "POST",
    path: "/fleet/cards/:cardId/unblock",
    operationId: "unblockCard",
    summary: "Never: a blocked card comes back only by a reissue at a station",
    access: block,
    contract: { params: cardParams, response: cardShown },
    status: 200,
    refusals: ["unblock-by-reissue"],
    examples: { params, response: example },
    handle: async ({ caller, params, nowSec }) => {
      await service.find(caller.tenantId, params.cardId, nowSec);
      throw new Problem("unblock-by-reissue");
    },
  }),
];
