/** Shapes of the review queue. */
import { Type } from "@sinclair/typebox";
import { flagsDecidedMax, noteMaxChars } from "../bound.ts";
import { cardId, closed, counter, nullable } from "./common.ts";
import { amount, between, id, time, whichTerminal } from "./operator.ts";

const status = Type.Union([
  Type.Literal("open"),
  Type.Literal("approved"),
  Type.Literal("dismissed"),
]);
const kind = Type.Union([Type.Literal("flag"), Type.Literal("quarantine")]);
const severity = Type.Union([Type.Literal("low"), Type.Literal("medium"), Type.Literal("high")]);
/** Of events that were let in, of those that were not, and of a card itself. */
const reason = Type.Union(
  [
    Type.Literal("single_tx_limit_exceeded"),
    Type.Literal("daily_limit_exceeded"),
    Type.Literal("weekly_limit_exceeded"),
    Type.Literal("balance_limit_exceeded"),
    Type.Literal("card_blocked"),
    Type.Literal("card_expired"),
    Type.Literal("clock_drift"),
    Type.Literal("late_submission"),
    Type.Literal("op_not_allowed"),
    Type.Literal("balance_mismatch"),
    Type.Literal("chain_mismatch"),
    Type.Literal("invalid_transition"),
    Type.Literal("unauthorised_credit"),
    Type.Literal("overdrawn"),
    Type.Literal("terminal_suspended"),
    Type.Literal("counter_conflict"),
    Type.Literal("missing_events"),
    Type.Literal("unknown_card"),
    Type.Literal("invalid_amount"),
    Type.Literal("counter_leap"),
    Type.Literal("under_review"),
  ],
  { description: "Why an operator should look at it." },
);

const seen = closed({
  counter,
  type: Type.String(),
  amount,
  balanceAfter: amount,
  timestamp: time,
  hash: Type.String(),
});

export const flagAnswer = closed({
  id,
  kind,
  reason,
  severity,
  status,
  cardId,
  terminalId: whichTerminal,
  eventId: nullable(id),
  batchId: nullable(id),
  counter: nullable(counter),
  amount: nullable(amount),
  raisedAt: time,
  decidedAt: nullable(time),
  decidedBy: nullable(Type.String()),
  note: nullable(Type.String()),
  evidence: closed({
    event: nullable(seen),
    conflict: nullable({ ...seen, description: "The event that contradicts it." }),
    limit: nullable(Type.Integer({ description: "What was exceeded, minor units." })),
    total: nullable(Type.Integer({ description: "What it came to, minor units." })),
    fromCounter: nullable(counter),
    toCounter: nullable(counter),
    since: nullable({ ...time, description: "Of a card under review: from when on." }),
  }),
});

export const flagParams = closed({ id });
export const flagQuery = closed({
  status: Type.Optional(Type.Union(status.anyOf, { default: "open" })),
  kind: Type.Optional(kind),
  reason: Type.Optional(reason),
  severity: Type.Optional(severity),
  cardId: Type.Optional(cardId),
  terminalId: Type.Optional(whichTerminal),
  ...between("When it was raised"),
});

const note = Type.String({ minLength: 1, maxLength: noteMaxChars });
export const approveRequest = closed({ note });
export const dismissRequest = closed({
  note,
  block: Type.Optional(
    Type.Boolean({ default: true, description: "Of `unauthorised_credit`: block the card." }),
  ),
});
export const decideRequest = closed({
  ids: Type.Array(id, { minItems: 1, maxItems: flagsDecidedMax, uniqueItems: true }),
  decision: Type.Union([Type.Literal("approve"), Type.Literal("dismiss")]),
  note,
});
