/** What a terminal saw and could not settle alone. */
import { Type } from "@sinclair/typebox";
import { reportDetailsMaxChars, safeIntegerMax } from "../bound.ts";
import { cardId, closed, nullable, terminalId, timestamp } from "./common.ts";

export const reportRequest = closed({
  terminalId,
  cardId: nullable(cardId),
  eventType: Type.Union([
    Type.Literal("tamper"),
    Type.Literal("replay"),
    Type.Literal("invalid_transition"),
    Type.Literal("write_failure"),
    Type.Literal("session_expired"),
    Type.Literal("terminal_error"),
  ]),
  details: Type.String({ maxLength: reportDetailsMaxChars }),
  counter: nullable(Type.Integer({ minimum: 0, maximum: safeIntegerMax })),
  timestamp,
});
