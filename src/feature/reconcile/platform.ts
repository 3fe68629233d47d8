/** `/fleet/batches` and `/fleet/events`: what devices handed in. Nothing is decided here. */
import {
  batchAnswer,
  batchParams,
  batchQuery,
  eventAnswer,
  eventQuery,
} from "../../../schema/contract/record.ts";
import { hashHex } from "../../domain/chain.ts";
import { instantText, spanMs, spanSec } from "../../domain/instant.ts";
import { type ListAnswer, type PageCall, pageOf, totalMax } from "../../http/platform/page.ts";
import { operation, type PlatformRoute } from "../../http/platform/route.ts";
import type { Batch, EventFilter, HandedPlaced, ReconcileService } from "./service.ts";

type Records = Pick<
  ReconcileService,
  "batches" | "countBatches" | "batch" | "handedIn" | "countHandedIn"
>;

const shared = {
  ...{ namespace: "fleet", tag: "Batches and reports" },
  access: { permission: "fleet.batches.read" },
} as const;

const batchView = (batch: Batch) => ({
  id: batch.id,
  terminalId: batch.terminalId,
  deviceId: batch.deviceId,
  receivedAt: instantText(batch.receivedAtMs),
  events: batch.events,
  accepted: batch.accepted,
  rejected: batch.rejected,
  flagged: batch.flagged,
  debitAmount: batch.debitAmount,
  creditAmount: batch.creditAmount,
  digest: batch.digest,
  auditSeq: batch.auditSeq,
});

const eventView = (event: HandedPlaced) => ({
  id: event.id,
  seq: event.seq,
  batchId: event.batchId,
  terminalId: event.terminalId,
  cardId: event.cardId,
  counter: event.counter,
  type: event.type,
  amount: event.amount,
  balanceAfter: event.balanceAfter,
  timestamp: instantText(event.timestampSec * 1000),
  hash: hashHex(event.hash),
  outcome: event.outcome,
  reasons: [...event.reasons],
  receivedAt: instantText(event.receivedAtMs),
  auditSeq: event.auditSeq,
});

const id = "01936d7a-0000-7000-8000-000000000001";
const receivedAt = "2026-11-21T16:33:00.000Z";
const batch = {
  ...{ id, terminalId: 42, deviceId: "till-42", receivedAt, events: 3, accepted: 3, rejected: 0 },
  ...{ flagged: 1, debitAmount: 45_000, creditAmount: 0 },
  digest: "d2f1a8a5a64f4d12b6e0cbb6b7fc1ea3a3ff1d5cf0c4b23a56ad5d0d7a4f6b11",
  auditSeq: 812,
};
const event = {
  ...{ id: "01936d7a-0000-7000-8000-000000000002", seq: 43_008, batchId: id, terminalId: 42 },
  ...{ cardId: "a1b2c3d4e5f6", counter: 17, type: "debit" as const, amount: 15_000 },
  ...{ balanceAfter: 485_000, timestamp: "2026-11-21T12:10:00.000Z", hash: "0f1e2d3c4b5a" },
  ...{ outcome: "flagged" as const, reasons: ["daily_limit_exceeded"], receivedAt, auditSeq: 812 },
};
const onePage = { cursor: null, hasMore: false, total: 1 };

export const recordRoutes = (service: Records): PlatformRoute[] => [
  ...batchRoutes(service),
  operation({
    ...shared,
    method: "GET",
    path: "/fleet/events",
    operationId: "listFleetEvents",
    summary: "Events that devices handed in",
    description:
      "Newest first, by when they came in; refused ones too. `from`, `to`: the event's time.",
    contract: { query: eventQuery, list: eventAnswer },
    status: 200,
    refusals: [],
    examples: {
      query: { outcome: "flagged" },
      response: { data: [event], meta: onePage },
    },
    handle: (call) => eventsOf(service, call, call.caller.tenantId, filterOf(call.query, null)),
  }),
];

const batchRoutes = (service: Records): PlatformRoute[] => [
  operation({
    ...shared,
    method: "GET",
    path: "/fleet/batches",
    operationId: "listBatches",
    summary: "Batches that were taken",
    description: "Newest first.",
    contract: { query: batchQuery, list: batchAnswer },
    status: 200,
    refusals: [],
    examples: { query: { terminalId: 42 }, response: { data: [batch], meta: onePage } },
    handle: (call) => {
      const { query } = call;
      const { tenantId } = call.caller;
      const filter = {
        terminalId: query.terminalId ?? null,
        flagged: query.flagged ?? null,
        ...spanMs(query),
      };
      return pageOf(
        call,
        {
          capped: true,
          read: (after, limit) =>
            service.batches(tenantId, filter, Number(after?.[0] ?? Number.MAX_SAFE_INTEGER), limit),
          placeOf: ({ batchNo }) => [batchNo],
          count: () => service.countBatches(tenantId, filter, totalMax + 1),
        },
        batchView,
      );
    },
  }),
  operation({
    ...shared,
    method: "GET",
    path: "/fleet/batches/:id",
    operationId: "getBatch",
    summary: "One batch",
    contract: { params: batchParams, response: batchAnswer },
    status: 200,
    refusals: [],
    examples: { params: { id }, response: batch },
    handle: async ({ caller, params }) =>
      batchView(await service.batch(caller.tenantId, params.id)),
  }),
  operation({
    ...shared,
    method: "GET",
    path: "/fleet/batches/:id/events",
    operationId: "listBatchEvents",
    summary: "Events of a batch",
    description: "The last one first; refused ones before the others.",
    contract: { params: batchParams, query: eventQuery, list: eventAnswer },
    status: 200,
    refusals: [],
    examples: { params: { id }, response: { data: [event], meta: onePage } },
    handle: (call) => {
      const filter = filterOf(call.query, call.params.id);
      return eventsOf(service, call, call.caller.tenantId, filter);
    },
  }),
];

interface EventQuery {
  readonly cardId?: string;
  readonly terminalId?: number;
  readonly type?: EventFilter["type"] & string;
  readonly outcome?: EventFilter["outcome"] & string;
  readonly from?: string;
  readonly to?: string;
}

const filterOf = (query: EventQuery, batchId: string | null): EventFilter => ({
  cardId: query.cardId ?? null,
  terminalId: query.terminalId ?? null,
  type: query.type ?? null,
  outcome: query.outcome ?? null,
  ...spanSec(query),
  batchId,
});

async function eventsOf(
  service: Records,
  call: PageCall,
  tenantId: number,
  filter: EventFilter,
): Promise<ListAnswer<ReturnType<typeof eventView>>> {
  const { total, isWhole } = await service.countHandedIn(tenantId, filter, totalMax);
  const { data, meta } = await pageOf(
    call,
    {
      read: (after, limit) => service.handedIn(tenantId, filter, after?.map(Number), limit),
      placeOf: ({ place }) => place,
      count: async () => total,
    },
    eventView,
  );
  return { data, meta: { ...meta, ...(!isWhole && { totalCapped: true }) } };
}
