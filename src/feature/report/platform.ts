/** `/fleet/reports`: what devices saw and could not settle alone. Nothing is decided here. */
import { reportAnswer, reportParams, reportQuery } from "../../../schema/contract/report.ts";
import { instantText, spanSec } from "../../domain/instant.ts";
import { pageOf, totalMax } from "../../http/platform/page.ts";
import { operation, type PlatformRoute } from "../../http/platform/route.ts";
import type { Report, ReportService } from "./service.ts";

const shared = {
  ...{ namespace: "fleet", tag: "Batches and reports" },
  access: { permission: "fleet.reports.read" },
} as const;

const viewOf = (report: Report) => ({
  id: report.id,
  terminalId: report.terminalId,
  cardId: report.cardId,
  eventType: report.eventType,
  details: report.details,
  counter: report.counter,
  timestamp: instantText(report.timestampSec * 1000),
  receivedAt: instantText(report.receivedAtMs),
  action: report.action,
});

const id = "01936d7a-0000-7000-8000-000000000001";
const example = {
  ...{ id, terminalId: 42, cardId: "a1b2c3d4e5f6", eventType: "tamper" as const },
  ...{ details: "log chain broken at entry 3", counter: 17, timestamp: "2026-11-21T16:33:00.000Z" },
  ...{ receivedAt: "2026-11-21T16:33:01.250Z", action: "blocked" as const },
};

export const reportPlatformRoutes = (service: ReportService): PlatformRoute[] => [
  operation({
    ...shared,
    method: "GET",
    path: "/fleet/reports",
    operationId: "listReports",
    summary: "Reports of devices",
    description: "Newest first, by when they came in.",
    contract: { query: reportQuery, list: reportAnswer },
    status: 200,
    refusals: [],
    examples: {
      query: { eventType: "tamper" },
      response: { data: [example], meta: { cursor: null, hasMore: false, total: 1 } },
    },
    handle: (call) => {
      const { query } = call;
      const { tenantId } = call.caller;
      const filter = {
        eventType: query.eventType ?? null,
        cardId: query.cardId ?? null,
        terminalId: query.terminalId ?? null,
        ...spanSec(query),
      };
      return pageOf(
        call,
        {
          capped: true,
          read: (after, limit) =>
            service.page(tenantId, filter, Number(after?.[0] ?? Number.MAX_SAFE_INTEGER), limit),
          placeOf: ({ reportNo }) => [reportNo],
          count: () => service.count(tenantId, filter, totalMax + 1),
        },
        viewOf,
      );
    },
  }),
  operation({
    ...shared,
    method: "GET",
    path: "/fleet/reports/:id",
    operationId: "getReport",
    summary: "One report",
    contract: { params: reportParams, response: reportAnswer },
    status: 200,
    refusals: [],
    examples: { params: { id }, response: example },
    handle: async ({ caller, params }) => viewOf(await service.find(caller.tenantId, params.id)),
  }),
];
