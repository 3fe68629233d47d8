/** `/fleet/flags`: the review queue, one by one and in bulk. What a decision does is the service's. */
import {
  approveRequest,
  decideRequest,
  dismissRequest,
  flagAnswer,
  flagParams,
  flagQuery,
} from "../../../schema/contract/review.ts";
import type { ReviewStatus } from "../../domain/batch.ts";
import type { ReviewReason, Severity } from "../../domain/flag.ts";
import { instantText, spanMs } from "../../domain/instant.ts";
import { Problem } from "../../domain/problem.ts";
import { batchAnswer, batchOf } from "../../http/platform/batch.ts";
import { byOf } from "../../http/platform/by.ts";
import { type Caller, checkBalanceChange } from "../../http/platform/caller.ts";
import { pageOf } from "../../http/platform/page.ts";
import { operation, type PlatformCall, type PlatformRoute } from "../../http/platform/route.ts";
import { type Decision, eventOf, type FlagRow, type ReviewService } from "./service.ts";

export interface ReviewRouteDeps {
  readonly review: ReviewService;
  /** Users whose address is not verified change no balance. */
  readonly verifiedEmailDue: boolean;
}

const flags = { namespace: "fleet", tag: "Review" } as const;
const read = { permission: "fleet.flags.read" } as const;
const decide = { permission: "fleet.flags.decide" } as const;
/** Of decisions that move money. */
const moving = ["impersonation-restricted", "email-not-verified"] as const;
const moneyNote =
  "A decision that moves money also needs `money.credit`, and is no call for somebody who acts as another.";

/** An event as it was kept as evidence; times as numbers of seconds. */
interface Seen {
  readonly counter: number;
  readonly type: string;
  readonly amount: number;
  readonly balanceAfter: number;
  readonly timestamp: number;
  readonly hash: string;
}
interface Evidence {
  readonly event?: Seen;
  readonly conflict?: Seen;
  readonly recorded?: Seen;
  readonly limit?: number;
  readonly total?: number;
  readonly fromCounter?: number | null;
  readonly toCounter?: number | null;
  readonly since?: number;
}

const secText = (sec: number): string => instantText(sec * 1000);
const seenOf = (seen: Seen | undefined) =>
  seen === undefined ? null : { ...seen, timestamp: secText(seen.timestamp) };

function evidenceOf(text: string) {
  const kept = JSON.parse(text) as Evidence;
  return {
    event: seenOf(kept.event),
    conflict: seenOf(kept.conflict ?? kept.recorded),
    limit: kept.limit ?? null,
    total: kept.total ?? null,
    fromCounter: kept.fromCounter ?? null,
    toCounter: kept.toCounter ?? null,
    since: kept.since === undefined ? null : secText(kept.since),
  };
}

const viewOf = (row: FlagRow) => ({
  id: row.uuid,
  kind: row.kind as "flag" | "quarantine",
  reason: row.reason as ReviewReason,
  severity: row.severity as Severity,
  status: row.status as ReviewStatus,
  cardId: row.card_id,
  terminalId: row.terminal_id,
  eventId: eventOf(row),
  batchId: row.batch_uuid,
  counter: row.counter,
  amount: row.amount,
  raisedAt: instantText(row.raised_at_ms),
  decidedAt: row.decided_at_ms === null ? null : instantText(row.decided_at_ms),
  decidedBy: row.decided_by,
  note: row.note,
  evidence: evidenceOf(row.evidence),
});

const id = "01936d7a-0000-7000-8000-000000000001";
const params = { id };
const event = {
  ...{ counter: 17, type: "debit", amount: 15_000, balanceAfter: 485_000 },
  ...{ timestamp: "2026-11-21T12:10:00.000Z", hash: "0f1e2d3c4b5a" },
};
const example = {
  ...{ id, kind: "flag" as const, reason: "daily_limit_exceeded" as const },
  ...{ severity: "low" as const, status: "open" as const, cardId: "a1b2c3d4e5f6", terminalId: 42 },
  eventId: "01936d7a-0000-7000-8000-000000000002",
  batchId: "01936d7a-0000-7000-8000-000000000003",
  ...{ counter: 17, amount: 15_000, raisedAt: "2026-11-21T16:33:00.000Z" },
  ...{ decidedAt: null, decidedBy: null, note: null },
  evidence: {
    ...{ event, conflict: null, limit: 2_000_000, total: 2_005_000 },
    ...{ fromCounter: null, toCounter: null, since: null },
  },
};
const decided = {
  ...{ ...example, status: "approved" as const, decidedAt: "2026-11-21T17:00:00.000Z" },
  ...{ decidedBy: "01936d7a-0000-7000-8000-000000000004", note: "the holder confirmed it" },
};
const request = { note: decided.note };

type Called = PlatformCall<unknown, unknown, unknown, Caller>;

