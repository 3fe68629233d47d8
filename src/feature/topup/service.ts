/**
 * Top-ups: money that a member paid at a station. It is in the ledger at once, pending; the credit that
 * the card then carries settles it. Finding and settling are shared with reconciliation and reissue.
 */
import { staleTopupSec } from "../../../schema/bound.ts";
import { balanceOf } from "../../domain/account.ts";
import type { Actor } from "../../domain/audit.ts";
import { refuseTopup } from "../../domain/card.ts";
import { type Balance, type CardRecord, worth } from "../../domain/cardrecord.ts";
import type { DeviceIdentity } from "../../domain/identity.ts";
import { Refused } from "../../domain/refused.ts";
import { cancelInstead, matchParked, type Topup } from "../../domain/topup.ts";
import type { Store, Writer } from "../../store/seam.ts";
import { type CardService, deviceDoer } from "../card/service.ts";
import type { FlagService } from "../flag/service.ts";
import type { MemberService } from "../member/service.ts";
import { AVAILABLE, type MoneyService, PENDING, type Posted } from "../money/service.ts";
import type { PolicyService } from "../policy/service.ts";
import type { SettlementService } from "../settlement/service.ts";
import {
  insertTopup,
  markStale,
  readAwaiting,
  readByUuid,
  readParked,
  readSame,
  readStale,
  readUuid,
  type TopupRow,
  writeCanceled,
  writeCanceledInstead,
  writeCredited,
  writeSettled,
} from "./store.ts";

export interface TopupDeps {
  readonly store: Store;
  readonly card: CardService;
  readonly member: MemberService;
  readonly money: MoneyService;
  readonly policy: PolicyService;
  readonly settlement: SettlementService;
  readonly flag: FlagService;
}

export interface TopupInput {
  readonly amount: number;
  readonly operatorId: number;
  readonly timestamp: number;
  readonly counter?: number;
}

/** A pending top-up that an operator cancels. */
export interface TopupTakenBack {
  readonly tenantId: number;
  readonly cardNo: number;
  readonly topupNo: number;
  /** Uuid. */
  readonly topupId: string;
  readonly reason: string;
}

export interface TopupAnswer {
  cardId: string;
  topupId: string;
  amount: number;
  balance: number;
  counter: number;
  status: "PENDING" | "COMPLETED" | "CANCELED";
}

export interface CancelAnswer {
  cardId: string;
  topupId: string;
  amount: number;
  balance: number;
  status: "CANCELED";
  /** The equal, pending top-up that was cancelled because this one is settled. */
  canceledTopupId?: string;
}

const statusWord = { pending: "PENDING", completed: "COMPLETED", canceled: "CANCELED" } as const;
const statusOf = (row: TopupRow): TopupAnswer["status"] =>
  statusWord[row.status as keyof typeof statusWord];

/** Stale top-ups that one turn of the writer tells of. */
const staleAtOnce = 500;

export type TopupService = ReturnType<typeof topupService>;

