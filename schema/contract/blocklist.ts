/** The cards that an offline terminal must refuse. */
import { Type } from "@sinclair/typebox";
import { blocklistPageMax, safeIntegerMax } from "../bound.ts";
import { cardId, closed, statusName } from "./common.ts";

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
