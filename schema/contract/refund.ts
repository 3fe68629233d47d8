/** Shapes of refunds: what is paid out of cards in cash. */
import { Type } from "@sinclair/typebox";
import { refundReasonMaxChars, safeIntegerMax } from "../bound.ts";
import { cardParams, chipBalance, closed } from "./common.ts";
import { transactionAnswer } from "./wallet.ts";

export const refundCardParams = cardParams;
export const refundMemberParams = closed({ id: Type.String({ format: "uuid" }) });

const reason = Type.String({ minLength: 1, maxLength: refundReasonMaxChars });
const unseenUntil = Type.String({
  format: "date-time",
  description: "Until then debits of the card may still come in.",
});

export const refundRequest = closed({
  reason,
  /** Checked after the rest of the body, because what is wrong with it has a name of its own. */
  amount: Type.Optional(
    Type.Unknown({
      type: "integer",
      minimum: 1,
      maximum: safeIntegerMax,
      description: "Minor units; left out: all that may be paid.",
    }),
  ),
  chipBalance: Type.Optional(chipBalance),
});
export const refundMemberRequest = closed({ reason });

export const refundAnswer = closed({ ...transactionAnswer.properties, unseenUntil });
export const refundMemberAnswer = closed({
  data: Type.Array(refundAnswer, { description: "One of each card that held something." }),
  total: Type.Integer({ minimum: 1, maximum: safeIntegerMax, description: "Minor units." }),
  unseenUntil,
});
