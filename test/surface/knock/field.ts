/** Knocks at the calls about cards and what devices hand in: blocklist, batches, review, settlement. */
import type { Knocks } from "./knock.ts";

const cardKnocks: Knocks = {
  "GET /fleet/cards": {
    ...{ may: "fleet.cards.read", answers: "200" },
    make: () => ({ path: "/fleet/cards?status=ACTIVE&keyVersion=1&needsValidation=false" }),
  },
  "GET /fleet/cards/:cardId": {
    ...{ may: "fleet.cards.read", answers: "200" },
    make: async (house) => {
      const { cardId } = await (await house.desk()).card();
      return { path: `/fleet/cards/${cardId}` };
    },
  },
  "GET /fleet/cards/:cardId/timeline": {
    ...{ may: "fleet.cards.read", answers: "200" },
    make: async (house) => {
      const { cardId } = await (await house.desk()).card();
      return { path: `/fleet/cards/${cardId}/timeline?kind=event` };
    },
  },
  "POST /fleet/cards/:cardId/block": {
    ...{ may: "fleet.cards.block", answers: "200", audit: "fleet.card.blocked" },
    make: async (house) => {
      const { cardId } = await (await house.desk()).card();
      return {
        path: `/fleet/cards/${cardId}/block`,
        body: { reason: "Lost", as: "BLOCKED_FRAUD" },
      };
    },
  },
  "POST /fleet/cards/:cardId/unblock": {
    may: "fleet.cards.block",
    answers: "409 unblock-by-reissue",
    unrecorded: "it never succeeds",
    make: async (house) => {
      const { cardId } = await (await house.desk()).card();
      await house.made(`/fleet/cards/${cardId}/block`, { reason: "Lost" });
      return { path: `/fleet/cards/${cardId}/unblock` };
    },
  },
  "POST /fleet/cards/:cardId/refund": {
    ...{ may: "fleet.cards.refund", keyed: true, answers: "201", audit: "fleet.card.refunded" },
    make: async (house) => {
      const { cardId } = await (await house.desk()).card();
      const body = { reason: "Leaves", amount: 1_000, chipBalance: 50_000 };
      return { path: `/fleet/cards/${cardId}/refund`, body };
    },
  },
  "POST /fleet/members/:id/refund": {
    ...{ may: "fleet.cards.refund", keyed: true, answers: "201", audit: "fleet.card.refunded" },
    make: async (house) => {
      const { memberId } = await (await house.desk()).card();
      return { path: `/fleet/members/${memberId}/refund`, body: { reason: "Leaves" } };
    },
  },
  "GET /fleet/blocklist": {
    ...{ may: "fleet.cards.read", answers: "200" },
    make: () => ({ path: "/fleet/blocklist" }),
  },
  "POST /fleet/blocklist": {
    ...{ may: "fleet.cards.block", answers: "201", audit: "fleet.card.listed" },
    make: (house) => ({
      path: "/fleet/blocklist",
      body: { cardId: house.cardId(), reason: "Stolen elsewhere" },
    }),
  },
  "DELETE /fleet/blocklist/:cardId": {
    ...{ may: "fleet.cards.block", answers: "204", audit: "fleet.card.unlisted" },
    make: async (house) => {
      const cardId = house.cardId();
      await house.made("/fleet/blocklist", { cardId, reason: "Stolen elsewhere" });
      return { path: `/fleet/blocklist/${cardId}` };
    },
  },
};

const recordKnocks: Knocks = {
  "GET /fleet/batches": {
    ...{ may: "fleet.batches.read", answers: "200" },
    make: () => ({ path: "/fleet/batches?flagged=true&terminalId=1&from=2025-01-01T00:00:00Z" }),
  },
  "GET /fleet/batches/:id": {
    ...{ may: "fleet.batches.read", answers: "200" },
    make: async (house) => ({ path: `/fleet/batches/${await (await house.desk()).batch()}` }),
  },
  "GET /fleet/batches/:id/events": {
    ...{ may: "fleet.batches.read", answers: "200" },
    make: async (house) => ({
      path: `/fleet/batches/${await (await house.desk()).batch()}/events?outcome=flagged`,
    }),
  },
  "GET /fleet/events": {
    ...{ may: "fleet.batches.read", answers: "200" },
    make: () => ({ path: "/fleet/events?terminalId=1&outcome=accepted" }),
  },
  "GET /fleet/reports": {
    ...{ may: "fleet.reports.read", answers: "200" },
    make: () => ({ path: "/fleet/reports?terminalId=1" }),
  },
  "GET /fleet/reports/:id": {
    ...{ may: "fleet.reports.read", answers: "200" },
    make: async (house) => ({ path: `/fleet/reports/${await (await house.desk()).report()}` }),
  },
};

const reviewKnocks: Knocks = {
  "GET /fleet/flags": {
    ...{ may: "fleet.flags.read", answers: "200" },
    make: () => ({ path: "/fleet/flags?status=open&kind=flag&severity=medium" }),
  },
  "GET /fleet/flags/:id": {
    ...{ may: "fleet.flags.read", answers: "200" },
    make: async (house) => ({ path: `/fleet/flags/${await (await house.desk()).flag()}` }),
  },
  "POST /fleet/flags/:id/approve": {
    ...{ may: "fleet.flags.decide", answers: "200", audit: "fleet.flag.decided" },
    make: async (house) => ({
      path: `/fleet/flags/${await (await house.desk()).flag()}/approve`,
      body: { note: "Known" },
    }),
  },
  "POST /fleet/flags/:id/dismiss": {
    ...{ may: "fleet.flags.decide", answers: "200", audit: "fleet.flag.decided" },
    make: async (house) => ({
      path: `/fleet/flags/${await (await house.desk()).flag()}/dismiss`,
      body: { note: "Known", block: false },
    }),
  },
  "POST /fleet/flags/decide": {
    ...{ may: "fleet.flags.decide", answers: "200", audit: "fleet.flag.decided" },
    make: async (house) => ({
      path: "/fleet/flags/decide",
      body: { ids: [await (await house.desk()).flag()], decision: "dismiss", note: "Known" },
    }),
  },
};

const settlementKnocks: Knocks = {
  "GET /fleet/settlement": {
    ...{ may: "fleet.settlement.read", answers: "200" },
    make: () => ({ path: "/fleet/settlement?from=2025-05-01&to=2025-05-08&format=json" }),
  },
  "GET /fleet/settlement/runs": {
    ...{ may: "fleet.settlement.read", answers: "200" },
    make: () => ({ path: "/fleet/settlement/runs" }),
  },
  "POST /fleet/settlement/runs": {
    ...{ may: "fleet.settlement.close", answers: "201", audit: "fleet.settlement.closed" },
    make: (house) => ({ path: "/fleet/settlement/runs", body: house.pastDay() }),
  },
  "GET /fleet/settlement/runs/:id": {
    ...{ may: "fleet.settlement.read", answers: "200" },
    make: async (house) => {
      const { id } = await house.made("/fleet/settlement/runs", house.pastDay());
      return { path: `/fleet/settlement/runs/${id}?format=json` };
    },
  },
  "GET /fleet/stream": {
    ...{ may: "fleet.stream", answers: "200" },
    make: () => ({ path: "/fleet/stream?types=fleet.card.*" }),
  },
};

export const fieldKnocks: Knocks = {
  ...cardKnocks,
  ...recordKnocks,
  ...reviewKnocks,
  ...settlementKnocks,
};
