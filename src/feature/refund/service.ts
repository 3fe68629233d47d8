/**
 * Refunds at the door: what a card holds is paid out in cash and the card is of no use any more. What
 * it spends offline until its grants end still comes in, and may take its wallet below zero.
 */
import type { By } from "../../domain/by.ts";
import {
  ACTIVE,
  type Balance,
  BLOCKED_ADMIN,
  type CardRecord,
  worth,
} from "../../domain/cardrecord.ts";
import { Problem } from "../../domain/problem.ts";
import { decideRefund, refundable } from "../../domain/refund.ts";
import type { Writer } from "../../store/seam.ts";
import type { CardService, Doer } from "../card/service.ts";
import { AVAILABLE, type MoneyService } from "../money/service.ts";
import type { SessionService } from "../session/service.ts";
import type { SettlementService } from "../settlement/service.ts";
import type { TopupService } from "../topup/service.ts";
import { cardsOf, findMember, sidesOf } from "./store.ts";

export interface RefundDeps {
  readonly card: CardService;
  readonly topup: Pick<TopupService, "settleAll">;
  readonly money: Pick<MoneyService, "systemWallet" | "transact">;
  readonly session: Pick<SessionService, "openUntil">;
  readonly settlement: Pick<SettlementService, "addRefund">;
}

export interface RefundOrder {
  readonly reason: string;
  /** Minor units; absent: all. */
  readonly amount?: number;
  /** What was read on the chip; absent: what the wallet says. */
  readonly chipBalance?: number;
}

/** A refund as the transaction that it is. */
export interface Refund {
  readonly id: string;
  readonly cardId: string;
  /** Minor units. */
  readonly amount: number;
  readonly currency: string;
  readonly walletId: string;
  readonly counterWalletId: string;
  readonly balanceAfter: Balance;
  readonly reason: string;
  readonly createdBy: string;
  readonly createdAtMs: number;
  /** Until then debits of the card may still come in. */
  readonly unseenUntilSec: number;
}

export interface MemberRefund {
  /** Of each card that held something, the oldest first. */
  readonly refunds: readonly Refund[];
  /** Minor units in all. */
  readonly total: number;
  /** The latest of all. */
  readonly unseenUntilSec: number;
}

const doerOf = (by: By): Doer => ({ actor: by.actor, terminalId: null });

export type RefundService = ReturnType<typeof refundService>;

export function refundService(deps: RefundDeps) {
  const { card: cards, topup, money, session, settlement } = deps;

  /** Blocks the card if it is in use, and settles what is pending: its wallet is ready to be emptied. */
  async function shut(
    tx: Writer,
    card: CardRecord,
    reason: string,
    by: By,
    nowMs: number,
  ): Promise<CardRecord> {
    const nowSec = Math.floor(nowMs / 1000);
    const blocked =
      card.status === ACTIVE
        ? await cards.setBlocked(tx, card, BLOCKED_ADMIN, nowSec, reason, doerOf(by), nowMs)
        : card;
    return await topup.settleAll(tx, blocked, "refund", nowMs);
  }

  /** Pays `amount` out of the wallet of a card that was shut, in every place that tells of it. */
  async function pay(
    tx: Writer,
    card: CardRecord,
    amount: number,
    { reason, chipBalance }: RefundOrder,
    by: By,
    nowMs: number,
  ): Promise<Refund> {
    const { tenantId, cardId, cardNo, head } = card;
    const { available, pending, frozen } = head;
    const before: Balance = { available, pending, frozen };
    const after: Balance = { ...before, available: available - amount };
    const cash = await money.systemWallet(tx, tenantId, "cash", nowMs);
    await cards.book.putHead(tx, card, { ...head, ...after });
    const { txnNo, uuid: id } = await money.transact(tx, {
      ...{ tenantId, type: "refund", status: "completed", amount, cardNo, after, reason, nowMs },
      ...{ counterWalletNo: cash, source: "platform", createdBy: by.actor.id },
      legs: [
        { cardNo, bucket: AVAILABLE, amount: -amount },
        { walletNo: cash, bucket: AVAILABLE, amount },
      ],
    });
    await settlement.addRefund(tx, tenantId, amount, nowMs);
    await cards.tell(tx, card, doerOf(by), nowMs, {
      kind: "refund",
      action: "fleet.card.refunded",
      amount,
      detail: {
        ...{ transactionId: id, reason, chipBalance: chipBalance ?? null },
        ...{ before, after, left: worth(after) },
      },
      data: { cardId, amount, transactionId: id },
    });
    const sinceSec = card.blockedAtSec ?? Math.floor(nowMs / 1000);
    return {
      ...{ id, cardId, amount, ...(await sidesOf(tx, tenantId, txnNo)), balanceAfter: after },
      ...{ reason, createdBy: by.actor.id, createdAtMs: nowMs },
      unseenUntilSec: (await session.openUntil(tx, tenantId, sinceSec)) ?? sinceSec,
    };
  }

  /**
   * Pays out what a card holds, all of it unless an amount is named. Refused, nothing is done: no block.
   * @throws Refused card_not_found; Problem wallet-empty · insufficient-funds
   */
  async function ofCard(
    tx: Writer,
    tenantId: number,
    cardId: string,
    order: RefundOrder,
    by: By,
    nowMs: number,
  ): Promise<Refund> {
    const card = await cards.take(tx, tenantId, cardId, nowMs);
    const amount = decideRefund(card.head, order);
    if (amount instanceof Problem) throw amount;
    return await pay(tx, await shut(tx, card, order.reason, by, nowMs), amount, order, by, nowMs);
  }

  /**
   * Pays out all that a member's cards hold, and blocks the one in use. @param memberId uuid
   * @throws Problem not-found · wallet-empty
   */
  async function ofMember(
    tx: Writer,
    tenantId: number,
    memberId: string,
    reason: string,
    by: By,
    nowMs: number,
  ): Promise<MemberRefund> {
    const member = await findMember(tx, tenantId, memberId);
    if (member === undefined) throw new Problem("not-found", "There is no such member.");
    const refunds: Refund[] = [];
    for (const cardId of await cardsOf(tx, tenantId, member.memberNo)) {
      const card = await cards.take(tx, tenantId, cardId, nowMs);
      const amount = refundable(card.head, undefined);
      const closed = await shut(tx, card, reason, by, nowMs);
      if (amount > 0) refunds.push(await pay(tx, closed, amount, { reason }, by, nowMs));
    }
    if (refunds.length === 0) {
      throw new Problem("wallet-empty", "The member's cards hold nothing to be paid out.");
    }
    return {
      refunds,
      total: refunds.reduce((total, { amount }) => total + amount, 0),
      unseenUntilSec: Math.max(...refunds.map(({ unseenUntilSec }) => unseenUntilSec)),
    };
  }

  return { ofCard, ofMember };
}
