/** Shapes of settlement: days of terminals, and the runs that close them. */
import { Type } from "@sinclair/typebox";
import { safeIntegerMax, settlementRangeMaxDays, terminalIdMax } from "../bound.ts";
import { closed, nullable } from "./common.ts";

const id = Type.String({ format: "uuid" });
const date = Type.String({ format: "date" });
const time = Type.String({ format: "date-time" });
const whole = (description?: string) =>
  Type.Integer({
    minimum: -safeIntegerMax,
    maximum: safeIntegerMax,
    ...(description !== undefined && { description }),
  });
const terminalId = Type.Integer({ minimum: 1, maximum: terminalIdMax });
const format = Type.Union([Type.Literal("json"), Type.Literal("csv"), Type.Literal("journal")], {
  default: "json",
  description:
    "`csv` and `journal` (hledger) are files of the whole; `limit` and `cursor` count for JSON.",
});

const amount = "Minor units.";
const totals = {
  checkins: whole(),
  checkouts: whole(),
  debits: whole("Below zero where more was taken back than came in."),
  debitAmount: whole(amount),
  credits: whole(),
  creditAmount: whole(amount),
  topups: whole(),
  topupAmount: whole(amount),
  rejected: whole(),
  flagged: whole(),
  lateEvents: whole("Received after their day had ended."),
  refunds: whole(),
  refundAmount: whole(amount),
};
const totalsAnswer = closed(totals);

export const settlementRow = closed({
  date: Type.String({ format: "date", description: "Day in the tenant's time zone." }),
  terminalId: nullable(terminalId),
  deviceId: nullable(Type.String()),
  name: nullable(Type.String()),
  currency: Type.String({ description: "ISO 4217." }),
  ...totals,
  belongsTo: nullable(
    Type.String({
      format: "date",
      description: "Of what came in for a day after a run had closed it: that day.",
    }),
  ),
});

const fromDate = Type.String({ format: "date", description: "First day." });
const toDate = Type.String({
  format: "date",
  description: `Last day; at most ${settlementRangeMaxDays} days in all.`,
});

export const settlementQuery = closed({
  from: fromDate,
  to: toDate,
  terminalId: Type.Optional(terminalId),
  format: Type.Optional(format),
});
/** What stands beside the rows of a page. */
export const settlementBeside = closed({ totals: totalsAnswer });

const run = {
  id,
  number: Type.Integer({ minimum: 1, maximum: safeIntegerMax }),
  from: date,
  to: date,
  terminalId: nullable(terminalId),
  rows: Type.Integer({ minimum: 0, maximum: safeIntegerMax, description: "How many." }),
  totals: totalsAnswer,
  sha256: Type.String({
    pattern: "^[0-9a-f]{64}$",
    description: "SHA-256 of the run's bytes as `format=csv` answers them.",
  }),
  closedAt: time,
  closedBy: Type.String({ description: "Id of the user, key or application; `cli`." }),
};
export const settlementRunAnswer = closed(run);
export const settlementRunWhole = closed({ ...run, data: Type.Array(settlementRow) });
export const settlementRunParams = closed({ id });
export const settlementRunQuery = closed({ format: Type.Optional(format) });
export const settlementRunRequest = closed({
  from: fromDate,
  to: toDate,
  terminalId: Type.Optional(terminalId),
});
