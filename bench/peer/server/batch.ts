/**
 * A batch as every peer takes it: what must be read, Kartu's own decision on it, and the rows that
 * follow, by table. Reading and writing them is each peer's. The rows are those that Kartu writes for
 * events that are taken; what the benchmark never sends (late events, quarantine) is answered 501.
 */
import type { AuditHeadRow } from "../../../schema/query/audit.ts";
import type { CardRow, HeadParams } from "../../../schema/query/card.ts";
import type { EventParams } from "../../../schema/query/event.ts";
import type { GrantWindowRow } from "../../../schema/query/session.ts";
import type { SettlementParams } from "../../../schema/query/settlement.ts";
import type { Param } from "../../../schema/query/statement.ts";
import {
  auditSaltBytes,
  commitment,
  detailText,
  linkHash,
  zeroHash,
} from "../../../src/domain/audit.ts";
import type { Accepted, CardOutcome, Decided, Raised } from "../../../src/domain/batch.ts";
import { type Calendar, calendar, weekOf } from "../../../src/domain/calendar.ts";
import { EVENT_CODE, hashHex } from "../../../src/domain/chain.ts";
import type { IncomingEvent } from "../../../src/domain/event.ts";
import type { DeviceIdentity } from "../../../src/domain/identity.ts";
import { decideBatch } from "../../../src/domain/reconcile.ts";
import type { Topup } from "../../../src/domain/topup.ts";
import { uuidBytes } from "../../../src/domain/uuid.ts";
import { systemRandom } from "../../../src/system/random.ts";
import { Refusal, refusal, type WireBatch, type WireEvent } from "./answer.ts";
import { cardOf } from "./cardrow.ts";
import type { Setting } from "./setting.ts";

/** A top-up that a credit of the batch may belong to. */
export interface AwaitingRow {
  readonly card_no: number;
  readonly topup_no: number;
  readonly amount: number;
  readonly timestamp_sec: number;
  readonly counter: number | null;
  readonly device_no: number;
  readonly status: string;
}

/** What a peer reads before the decision. */
export interface Known {
  readonly cards: readonly CardRow[];
  readonly awaiting: readonly AwaitingRow[];
  readonly windows: readonly GrantWindowRow[];
  readonly firstEventId: number;
  readonly batchNo: number;
}

/** Rows to write, each in the order of its statement's parameters. */
export interface Writes {
  readonly events: readonly EventParams[];
  readonly places: readonly Param[][];
  readonly heads: readonly HeadParams[];
  readonly weeks: readonly Param[][];
  readonly holes: readonly Param[][];
  readonly validated: readonly Param[][];
  readonly settled: readonly Param[][];
  /** Transactions of the top-ups that are settled. */
  readonly completed: readonly Param[][];
  readonly credited: readonly Param[][];
  readonly flags: readonly Param[][];
  readonly settlements: readonly SettlementParams[];
  readonly published: readonly Param[][];
  readonly walletAdd: readonly [number, number, number, number, number, number];
}

/** The rows that need the end of the audit chain, and the answer. */
export interface Closing {
  readonly batch: readonly Param[];
  readonly audit: readonly Param[];
  readonly auditDetail: readonly Param[];
}

const random = systemRandom();

const fromWire = (e: WireEvent): IncomingEvent => ({ ...e, hash: Number.parseInt(e.hash, 16) });

const shown = (e: Raised["event"]) => ({
  counter: e.counter,
  type: e.type,
  amount: e.amount,
  balanceAfter: e.balanceAfter,
  timestamp: e.timestamp,
  hash: hashHex(e.hash),
});

export class Batch {
  readonly events: readonly IncomingEvent[];
  readonly cardIds: readonly string[];
  /** Cards of its credits. */
  readonly creditIds: readonly string[];
  /** Grants that end before this cover none of its events. */
  readonly sinceSec: number;
  readonly #calendar: Calendar;
  readonly #nowSec: number;
  readonly #uuid: string;
  #decided: Decided | undefined;
  #known: Known | undefined;

  /** @throws Refusal 400: not the caller's own terminal */
  constructor(
    readonly setting: Setting,
    readonly device: DeviceIdentity,
    body: WireBatch,
    /** SHA-256 of the request's body. */
    readonly digest: Uint8Array,
    readonly nowMs: number,
  ) {
    if (body.terminalId !== device.terminalId) throw refusal(400, "terminal_mismatch");
    this.events = body.events.map(fromWire);
    this.cardIds = [...new Set(this.events.map((e) => e.cardId))];
    const credits = this.events.filter((e) => e.type === "credit");
    this.creditIds = [...new Set(credits.map((e) => e.cardId))];
    const first = this.events.reduce((least, e) => Math.min(least, e.timestamp), nowMs / 1000);
    this.sinceSec = Math.floor(first) - setting.policy.clockDriftAllowanceSec;
    this.#calendar = calendar(setting.policy.timezone);
    this.#nowSec = Math.floor(nowMs / 1000);
    this.#uuid = random.uuid(nowMs);
  }

