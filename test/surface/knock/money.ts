/** Knocks at the ledger. */
import type { Knocks } from "./knock.ts";

const moves = { keyed: true, answers: "201" } as const;

export const moneyKnocks: Knocks = {
  "GET /wallets": {
    ...{ may: "money.wallets.read", answers: "200" },
    make: () => ({ path: "/wallets?kind=user&status=active&currency=IDR" }),
  },
  "POST /wallets": {
    ...{ may: "money.wallets.write", answers: "201", audit: "money.wallet.created" },
    make: async (house) => ({
      path: "/wallets",
      body: { userId: (await house.person()).id, currency: "IDR", label: "Lunch" },
    }),
  },
  "GET /wallets/:id": {
    ...{ may: "money.wallets.read", answers: "200" },
    make: async (house) => ({ path: `/wallets/${await house.wallet()}` }),
  },
  "PATCH /wallets/:id": {
    ...{ may: "money.wallets.write", answers: "200", audit: "money.wallet.updated", event: null },
    make: async (house) => ({
      path: `/wallets/${await house.wallet()}`,
      body: { label: "Dinner", version: 1 },
    }),
  },
  "GET /wallets/:id/balance": {
    ...{ may: "money.wallets.read", answers: "200" },
    make: async (house) => ({ path: `/wallets/${await house.wallet(5)}/balance` }),
  },
  "POST /wallets/:id/close": {
    ...{ may: "money.wallets.write", answers: "200", audit: "money.wallet.closed" },
    make: async (house) => ({ path: `/wallets/${await house.wallet()}/close` }),
  },
  "POST /wallets/:id/credit": {
    ...{ ...moves, may: "money.credit", audit: "money.wallet.credited" },
    make: async (house) => ({
      path: `/wallets/${await house.wallet()}/credit`,
      body: { amount: 5, currency: "IDR", description: "Lunch", metadata: { till: 7 } },
    }),
  },
  "POST /wallets/:id/debit": {
    ...{ ...moves, may: "money.debit", audit: "money.wallet.debited" },
    make: async (house) => ({
      path: `/wallets/${await house.wallet(5)}/debit`,
      body: { amount: 5, currency: "IDR", description: "Lunch", metadata: {} },
    }),
  },
  "POST /wallets/:id/hold": {
    ...{ ...moves, may: "money.hold", audit: "money.hold.created" },
    make: async (house) => ({
      path: `/wallets/${await house.wallet(5)}/hold`,
      body: { amount: 5, currency: "IDR", ttl: 60 },
    }),
  },
  "POST /holds/:id/confirm": {
    ...{ may: "money.hold", keyed: true, answers: "200", audit: "money.hold.confirmed" },
    make: async (house) => ({
      path: `/holds/${await house.hold()}/confirm`,
      body: { metadata: { till: 7 } },
    }),
  },
  "POST /holds/:id/cancel": {
    ...{ may: "money.hold", keyed: true, answers: "200", audit: "money.hold.canceled" },
    make: async (house) => ({ path: `/holds/${await house.hold()}/cancel`, body: {} }),
  },
  "POST /transfers": {
    ...{ ...moves, may: "money.transfer", audit: "money.transfer.completed" },
    make: async (house) => ({
      path: "/transfers",
      body: {
        ...{ fromWalletId: await house.wallet(5), toWalletId: await house.wallet() },
        ...{ amount: 5, currency: "IDR", description: "A loan", metadata: {} },
      },
    }),
  },
  "POST /transfers/batch": {
    ...{ ...moves, may: "money.transfer", audit: "money.transfer.completed" },
    make: async (house) => ({
      path: "/transfers/batch",
      body: {
        items: [
          { fromWalletId: await house.wallet(5), toWalletId: await house.wallet(), amount: 5 },
        ],
      },
    }),
  },
  "POST /transactions/:id/reversal": {
    ...{ ...moves, may: "money.reverse", audit: "money.transaction.reversed" },
    make: async (house) => {
      const path = `/wallets/${await house.wallet()}/credit`;
      const { id } = await house.moved(path, { amount: 5 });
      return { path: `/transactions/${id}/reversal`, body: { reason: "A mistake" } };
    },
  },
  "GET /transactions": {
    ...{ may: "money.wallets.read", answers: "200" },
    make: async (house) => ({ path: `/transactions?walletId=${await house.wallet(5)}` }),
  },
  "GET /transactions/:id": {
    ...{ may: "money.wallets.read", answers: "200" },
    make: async (house) => {
      const path = `/wallets/${await house.wallet()}/credit`;
      return { path: `/transactions/${(await house.moved(path, { amount: 5 })).id}` };
    },
  },
  "GET /money/trial-balance": {
    ...{ may: "money.ledger.read", answers: "200" },
    make: () => ({ path: "/money/trial-balance?currency=IDR" }),
  },
};
