/**
 * Deciding what waits in the review queue. To approve is to let the event stand, to dismiss is to close
 * the matter; where money waits, either one moves it, in the same transaction.
 */
import { noteMaxChars } from "../../../schema/bound.ts";
import type { Actor } from "../../domain/audit.ts";
import type { By } from "../../domain/by.ts";
import { ACTIVE, BLOCKED_FRAUD, type CardRecord } from "../../domain/cardrecord.ts";
import { contentKey, type IncomingEvent } from "../../domain/event.ts";
import { eventId } from "../../domain/eventid.ts";
import type { DeviceIdentity } from "../../domain/identity.ts";
import { OperatorRefused } from "../../domain/operator.ts";
import { Problem } from "../../domain/problem.ts";
import type { Store, Writer } from "../../store/seam.ts";
import type { CardService } from "../card/service.ts";
import {
  type FlagFilter,
  type FlagRow,
  type FlagService,
  type QuarantineRow,
  quarantinedEvent,
} from "../flag/service.ts";
import { AVAILABLE, type MoneyService } from "../money/service.ts";
import type { ReconcileService } from "../reconcile/service.ts";
import type { SettlementService } from "../settlement/service.ts";

export type { FlagFilter, FlagRow };

export interface ReviewDeps {
  readonly store: Store;
  readonly money: MoneyService;
  readonly card: CardService;
  readonly flag: FlagService;
  readonly reconcile: ReconcileService;
  readonly settlement: SettlementService;
}

export interface Decision {
  readonly note: string;
  readonly actor: Actor;
  /** From where, of an operator's call. */
  readonly by?: By;
  /** Dismissing an `unauthorised_credit` blocks its ACTIVE card unless false. */
  readonly block?: boolean;
  /** Asked before a decision that moves money is taken; throws where the caller may not. */
  readonly mayMoveMoney?: () => void;
}

type Verdict = "approved" | "dismissed";

/** What approving a quarantined event will do; found out before anything is written. */
interface Rerun {
  readonly kept: QuarantineRow;
  readonly event: IncomingEvent;
  readonly uploader: DeviceIdentity;
  /** Null: it would be taken now. */
  readonly reason: string | null;
}

/** Rejections that say nothing against the value having left the card. */
const sideReasons = new Set(["counter_conflict", "counter_leap", "invalid_amount"]);

const noneBelow = Number.MAX_SAFE_INTEGER;

/** Id of the event that a flag is about; of a card itself there is none. */
export const eventOf = ({ event_batch: batchId, event_place: place }: FlagRow): string | null =>
  batchId === null || place === null ? null : eventId(batchId, place);

export type ReviewService = ReturnType<typeof reviewService>;