  /** A batch with these very bytes was taken before. */
  resent(): Refusal {
    const counts = { accepted: 0, rejected: this.events.length };
    return new Refusal(409, { error: "duplicate_counter", ...counts });
  }

  /** @throws Refusal 501: its outcome is more than accepted events */
  decide(known: Known): Writes {
    const { setting, device } = this;
    const cards = new Map(
      known.cards.map((row) => {
        const own = known.awaiting.filter((topup) => topup.card_no === row.card_no);
        const view = { runs: [], weeks: noWeeks, awaiting: own.map(topupOf) };
        return [row.card_id, { card: cardOf(row), ...view }];
      }),
    );
    this.#checkPlayed(known.cards, cards.size);
    const decided = decideBatch({
      events: this.events,
      nowSec: this.#nowSec,
      limits: setting.policy,
      windows: known.windows.map((row) => ({
        issuedSec: Math.floor(row.issued_at_ms / 1000),
        expiresSec: row.expires_at_sec,
        ops: row.ops,
      })),
      roleOps: device.role === "scout" ? 0 : setting.policy.ops[device.role],
      suspendedAtSec: device.suspendedAtSec,
      calendar: this.#calendar,
      firstEventId: known.firstEventId,
      cards,
      quarantined: none,
      beside: none,
    });
    if (decided.kind === "needs" || decided.rejected.length > 0 || decided.parked > 0) {
      throw refusal(501, "not_played");
    }
    this.#decided = decided;
    this.#known = known;
    return this.#writes(decided, known);
  }

  /** Whatever would need more of the past than the heads. */
  #checkPlayed(rows: readonly CardRow[], found: number): void {
    const byId = new Map(rows.map((row) => [row.card_id, row]));
    const isPlayed = this.events.every((e) => {
      const row = byId.get(e.cardId);
      if (row === undefined || row.quarantined === 1 || e.counter <= row.counter) return false;
      return e.type !== "debit" || weekOf(this.#calendar.dayOf(e.timestamp)) >= row.week;
    });
    if (!isPlayed || found !== this.cardIds.length) throw refusal(501, "not_played");
  }

  #writes(decided: Decided, { batchNo }: Known): Writes {
    const { device, nowMs } = this;
    const { tenantId, deviceNo } = device;
    const { accepted, cards, credited, raised } = decided;
    const ordered = cards.toSorted((a, b) => a.card.cardNo - b.card.cardNo);
    const flags = raised.map((each) => this.#flag(each, batchNo));
    return {
      events: accepted.map((each) => eventParams(each, tenantId, batchNo, deviceNo)),
      places: accepted
        .filter((each) => each.placed)
        .map(({ card, event }) => [card.cardNo, 0, event.counter, event.id, tenantId]),
      heads: ordered.map(headParams),
      weeks: ordered.flatMap(({ card, weeks }) =>
        [...weeks].map(([week, days]) => [card.cardNo, week, tenantId, ...days]),
      ),
      holes: accepted
        .filter(({ event }) => !event.linked)
        .map(({ card, event: e }) => [card.cardNo, e.counter, tenantId, e.id, this.#nowSec]),
      validated: ordered
        .filter(({ card }) => card.needsValidation)
        .map(({ card: c }) => [
          ...[c.cardNo, tenantId, c.status, c.keyVersion],
          ...[c.blockedAtSec, c.replacedByNo, 0],
        ]),
      settled: credited
        .filter((each) => each.settles)
        .map(({ topupNo, eventId }) => [tenantId, topupNo, "event", eventId]),
      completed: credited
        .filter((each) => each.settles)
        .map(({ topupNo }) => [tenantId, topupNo, "completed", nowMs]),
      credited: credited
        .filter((each) => !each.settles)
        .map(({ topupNo, eventId }) => [tenantId, topupNo, eventId]),
      flags: flags.map(({ row }) => row),
      settlements: [...decided.days].map(([day, t]) => [
        ...([tenantId, day, deviceNo, t.checkins, t.checkouts, t.debits, t.debitAmount] as const),
        ...([t.credits, t.creditAmount, 0, 0, t.rejected, t.flagged, t.lateEvents] as const),
      ]),
      published: [
        ...flags.map(({ told }) => told),
        this.#told("fleet.batch.reconciled", this.#facts(decided)),
      ],
      walletAdd: [tenantId, device.settlementWalletNo, decided.debited, 0, 0, nowMs],
    };
  }

  #told(type: string, data: Readonly<Record<string, unknown>>): Param[] {
    const uuid = random.uuid(this.nowMs);
    return [uuid, this.device.tenantId, type, JSON.stringify(data), this.nowMs];
  }

  #flag({ card, event: e, reason, severity, detail }: Raised, batchNo: number) {
    const { tenantId, deviceNo, terminalId } = this.device;
    const flagId = random.uuid(this.nowMs);
    const evidence = JSON.stringify({ event: shown(e), ...detail });
    const row: Param[] = [
      ...[flagId, tenantId, "flag", reason, severity, card.cardNo, card.cardId, deviceNo, e.id],
      ...[null, batchNo, e.counter, e.amount, this.nowMs, evidence],
    ];
    const data = { flagId, kind: "flag", reason, severity, cardId: card.cardId, terminalId };
    return { row, told: this.#told("fleet.flag.raised", data) };
  }

  #facts(decided: Decided) {
    return {
      batchId: this.#uuid,
      terminalId: this.device.terminalId,
      accepted: decided.accepted.length,
      rejected: decided.rejected.length,
      flagged: decided.flaggedEvents,
      debitAmount: decided.debited,
      creditAmount: decided.credits,
    };
  }

