/** The limits that a device works under. */
import { Type } from "@sinclair/typebox";
import { balanceHardCeilingMinor, uint32Max } from "../bound.ts";

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
