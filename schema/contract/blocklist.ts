/** The cards that an offline terminal must refuse. */
import { Type } from "@sinclair/typebox";
import { blocklistPageMax, blockReasonMaxChars, safeIntegerMax } from "../bound.ts";
import { cardId, closed, nullable, statusName } from "./common.ts";
import { time } from "./operator.ts";

const version = Type.Integer({ minimum: 0, maximum: safeIntegerMax });

export const blocklistQuery = closed({
  since: Type.Optional({ ...version, description: "The version that the caller has." }),
});

export const blocklistAnswer = closed({
  version: { ...version, description: "Rises with every change." },
  full: Type.Boolean({
    description: "The caller replaces its list with this page and those that follow.",
  }),
  add: Type.Array(closed({ cardId, status: statusName }), { maxItems: blocklistPageMax }),
  remove: Type.Array(cardId, { maxItems: blocklistPageMax }),
  nextSince: Type.Optional({ ...version, description: "There is more: ask again with this." }),
});

/** As operators see it. */
export const listedAnswer = closed({
  cardId,
  status: statusName,
  statusCode: Type.Integer({ minimum: 1, maximum: 4 }),
  registered: Type.Boolean({ description: "False: an id that was listed by hand." }),
  blockedAt: time,
  reason: nullable(Type.String()),
});
export const listedMeta = closed({ version });
export const listedParams = closed({ cardId });
export const listRequest = closed({
  cardId,
  reason: Type.String({ minLength: 1, maxLength: blockReasonMaxChars }),
});
