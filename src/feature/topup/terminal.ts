/** Top-ups on the device surface. */
import { cardParams } from "../../../schema/contract/common.ts";
import {
  cancelAnswer,
  topupAnswer,
  topupParams,
  topupRequest,
} from "../../../schema/contract/topup.ts";
import { type Route, route } from "../../http/route.ts";
import type { TopupService } from "./service.ts";

const access = { roles: ["station"], suspended: false, op: "topup", bucket: "device" } as const;
const topupId = "01971d3e-7a00-7cc3-98c4-dc0c0c07398f";

export const topupRoutes = (topups: TopupService): Route[] => [
  route({
    method: "POST",
    path: "/api/cards/:cardId/topup",
    operationId: "topUpCard",
    summary: "Take a member's money for a card",
    description:
      "The money is in the ledger at once, pending; the credit that the card then carries settles it. " +
      "The same card, device, amount and timestamp again is the same top-up.",
    tag: "Top-ups",
    access,
    contract: { params: cardParams, body: topupRequest, response: topupAnswer },
    status: 200,
    refusals: ["card_not_found", "card_blocked", "invalid_user", "balance_limit_exceeded"],
    malformedParams: "card_not_found",
    examples: {
      params: { cardId: "a1b2c3d4e5f6" },
      request: { amount: 100000, operatorId: 7, timestamp: 1746690000, counter: 18 },
      response: {
        cardId: "a1b2c3d4e5f6",
        topupId,
        amount: 100000,
        balance: 585000,
        counter: 17,
        status: "PENDING",
      },
    },
    handle: ({ device, params, body, nowMs, write }) =>
      write((tx) => topups.make(tx, device, params.cardId, body, nowMs)),
  }),

  route({
    method: "POST",
    path: "/api/cards/:cardId/topup/:topupId/cancel",
    operationId: "cancelTopup",
    summary: "The write on the card failed: give the money back",
    description:
      "Where the top-up is settled already but an equal one of the card is pending, that one is cancelled " +
      "in its place and named.",
    tag: "Top-ups",
    access,
    contract: { params: topupParams, response: cancelAnswer },
    status: 200,
    refusals: ["card_not_found", "topup_not_found", "terminal_mismatch", "topup_settled"],
    malformedParams: "card_not_found",
    examples: {
      params: { cardId: "a1b2c3d4e5f6", topupId },
      response: {
        cardId: "a1b2c3d4e5f6",
        topupId,
        amount: 100000,
        balance: 485000,
        status: "CANCELED",
      },
    },
    handle: ({ device, params, nowMs, write }) =>
      write((tx) => topups.cancel(tx, device, params.cardId, params.topupId, nowMs)),
  }),
];
