/** Shapes of the ledger as a service: wallets, movements of money, transactions, the trial balance. */
import { type TSchema, Type } from "@sinclair/typebox";
import {
  descriptionMaxChars,
  holdTtlMaxSec,
  holdTtlSec,
  metadataMaxBytes,
  reversalReasonMaxChars,
  safeIntegerMax,
  transfersBatchMax,
  walletLabelMaxChars,
} from "../bound.ts";
import { cardId, closed, nullable } from "./common.ts";

const id = Type.String({ format: "uuid" });
const time = Type.String({ format: "date-time" });
const currency = Type.String({
  pattern: "^[A-Z]{3}$",
  title: "three letters of a currency",
  description: "ISO 4217.",
});
const words = <W extends string>(list: readonly W[], description: string) =>
  Type.Union(
    list.map((word) => Type.Literal(word)),
    { description },
  );
const minor = Type.Integer({
  minimum: -safeIntegerMax,
  maximum: safeIntegerMax,
  description: "Minor units.",
});
const label = Type.String({ maxLength: walletLabelMaxChars });
const kind = words(["user", "card", "system"] as const, "Whose wallet it is.");
const walletStatus = words(["active", "closed"] as const, "Closed for good, or not.");
const balances = { available: minor, pending: minor, frozen: minor };
const balance = closed({
  available: Type.Integer({ ...bounds(), description: "Spendable, in minor units." }),
  pending: Type.Integer({ ...bounds(), description: "Coming in, not settled yet." }),
  frozen: Type.Integer({ ...bounds(), description: "Set aside by holds." }),
});

function bounds() {
  return { minimum: -safeIntegerMax, maximum: safeIntegerMax };
}

export const walletAnswer = closed({
  id,
  tenantId: id,
  kind,
  userId: nullable(id),
  cardId: nullable(cardId),
  systemKey: nullable(
    Type.String({ description: "`cash`, `suspense` or `settlement:<terminalId>`." }),
  ),
  currency,
  label: nullable(Type.String()),
  status: walletStatus,
  balance,
  createdAt: time,
  updatedAt: time,
  version: Type.Integer({ minimum: 1 }),
});

export const walletParams = closed({ id });
export const walletQuery = closed({
  userId: Type.Optional(id),
  currency: Type.Optional(currency),
  kind: Type.Optional(kind),
  cardId: Type.Optional(cardId),
  status: Type.Optional(walletStatus),
});
export const walletRequest = closed({
  userId: Type.String({ format: "uuid", description: "A user of the tenant." }),
  currency,
  label: Type.Optional(nullable(label)),
});
export const walletChange = closed({
  label: Type.Optional(nullable(label)),
  version: Type.Optional(Type.Integer({ minimum: 1, maximum: safeIntegerMax })),
});
export const balanceAnswer = closed({ walletId: id, currency, ...balances, asOf: time });

/**
 * Checked after the rest of the body, because what is wrong with it has a name of its own: what is there
 * and no integer of at least 1 is `invalid-amount`.
 */
const amount = Type.Unknown({
  type: "integer",
  minimum: 1,
  maximum: safeIntegerMax,
  description: "Minor units.",
});
const metadata = Type.Record(Type.String(), Type.Unknown(), {
  description: `Of the caller's own; at most ${metadataMaxBytes} bytes as JSON.`,
});
const description = Type.String({ maxLength: descriptionMaxChars });
const order = {
  amount,
  currency: Type.Optional(
    Type.String({
      pattern: "^[A-Z]{3}$",
      title: "three letters of a currency",
      description: "If it is there, it must be the wallet's.",
    }),
  ),
  description: Type.Optional(description),
  metadata: Type.Optional(metadata),
};

export const moveRequest = closed(order);
export const holdRequest = closed({
  ...order,
  ttl: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: holdTtlMaxSec,
      default: holdTtlSec,
      description: "Seconds until the money goes back by itself.",
    }),
  ),
});
export const holdEndRequest = closed({ metadata: Type.Optional(metadata) });

export const transferRequest = closed({ fromWalletId: id, toWalletId: id, ...order });
/** An item is judged by itself: what is wrong with it fails that item alone. */
const loose = (schema: TSchema) => {
  const { type, properties, required, additionalProperties } = schema;
  return Type.Unknown({ type, properties, required, additionalProperties });
};
export const transferBatchRequest = closed({
  items: Type.Array(loose(transferRequest), { minItems: 1, maxItems: transfersBatchMax }),
});

export const reversalRequest = closed({
  reason: Type.String({ minLength: 1, maxLength: reversalReasonMaxChars }),
});

const type = words(
  [
    "credit",
    "debit",
    "hold",
    "transfer",
    "reversal",
    "topup",
    "card_debit",
    "card_credit",
    "reissue",
    "refund",
  ] as const,
  "What moved the money.",
);
const status = words(
  ["completed", "held", "confirmed", "canceled", "pending", "parked"] as const,
  "How far it has come.",
);

const transaction = {
  id,
  transactionId: id,
  type,
  status,
  amount: Type.Integer({ minimum: 0, maximum: safeIntegerMax, description: "Minor units." }),
  currency,
  walletId: nullable(id),
  counterWalletId: nullable(id),
  balanceAfter: Type.Object(
    { ...balances },
    {
      additionalProperties: false,
      description:
        "Of `walletId`, right after. Of a card's event: what the chip held, as the event says.",
    },
  ),
  description: nullable(Type.String()),
  metadata: nullable(Type.Record(Type.String(), Type.Unknown())),
  reason: nullable(Type.String()),
  referenceTransactionId: nullable(id),
  reversed: Type.Boolean(),
  ttl: nullable(Type.Integer({ minimum: 1 })),
  expiresAt: nullable(time),
  source: words(["platform", "device"] as const, "Which surface it came by."),
  createdBy: Type.String({ description: "Uuid of a user or key, or a deviceId." }),
  createdAt: time,
  updatedAt: time,
};
export const transactionAnswer = closed(transaction);
export const transactionDetail = closed({
  ...transaction,
  entries: Type.Array(
    closed({
      walletId: id,
      bucket: words(["available", "pending", "frozen"] as const, "Which part of the balance."),
      amount: minor,
      at: time,
    }),
    { description: "They sum to zero." },
  ),
});
export const transactionQuery = closed({
  walletId: Type.Optional(
    Type.String({ format: "uuid", description: "Due without `money.ledger.read`." }),
  ),
  type: Type.Optional(type),
  status: Type.Optional(status),
  from: Type.Optional(time),
  to: Type.Optional(time),
});

export const trialQuery = closed({ currency: Type.Optional(currency) });
export const trialAnswer = closed({
  data: Type.Array(
    closed({
      currency,
      sum: minor,
      accounts: Type.Array(
        closed({
          kind,
          systemKey: nullable(Type.String()),
          walletId: nullable(id),
          wallets: Type.Integer({ minimum: 0 }),
          ...balances,
        }),
      ),
    }),
  ),
  asOf: time,
});