/** Who decides, and what is asked of them where money moves. */
const decisionOf = (
  call: Called,
  { note, block }: { readonly note: string; readonly block?: boolean },
  verifiedEmailDue: boolean,
): Decision => {
  const { caller } = call;
  const by = byOf(call);
  return {
    ...{ note, actor: by.actor, by },
    ...(block !== undefined && { block }),
    mayMoveMoney: () => {
      if (!caller.can("money.credit")) {
        throw new Problem("forbidden", "The permission money.credit is missing.");
      }
      checkBalanceChange(caller, verifiedEmailDue);
    },
  };
};

export const reviewRoutes = (deps: ReviewRouteDeps): PlatformRoute[] => [
  ...lookingRoutes(deps),
  ...decidingRoutes(deps),
  bulkRoute(deps),
];

const lookingRoutes = ({ review }: ReviewRouteDeps): PlatformRoute[] => [
  operation({
    ...flags,
    method: "GET",
    path: "/fleet/flags",
    operationId: "listFlags",
    summary: "The review queue",
    description: "Newest first; what is open unless another status is asked for.",
    access: read,
    contract: { query: flagQuery, list: flagAnswer },
    status: 200,
    refusals: [],
    examples: {
      query: { severity: "high" },
      response: { data: [example], meta: { cursor: null, hasMore: false, total: 1 } },
    },
    handle: (call) => {
      const { query } = call;
      const { tenantId } = call.caller;
      const filter = {
        status: query.status ?? "open",
        kind: query.kind ?? null,
        reason: query.reason ?? null,
        severity: query.severity ?? null,
        cardId: query.cardId ?? null,
        terminalId: query.terminalId ?? null,
        ...spanMs(query),
      };
      return pageOf(
        call,
        {
          read: (after, limit) =>
            review.page(tenantId, filter, Number(after?.[0] ?? Number.MAX_SAFE_INTEGER), limit),
          placeOf: (row) => [row.flag_no],
          count: () => review.count(tenantId, filter),
        },
        viewOf,
      );
    },
  }),
  operation({
    ...flags,
    method: "GET",
    path: "/fleet/flags/:id",
    operationId: "getFlag",
    summary: "One flag with its evidence",
    access: read,
    contract: { params: flagParams, response: flagAnswer },
    status: 200,
    refusals: [],
    examples: { params, response: example },
    handle: async ({ caller, params }) => viewOf(await review.find(caller.tenantId, params.id)),
  }),
];

const decidingRoutes = ({ review, verifiedEmailDue }: ReviewRouteDeps): PlatformRoute[] => [
  operation({
    ...flags,
    method: "POST",
    path: "/fleet/flags/:id/approve",
    operationId: "approveFlag",
    summary: "The event stands",
    description: `Waiting money goes to the card; a refused event is judged again. ${moneyNote}`,
    access: decide,
    contract: { params: flagParams, body: approveRequest, response: flagAnswer },
    status: 200,
    refusals: ["wrong-state", "still-rejected", ...moving],
    examples: { params, request, response: decided },
    handle: (call) => {
      const { caller, params, body, nowMs, write } = call;
      const decision = decisionOf(call, body, verifiedEmailDue);
      return write(async (tx) =>
        viewOf(await review.approveIn(tx, caller.tenantId, params.id, decision, nowMs)),
      );
    },
  }),
  operation({
    ...flags,
    method: "POST",
    path: "/fleet/flags/:id/dismiss",
    operationId: "dismissFlag",
    summary: "The matter is closed",
    description: `Waiting money goes back to cash, and its card is blocked. ${moneyNote}`,
    access: decide,
    contract: { params: flagParams, body: dismissRequest, response: flagAnswer },
    status: 200,
    refusals: ["wrong-state", ...moving],
    examples: { params, request, response: { ...decided, status: "dismissed" } },
    handle: (call) => {
      const { caller, params, body, nowMs, write } = call;
      const decision = decisionOf(call, body, verifiedEmailDue);
      return write(async (tx) =>
        viewOf(await review.dismissIn(tx, caller.tenantId, params.id, decision, nowMs)),
      );
    },
  }),
];

const bulkRoute = ({ review, verifiedEmailDue }: ReviewRouteDeps): PlatformRoute =>
  operation({
    ...flags,
    method: "POST",
    path: "/fleet/flags/decide",
    operationId: "decideFlags",
    summary: "Decide up to 100 flags alike",
    description: `Each stands alone. ${moneyNote}`,
    access: decide,
    contract: { body: decideRequest, response: batchAnswer(flagAnswer) },
    status: 200,
    alsoStatus: [207],
    refusals: ["not-found", "wrong-state", "still-rejected", ...moving],
    examples: {
      request: { ids: [id], decision: "approve", note: decided.note },
      response: {
        data: [{ index: 0, status: 200, result: decided }],
        meta: { succeeded: 1, failed: 0 },
      },
    },
    handle: (call) => {
      const { caller, body, nowMs, write } = call;
      const decision = decisionOf(call, body, verifiedEmailDue);
      const one = body.decision === "approve" ? review.approveIn : review.dismissIn;
      // One transaction for all: an item that fails does so before its first row is written.
      return write(
        (tx) =>
          batchOf(call, body.ids, 200, async (flagId) =>
            viewOf(await one(tx, caller.tenantId, flagId, decision, nowMs)),
          ),
        { weight: body.ids.length },
      );
    },
  });
