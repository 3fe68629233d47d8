/**
 * What a terminal saw and could not settle alone: recorded once, with what it does to the card in the
 * same transaction. The first block stays; the way back is an operator's.
 */
import {
  replayWindowSec,
  reportBlocksWindowSec,
  writeFailureWindowSec,
} from "../../../schema/bound.ts";
import { type CardRecord, STATUS_NAME } from "../../domain/cardrecord.ts";
import { severityOf } from "../../domain/flag.ts";
import type { DeviceIdentity } from "../../domain/identity.ts";
import { Problem } from "../../domain/problem.ts";
import {
  decideReport,
  type ReportCase,
  type ReportEffect,
  type ReportType,
} from "../../domain/report.ts";
import type { Store, Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import type { AuditService } from "../audit/service.ts";
import { type CardService, deviceDoer } from "../card/service.ts";
import type { EventService } from "../event/service.ts";
import type { FlagService } from "../flag/service.ts";
import * as rows from "./store.ts";

export type { Report } from "./store.ts";

export interface ReportDeps {
  readonly store: Store;
  readonly random: Random;
  readonly audit: AuditService;
  readonly event: EventService;
  readonly card: CardService;
  readonly flag: FlagService;
}

export interface ReportInput {
  readonly cardId: string | null;
  readonly eventType: ReportType;
  readonly details: string;
  readonly counter: number | null;
  readonly timestamp: number;
}

/** Events of a card that are looked through for the range of a replay. */
const replayEventsMax = 1_000;

export type ReportService = ReturnType<typeof reportService>;

export function reportService({ store, random, audit, event, card: cards, flag }: ReportDeps) {
  async function findCard(
    tx: Writer,
    device: DeviceIdentity,
    cardId: string | null,
    nowMs: number,
  ): Promise<CardRecord | undefined> {
    const card = cardId === null ? undefined : await cards.book.find(tx, device.tenantId, cardId);
    return card === undefined ? undefined : await cards.current(tx, card, nowMs);
  }

  async function caseOf(
    tx: Writer,
    device: DeviceIdentity,
    card: CardRecord | undefined,
    type: ReportType,
    nowMs: number,
  ): Promise<ReportCase> {
    const { tenantId, deviceNo, suspendedAtSec } = device;
    const suspended = suspendedAtSec !== null;
    if (card === undefined) {
      return {
        type,
        status: null,
        suspended,
        blocksSoFar: 0,
        underReview: false,
        failuresBefore: 0,
      };
    }
    return {
      type,
      status: card.status,
      suspended,
      blocksSoFar: await rows.countBlocks(tx, deviceNo, nowMs - reportBlocksWindowSec * 1000),
      underReview: await flag.hasOpenFlagOnCard(tx, tenantId, card.cardNo, "under_review"),
      failuresBefore: await rows.countFailures(
        tx,
        tenantId,
        card.cardId,
        nowMs - writeFailureWindowSec * 1000,
      ),
    };
  }

  /** One flag on the card, with the counters of the week before receipt. */
  async function review(
    tx: Writer,
    device: DeviceIdentity,
    card: CardRecord,
    nowMs: number,
  ): Promise<void> {
    const since = Math.floor(nowMs / 1000) - replayWindowSec;
    const newest = await cards.readNewest(tx, card, replayEventsMax);
    const counters = newest.filter((e) => e.timestamp >= since).map((e) => e.counter);
    const fromCounter = counters.length === 0 ? null : Math.min(...counters);
    const toCounter = counters.length === 0 ? null : Math.max(...counters);
    await flag.raise(tx, {
      tenantId: card.tenantId,
      terminalId: device.terminalId,
      deviceNo: device.deviceNo,
      reason: "under_review",
      severity: severityOf("under_review"),
      cardNo: card.cardNo,
      cardId: card.cardId,
      raisedAtMs: nowMs,
      evidence: { fromCounter, toCounter, since },
    });
  }

  async function carryOut(
    tx: Writer,
    device: DeviceIdentity,
    card: CardRecord,
    input: ReportInput,
    { effect, reportId }: { readonly effect: ReportEffect; readonly reportId: string },
    nowMs: number,
  ): Promise<void> {
    let now = card;
    if (effect.blockAs !== null) {
      const nowSec = Math.floor(nowMs / 1000);
      const doer = deviceDoer(device);
      now = await cards.setBlocked(tx, now, effect.blockAs, nowSec, input.eventType, doer, nowMs);
    }
    if (effect.needsValidation && !now.needsValidation) {
      now = await cards.book.put(tx, now, { ...now, needsValidation: true });
    }
    if (effect.review) await review(tx, device, now, nowMs);
    await cards.addChange(tx, now, {
      atMs: nowMs,
      kind: "report",
      terminalId: device.terminalId,
      actor: device.deviceId,
      amount: null,
      detail: {
        ...{ reportId, eventType: input.eventType, counter: input.counter },
        action: effect.action,
      },
    });
  }

  /** Records a report; a repeat changes nothing. */
  async function receive(
    tx: Writer,
    device: DeviceIdentity,
    input: ReportInput,
    nowMs: number,
  ): Promise<void> {
    const { tenantId, deviceNo, deviceId, terminalId } = device;
    const { cardId, eventType, details, counter, timestamp } = input;
    const row = { deviceNo, eventType, timestampSec: timestamp, cardId, counter };
    if (await rows.isKnown(tx, row)) return;
    const card = await findCard(tx, device, cardId, nowMs);
    const effect = decideReport(await caseOf(tx, device, card, eventType, nowMs));
    const uuid = random.uuid(nowMs);
    if (card !== undefined) {
      await carryOut(tx, device, card, input, { effect, reportId: uuid }, nowMs);
    }
    await rows.insertReport(tx, {
      ...row,
      uuid,
      tenantId,
      details,
      receivedAtMs: nowMs,
      action: effect.action,
    });
    const data = { reportId: uuid, terminalId, cardId, eventType };
    await audit.append(tx, {
      tenantId,
      atMs: nowMs,
      action: "fleet.report.received",
      entityType: "report",
      entityId: uuid,
      actor: { type: "device", id: deviceId },
      metadata: { ...data, counter, action: effect.action, cardStatus: statusWord(card) },
    });
    await event.publish(tx, { tenantId, type: "fleet.report.received", data, atMs: nowMs });
    if (!effect.alert) return;
    await flag.alert(tx, {
      tenantId,
      severity: "high",
      reason: eventType,
      ...(cardId === null ? {} : { cardId }),
      terminalId,
      detail: { reportId: uuid, action: effect.action },
      atMs: nowMs,
    });
  }

  /** Reports below a number, newest first. */
  const page = (
    tenantId: number,
    filter: rows.ReportFilter,
    below: number,
    limit: number,
  ): Promise<rows.Report[]> =>
    store.read((q) => rows.pageReports(q, tenantId, filter, below, limit));

  /** Counted no further than `limit`. */
  const count = (tenantId: number, filter: rows.ReportFilter, limit: number): Promise<number> =>
    store.read((q) => rows.countReports(q, tenantId, filter, limit));

  /** @throws Problem not-found */
  async function find(tenantId: number, id: string): Promise<rows.Report> {
    const report = await store.read((q) => rows.readReport(q, tenantId, id));
    if (report === undefined) throw new Problem("not-found", "There is no such report.");
    return report;
  }

  return { receive, page, count, find };
}

const statusWord = (card: CardRecord | undefined): string | null =>
  card === undefined ? null : STATUS_NAME[card.status];
