/** Reports on the device surface. */
import { reportRequest } from "../../../schema/contract/report.ts";
import { type Route, route } from "../../http/route.ts";
import type { ReportService } from "./service.ts";

export const reportRoutes = (reports: ReportService): Route[] => [
  route({
    method: "POST",
    path: "/api/terminal-report",
    operationId: "reportFromTerminal",
    summary: "Tell of something that the terminal saw and can't settle alone",
    description: "A report of tampering or replay blocks an ACTIVE card. A repeat is one report.",
    tag: "Reports",
    access: { roles: ["station", "gate", "terminal"], suspended: true, bucket: "report" },
    contract: { body: reportRequest, response: null },
    status: 204,
    refusals: [],
    terminalId: (body) => body.terminalId,
    examples: {
      request: {
        terminalId: 42,
        cardId: "a1b2c3d4e5f6",
        eventType: "tamper",
        details: "log chain broken at entry 3",
        counter: 17,
        timestamp: 1746690000,
      },
    },
    handle: async ({ device, body, nowMs, write }) => {
      await write(async (tx) => {
        await reports.receive(tx, device, body, nowMs);
        return undefined;
      });
      return undefined;
    },
  }),
];