export function reviewService(deps: ReviewDeps) {
  const { store, money, card: cards, flag, reconcile, settlement } = deps;

  /** @throws Problem not-found · wrong-state */
  async function takeOpen(tx: Writer, tenantId: number, flagId: string): Promise<FlagRow> {
    const row = await flag.readFlag(tx, tenantId, flagId);
    if (row === undefined) throw new OperatorRefused("not-found", "There is no such flag.");
    if (row.status !== "open")
      throw new Problem("wrong-state", `The flag is ${row.status} already.`, {
        members: { state: row.status },
      });
    return row;
  }

  async function close(
    tx: Writer,
    tenantId: number,
    row: FlagRow,
    verdict: Verdict,
    { note, actor, by }: Decision,
    nowMs: number,
    transactionId: string | null = null,
  ): Promise<void> {
    await flag.close(tx, tenantId, row, { verdict, note, actor, ...(by && { by }) }, nowMs);
    const { uuid: flagId, reason, terminal_id: terminalId } = row;
    if (row.card_no !== null) {
      await cards.addChange(
        tx,
        { cardNo: row.card_no, tenantId },
        {
          atMs: nowMs,
          kind: "decision",
          terminalId,
          actor: actor.id,
          amount: row.amount,
          detail: {
            ...{ flagId, reason, decision: verdict, counter: row.counter },
            ...{ eventId: eventOf(row), batchId: row.batch_uuid, transactionId },
          },
        },
      );
    }
  }

  async function cardOf(tx: Writer, tenantId: number, row: FlagRow): Promise<CardRecord> {
    const card =
      row.card_no === null ? undefined : await cards.book.findByNo(tx, tenantId, row.card_no);
    if (card === undefined)
      throw new OperatorRefused("not-found", "The card of the flag is not registered.");
    return card;
  }

  /** The waiting money of a parked credit: to the card that carried it, or back to cash. */
  async function release(
    tx: Writer,
    tenantId: number,
    row: FlagRow,
    verdict: Verdict,
    nowMs: number,
  ) {
    const amount = row.amount ?? 0;
    if (row.event_id === null) throw new RangeError("a parked credit has an event");
    const suspense = await money.systemWallet(tx, tenantId, "suspense", nowMs);
    const from = { walletNo: suspense, bucket: AVAILABLE, amount: -amount };
    const card = await cardOf(tx, tenantId, row);
    if (verdict === "approved") {
      const to = { cardNo: card.cardNo, bucket: AVAILABLE, amount };
      await money.post(tx, tenantId, { eventId: row.event_id }, [from, to], nowMs);
      await cards.book.putHead(tx, card, { ...card.head, available: card.head.available + amount });
      await settlement.addReleased(tx, tenantId, amount, nowMs);
      return;
    }
    const cash = await money.systemWallet(tx, tenantId, "cash", nowMs);
    const to = { walletNo: cash, bucket: AVAILABLE, amount };
    await money.post(tx, tenantId, { eventId: row.event_id }, [from, to], nowMs);
    await settlement.addReturned(tx, tenantId, amount, nowMs);
  }

  /** Books a debit as it stands: value that left the card beside its chain. */
  async function bookSide(
    tx: Writer,
    row: FlagRow,
    e: IncomingEvent,
    quarantineNo: number,
    uploader: DeviceIdentity,
    nowMs: number,
  ): Promise<string> {
    const { tenantId } = uploader;
    const card = await cardOf(tx, tenantId, row);
    const head = { ...card.head, available: card.head.available - e.amount };
    const { uuid } = await money.transact(tx, {
      tenantId,
      type: "card_debit",
      status: "completed",
      amount: e.amount,
      cardNo: card.cardNo,
      counterWalletNo: uploader.settlementWalletNo,
      after: head,
      reason: row.reason,
      quarantineNo,
      source: "device",
      createdBy: uploader.deviceId,
      nowMs,
      legs: [
        { cardNo: card.cardNo, bucket: AVAILABLE, amount: -e.amount },
        { walletNo: uploader.settlementWalletNo, bucket: AVAILABLE, amount: e.amount },
      ],
    });
    await cards.book.putHead(tx, card, head);
    await settlement.addDebit(tx, uploader, e.timestamp, e.amount);
    await flag.decideQuarantine(tx, tenantId, quarantineNo, "approved", true);
    return uuid;
  }

  /** @throws OperatorRefused still-rejected · not-found (the card) */
  async function judgeAgain(
    tx: Writer,
    tenantId: number,
    row: FlagRow,
    quarantineNo: number,
    nowMs: number,
  ): Promise<Rerun> {
    const kept = await flag.readQuarantine(tx, tenantId, quarantineNo);
    if (kept === undefined) throw new RangeError("a flag of quarantine has its row");
    const event = quarantinedEvent(kept);
    const uploader = await reconcile.uploader(tx, tenantId, kept.device_no);
    if (uploader === undefined) throw new RangeError("a batch has a device");
    const reason = await reconcile.wouldReject(tx, uploader, event, nowMs);
    if (reason !== null) {
      if (event.type !== "debit" || !sideReasons.has(reason)) {
        throw new OperatorRefused("still-rejected", `The event is refused again: ${reason}.`);
      }
      await cardOf(tx, tenantId, row);
    }
    return { kept, event, uploader, reason };
  }

  /** Takes a quarantined event after all, or books it beside the chain; closes its flag. */
  async function rerun(
    tx: Writer,
    row: FlagRow,
    { kept, event, uploader, reason }: Rerun,
    decision: Decision,
    nowMs: number,
  ): Promise<void> {
    const { tenantId } = uploader;
    if (reason !== null) {
      const booked = await bookSide(tx, row, event, kept.quarantine_no, uploader, nowMs);
      await close(tx, tenantId, row, "approved", decision, nowMs, booked);
      return;
    }
    // Closed first: an event that is accepted would otherwise close the row in the server's name.
    await close(tx, tenantId, row, "approved", decision, nowMs);
    const digest = Bun.SHA256.hash(`${row.uuid} ${contentKey(event)}`) as Uint8Array;
    await reconcile.ingest(tx, uploader, [event], digest, nowMs);
  }

  const isParked = (row: FlagRow): boolean =>
    row.reason === "unauthorised_credit" && row.kind === "flag";
  const movesMoney = ({ type }: IncomingEvent): boolean => type === "debit" || type === "credit";

  /** Whatever is refused is refused before the first row is written. */
  async function approveIn(
    tx: Writer,
    tenantId: number,
    flagId: string,
    decision: Decision,
    nowMs: number,
  ): Promise<FlagRow> {
    const row = await takeOpen(tx, tenantId, flagId);
    const parked = isParked(row);
    if (parked) await checkParked(tx, tenantId, row, decision);
    if (row.quarantine_no !== null) {
      const again = await judgeAgain(tx, tenantId, row, row.quarantine_no, nowMs);
      if (movesMoney(again.event)) decision.mayMoveMoney?.();
      await rerun(tx, row, again, decision, nowMs);
    } else {
      await close(tx, tenantId, row, "approved", decision, nowMs, parked ? eventOf(row) : null);
      if (parked) await release(tx, tenantId, row, "approved", nowMs);
    }
    return (await flag.readFlag(tx, tenantId, flagId)) ?? row;
  }

  async function checkParked(
    tx: Writer,
    tenantId: number,
    row: FlagRow,
    { mayMoveMoney }: Decision,
  ): Promise<void> {
    mayMoveMoney?.();
    await cardOf(tx, tenantId, row);
  }

  async function dismissIn(
    tx: Writer,
    tenantId: number,
    flagId: string,
    decision: Decision,
    nowMs: number,
  ): Promise<FlagRow> {
    const row = await takeOpen(tx, tenantId, flagId);
    const parked = isParked(row);
    if (parked) await checkParked(tx, tenantId, row, decision);
    await close(tx, tenantId, row, "dismissed", decision, nowMs, parked ? eventOf(row) : null);
    if (parked) {
      await release(tx, tenantId, row, "dismissed", nowMs);
      const card = await cards.current(tx, await cardOf(tx, tenantId, row), nowMs);
      if (decision.block !== false && card.status === ACTIVE) {
        const { actor, by } = decision;
        const doer = { actor, terminalId: null, ...(by && { by }) };
        const atSec = Math.floor(nowMs / 1000);
        await cards.setBlocked(tx, card, BLOCKED_FRAUD, atSec, "unauthorised_credit", doer, nowMs);
      }
    }
    if (row.quarantine_no !== null) {
      await flag.decideQuarantine(tx, tenantId, row.quarantine_no, "dismissed", false);
    }
    return (await flag.readFlag(tx, tenantId, flagId)) ?? row;
  }

  function checkNote(note: string): void {
    if (note.length >= 1 && note.length <= noteMaxChars) return;
    throw new OperatorRefused(
      "validation-error",
      `The note has 1 to ${noteMaxChars} characters.`,
      "note",
    );
  }

  /** The event stands. @throws OperatorRefused not-found · wrong-state · still-rejected · validation-error */
  async function approve(
    tenantId: number,
    flagId: string,
    decision: Decision,
    nowMs: number,
  ): Promise<FlagRow> {
    checkNote(decision.note);
    return await store.write((tx) => approveIn(tx, tenantId, flagId, decision, nowMs));
  }

  /** The matter is closed. @throws OperatorRefused not-found · wrong-state · validation-error */
  async function dismiss(
    tenantId: number,
    flagId: string,
    decision: Decision,
    nowMs: number,
  ): Promise<FlagRow> {
    checkNote(decision.note);
    return await store.write((tx) => dismissIn(tx, tenantId, flagId, decision, nowMs));
  }

  /** Flags of a status below a number, newest first. */
  const list = (
    tenantId: number,
    status: "open" | Verdict,
    limit: number,
    below = noneBelow,
  ): Promise<FlagRow[]> => page(tenantId, { ...everyFlag, status }, below, limit);

  const page = (
    tenantId: number,
    filter: FlagFilter,
    below: number,
    limit: number,
  ): Promise<FlagRow[]> => store.read((q) => flag.pageFlags(q, tenantId, filter, below, limit));

  const count = (tenantId: number, filter: FlagFilter): Promise<number> =>
    store.read((q) => flag.countFlags(q, tenantId, filter));

  /** @throws Problem not-found */
  async function find(tenantId: number, flagId: string): Promise<FlagRow> {
    const row = await store.read((q) => flag.readFlag(q, tenantId, flagId));
    if (row === undefined) throw new OperatorRefused("not-found", "There is no such flag.");
    return row;
  }

  return { approve, dismiss, approveIn, dismissIn, list, page, count, find };
}

const everyFlag = {
  ...{ kind: null, reason: null, severity: null, cardId: null, terminalId: null },
  ...{ fromMs: null, toMs: null },
} as const;
