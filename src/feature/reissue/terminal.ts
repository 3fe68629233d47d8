/** Reissue on the device surface. */
import { reissueAnswer, reissueRequest } from "../../../schema/contract/card.ts";
import { cardParams } from "../../../schema/contract/common.ts";
import { type Route, route } from "../../http/route.ts";
import type { ReissueService } from "./service.ts";

export const reissueRoutes = (reissues: ReissueService): Route[] => [
  route({
    method: "POST",
    path: "/api/cards/:cardId/reissue",
    operationId: "reissueCard",
    summary: "Replace a card by a new one, money included",
    description:
      "The only way back from any block. What moves is what the wallet has, at most what the old chip " +
      "showed; it is the opening balance that the station writes on the new chip.",
    tag: "Cards",
    access: { roles: ["station"], suspended: false, op: "reissue", bucket: "device" },
    contract: { params: cardParams, body: reissueRequest, response: reissueAnswer },
    status: 201,
    refusals: [
      "card_not_found",
      "card_already_registered",
      "card_replaced",
      "user_has_active_card",
      "invalid_user",
      "invalid_key_version",
      "card_blocked",
    ],
    malformedParams: "card_not_found",
    examples: {
      params: { cardId: "a1b2c3d4e5f6" },
      request: {
        newCardId: "0f1e2d3c4b5a",
        keyVersion: 1,
        operatorId: 7,
        timestamp: 1746690000,
        chipBalance: 485000,
        reason: "lost",
      },
      response: {
        cardId: "0f1e2d3c4b5a",
        replaces: "a1b2c3d4e5f6",
        userId: 1001,
        status: "ACTIVE",
        balance: 485000,
        createdAt: 1746690000,
        unseenUntil: 1746718800,
      },
    },
    handle: ({ device, params, body, nowMs, write }) =>
      write((tx) => reissues.reissue(tx, device, params.cardId, body, nowMs)),
  }),
];
