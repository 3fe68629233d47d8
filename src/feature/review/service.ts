/**
 * Deciding what waits in the review queue. To approve is to let the event stand, to dismiss is to close
 * the matter; where money waits, either one moves it, in the same transaction.
 */
import { noteMaxChars } from "../../../schema/bound.ts";
import type { Actor } from "../../domain/audit.ts";
import { ACTIVE, BLOCKED_FRAUD, type CardRecord } from "../../domain/cardrecord.ts";
import { contentKey, type IncomingEvent } from "../../domain/event.ts";
import type { DeviceIdentity } from "../../domain/identity.ts";
import { OperatorRefused } from "../../domain/operator.ts";
import type { Store, Writer } from "../../store/seam.ts";
import type { CardService } from "../card/service.ts";
import {
  type FlagRow,
  type FlagService,
  type QuarantineRow,
  quarantinedEvent,
} from "../flag/service.ts";
import { AVAILABLE, type MoneyService } from "../money/service.ts";
import type { ReconcileService } from "../reconcile/service.ts";
import type { SettlementService } from "../settlement/service.ts";

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
  /** Dismissing an `unauthorised_credit` blocks its ACTIVE card unless false. */
  readonly block?: boolean;
}

type Verdict = "approved" | "dismissed";

/** Rejections that say nothing against the value having left the card. */
const sideReasons = new Set(["counter_conflict", "counter_leap", "invalid_amount"]);

const noneBelow = Number.MAX_SAFE_INTEGER;

export function reviewService(deps: ReviewDeps) {
  const { store, money, card: cards, flag, reconcile, settlement } = deps;

  /** @throws OperatorRefused not-found · wrong-state */
  async function takeOpen(tx: Writer, tenantId: number, flagId: string): Promise<FlagRow> {
    const row = await flag.readFlag(tx, tenantId, flagId);
    if (row === undefined) throw new OperatorRefused("not-found", "There is no such flag.");
    if (row.status !== "open")
      throw new OperatorRefused("wrong-state", `The flag is ${row.status} already.`);
    return row;
  }

  async function close(
    tx: Writer,
    tenantId: number,
    row: FlagRow,
    verdict: Verdict,
    { note, actor }: Decision,
    nowMs: number,
  ): Promise<void> {
    await flag.close(tx, tenantId, row, { verdict, note, actor }, nowMs);
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
          detail: { flagId, reason, decision: verdict, counter: row.counter },
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
      return;
    }
    const cash = await money.systemWallet(tx, tenantId, "cash", nowMs);
    const to = { walletNo: cash, bucket: AVAILABLE, amount };
    await money.post(tx, tenantId, { eventId: row.event_id }, [from, to], nowMs);
  }

  /** Books a debit as it stands: value that left the card beside its chain. */
  async function bookSide(
    tx: Writer,
    row: FlagRow,
    e: IncomingEvent,
    quarantineNo: number,
    uploader: DeviceIdentity,
    nowMs: number,
  ): Promise<void> {
    const { tenantId } = uploader;
    const card = await cardOf(tx, tenantId, row);
    const head = { ...card.head, available: card.head.available - e.amount };
    await money.transact(tx, {
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
  }

  /** Judges a quarantined event anew; what is still refused is booked beside the chain, or stays. */
  async function rerun(
    tx: Writer,
    tenantId: number,
    row: FlagRow,
    kept: QuarantineRow,
    nowMs: number,
  ) {
    const e = quarantinedEvent(kept);
    const uploader = await reconcile.uploader(tx, tenantId, kept.device_no);
    if (uploader === undefined) throw new RangeError("a batch has a device");
    const digest = Bun.SHA256.hash(`${row.uuid} ${contentKey(e)}`) as Uint8Array;
    const reason = await reconcile.wouldReject(tx, uploader, e, nowMs);
    if (reason === null) {
      await reconcile.ingest(tx, uploader, [e], digest, nowMs);
      return;
    }
    if (e.type !== "debit" || !sideReasons.has(reason)) {
      throw new OperatorRefused("still-rejected", `The event is refused again: ${reason}.`);
    }
    await bookSide(tx, row, e, kept.quarantine_no, uploader, nowMs);
  }

  async function approveIn(
    tx: Writer,
    tenantId: number,
    flagId: string,
    decision: Decision,
    nowMs: number,
  ) {
    const row = await takeOpen(tx, tenantId, flagId);
    // Closed first: an event that is accepted now would otherwise close the row in the server's name.
    await close(tx, tenantId, row, "approved", decision, nowMs);
    if (row.reason === "unauthorised_credit" && row.kind === "flag") {
      await release(tx, tenantId, row, "approved", nowMs);
    }
    if (row.quarantine_no !== null) {
      const kept = await flag.readQuarantine(tx, tenantId, row.quarantine_no);
      if (kept === undefined) throw new RangeError("a flag of quarantine has its row");
      await rerun(tx, tenantId, row, kept, nowMs);
    }
    return (await flag.readFlag(tx, tenantId, flagId)) ?? row;
  }

  async function dismissIn(
    tx: Writer,
    tenantId: number,
    flagId: string,
    decision: Decision,
    nowMs: number,
  ) {
    const row = await takeOpen(tx, tenantId, flagId);
    await close(tx, tenantId, row, "dismissed", decision, nowMs);
    if (row.reason === "unauthorised_credit" && row.kind === "flag") {
      await release(tx, tenantId, row, "dismissed", nowMs);
      const card = await cards.current(tx, await cardOf(tx, tenantId, row), nowMs);
      if (decision.block !== false && card.status === ACTIVE) {
        const doer = { actor: decision.actor, terminalId: null };
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

  const list = (
    tenantId: number,
    status: "open" | Verdict,
    limit: number,
    below = noneBelow,
  ): Promise<FlagRow[]> => store.read((q) => flag.readFlags(q, tenantId, status, below, limit));

  return { approve, dismiss, list };
}
