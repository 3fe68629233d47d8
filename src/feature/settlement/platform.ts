/** `/fleet/settlement`: what terminals took, by day, and the runs that close it. Nothing is decided here. */
import {
  settlementBeside,
  settlementQuery,
  settlementRow,
  settlementRunAnswer,
  settlementRunParams,
  settlementRunQuery,
  settlementRunRequest,
  settlementRunWhole,
} from "../../../schema/contract/settlement.ts";
import type { DayRange } from "../../domain/settlement.ts";
import { byOf } from "../../http/platform/by.ts";
import { pageOf } from "../../http/platform/page.ts";
import { operation, type PlatformRoute } from "../../http/platform/route.ts";
import { checkRange, dayNumber, type Run, type SettlementService, shownRun } from "./service.ts";

const settlement = { namespace: "fleet", tag: "Settlement" } as const;
const read = { permission: "fleet.settlement.read" } as const;

const fileType = {
  csv: "text/csv; charset=utf-8",
  journal: "text/plain; charset=utf-8",
} as const;
const fileEnding = { csv: "csv", journal: "journal" } as const;
const alsoProduces = ["text/csv", "text/plain"] as const;

const file = (name: string, format: "csv" | "journal", bytes: Uint8Array<ArrayBuffer>): Response =>
  new Response(bytes, {
    headers: {
      "content-type": fileType[format],
      "content-disposition": `attachment; filename="${name}.${fileEnding[format]}"`,
    },
  });

const rangeOf = (given: { from: string; to: string; terminalId?: number }): DayRange => ({
  from: dayNumber(given.from),
  to: dayNumber(given.to),
  terminalId: given.terminalId ?? null,
});

const id = "01936d7a-0000-7000-8000-000000000001";
const totals = {
  ...{ checkins: 2, checkouts: 2, debits: 5, debitAmount: 75_000, credits: 1 },
  ...{ creditAmount: 100_000, topups: 1, topupAmount: 100_000, rejected: 0, flagged: 0 },
  ...{ lateEvents: 0, refunds: 0, refundAmount: 0 },
};
const row = {
  ...{ date: "2026-11-20", terminalId: 42, deviceId: "till-42", name: "Kasir 1", currency: "IDR" },
  ...totals,
  belongsTo: null,
};
const range = { from: "2026-11-01", to: "2026-11-20" };
const run = {
  ...{ id, number: 1, ...range, terminalId: null, rows: 1, totals },
  sha256: "d2f1a8a5a64f4d12b6e0cbb6b7fc1ea3a3ff1d5cf0c4b23a56ad5d0d7a4f6b11",
  ...{ closedAt: "2026-11-21T16:33:00.000Z", closedBy: id },
};

export const settlementRoutes = (service: SettlementService): PlatformRoute[] => [
  operation({
    ...settlement,
    method: "GET",
    path: "/fleet/settlement",
    operationId: "listSettlement",
    summary: "What terminals took, by day",
    description:
      "By the time of the events in the tenant's time zone, whatever run they are in. `totals` is of the " +
      "whole range. Refunds stand in rows without a terminal.",
    access: read,
    contract: { query: settlementQuery, list: settlementRow, beside: settlementBeside },
    status: 200,
    alsoProduces,
    refusals: [],
    examples: {
      query: { ...range, format: "json" },
      response: { data: [row], meta: { cursor: null, hasMore: false, total: 1 }, totals },
    },
    handle: async (call) => {
      const { caller, query, nowMs } = call;
      const { tenantId } = caller;
      const span = rangeOf(query);
      checkRange(span, "query");
      const { format = "json" } = query;
      if (format !== "json") {
        const text = await service.taken(tenantId, span, format, byOf(call), nowMs);
        return file(`settlement-${query.from}-${query.to}`, format, text);
      }
      const { count, totals } = await service.summary(tenantId, span);
      const page = await pageOf(
        call,
        {
          read: (after, limit) => {
            const place = after && ([Number(after[0]), Number(after[1])] as const);
            return service.page(tenantId, span, place, limit);
          },
          placeOf: ({ place }) => place,
          count: async () => count,
        },
        ({ row: each }) => each,
      );
      return { ...page, totals };
    },
  }),
  operation({
    ...settlement,
    method: "GET",
    path: "/fleet/settlement/runs",
    operationId: "listSettlementRuns",
    summary: "Runs that closed days, newest first",
    access: read,
    contract: { list: settlementRunAnswer },
    status: 200,
    refusals: [],
    examples: { response: { data: [run], meta: { cursor: null, hasMore: false, total: 1 } } },
    handle: (call) => {
      const { tenantId } = call.caller;
      return pageOf(
        call,
        {
          read: (after, limit) =>
            service.runs(tenantId, Number(after?.[0] ?? Number.MAX_SAFE_INTEGER), limit),
          placeOf: ({ number }) => [number],
          count: () => service.countRuns(tenantId),
        },
        shownRun,
      );
    },
  }),
  operation({
    ...settlement,
    method: "POST",
    path: "/fleet/settlement/runs",
    operationId: "closeSettlement",
    summary: "Close days for good",
    description:
      "Freezes the rows of a range that is over under the tenant's next number. What comes in later for " +
      "its days stands in the next run, with `belongsTo`. Without `terminalId`: all terminals, and refunds.",
    access: { permission: "fleet.settlement.close" },
    contract: { body: settlementRunRequest, response: settlementRunAnswer },
    status: 201,
    refusals: ["already-exists", "wrong-state"],
    examples: { request: range, response: run },
    location: (made) => `/fleet/settlement/runs/${made.id}`,
    handle: async (call) => {
      const { caller, body, nowMs } = call;
      let shown: ReturnType<typeof shownRun> | undefined;
      const by = byOf(call);
      // What is kept for a repeat of the call is what is answered: the very same value.
      await service.close(caller.tenantId, rangeOf(body), by, nowMs, async (work) => {
        let run: Run | undefined;
        shown = await call.write(async (tx) => {
          run = await work(tx);
          return shownRun(run);
        });
        if (run === undefined) throw new RangeError("a run that was kept is there");
        return run;
      });
      if (shown === undefined) throw new RangeError("a run that was closed is shown");
      return shown;
    },
  }),
  operation({
    ...settlement,
    method: "GET",
    path: "/fleet/settlement/runs/:id",
    operationId: "getSettlementRun",
    summary: "A run as it was closed",
    description: "The same bytes for ever, in each format.",
    access: read,
    contract: {
      params: settlementRunParams,
      query: settlementRunQuery,
      response: settlementRunWhole,
    },
    status: 200,
    alsoProduces,
    refusals: [],
    examples: { params: { id }, query: { format: "json" }, response: { ...run, data: [row] } },
    handle: async (call) => {
      const { caller, params, query, nowMs } = call;
      const { format = "json" } = query;
      const which = { uuid: params.id };
      const { tenantId } = caller;
      const { run, bytes } = await service.frozen(tenantId, which, format, byOf(call), nowMs);
      if (format !== "json") return file(`settlement-run-${run.number}`, format, bytes);
      return new Response(bytes, { headers: { "content-type": "application/json" } });
    },
  }),
];
