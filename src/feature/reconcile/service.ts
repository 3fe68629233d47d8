/**
 * Reconciliation: a batch of what happened offline is read for, decided once, and written with all that
 * follows from it in one transaction. The rules are `domain/reconcile.ts`'s; no `if` about money here.
 */
import { holeOpenMaxSec, quarantineOpenMax } from "../../../schema/bound.ts";
import type { BatchInput, Decided, Rejected } from "../../domain/batch.ts";
import { calendar } from "../../domain/calendar.ts";
import type { CardRecord } from "../../domain/cardrecord.ts";
import type { IncomingEvent } from "../../domain/event.ts";
import { CONFLICT, MISSING, type RejectReason, severityOf } from "../../domain/flag.ts";
import type { DeviceIdentity } from "../../domain/identity.ts";
import { allDuplicates, decideBatch } from "../../domain/reconcile.ts";
import { Refused } from "../../domain/refused.ts";
import type { Store, Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import type { AuditService } from "../audit/service.ts";
import type { CardService } from "../card/service.ts";
import type { EventService } from "../event/service.ts";
import { evidenceOf, type FlagService, shownEvent } from "../flag/service.ts";
import type { MoneyService } from "../money/service.ts";
import type { PolicyService } from "../policy/service.ts";
import type { SessionService } from "../session/service.ts";
import type { SettlementService } from "../settlement/service.ts";
import type { TopupService } from "../topup/service.ts";
import { fetchMore, type Prefetched, prefetch } from "./prefetch.ts";
import { recordOf } from "./record.ts";
import * as rows from "./store.ts";

export interface ReconcileDeps {
  readonly store: Store;
  readonly random: Random;
  readonly audit: AuditService;
  readonly event: EventService;
  readonly policy: PolicyService;
  readonly session: SessionService;
  readonly card: CardService;
  readonly topup: TopupService;
  readonly money: MoneyService;
  readonly flag: FlagService;
  readonly settlement: SettlementService;
}

export interface BatchAnswer {
  /** Flagged events too. */
  accepted: number;
  rejected: number;
  flags: { counter: number; cardId: string; reason: string }[];
  rejections: { index: number; counter: number; cardId: string; reason: string }[];
  batchId: string;
}

/** What a batch is judged by, but for what is known of its cards. */
type Circumstances = Omit<BatchInput, keyof Prefetched>;

const holesAtOnce = 500;

/** Every later round of a decision reads four times as far; a history of any length ends before this. */
const roundsMax = 32;

export type { Batch, EventFilter, HandedPlaced } from "./record.ts";

export type ReconcileService = ReturnType<typeof reconcileService>;

export function reconcileService(deps: ReconcileDeps) {
  const {
    store,
    random,
    audit,
    event,
    policy,
    session,
    card: cards,
    topup,
    money,
    flag,
    settlement,
  } = deps;

  /** As the writer sees them; nobody else gives out numbers. Read again after a roll back. */
  let given: rows.Last | undefined;

  async function lastGiven(tx: Writer): Promise<rows.Last> {
    given ??= await rows.readLast(tx);
    return given;
  }

  /** What the batch is judged by, but for the cards. */
  async function circumstances(
    tx: Writer,
    device: DeviceIdentity,
    events: readonly IncomingEvent[],
    nowMs: number,
  ): Promise<Circumstances> {
    const limits = await policy.effective(device.tenantId, device.zoneNo, device.deviceNo, tx);
    const slack = limits.clockDriftAllowanceSec;
    let from = Number.POSITIVE_INFINITY;
    let to = 0;
    for (const { timestamp } of events) {
      if (timestamp < from) from = timestamp;
      if (timestamp > to) to = timestamp;
    }
    const windows =
      events.length === 0
        ? []
        : await session.covering(tx, device.deviceNo, from - slack, to + slack);
    return {
      events,
      nowSec: Math.floor(nowMs / 1000),
      limits,
      windows,
      roleOps: device.role === "scout" ? 0 : limits.ops[device.role],
      suspendedAtSec: device.suspendedAtSec,
      calendar: calendar(limits.timezone),
      firstEventId: (await lastGiven(tx)).eventId + 1,
    };
  }

  /** Decides, reading more of the histories until nothing is missing. */
  async function decide(tx: Writer, input: Circumstances, known: Prefetched): Promise<Decided> {
    for (let round = 1; round <= roundsMax; round += 1) {
      const decision = decideBatch({ ...input, ...known });
      if (decision.kind === "decided") return decision;
      await fetchMore(tx, deps, known, decision.needs, round);
    }
    throw new RangeError("a batch could not be decided: a history does not end");
  }

  /** The card rows of the decision: heads, weeks, top-ups, amended events, holes. */
  async function applyCards(
    tx: Writer,
    device: DeviceIdentity,
    decided: Decided,
    nowMs: number,
  ): Promise<void> {
    const nowSec = Math.floor(nowMs / 1000);
    const took = new Set(decided.accepted.map((a) => a.card.cardNo));
    await cards.book.putAll(
      tx,
      decided.cards.map(({ card, head, appended }) => {
        const validated = card.needsValidation && took.has(card.cardNo);
        const needsValidation = validated ? false : card.needsValidation;
        return { before: card, after: { ...card, needsValidation, head }, appended };
      }),
    );
    for (const { card, weeks, amended } of decided.cards) {
      for (const [week, days] of weeks) await rows.writeWeek(tx, card, week, days);
      for (const { before, after } of amended) {
        await rows.amendEvent(tx, card.tenantId, after);
        if (after.linked && !before.linked) await rows.closeHole(tx, card, after);
        if (!after.linked && before.linked) await rows.openHole(tx, card, after, nowSec);
      }
    }
    for (const { card, event: e } of decided.accepted) {
      if (!e.linked) await rows.openHole(tx, card, e, nowSec);
    }
    for (const credit of decided.credited) await topup.credited(tx, device.tenantId, credit, nowMs);
    for (const { quarantineNo } of decided.released) {
      await flag.release(tx, device.tenantId, quarantineNo, nowMs);
    }
  }

  /** The other side of what the event rows book. */
  async function applyMoney(
    tx: Writer,
    device: DeviceIdentity,
    decided: Decided,
    nowMs: number,
  ): Promise<void> {
    const { tenantId } = device;
    await money.move(tx, tenantId, device.settlementWalletNo, decided.debited, nowMs);
    if (decided.parked === 0) return;
    const cash = await money.systemWallet(tx, tenantId, "cash", nowMs);
    const suspense = await money.systemWallet(tx, tenantId, "suspense", nowMs);
    await money.move(tx, tenantId, cash, -decided.parked, nowMs);
    await money.move(tx, tenantId, suspense, decided.parked, nowMs);
  }

  /** Who handed in an event that is recorded, and in which batch. */
  async function sourceOf(tx: Writer, card: CardRecord, eventId: number) {
    const { deviceNo, batchNo } = await cards.readEvent(tx, card, eventId);
    const uploader = await rows.readUploader(tx, card.tenantId, deviceNo);
    if (uploader === undefined) throw new RangeError("an event has a device");
    return { terminalId: uploader.terminalId, deviceNo, batchNo };
  }

  /** What goes into the review queue. */
  async function applyReview(
    tx: Writer,
    device: DeviceIdentity,
    events: readonly IncomingEvent[],
    decided: Decided,
    { batchNo, firstEventId }: { readonly batchNo: number; readonly firstEventId: number },
    nowMs: number,
  ): Promise<void> {
    const { tenantId, deviceNo, terminalId } = device;
    for (const { card, event: e, reason, severity, detail } of decided.raised) {
      // What a filled gap or a fork tells of an earlier event is about whoever handed that in.
      const source =
        e.id < firstEventId ? await sourceOf(tx, card, e.id) : { terminalId, deviceNo, batchNo };
      await flag.raise(tx, {
        tenantId,
        ...source,
        reason,
        severity,
        cardNo: card.cardNo,
        cardId: card.cardId,
        eventId: e.id,
        counter: e.counter,
        amount: e.amount,
        raisedAtMs: nowMs,
        evidence: evidenceOf(e, detail),
      });
    }
    for (const rejected of decided.rejected) {
      const { index, reason, fresh, conflict } = rejected;
      const e = events[index];
      if (e === undefined) continue;
      if (fresh) await keepApart(tx, device, e, rejected, batchNo, nowMs);
      // Also where a branch was kept apart before for another cause, and is only now seen to be one.
      if (conflict === null || !(fresh || (conflict.flags & CONFLICT) === 0)) continue;
      await flag.alert(tx, {
        tenantId,
        severity: "high",
        reason,
        cardId: e.cardId,
        terminalId,
        detail: { counter: e.counter },
        atMs: nowMs,
      });
    }
  }

  /** A rejected event, kept as it came, for an operator to decide. */
  async function keepApart(
    tx: Writer,
    { tenantId, deviceNo, terminalId }: DeviceIdentity,
    e: IncomingEvent,
    { reason, card, conflict }: Rejected,
    batchNo: number,
    nowMs: number,
  ): Promise<void> {
    const of = { deviceNo, batchNo, reason, nowMs };
    const quarantineNo = await flag.insertQuarantine(tx, tenantId, of, e);
    const evidence = evidenceOf(e, {});
    await flag.raise(tx, {
      tenantId,
      terminalId,
      deviceNo,
      reason,
      severity: severityOf(reason),
      cardNo: card?.cardNo ?? null,
      cardId: e.cardId,
      quarantineNo,
      batchNo,
      counter: e.counter,
      amount: e.amount,
      raisedAtMs: nowMs,
      evidence: conflict === null ? evidence : { ...evidence, recorded: shownEvent(conflict) },
    });
  }

  /** @throws Refused unavailable: the device's quarantine is full of what nobody has decided */
  async function checkQuarantine(
    tx: Writer,
    device: DeviceIdentity,
    decided: Decided,
  ): Promise<void> {
    const fresh = decided.rejected.filter((r) => r.fresh).length;
    if (fresh === 0) return;
    const open = await flag.countOpen(tx, device.deviceNo, quarantineOpenMax + 1);
    if (open + fresh <= quarantineOpenMax) return;
    const message = "Nothing was recorded; rejected events of this device wait for an operator.";
    throw new Refused("unavailable", { message, retryAfterSec: 60 });
  }

  /**
   * Takes a batch within `tx`: all of its outcome or none.
   * @throws Refused duplicate_counter (every event was recorded before) · unavailable
   */
  async function ingest(
    tx: Writer,
    device: DeviceIdentity,
    events: readonly IncomingEvent[],
    digest: Uint8Array,
    nowMs: number,
  ): Promise<BatchAnswer> {
    const { tenantId, deviceNo, terminalId } = device;
    if (events.length > 0 && (await rows.isTaken(tx, tenantId, digest)))
      throw resent(events.length);
    const input = await circumstances(tx, device, events, nowMs);
    const known = await prefetch(tx, deps, tenantId, events, input.calendar);
    const decided = await decide(tx, input, known);
    if (allDuplicates(events.length, decided.rejected)) throw resent(events.length);
    await checkQuarantine(tx, device, decided);

    const { batchNo: lastBatchNo, eventId } = await lastGiven(tx);
    const batchNo = lastBatchNo + 1;
    tx.onRollback(() => {
      given = undefined;
    });
    given = { batchNo, eventId: eventId + decided.accepted.length };
    const batchId = random.uuid(nowMs);
    const totals = {
      accepted: decided.accepted.length,
      rejected: decided.rejected.length,
      flagged: decided.flaggedEvents,
      debitAmount: decided.debited,
      creditAmount: decided.credits,
    };
    const facts = { batchId, terminalId, ...totals };
    const auditSeq = await audit.append(tx, {
      tenantId,
      atMs: nowMs,
      action: "fleet.batch.reconciled",
      entityType: "batch",
      entityId: batchId,
      actor: { type: "device", id: device.deviceId },
      metadata: { ...facts, digest: digest.toHex() },
    });
    await rows.insertBatch(tx, {
      batchNo,
      uuid: batchId,
      tenantId,
      deviceNo,
      receivedAtMs: nowMs,
      events: events.length,
      ...totals,
      digest,
      firstEvent: input.firstEventId,
      auditSeq,
    });
    await rows.insertEvents(tx, { tenantId, batchNo, deviceNo }, decided.accepted);
    await applyCards(tx, device, decided, nowMs);
    await applyMoney(tx, device, decided, nowMs);
    await settlement.addBatch(tx, device, decided.days);
    const { firstEventId } = input;
    await applyReview(tx, device, events, decided, { batchNo, firstEventId }, nowMs);
    await event.publish(tx, { tenantId, type: "fleet.batch.reconciled", data: facts, atMs: nowMs });
    return answerOf(events, decided, batchId);
  }

  /** Why this one event would be refused now; null if it would be taken. Writes nothing. */
  async function wouldReject(
    tx: Writer,
    device: DeviceIdentity,
    e: IncomingEvent,
    nowMs: number,
  ): Promise<RejectReason | null> {
    const input = await circumstances(tx, device, [e], nowMs);
    const known = await prefetch(tx, deps, device.tenantId, [e], input.calendar);
    const decided = await decide(tx, input, known);
    return decided.rejected[0]?.reason ?? null;
  }

  /** A batch that is a resend throughout is counted for the audit record. */
  function noteDuplicate(device: DeviceIdentity, nowMs: number): void {
    const { tenantId, deviceId, terminalId } = device;
    audit.tally(
      {
        tenantId,
        action: "fleet.batch.duplicate",
        entityType: "device",
        entityId: deviceId,
        reason: "duplicate_counter",
        facts: { deviceId, terminalId },
      },
      nowMs,
    );
  }

  /** Holes that nobody filled in a week get one flag each. Returns how many. */
  async function flagHoles(nowMs: number): Promise<number> {
    const since = Math.floor(nowMs / 1000) - holeOpenMaxSec;
    const due = await store.read((q) => rows.readHoles(q, since, holesAtOnce));
    if (due.length === 0) return 0;
    await store.write(
      async (tx) => {
        for (const hole of due) await flagHole(tx, hole, nowMs);
      },
      { weight: due.length },
    );
    return due.length;
  }

  async function flagHole(
    tx: Writer,
    hole: { tenant_id: number; card_no: number; counter: number; event_id: number },
    nowMs: number,
  ): Promise<void> {
    const { tenant_id: tenantId, card_no: cardNo, counter } = hole;
    if ((await rows.markHole(tx, tenantId, cardNo, counter)) === 0) return;
    const card: CardRecord | undefined = await cards.book.findByNo(tx, tenantId, cardNo);
    if (card === undefined) return;
    const e = await cards.readEvent(tx, card, hole.event_id);
    // It was open for so long before, then closed by a late event and opened again by another.
    if ((e.flags & MISSING) !== 0) return;
    const after = { ...e, flags: e.flags | MISSING };
    await rows.amendEvent(tx, tenantId, after);
    // Written even where the event is not the head's: a row is what is known of the events in it.
    const isTop = card.head.top.id === e.id;
    const top = isTop ? { ...card.head.top, flags: after.flags } : card.head.top;
    await cards.book.putHead(tx, card, { ...card.head, top });
    await flag.raise(tx, {
      tenantId,
      ...(await sourceOf(tx, card, e.id)),
      reason: "missing_events",
      severity: severityOf("missing_events"),
      cardNo,
      cardId: card.cardId,
      eventId: e.id,
      counter,
      amount: e.amount,
      raisedAtMs: nowMs,
      evidence: evidenceOf(e, {}),
    });
  }

  return {
    ingest,
    wouldReject,
    noteDuplicate,
    flagHoles,
    uploader: rows.readUploader,
    ...recordOf({ store, card: cards }),
  };
}

const resent = (events: number): Refused =>
  new Refused("duplicate_counter", { body: { accepted: 0, rejected: events } });

function answerOf(
  events: readonly IncomingEvent[],
  decided: Decided,
  batchId: string,
): BatchAnswer {
  const place = (index: number): { counter: number; cardId: string } => {
    const { counter = 0, cardId = "" } = events[index] ?? {};
    return { counter, cardId };
  };
  return {
    accepted: decided.accepted.length,
    rejected: decided.rejected.length,
    flags: decided.flags.map(({ index, reason }) => ({ ...place(index), reason })),
    rejections: decided.rejected.map(({ index, reason }) => ({ index, ...place(index), reason })),
    batchId,
  };
}
