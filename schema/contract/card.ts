/** Cards: registering, reading, blocking, rekeying, reissuing. */
import { Type } from "@sinclair/typebox";
import {
  blockReasonMaxChars,
  cardEventsPageMax,
  cardNameMaxBytes,
  safeIntegerMax,
  searchMaxChars,
  searchMinChars,
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
import { between, count, id, money, time } from "./operator.ts";

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

const state = Type.Union([
  Type.Literal("IDLE"),
  Type.Literal("CHECKED_IN"),
  Type.Literal("CHECKED_OUT"),
]);
const pendingTopups = closed({
  count: Type.Integer({ minimum: 0 }),
  amount: Type.Integer({ minimum: 0, maximum: safeIntegerMax }),
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
  state,
  pendingTopups,
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

/** As operators see it. */
const shown = {
  cardId,
  userId,
  memberId: id,
  name: Type.String({ description: "As written on the chip." }),
  status: statusName,
  statusCode: Type.Integer({ minimum: 0, maximum: 4 }),
  state,
  keyVersion,
  balance,
  pendingTopups,
  counter: highestCounter,
  needsValidation: Type.Boolean(),
  expiresAt: nullable(time),
  createdAt: time,
  lastActivityAt: time,
  blockedAt: nullable(time),
  blockReason: nullable(Type.String()),
  blockedBy: nullable(Type.String({ description: "Id of a user, key or device; or `server`." })),
  replaces: nullable(cardId),
  replacedBy: nullable(cardId),
  openFlags: count,
  wallet: closed({ id, balance: closed({ available: money, pending: money, frozen: money }) }),
};
export const cardShown = closed(shown);
export const cardBlocked = closed({
  ...shown,
  changed: Type.Boolean({ description: "False: it was blocked already and keeps its status." }),
});

export const cardListQuery = closed({
  status: Type.Optional(statusName),
  userId: Type.Optional(uint32("Number of the member.", 1)),
  memberId: Type.Optional(id),
  keyVersion: Type.Optional(keyVersion),
  needsValidation: Type.Optional(Type.Boolean()),
  flagged: Type.Optional(Type.Boolean({ description: "Has a flag that is open." })),
  q: Type.Optional(
    Type.String({
      minLength: searchMinChars,
      maxLength: searchMaxChars,
      description: "A part of the id or the name; capitals are not minded.",
    }),
  ),
});

export const blockCardRequest = closed({
  reason,
  as: Type.Optional(
    Type.Union([Type.Literal("BLOCKED_ADMIN"), Type.Literal("BLOCKED_FRAUD")], {
      default: "BLOCKED_ADMIN",
    }),
  ),
});

const timelineKind = Type.Union([
  Type.Literal("registered"),
  Type.Literal("event"),
  Type.Literal("topup"),
  Type.Literal("topup_cancelled"),
  Type.Literal("report"),
  Type.Literal("status"),
  Type.Literal("flag"),
  Type.Literal("decision"),
  Type.Literal("rekey"),
  Type.Literal("reissue"),
  Type.Literal("refund"),
]);
export const timelineQuery = closed({
  kind: Type.Optional(timelineKind),
  ...between("`at` of the entry"),
});
export const timelineAnswer = closed({
  id,
  at: { ...time, description: "Of an event its own time, of all else when it came to be known." },
  kind: timelineKind,
  terminalId: nullable(Type.Integer()),
  actor: Type.String({ description: "Id of a user, key or device; or `server`." }),
  amount: nullable(money),
  balanceAfter: nullable(chipBalance),
  counter: nullable(counter),
  detail: Type.Record(Type.String(), Type.Unknown(), {
    description:
      "What stands behind it: `type`, `flags`, `batchId`, `auditSeq`, `transactionId` of an event; " +
      "`topupId` of a top-up; `flagId`, `eventId` and `transactionId` of a decision; `reportId` of a report.",
  }),
});
