/** The limits that a device works under, and where those who run a venue set them. */
import { Type } from "@sinclair/typebox";
import {
  balanceHardCeilingMinor,
  grantTtlMaxSec,
  grantTtlMinSec,
  opsMax,
  safeIntegerMax,
  uint32Max,
} from "../bound.ts";
import { closed, nullable } from "./common.ts";

const minor = (maximum: number, description: string) =>
  Type.Integer({ minimum: 0, maximum, description: `${description}, in minor units.` });

export const policyAnswer = Type.Object(
  {
    maxBalance: minor(balanceHardCeilingMinor, "Highest balance of a card"),
    singleTxLimit: minor(balanceHardCeilingMinor, "Highest amount of one debit"),
    dailyLimit: minor(uint32Max, "Debits of a card in one local day"),
    weeklyLimit: minor(uint32Max, "Debits of a card in one ISO week"),
    blockedStatuses: Type.Array(Type.Integer({ minimum: 1, maximum: 4 }), {
      description: "Status codes of cards that are refused offline.",
    }),
    clockDriftAllowanceSec: Type.Integer({ minimum: 0, maximum: 86_400 }),
    hardCeiling: minor(balanceHardCeilingMinor, "What no card ever holds more than"),
    currency: Type.String({ description: "ISO 4217." }),
    timezone: Type.String({ description: "IANA time zone of the venue's days and weeks." }),
    sessionMaxSec: Type.Integer({
      minimum: 0,
      description: "Longest time between check-in and check-out.",
    }),
    policyVersion: Type.Integer({
      minimum: 1,
      description: "Rises with every change of a policy of the tenant.",
    }),
  },
  { additionalProperties: false },
);

const id = Type.String({ format: "uuid" });
const time = Type.String({ format: "date-time" });
const version = Type.Integer({ minimum: 1, maximum: safeIntegerMax });
const op = Type.Union([
  Type.Literal("read"),
  Type.Literal("debit"),
  Type.Literal("checkin"),
  Type.Literal("checkout"),
  Type.Literal("topup"),
  Type.Literal("reissue"),
  Type.Literal("block"),
]);
const ops = (description: string) =>
  Type.Array(op, { maxItems: opsMax, uniqueItems: true, description });
const statuses = Type.Array(Type.Integer({ minimum: 1, maximum: 4 }), {
  maxItems: 4,
  uniqueItems: true,
  description: "Status codes of cards that are refused offline.",
});
const scope = Type.Union([Type.Literal("tenant"), Type.Literal("zone"), Type.Literal("device")]);
const source = Type.Union([
  Type.Literal("device"),
  Type.Literal("zone"),
  Type.Literal("tenant"),
  Type.Literal("default"),
]);

const values = {
  maxBalance: minor(balanceHardCeilingMinor, "Highest balance of a card"),
  singleTxLimit: Type.Integer({
    minimum: 1,
    maximum: balanceHardCeilingMinor,
    description: "Highest amount of one debit, in minor units.",
  }),
  dailyLimit: minor(uint32Max, "Debits of a card in one local day"),
  weeklyLimit: minor(uint32Max, "Debits of a card in one ISO week"),
  blockedStatuses: statuses,
  clockDriftAllowanceSec: Type.Integer({ minimum: 0, maximum: 86_400 }),
  grantTtlSec: Type.Integer({
    minimum: grantTtlMinSec,
    maximum: grantTtlMaxSec,
    description: "Life of a session grant. The tenant's alone.",
  }),
};

/** Null inherits from the next wider scope. */
const inherited = {
  maxBalance: nullable(values.maxBalance),
  singleTxLimit: nullable(values.singleTxLimit),
  dailyLimit: nullable(values.dailyLimit),
  weeklyLimit: nullable(values.weeklyLimit),
  blockedStatuses: nullable(values.blockedStatuses),
  clockDriftAllowanceSec: nullable(values.clockDriftAllowanceSec),
  grantTtlSec: nullable(values.grantTtlSec),
};

export const policyRecord = closed({
  id,
  scope,
  scopeId: Type.String({ format: "uuid", description: "Of the tenant, zone or device." }),
  ...inherited,
  allowedOps: nullable(
    closed({
      terminal: nullable(ops("Operations in the grants of terminals.")),
      gate: nullable(ops("Operations in the grants of gates.")),
      station: nullable(ops("Operations in the grants of stations.")),
    }),
  ),
  createdAt: time,
  updatedAt: time,
  version,
});

export const policyEffective = closed({
  ...values,
  allowedOps: closed({
    terminal: ops("Operations in the grants of terminals."),
    gate: ops("Operations in the grants of gates."),
    station: ops("Operations in the grants of stations."),
  }),
  sources: closed({
    maxBalance: source,
    singleTxLimit: source,
    dailyLimit: source,
    weeklyLimit: source,
    blockedStatuses: source,
    clockDriftAllowanceSec: source,
    grantTtlSec: source,
    allowedOps: source,
  }),
  policyVersion: version,
});

/** Absent leaves a field as it is. */
const given = {
  maxBalance: Type.Optional(inherited.maxBalance),
  singleTxLimit: Type.Optional(inherited.singleTxLimit),
  dailyLimit: Type.Optional(inherited.dailyLimit),
  weeklyLimit: Type.Optional(inherited.weeklyLimit),
  blockedStatuses: Type.Optional(inherited.blockedStatuses),
  clockDriftAllowanceSec: Type.Optional(inherited.clockDriftAllowanceSec),
  grantTtlSec: Type.Optional(inherited.grantTtlSec),
  allowedOps: Type.Optional(
    nullable(
      closed({
        terminal: Type.Optional(nullable(ops("Of terminals."))),
        gate: Type.Optional(nullable(ops("Of gates."))),
        station: Type.Optional(nullable(ops("Of stations."))),
      }),
    ),
  ),
};

export const policyParams = closed({ id });
export const policyQuery = closed({ scope: Type.Optional(scope), scopeId: Type.Optional(id) });
export const policyCreateRequest = closed({
  scope: Type.Union([Type.Literal("zone"), Type.Literal("device")]),
  scopeId: id,
  ...given,
});
export const policyChangeRequest = closed({ ...given, version });
