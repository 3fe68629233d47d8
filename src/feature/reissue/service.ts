/**
 * Reissue: a new card takes the place of an old one, the only way back from any block. What the wallet
 * holds moves as far as the old chip showed it; the rest stays to meet what is still to come in.
 */
import { carriedOver, refuseReissue } from "../../domain/card.ts";
import {
  ACTIVE,
  BLOCKED_ADMIN,
  type CardRecord,
  effectiveStatus,
  STATUS_NAME,
  type StatusName,
  worth,
} from "../../domain/cardrecord.ts";
import type { DeviceIdentity } from "../../domain/identity.ts";
import { Refused } from "../../domain/refused.ts";
import type { Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import type { BlocklistService } from "../blocklist/service.ts";
import { type CardService, deviceDoer } from "../card/service.ts";
import type { KeyService } from "../key/service.ts";
import type { MemberService } from "../member/service.ts";
import { AVAILABLE, type MoneyService } from "../money/service.ts";
import type { SessionService } from "../session/service.ts";
import type { TopupService } from "../topup/service.ts";
import { insertReissue, readReissue } from "./store.ts";

export interface ReissueDeps {
  readonly random: Random;
  readonly card: CardService;
  readonly topup: TopupService;
  readonly member: MemberService;
  readonly money: MoneyService;
  readonly blocklist: BlocklistService;
  readonly key: KeyService;
  readonly session: SessionService;
}

export interface ReissueInput {
  readonly newCardId: string;
  readonly keyVersion: number;
  readonly operatorId: number;
  readonly timestamp: number;
  /** What the station read on the old chip. */
  readonly chipBalance?: number;
  readonly expiresAt?: number;
  readonly reason?: string;
}

export interface ReissueAnswer {
  cardId: string;
  replaces: string;
  userId: number;
  status: StatusName;
  /** Opening balance that the station writes on the new chip. */
  balance: number;
  createdAt: number;
  /** Until then debits of the old card may still come in. */
  unseenUntil: number;
}

/** The body by value: members in a fixed order, so that their order in the request does not count. */
const digestOf = (input: ReissueInput): Uint8Array => {
  const { newCardId, keyVersion, operatorId, timestamp, chipBalance, expiresAt, reason } = input;
  const values = [newCardId, keyVersion, operatorId, timestamp, chipBalance, expiresAt, reason];
  return Bun.SHA256.hash(JSON.stringify(values.map((v) => v ?? null))) as Uint8Array;
};

export type ReissueService = ReturnType<typeof reissueService>;

export function reissueService(deps: ReissueDeps) {
  const { random, card: cards, topup, member, money, blocklist, key, session } = deps;

  /** The same body again from the same device. */
  async function repeated(
    tx: Writer,
    device: DeviceIdentity,
    old: CardRecord,
    digest: Uint8Array,
  ): Promise<ReissueAnswer | undefined> {
    const stored = await readReissue(tx, device.tenantId, old.cardNo);
    if (stored === undefined || stored.deviceNo !== device.deviceNo) return undefined;
    if (Buffer.compare(stored.digest, digest) !== 0) return undefined;
    return JSON.parse(stored.answer) as ReissueAnswer;
  }

  /** Blocks the old card, settles what is pending; the wallet is ready to be emptied. */
  async function close(
    tx: Writer,
    device: DeviceIdentity,
    old: CardRecord,
    reason: string,
    nowMs: number,
  ) {
    let closed = old;
    if (old.status === ACTIVE) {
      const nowSec = Math.floor(nowMs / 1000);
      closed = await cards.setBlocked(
        tx,
        old,
        BLOCKED_ADMIN,
        nowSec,
        reason,
        deviceDoer(device),
        nowMs,
      );
    }
    return await topup.settleAll(tx, closed, "reissue", nowMs);
  }

  /**
   * @throws Refused card_not_found · card_already_registered · card_replaced · user_has_active_card ·
   *   invalid_user · invalid_key_version · card_blocked (the new id is listed by hand)
   */
  async function reissue(
    tx: Writer,
    device: DeviceIdentity,
    cardId: string,
    input: ReissueInput,
    nowMs: number,
  ): Promise<ReissueAnswer> {
    const { tenantId } = device;
    const { newCardId, keyVersion } = input;
    const old = await cards.take(tx, tenantId, cardId, nowMs);
    const digest = digestOf(input);
    const before = await repeated(tx, device, old, digest);
    if (before !== undefined) return before;

    const holder = await member.find(tx, tenantId, old.userId);
    const other = await cards.activeCardOf(tx, tenantId, old.memberNo, nowMs, old.cardNo);
    const refusal = refuseReissue({
      newIdKnown: (await cards.book.find(tx, tenantId, newCardId)) !== undefined,
      replaced: old.replacedByNo !== null,
      memberHasOtherActiveCard: other !== undefined,
      memberStatus: holder?.status,
      keyIsActive: await key.isActive(tx, tenantId, keyVersion),
      newIdListed: await blocklist.isListedByHand(tx, tenantId, newCardId),
    });
    if (refusal !== null) throw new Refused(refusal);

    const closed = await close(tx, device, old, input.reason ?? "reissued", nowMs);
    const moved = carriedOver(closed.head, input.chipBalance);
    const fresh = await cards.book.add(tx, {
      tenantId,
      cardId: newCardId,
      walletUuid: random.uuid(nowMs),
      memberNo: old.memberNo,
      userId: old.userId,
      name: await cards.nameOf(tx, old),
      keyVersion,
      createdAtSec: input.timestamp,
      // 0 on the chip means never.
      expiresAtSec: input.expiresAt || null,
      replacesNo: old.cardNo,
      registeredAtMs: nowMs,
      openingBalance: moved,
    });
    const { head } = closed;
    const replaced = await cards.book.put(tx, closed, {
      ...closed,
      replacedByNo: fresh.cardNo,
      head: { ...head, available: head.available - moved },
    });
    const { uuid } = await money.transact(tx, {
      tenantId,
      type: "reissue",
      status: "completed",
      amount: moved,
      cardNo: old.cardNo,
      counterCardNo: fresh.cardNo,
      after: replaced.head,
      ...(input.reason === undefined ? {} : { reason: input.reason }),
      source: "device",
      createdBy: device.deviceId,
      nowMs,
      legs: [
        { cardNo: old.cardNo, bucket: AVAILABLE, amount: -moved },
        { cardNo: fresh.cardNo, bucket: AVAILABLE, amount: moved },
      ],
    });
    const blockedAtSec = replaced.blockedAtSec ?? Math.floor(nowMs / 1000);
    const answer: ReissueAnswer = {
      cardId: newCardId,
      replaces: cardId,
      userId: old.userId,
      status: STATUS_NAME[effectiveStatus(fresh, Math.floor(nowMs / 1000)).status],
      balance: moved,
      createdAt: input.timestamp,
      unseenUntil: (await session.openUntil(tx, tenantId, blockedAtSec)) ?? blockedAtSec,
    };
    const stored = { deviceNo: device.deviceNo, digest, answer: JSON.stringify(answer) };
    await insertReissue(tx, tenantId, fresh.cardNo, old.cardNo, stored);
    await announce(tx, device, replaced, fresh, moved, uuid, input, nowMs);
    return answer;
  }

  async function announce(
    tx: Writer,
    device: DeviceIdentity,
    old: CardRecord,
    fresh: CardRecord,
    moved: number,
    transactionId: string,
    input: ReissueInput,
    nowMs: number,
  ): Promise<void> {
    const doer = deviceDoer(device);
    const detail = {
      newCardId: fresh.cardId,
      transactionId,
      operatorId: input.operatorId,
      reason: input.reason ?? null,
      left: worth(old.head),
    };
    const data = { cardId: old.cardId, newCardId: fresh.cardId, balance: moved };
    await cards.tell(tx, old, doer, nowMs, {
      kind: "reissue",
      action: "fleet.card.reissued",
      amount: moved,
      detail,
      data,
    });
    await cards.tell(tx, fresh, doer, nowMs, {
      kind: "registered",
      action: "fleet.card.registered",
      amount: moved,
      detail: {
        userId: fresh.userId,
        keyVersion: fresh.keyVersion,
        replaces: old.cardId,
        transactionId,
      },
      data: {
        cardId: fresh.cardId,
        userId: fresh.userId,
        terminalId: device.terminalId,
        amount: moved,
        balance: moved,
      },
    });
  }

  return { reissue };
}
