/** Reconciliation batches: what happened offline, and what became of it. */
import { Type } from "@sinclair/typebox";
import { batchEventsMax } from "../bound.ts";
import { eventType } from "./card.ts";
import { cardId, chipBalance, closed, counter, terminalId, timestamp, uint32 } from "./common.ts";

const batchEvent = closed({
  cardId,
  counter,
  type: eventType,
  amount: uint32("Minor units; 0 but for debit and credit."),
  balanceAfter: chipBalance,
  timestamp,
  hash: Type.String({
    pattern: "^[0-9a-f]{12}$",
    description: "12 lowercase hex characters: the log entry's hash.",
  }),
});

export const batchRequest = closed({
  terminalId,
  events: Type.Array(batchEvent, { maxItems: batchEventsMax, description: "Earliest first." }),
});

const count = Type.Integer({ minimum: 0, maximum: batchEventsMax });
const reason = Type.String();

export const batchAnswer = closed({
  accepted: { ...count, description: "Flagged events too." },
  rejected: count,
  flags: Type.Array(closed({ counter, cardId, reason })),
  rejections: Type.Array(closed({ index: count, counter, cardId, reason })),
  batchId: Type.String({ description: "UUID of the batch." }),
});
