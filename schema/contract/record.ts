/** Shapes of what devices handed in, as operators see it: batches and their events. */
import { Type } from "@sinclair/typebox";
import { batchEventsMax } from "../bound.ts";
import { eventType } from "./card.ts";
import { cardId, closed, counter } from "./common.ts";
import { amount, between, count, id, money, time, whichTerminal } from "./operator.ts";

const events = Type.Integer({ minimum: 0, maximum: batchEventsMax });
const auditSeq = Type.Integer({ minimum: 1, description: "`seq` of its audit record." });

export const batchAnswer = closed({
  id,
  terminalId: whichTerminal,
  deviceId: Type.String(),
  receivedAt: time,
  events,
  accepted: { ...events, description: "Flagged ones too." },
  rejected: events,
  flagged: events,
  debitAmount: money,
  creditAmount: money,
  digest: Type.String({
    pattern: "^[0-9a-f]{64}$",
    description: "SHA-256 over the canonical bytes of its events.",
  }),
  auditSeq,
});
export const batchParams = closed({ id });
export const batchQuery = closed({
  terminalId: Type.Optional(whichTerminal),
  flagged: Type.Optional(Type.Boolean({ description: "Brought an event that was flagged." })),
  ...between("When it was received"),
});

const outcome = Type.Union([
  Type.Literal("accepted"),
  Type.Literal("flagged"),
  Type.Literal("rejected"),
]);

export const eventAnswer = closed({
  id,
  seq: { ...count, description: "Place in the log of all that was handed in." },
  batchId: id,
  terminalId: whichTerminal,
  cardId,
  counter,
  type: eventType,
  amount,
  balanceAfter: amount,
  timestamp: time,
  hash: Type.String({ pattern: "^[0-9a-f]{12}$" }),
  outcome,
  reasons: Type.Array(Type.String(), {
    description: "Why an operator should look at it, as known now; or why it was refused.",
  }),
  receivedAt: time,
  auditSeq: { ...auditSeq, description: "`seq` of the audit record of its batch." },
});
export const eventQuery = closed({
  cardId: Type.Optional(cardId),
  terminalId: Type.Optional(whichTerminal),
  type: Type.Optional(eventType),
  outcome: Type.Optional(outcome),
  ...between("When it happened"),
});