  /** Links the batch into the audit chain behind `head`. Only after `decide`. */
  close(head: AuditHeadRow | null | undefined): Closing {
    const { device, nowMs, digest } = this;
    const [decided, known] = [this.#decided, this.#known];
    if (decided === undefined || known === undefined) throw new RangeError("not decided");
    const { tenantId } = device;
    const facts = this.#facts(decided);
    const metadata = { ...facts, digest: Buffer.from(digest).toString("hex") };
    const [action, entityType, entityId] = ["fleet.batch.reconciled", "batch", this.#uuid];
    const actor = { type: "device", id: device.deviceId } as const;
    const detail = detailText({ tenantId, atMs: nowMs, action, actor, metadata });
    const salt = random.bytes(auditSaltBytes);
    const uuid = random.uuid(nowMs);
    const [seq, prevHash] = [(head?.seq ?? 0) + 1, head?.hash ?? zeroHash];
    const [detailHash, piiHash] = [commitment(salt, detail), zeroHash];
    const link = { seq, atMs: nowMs, action, entityType, entityId, detailHash, piiHash, prevHash };
    const tenant = uuidBytes(this.setting.tenantUuid);
    const hash = linkHash({ ...link, tenant, id: uuidBytes(uuid) });
    const { accepted, rejected, flagged, debitAmount, creditAmount } = facts;
    const counts = [accepted + rejected, accepted, rejected, flagged, debitAmount, creditAmount];
    const of = [known.batchNo, this.#uuid, tenantId, device.deviceNo, nowMs];
    const what = [action, entityType, entityId, detailHash, piiHash, prevHash, hash];
    return {
      batch: [...of, ...counts, digest, accepted > 0 ? 1 : 0, known.firstEventId, seq],
      audit: [tenantId, seq, uuid, nowMs, ...what],
      auditDetail: [tenantId, seq, "device", device.deviceId, null, salt, detail, null, null],
    };
  }

  /** What the terminal is told. */
  answer() {
    const place = (index: number) => {
      const { counter = 0, cardId = "" } = this.events[index] ?? {};
      return { counter, cardId };
    };
    return {
      accepted: this.#decided?.accepted.length ?? 0,
      rejected: 0,
      flags: (this.#decided?.flags ?? []).map(({ index, reason }) => ({ ...place(index), reason })),
      rejections: [],
      batchId: this.#uuid,
    };
  }
}

const none = new Map<never, never>();
const noWeeks = new Map<number, readonly number[]>();

const topupOf = (row: AwaitingRow): Topup => ({
  topupNo: row.topup_no,
  amount: row.amount,
  timestampSec: row.timestamp_sec,
  counter: row.counter,
  deviceNo: row.device_no,
  status: row.status as Topup["status"],
});

const eventParams = (
  { card, event, prev, late, booking, topupNo }: Accepted,
  tenantId: number,
  batchNo: number,
  deviceNo: number,
): EventParams => [
  event.id,
  tenantId,
  card.cardNo,
  batchNo,
  deviceNo,
  event.counter,
  EVENT_CODE[event.type],
  event.amount,
  event.balanceAfter,
  event.timestamp,
  event.hash,
  event.flags,
  event.linked ? 1 : 0,
  event.start,
  event.state,
  prev,
  late ? 1 : 0,
  booking,
  topupNo,
];

function headParams({ card, head }: CardOutcome): HeadParams {
  const { top, days } = head;
  return [
    ...([card.cardNo, card.tenantId, top.id, top.counter, EVENT_CODE[top.type]] as const),
    ...([top.amount, top.balanceAfter, top.timestamp, top.hash, top.flags] as const),
    ...([top.linked ? 1 : 0, top.start, top.state, head.shownState, head.shownCounter] as const),
    ...([head.openingBalance, head.depth, head.late, head.quarantined ? 1 : 0] as const),
    ...([head.available, head.pending, head.frozen, head.week] as const),
    ...(days as [number, number, number, number, number, number, number]),
    head.applied,
  ];
}
