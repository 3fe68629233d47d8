/**
 * Raising: putting into the review queue what an operator should see, with its evidence, and telling
 * of it. Deciding is the service's.
 */
import type { Actor } from "../../domain/audit.ts";
import type { FlagDetail } from "../../domain/batch.ts";
import { type By, recordedBy } from "../../domain/by.ts";
import { hashHex } from "../../domain/chain.ts";
import type { IncomingEvent, Recorded } from "../../domain/event.ts";
import type { Severity } from "../../domain/flag.ts";
import type { Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import type { AuditService } from "../audit/service.ts";
import type { EventService } from "../event/service.ts";
import { countFlags, pageFlags } from "./list.ts";
import * as rows from "./store.ts";

export type { FlagFilter } from "./list.ts";
export type { FlagRow, QuarantineRow } from "./store.ts";
export { quarantinedEvent } from "./store.ts";

export interface RaiseInput
  extends Omit<
    rows.NewFlag,
    "uuid" | "kind" | "eventId" | "quarantineNo" | "batchNo" | "counter" | "amount"
  > {
  readonly terminalId: number;
  readonly eventId?: number;
  readonly quarantineNo?: number;
  readonly batchNo?: number;
  readonly counter?: number;
  readonly amount?: number;
}

export interface AlertInput {
  readonly tenantId: number;
  readonly severity: Severity;
  readonly reason: string;
  readonly cardId?: string;
  readonly terminalId?: number;
  readonly detail?: Readonly<Record<string, unknown>>;
  readonly atMs: number;
}

type Shown = Pick<
  IncomingEvent | Recorded,
  "counter" | "type" | "amount" | "balanceAfter" | "timestamp" | "hash"
>;

/** An event as evidence shows it. */
export const shownEvent = (e: Shown) => ({
  counter: e.counter,
  type: e.type,
  amount: e.amount,
  balanceAfter: e.balanceAfter,
  timestamp: e.timestamp,
  hash: hashHex(e.hash),
});

/** Evidence of a flag: the event, what it was held against, and what contradicts it. */
export const evidenceOf = (event: Shown, detail: FlagDetail): Record<string, unknown> => ({
  event: shownEvent(event),
  ...(detail.limit === undefined ? {} : { limit: detail.limit }),
  ...(detail.total === undefined ? {} : { total: detail.total }),
  ...(detail.conflict === undefined ? {} : { conflict: shownEvent(detail.conflict) }),
});

export type FlagService = ReturnType<typeof flagService>;

export interface FlagDeps {
  readonly random: Random;
  readonly audit: Pick<AuditService, "append">;
  readonly event: EventService;
}

export interface Verdict {
  readonly verdict: "approved" | "dismissed";
  readonly note: string;
  readonly actor: Actor;
  /** From where, of an operator's call. */
  readonly by?: By;
}

/** What is closed because there is nothing left to decide is closed by the server itself. */
const server: Actor = { type: "system", id: "server" };

export function flagService({ random, audit, event }: FlagDeps) {
  async function raise(tx: Writer, input: RaiseInput): Promise<void> {
    const { terminalId, eventId, quarantineNo, batchNo, counter, amount, ...rest } = input;
    const kind = quarantineNo === undefined ? "flag" : "quarantine";
    const uuid = random.uuid(input.raisedAtMs);
    await rows.insertFlag(tx, {
      ...rest,
      uuid,
      kind,
      eventId: eventId ?? null,
      quarantineNo: quarantineNo ?? null,
      batchNo: batchNo ?? null,
      counter: counter ?? null,
      amount: amount ?? null,
    });
    const { tenantId, reason, severity, cardId, raisedAtMs } = input;
    const data = { flagId: uuid, kind, reason, severity, cardId, terminalId };
    await event.publish(tx, { tenantId, type: "fleet.flag.raised", data, atMs: raisedAtMs });
  }

  /** What an operator must hear of now. */
  async function alert(tx: Writer, input: AlertInput): Promise<void> {
    const { tenantId, severity, reason, atMs } = input;
    const cardId = input.cardId ?? null;
    const terminalId = input.terminalId ?? null;
    const uuid = random.uuid(atMs);
    await rows.insertAlert(tx, {
      uuid,
      tenantId,
      severity,
      reason,
      cardId,
      terminalId,
      detail: input.detail ?? {},
      atMs,
    });
    const data = { severity, reason, cardId, terminalId };
    await event.publish(tx, { tenantId, type: "fleet.alert.raised", data, atMs });
  }

  /** Closes an open flag and tells of it. What follows from the verdict is the caller's. */
  async function close(
    tx: Writer,
    tenantId: number,
    row: rows.FlagRow,
    { verdict, note, actor, by: from = { actor } }: Verdict,
    nowMs: number,
  ): Promise<void> {
    await rows.decideFlag(tx, tenantId, row.flag_no, verdict, actor.id, note, nowMs);
    const { uuid: flagId, kind, reason, severity, card_id: cardId, terminal_id: terminalId } = row;
    const action = "fleet.flag.decided";
    const recorded = recordedBy(from);
    await audit.append(tx, {
      tenantId,
      atMs: nowMs,
      action,
      entityType: "flag",
      entityId: flagId,
      ...recorded,
      before: { status: "open" },
      after: { status: verdict, note },
      metadata: { kind, reason, cardId, terminalId, amount: row.amount, ...recorded.metadata },
    });
    const facts = { flagId, kind, reason, severity, cardId, terminalId };
    const by = { type: actor.type, id: actor.id };
    const data = { ...facts, decision: verdict, actor: by };
    await event.publish(tx, { tenantId, type: action, data, atMs: nowMs });
  }

  /** A parked credit's top-up has come: nothing is left to decide. */
  async function closeMatched(
    tx: Writer,
    tenantId: number,
    flagNo: number,
    nowMs: number,
  ): Promise<void> {
    const flag = await rows.readFlagByNo(tx, tenantId, flagNo);
    if (flag === undefined) throw new RangeError("a parked credit has a flag");
    await close(tx, tenantId, flag, { verdict: "approved", note: "matched", actor: server }, nowMs);
  }

  /** The event was accepted on a later upload: its place in the queue is closed as approved. */
  async function release(
    tx: Writer,
    tenantId: number,
    quarantineNo: number,
    nowMs: number,
  ): Promise<void> {
    await rows.decideQuarantine(tx, tenantId, quarantineNo, "approved", false);
    const found = await rows.readFlagOfQuarantine(tx, tenantId, quarantineNo);
    if (found?.status !== "open") return;
    const flag = await rows.readFlagByNo(tx, tenantId, found.flag_no);
    if (flag === undefined) throw new RangeError("a flag that was found is not there");
    await close(
      tx,
      tenantId,
      flag,
      { verdict: "approved", note: "accepted", actor: server },
      nowMs,
    );
  }

  return {
    raise,
    alert,
    closeMatched,
    release,
    readQuarantined: rows.readQuarantined,
    readBeside: rows.readBeside,
    insertQuarantine: rows.insertQuarantine,
    countOpen: rows.countOpen,
    readQuarantine: rows.readQuarantine,
    decideQuarantine: rows.decideQuarantine,
    readFlag: rows.readFlag,
    pageFlags,
    countFlags,
    close,
    hasOpenFlagOnCard: rows.hasOpenFlagOnCard,
  };
}
