/** Cards: registering, reading, blocking, rekeying, reissuing. */
import { Type } from "@sinclair/typebox";
import {
  blockReasonMaxChars,
  cardEventsPageMax,
  cardNameMaxBytes,
  safeIntegerMax,
} from "../bound.ts";
import {
  balance,
  cardId,
  chipBalance,
  closed,
  counter,
  keyVersion,
  nullable,
  operatorId,
  statusName,
  timestamp,
  uint32,
  userId,
} from "./common.ts";

const reason = Type.String({ minLength: 1, maxLength: blockReasonMaxChars });
const highestCounter = Type.Integer({
  minimum: 0,
  maximum: safeIntegerMax,
  description: "Highest counter known; 0 before the first event.",
});

export const registerRequest = closed({
  cardId,
  userId,
  name: Type.String({
    minLength: 1,
    maxLength: cardNameMaxBytes,
    description: `The holder's name on the chip, 1 to ${cardNameMaxBytes} bytes of UTF-8.`,
  }),
  createdAt: timestamp,
  keyVersion,
  expiresAt: Type.Optional(uint32("UTC seconds; from then on the card is BLOCKED_EXPIRED.")),
});

export const registerAnswer = closed({
  cardId,
  userId,
  status: statusName,
  balance,
  createdAt: timestamp,
});

export const cardAnswer = closed({
  cardId,
  userId,
  status: statusName,
  balance,
  counter: highestCounter,
  createdAt: timestamp,
  lastActivity: timestamp,
  chipBalance,
  state: Type.Union([
    Type.Literal("IDLE"),
    Type.Literal("CHECKED_IN"),
    Type.Literal("CHECKED_OUT"),
  ]),
  pendingTopups: closed({
    count: Type.Integer({ minimum: 0 }),
    amount: Type.Integer({ minimum: 0, maximum: safeIntegerMax }),
  }),
  needsValidation: Type.Boolean({
    description: "A write failed; true until the next accepted event.",
  }),
  expiresAt: nullable(timestamp),
  replaces: Type.Optional(cardId),
  replacedBy: Type.Optional(cardId),
});

export const eventType = Type.Union([
  Type.Literal("debit"),
  Type.Literal("credit"),
  Type.Literal("checkin"),
  Type.Literal("checkout"),
  Type.Literal("admin"),
]);

export const cardEventsQuery = closed({
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: cardEventsPageMax, description: "Default 10." }),
  ),
});

export const cardEventsAnswer = closed({
  events: Type.Array(
    closed({
      counter,
      type: eventType,
      amount: uint32("Minor units."),
      balanceAfter: chipBalance,
      timestamp,
      flags: Type.Array(Type.String({ description: "Why an operator should look at it." })),
    }),
  ),
});

export const blockRequest = closed({ reason, operatorId, timestamp });
export const blockAnswer = closed({ cardId, status: statusName });

export const rekeyRequest = closed({ keyVersion, operatorId, timestamp });
export const rekeyAnswer = closed({ cardId, keyVersion });

export const reissueRequest = closed({
  newCardId: cardId,
  keyVersion,
  operatorId,
  timestamp,
  chipBalance: Type.Optional(uint32("What the station read on the old chip, in minor units.")),
  expiresAt: Type.Optional(uint32("Expiry of the new card, UTC seconds.")),
  reason: Type.Optional(reason),
});

export const reissueAnswer = closed({
  cardId,
  replaces: cardId,
  userId,
  status: statusName,
  balance: chipBalance,
  createdAt: timestamp,
  unseenUntil: uint32("UTC seconds; until then debits of the old card may still come in."),
});
