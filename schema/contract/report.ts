/** What a terminal saw and could not settle alone. */
import { Type } from "@sinclair/typebox";
import { reportDetailsMaxChars, safeIntegerMax } from "../bound.ts";
import { cardId, closed, nullable, terminalId, timestamp } from "./common.ts";
import { between, count, id, time, whichTerminal } from "./operator.ts";

const eventType = Type.Union([
  Type.Literal("tamper"),
  Type.Literal("replay"),
  Type.Literal("invalid_transition"),
  Type.Literal("write_failure"),
  Type.Literal("session_expired"),
  Type.Literal("terminal_error"),
]);

export const reportRequest = closed({
  terminalId,
  cardId: nullable(cardId),
  eventType,
  details: Type.String({ maxLength: reportDetailsMaxChars }),
  counter: nullable(Type.Integer({ minimum: 0, maximum: safeIntegerMax })),
  timestamp,
});

/** As operators see it. */
export const reportAnswer = closed({
  id,
  terminalId: whichTerminal,
  cardId: nullable(cardId),
  eventType,
  details: Type.String(),
  counter: nullable(count),
  timestamp: time,
  receivedAt: time,
  action: Type.Union(
    [
      Type.Literal("none"),
      Type.Literal("blocked"),
      Type.Literal("flagged"),
      Type.Literal("recorded"),
    ],
    { description: "`recorded`: it would have blocked the card, but might not." },
  ),
});
export const reportParams = closed({ id });
export const reportQuery = closed({
  eventType: Type.Optional(eventType),
  cardId: Type.Optional(cardId),
  terminalId: Type.Optional(whichTerminal),
  ...between("When the device saw it"),
});