export function topupService(deps: TopupDeps) {
  const { store, card: cards, member, money, policy, settlement, flag } = deps;

  /** The same call again: the first answer's values with the present status. */
  const answerAgain = (card: CardRecord, row: TopupRow): TopupAnswer => ({
    cardId: card.cardId,
    topupId: row.uuid,
    amount: row.amount,
    balance: row.answer_balance,
    counter: row.answer_counter,
    status: statusOf(row),
  });

  /**
   * Books a top-up as pending, or settles it at once with the credit that came before its call.
   * @throws Refused card_not_found · card_blocked · invalid_user · balance_limit_exceeded
   */
  async function make(
    tx: Writer,
    device: DeviceIdentity,
    cardId: string,
    input: TopupInput,
    nowMs: number,
  ): Promise<TopupAnswer> {
    const { tenantId, deviceNo } = device;
    const { amount, operatorId, timestamp, counter } = input;
    const card = await cards.take(tx, tenantId, cardId, nowMs);
    const same = await readSame(tx, tenantId, card.cardNo, deviceNo, amount, timestamp);
    if (same !== undefined) return answerAgain(card, same);

    const { maxBalance } = await policy.effective(tenantId, device.zoneNo, deviceNo, tx);
    const refusal = refuseTopup({
      status: card,
      memberStatus: (await member.find(tx, tenantId, card.userId))?.status,
      balance: card.head,
      amount,
      maxBalance,
    });
    if (refusal !== null) throw new Refused(refusal);
    const parked = matchParked(await readParked(tx, tenantId, card.cardNo, deviceNo, amount), {
      counter: counter ?? null,
      timestampSec: timestamp,
    });

    const { head, cardNo } = card;
    const after = {
      available: head.available,
      pending: head.pending + amount,
      frozen: head.frozen,
    };
    const cash = await money.systemWallet(tx, tenantId, "cash", nowMs);
    const { txnNo, uuid } = await money.transact(tx, {
      tenantId,
      type: "topup",
      status: "pending",
      amount,
      cardNo,
      counterWalletNo: cash,
      after,
      source: "device",
      createdBy: device.deviceId,
      nowMs,
      legs: [
        { walletNo: cash, bucket: AVAILABLE, amount: -amount },
        { cardNo, bucket: PENDING, amount },
      ],
    });
    const booked = await cards.book.putHead(tx, card, { ...head, ...after });
    const balance = worth(after);
    await insertTopup(tx, {
      topupNo: txnNo,
      tenantId,
      cardNo,
      deviceNo,
      amount,
      operatorId,
      timestampSec: timestamp,
      counter: counter ?? null,
      answerBalance: balance,
      answerCounter: head.top.counter,
      madeAtMs: nowMs,
    });
    await settlement.addTopup(tx, device, timestamp, 1, amount);
    const data = { cardId, userId: card.userId, terminalId: device.terminalId, amount, balance };
    await cards.tell(tx, card, deviceDoer(device), nowMs, {
      kind: "topup",
      action: "fleet.card.topped_up",
      amount,
      detail: { topupId: uuid, operatorId, balance },
      data,
    });
    if (parked === undefined) {
      return {
        cardId,
        topupId: uuid,
        amount,
        balance,
        counter: head.top.counter,
        status: "PENDING",
      };
    }
    await matchWithParked(tx, booked, txnNo, amount, parked, nowMs);
    return {
      cardId,
      topupId: uuid,
      amount,
      balance,
      counter: head.top.counter,
      status: "COMPLETED",
    };
  }

  /** What the parked credit had set aside goes back; the top-up is what pays for it. */
  async function matchWithParked(
    tx: Writer,
    card: CardRecord,
    topupNo: number,
    amount: number,
    parked: { readonly eventId: number; readonly flagNo: number },
    nowMs: number,
  ): Promise<void> {
    const { tenantId } = card;
    const cash = await money.systemWallet(tx, tenantId, "cash", nowMs);
    const suspense = await money.systemWallet(tx, tenantId, "suspense", nowMs);
    const back = [
      { walletNo: suspense, bucket: AVAILABLE, amount: -amount },
      { walletNo: cash, bucket: AVAILABLE, amount },
    ];
    await money.post(tx, tenantId, { eventId: parked.eventId }, back, nowMs);
    await settlement.addReturned(tx, tenantId, amount, nowMs);
    await settlePosted(tx, card, topupNo, amount, "event", parked.eventId, nowMs);
    await flag.closeMatched(tx, tenantId, parked.flagNo, nowMs);
  }

  /** Pending → available by postings of the top-up itself, where no event row is the entry. */
  async function settlePosted(
    tx: Writer,
    card: CardRecord,
    topupNo: number,
    amount: number,
    by: "event" | "reissue" | "refund",
    eventId: number | null,
    nowMs: number,
  ): Promise<CardRecord> {
    const { tenantId, cardNo, head } = card;
    const legs = [
      { cardNo, bucket: PENDING, amount: -amount },
      { cardNo, bucket: AVAILABLE, amount },
    ];
    await money.post(tx, tenantId, { txnNo: topupNo }, legs, nowMs);
    await money.setStatus(tx, tenantId, topupNo, "completed", nowMs);
    await writeSettled(tx, tenantId, topupNo, by, eventId);
    return await cards.book.putHead(tx, card, {
      ...head,
      available: head.available + amount,
      pending: head.pending - amount,
    });
  }

  /** Settles every pending top-up of a card that is replaced or refunded. */
  async function settleAll(
    tx: Writer,
    card: CardRecord,
    by: "reissue" | "refund",
    nowMs: number,
  ): Promise<CardRecord> {
    let now = card;
    for (const topup of await readAwaiting(tx, card.tenantId, card.cardNo)) {
      if (topup.status !== "pending") continue;
      now = await settlePosted(tx, now, topup.topupNo, topup.amount, by, null, nowMs);
    }
    return now;
  }

  /** What a credit event did to its top-up; the event row is the entry. */
  async function credited(
    tx: Writer,
    tenantId: number,
    credit: { readonly topupNo: number; readonly eventId: number; readonly settles: boolean },
    nowMs: number,
  ): Promise<void> {
    const { topupNo, eventId, settles } = credit;
    if (!settles) {
      await writeCredited(tx, tenantId, topupNo, eventId);
      return;
    }
    await money.setStatus(tx, tenantId, topupNo, "completed", nowMs);
    await writeSettled(tx, tenantId, topupNo, "event", eventId);
  }

  /** The money of a pending top-up goes back to cash. Returns what the card is worth then. */
  async function giveBack(
    tx: Writer,
    device: DeviceIdentity,
    card: CardRecord,
    topup: Pick<Topup, "topupNo" | "amount" | "timestampSec" | "deviceNo">,
    nowMs: number,
  ): Promise<number> {
    const { tenantId, cardNo, head } = card;
    const { topupNo, amount, deviceNo, timestampSec } = topup;
    const cash = await money.systemWallet(tx, tenantId, "cash", nowMs);
    const legs = [
      { cardNo, bucket: PENDING, amount: -amount },
      { walletNo: cash, bucket: AVAILABLE, amount },
    ];
    await money.post(tx, tenantId, { txnNo: topupNo }, legs, nowMs);
    await money.setStatus(tx, tenantId, topupNo, "canceled", nowMs);
    const after = await cards.book.putHead(tx, card, { ...head, pending: head.pending - amount });
    const balance = worth(after.head);
    await writeCanceled(tx, tenantId, topupNo, balance);
    // The one that is cancelled in another's place may be another device's: it goes off its account.
    const maker = { tenantId, deviceNo, zoneNo: null };
    await settlement.addTopup(tx, maker, timestampSec, -1, -amount);
    const topupId = await readUuid(tx, tenantId, topupNo);
    await cards.tell(tx, card, deviceDoer(device), nowMs, {
      kind: "topup_cancelled",
      action: "fleet.card.topup_cancelled",
      amount,
      detail: { topupId, balance },
      data: {
        cardId: card.cardId,
        userId: card.userId,
        terminalId: device.terminalId,
        amount,
        balance,
      },
    });
    return balance;
  }

  /**
   * The write on the card failed: the money goes back, here or from an equal top-up in its place.
   * @throws Refused card_not_found · topup_not_found · terminal_mismatch · topup_settled
   */
  async function cancel(
    tx: Writer,
    device: DeviceIdentity,
    cardId: string,
    topupId: string,
    nowMs: number,
  ): Promise<CancelAnswer> {
    const { tenantId } = device;
    const card = await cards.take(tx, tenantId, cardId, nowMs);
    const row = await readByUuid(tx, tenantId, card.cardNo, topupId);
    if (row === undefined) throw new Refused("topup_not_found");
    if (row.device_no !== device.deviceNo) throw new Refused("terminal_mismatch");
    const answer = { cardId, topupId, amount: row.amount, status: "CANCELED" } as const;

    if (row.canceled_instead !== null) {
      const canceledTopupId = await readUuid(tx, tenantId, row.canceled_instead);
      const balance = row.cancel_balance ?? worth(card.head);
      return { ...answer, balance, ...(canceledTopupId === undefined ? {} : { canceledTopupId }) };
    }
    if (row.status === "canceled")
      return { ...answer, balance: row.cancel_balance ?? worth(card.head) };
    const awaiting = await readAwaiting(tx, tenantId, card.cardNo);
    if (row.status === "pending") {
      const { topup_no: topupNo, amount, timestamp_sec: timestampSec, device_no: deviceNo } = row;
      const own = { topupNo, amount, timestampSec, deviceNo };
      return { ...answer, balance: await giveBack(tx, device, card, own, nowMs) };
    }
    const settled = { topupNo: row.topup_no, amount: row.amount, deviceNo: row.device_no };
    const other = cancelInstead(awaiting, settled);
    if (other === undefined) throw new Refused("topup_settled");
    const balance = await giveBack(tx, device, card, other, nowMs);
    await writeCanceledInstead(tx, tenantId, row.topup_no, balance, other.topupNo);
    const canceledTopupId = await readUuid(tx, tenantId, other.topupNo);
    return { ...answer, balance, ...(canceledTopupId === undefined ? {} : { canceledTopupId }) };
  }

  /**
   * An operator takes a pending top-up back: a reversal with entries of its own. A later credit of the card
   * finds no top-up any more.
   * @throws Refused topup_settled
   */
  async function takeBack(
    tx: Writer,
    topup: TopupTakenBack,
    actor: Actor,
    nowMs: number,
  ): Promise<Posted & { readonly before: Balance; readonly after: Balance }> {
    const { tenantId, cardNo, topupNo, topupId, reason } = topup;
    const row = await readByUuid(tx, tenantId, cardNo, topupId);
    const found = await cards.book.findByNo(tx, tenantId, cardNo);
    if (row === undefined || found === undefined) throw new RangeError(`no top-up ${topupNo}`);
    if (row.status !== "pending") throw new Refused("topup_settled");
    const card = await cards.current(tx, found, nowMs);
    const { amount, device_no: deviceNo, timestamp_sec: timestampSec } = row;
    const before = balanceOf(card.head);
    const after = { ...before, pending: before.pending - amount };
    const cash = await money.systemWallet(tx, tenantId, "cash", nowMs);
    const posted = await money.transact(tx, {
      ...{ tenantId, type: "reversal", status: "completed", amount, cardNo, after, reason, nowMs },
      counterWalletNo: cash,
      referenceNo: topupNo,
      source: "platform",
      createdBy: actor.id,
      legs: [
        { cardNo, bucket: PENDING, amount: -amount },
        { walletNo: cash, bucket: AVAILABLE, amount },
      ],
    });
    await money.setStatus(tx, tenantId, topupNo, "canceled", nowMs);
    await cards.book.putHead(tx, card, { ...card.head, ...after });
    const balance = worth(after);
    await writeCanceled(tx, tenantId, topupNo, balance);
    await settlement.addTopup(tx, { tenantId, deviceNo, zoneNo: null }, timestampSec, -1, -amount);
    const { cardId, userId } = card;
    await cards.tell(tx, card, { actor, terminalId: null }, nowMs, {
      kind: "topup_cancelled",
      action: "fleet.card.topup_cancelled",
      amount,
      detail: { topupId, balance, transactionId: posted.uuid, reason },
      data: { cardId, userId, terminalId: null, amount, balance },
    });
    return { ...posted, before, after };
  }

  /** One alert for each top-up whose credit did not come within a day. Returns how many. */
  async function alertStale(nowMs: number): Promise<number> {
    const due = await store.read((q) => readStale(q, nowMs - staleTopupSec * 1000, staleAtOnce));
    if (due.length === 0) return 0;
    await store.write(
      async (tx) => {
        for (const row of due) {
          if (!(await markStale(tx, row.tenant_id, row.topup_no))) continue;
          await flag.alert(tx, {
            tenantId: row.tenant_id,
            severity: "medium",
            reason: "stale_topup",
            cardId: row.card_id,
            terminalId: row.terminal_id,
            detail: { topupId: row.uuid, amount: row.amount },
            atMs: nowMs,
          });
        }
      },
      { weight: 3 * due.length },
    );
    return due.length;
  }

  return { make, cancel, takeBack, settleAll, credited, readAwaiting, alertStale };
}
