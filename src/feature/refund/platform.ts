/** Refunds of cards and members. Nothing is decided here. */
import {
  refundAnswer,
  refundCardParams,
  refundMemberAnswer,
  refundMemberParams,
  refundMemberRequest,
  refundRequest,
} from "../../../schema/contract/refund.ts";
import { amountOf } from "../../domain/account.ts";
import { instantText } from "../../domain/instant.ts";
import { Problem } from "../../domain/problem.ts";
import { byOf } from "../../http/platform/by.ts";
import { operation, type PlatformRoute } from "../../http/platform/route.ts";
import type { Refund, RefundService } from "./service.ts";

const refunds = { namespace: "fleet", tag: "Refunds", idempotency: "required" } as const;
const access = { permission: "fleet.cards.refund", balance: true } as const;

/** Of UTC seconds. */
const secText = (sec: number): string => instantText(sec * 1000);

const view = (refund: Refund) => ({
  id: refund.id,
  transactionId: refund.id,
  type: "refund" as const,
  status: "completed" as const,
  amount: refund.amount,
  currency: refund.currency,
  walletId: refund.walletId,
  counterWalletId: refund.counterWalletId,
  balanceAfter: { ...refund.balanceAfter },
  description: null,
  metadata: null,
  reason: refund.reason,
  referenceTransactionId: null,
  reversed: false,
  ttl: null,
  expiresAt: null,
  source: "platform" as const,
  createdBy: refund.createdBy,
  createdAt: instantText(refund.createdAtMs),
  updatedAt: instantText(refund.createdAtMs),
  unseenUntil: secText(refund.unseenUntilSec),
});

/** @throws Problem invalid-amount */
function amountIn(value: unknown): { amount?: number } {
  if (value === undefined) return {};
  const amount = amountOf(value);
  if (amount instanceof Problem) throw amount;
  return { amount };
}

const id = "01936d7a-0000-7000-8000-000000000001";
const example = view({
  ...{ id, cardId: "a1b2c3d4e5f6", amount: 485_000, currency: "IDR", reason: "card handed in" },
  walletId: "01936d7a-0000-7000-8000-000000000002",
  counterWalletId: "01936d7a-0000-7000-8000-000000000003",
  balanceAfter: { available: 0, pending: 0, frozen: 0 },
  createdBy: "01936d7a-0000-7000-8000-000000000004",
  ...{ createdAtMs: 1_795_278_780_000, unseenUntilSec: 1_795_300_000 },
});
const reason = "member leaves";

export const refundRoutes = (service: RefundService): PlatformRoute[] => [
  operation({
    ...refunds,
    method: "POST",
    path: "/fleet/cards/:cardId/refund",
    operationId: "refundCard",
    summary: "Pay out what a card holds",
    description:
      "An ACTIVE card becomes BLOCKED_ADMIN, pending top-ups are settled, then what the wallet has, at " +
      "most what the chip showed, is paid in cash. A refusal leaves everything as it was.",
    access,
    contract: { params: refundCardParams, body: refundRequest, response: refundAnswer },
    status: 201,
    refusals: ["invalid-amount", "insufficient-funds", "wallet-empty"],
    examples: {
      params: { cardId: "a1b2c3d4e5f6" },
      request: { reason: "card handed in", chipBalance: 485_000 },
      response: example,
    },
    location: (made) => `/transactions/${made.id}`,
    handle: async (call) => {
      const { caller, params, body, nowMs } = call;
      const { reason, amount, chipBalance } = body;
      const order = {
        ...{ reason, ...amountIn(amount) },
        ...(chipBalance !== undefined && { chipBalance }),
      };
      return await call.write(async (tx) => {
        const { tenantId } = caller;
        return view(await service.ofCard(tx, tenantId, params.cardId, order, byOf(call), nowMs));
      });
    },
  }),
  operation({
    ...refunds,
    method: "POST",
    path: "/fleet/members/:id/refund",
    operationId: "refundMember",
    summary: "Pay out all that a member's cards hold",
    description: "The card in use becomes BLOCKED_ADMIN. One transaction for each card.",
    access,
    contract: {
      params: refundMemberParams,
      body: refundMemberRequest,
      response: refundMemberAnswer,
    },
    status: 201,
    refusals: ["wallet-empty"],
    examples: {
      params: { id },
      request: { reason },
      response: {
        data: [{ ...example, reason }],
        total: 485_000,
        unseenUntil: example.unseenUntil,
      },
    },
    handle: async (call) => {
      const { caller, params, body, nowMs } = call;
      return await call.write(async (tx) => {
        const { tenantId } = caller;
        const by = byOf(call);
        const made = await service.ofMember(tx, tenantId, params.id, body.reason, by, nowMs);
        const { total, unseenUntilSec } = made;
        return { data: made.refunds.map(view), total, unseenUntil: secText(unseenUntilSec) };
      });
    },
  }),
];
