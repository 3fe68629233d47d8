/** Top-ups of cards by a station. */
import { Type } from "@sinclair/typebox";
import { safeIntegerMax } from "../bound.ts";
import { balance, cardId, closed, counter, operatorId, timestamp, uint32 } from "./common.ts";

const topupId = Type.String({ minLength: 36, maxLength: 36, description: "UUID of the top-up." });
const amount = uint32("Minor units.", 1);

export const topupRequest = closed({
  amount,
  operatorId,
  timestamp,
  counter: Type.Optional({
    ...counter,
    description: "The counter that the write will carry, if known.",
  }),
});

export const topupAnswer = closed({
  cardId,
  topupId,
  amount,
  balance,
  counter: Type.Integer({
    minimum: 0,
    maximum: safeIntegerMax,
    description: "Highest counter known.",
  }),
  status: Type.Union([
    Type.Literal("PENDING"),
    Type.Literal("COMPLETED"),
    Type.Literal("CANCELED"),
  ]),
});

/** Any other shape than ours is a top-up that doesn't exist. */
export const topupParams = closed({ cardId, topupId: Type.String() });

export const cancelAnswer = closed({
  cardId,
  topupId,
  amount,
  balance,
  status: Type.Literal("CANCELED"),
  canceledTopupId: Type.Optional(topupId),
});
