/** Cards on the device surface: register, read, events, block, rekey. */

import { cardNameMaxBytes } from "../../../schema/bound.ts";
import {
  blockAnswer,
  blockRequest,
  cardAnswer,
  cardEventsAnswer,
  cardEventsQuery,
  registerAnswer,
  registerRequest,
  rekeyAnswer,
  rekeyRequest,
} from "../../../schema/contract/card.ts";
import { cardParams } from "../../../schema/contract/common.ts";
import { BLOCKED_ADMIN, effectiveStatus, STATUS_NAME } from "../../domain/cardrecord.ts";
import type { Op } from "../../domain/grant.ts";
import { roles } from "../../domain/identity.ts";
import { type Route, route } from "../../http/route.ts";
import { type CardService, deviceDoer } from "./service.ts";

const readers = { roles, suspended: true, bucket: "device" } as const;
const station = (op: Op) =>
  ({ roles: ["station"], suspended: false, op, bucket: "device" }) as const;
const cardParamsExample = { cardId: "a1b2c3d4e5f6" };
const eventsDefault = 10;

export const cardRoutes = (cards: CardService): Route[] => [
  route({
    method: "POST",
    path: "/api/cards",
    operationId: "registerCard",
    summary: "Register a card for a member",
    description:
      "The id is unique within the venue and never used again. The card gets a wallet of its own.",
    tag: "Cards",
    access: station("reissue"),
    contract: { body: registerRequest, response: registerAnswer },
    status: 201,
    refusals: [
      "card_already_registered",
      "user_has_active_card",
      "invalid_user",
      "invalid_key_version",
      "card_blocked",
    ],
    check: ({ name }) =>
      Buffer.byteLength(name) <= cardNameMaxBytes
        ? null
        : { path: "name", expected: `must be 1 to ${cardNameMaxBytes} bytes of UTF-8` },
    examples: {
      request: {
        cardId: "a1b2c3d4e5f6",
        userId: 1001,
        name: "Siti Rahayu",
        createdAt: 1746690000,
        keyVersion: 1,
      },
      response: {
        cardId: "a1b2c3d4e5f6",
        userId: 1001,
        status: "ACTIVE",
        balance: 0,
        createdAt: 1746690000,
      },
    },
    handle: ({ device, body, nowMs, write }) =>
      write((tx) => cards.register(tx, device, body, nowMs)),
  }),

  route({
    method: "GET",
    path: "/api/cards/:cardId",
    operationId: "getCard",
    summary: "What the venue knows of a card",
    tag: "Cards",
    access: readers,
    contract: { params: cardParams, response: cardAnswer },
    status: 200,
    refusals: ["card_not_found"],
    malformedParams: "card_not_found",
    examples: {
      params: cardParamsExample,
      response: {
        cardId: "a1b2c3d4e5f6",
        userId: 1001,
        status: "ACTIVE",
        balance: 485000,
        counter: 17,
        createdAt: 1746600000,
        lastActivity: 1746690000,
        chipBalance: 485000,
        state: "CHECKED_IN",
        pendingTopups: { count: 0, amount: 0 },
        needsValidation: false,
        expiresAt: null,
      },
    },
    handle: ({ device, params, nowSec }) => cards.read(device, params.cardId, nowSec),
  }),

  route({
    method: "GET",
    path: "/api/cards/:cardId/events",
    operationId: "listCardEvents",
    summary: "A card's newest events, highest counter first",
    tag: "Cards",
    access: readers,
    contract: { params: cardParams, query: cardEventsQuery, response: cardEventsAnswer },
    status: 200,
    refusals: ["card_not_found"],
    malformedParams: "card_not_found",
    examples: {
      params: cardParamsExample,
      query: { limit: 10 },
      response: {
        events: [
          {
            counter: 17,
            type: "debit",
            amount: 15000,
            balanceAfter: 485000,
            timestamp: 1746690000,
            flags: ["daily_limit_exceeded"],
          },
        ],
      },
    },
    handle: ({ device, params, query }) =>
      cards.events(device, params.cardId, query.limit ?? eventsDefault),
  }),

  route({
    method: "POST",
    path: "/api/cards/:cardId/block",
    operationId: "blockCard",
    summary: "Block a card",
    description:
      "A card that is blocked for another cause keeps its status; the request is recorded.",
    tag: "Cards",
    access: station("block"),
    contract: { params: cardParams, body: blockRequest, response: blockAnswer },
    status: 200,
    refusals: ["card_not_found"],
    malformedParams: "card_not_found",
    examples: {
      params: cardParamsExample,
      request: { reason: "reported lost", operatorId: 7, timestamp: 1746690000 },
      response: { cardId: "a1b2c3d4e5f6", status: "BLOCKED_ADMIN" },
    },
    handle: ({ device, params: { cardId }, body, nowMs, nowSec, write }) =>
      write(async (tx) => {
        const { reason, operatorId } = body;
        const doer = deviceDoer(device);
        const facts = { operatorId };
        const { card } = await cards.block(
          tx,
          device.tenantId,
          cardId,
          BLOCKED_ADMIN,
          reason,
          doer,
          nowMs,
          facts,
        );
        return { cardId, status: STATUS_NAME[effectiveStatus(card, nowSec).status] };
      }),
  }),

  route({
    method: "POST",
    path: "/api/cards/:cardId/rekey",
    operationId: "rekeyCard",
    summary: "The same card was rewritten under another key version",
    tag: "Cards",
    access: station("reissue"),
    contract: { params: cardParams, body: rekeyRequest, response: rekeyAnswer },
    status: 200,
    refusals: ["card_not_found", "invalid_key_version", "card_blocked"],
    malformedParams: "card_not_found",
    examples: {
      params: cardParamsExample,
      request: { keyVersion: 2, operatorId: 7, timestamp: 1746690000 },
      response: { cardId: "a1b2c3d4e5f6", keyVersion: 2 },
    },
    handle: ({ device, params, body, nowMs, write }) =>
      write((tx) => cards.rekey(tx, device, params.cardId, body, nowMs)),
  }),
];
