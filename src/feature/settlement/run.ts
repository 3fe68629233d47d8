/**
 * Closing days. A short turn of the writer closes them: what comes in from then on goes to another layer.
 * Then the files of the run are made from rows that nothing changes any more, and a second turn keeps
 * them, as bytes, with what they come to: no later program, name or time zone changes what a run says.
 * A stop between the two leaves days that are closed and files that the next look makes.
 */
import { type By, recordedBy } from "../../domain/by.ts";
import { calendar, dayText } from "../../domain/calendar.ts";
import { Closings, type Span } from "../../domain/closing.ts";
import { instantText } from "../../domain/instant.ts";
import { Problem } from "../../domain/problem.ts";
import { bookedLate, merged } from "../../domain/settlement.ts";
import type { Reader, Store, Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import { nextTurn } from "../../system/turn.ts";
import type { AuditService } from "../audit/service.ts";
import type { EventService } from "../event/service.ts";
import { Files, rowsAtOnce } from "./files.ts";
import * as rows from "./store.ts";

export interface ClosingDeps {
  readonly store: Store;
  readonly random: Random;
  readonly audit: Pick<AuditService, "append">;
  readonly event: EventService;
}

/** A run as answers show it. */
export const shownRun = (run: Omit<rows.Run, "runNo">) => ({
  id: run.uuid,
  number: run.number,
  from: dayText(run.from),
  to: dayText(run.to),
  terminalId: run.terminalId,
  rows: run.rows,
  totals: run.totals,
  sha256: run.sha256,
  closedAt: instantText(run.closedAtMs),
  closedBy: run.closedBy,
});

/** The files of a run and what they come to. */
interface Made {
  readonly figures: rows.Figures;
  readonly files: readonly {
    readonly format: rows.Format;
    readonly sha256: Uint8Array;
    readonly bytes: Uint8Array;
  }[];
}

/** Has the work done in a turn of the writer, whose result is what `seal` gives. */
export type SealingWrite = (work: (tx: Writer) => Promise<rows.Run>) => Promise<rows.Run>;

/** What is known of closed days of so many tenants at a time. */
const tenantsKnownMax = 10_000;

export const closing = ({ store, random, audit, event }: ClosingDeps) => {
  /** As the writer sees them. */
  const known = new Map<number, Closings>();
  /** Runs whose files are being made. */
  const busy = new Set<number>();

  /** What the tenant's runs have closed, within a turn of the writer. */
  async function closings(tx: Writer, tenantId: number): Promise<Closings> {
    const cached = known.get(tenantId);
    if (cached !== undefined) return cached;
    const made = new Closings(await rows.readClosed(tx, tenantId));
    if (known.size >= tenantsKnownMax) known.clear();
    known.set(tenantId, made);
    return made;
  }

  /** @throws Problem already-exists (a day of a terminal that is in a run) · wrong-state (not over yet) */
  async function closeDays(
    tx: Writer,
    tenantId: number,
    span: Span,
    by: By,
    nowMs: number,
  ): Promise<rows.OpenRun> {
    const closed = await closings(tx, tenantId);
    const over = closed.over(span);
    if (over !== undefined) {
      const left = (await rows.readOpen(tx, tenantId)).find(({ number }) => number === over.number);
      const { from, to, deviceNo } = over;
      const isSame = from === span.from && to === span.to && deviceNo === span.deviceNo;
      // A stop came between: it is the same run, and its files are still to be made.
      if (left !== undefined && isSame && !busy.has(left.runNo)) return left;
      const detail = `Run ${over.number} has days of this range.`;
      throw new Problem("already-exists", detail, { field: "from" });
    }
    const { timezone } = await rows.readBooks(tx, tenantId);
    if (calendar(timezone).dayOf(Math.floor(nowMs / 1000)) <= span.to) {
      throw new Problem("wrong-state", "The range is not over yet.", {
        members: { state: "open" },
      });
    }
    known.delete(tenantId);
    tx.onRollback(() => known.delete(tenantId));
    return await rows.insertRun(tx, tenantId, {
      ...{ ...span, uuid: random.uuid(nowMs), number: closed.next },
      ...{ closedAtMs: nowMs, closedBy: by.actor.id },
    });
  }

  async function lateOf(q: Reader, tenantId: number, run: rows.OpenRun) {
    const closed = new Closings(await rows.readClosed(q, tenantId));
    const late = await rows.readLate(q, tenantId, closed.before(run), run);
    for (const day of closed.houseDays(run)) {
      const row = await rows.readHouse(q, tenantId, day);
      if (row !== undefined) late.push(row);
    }
    return late;
  }

  /** Makes the files of a run from rows that nothing changes any more. */
  async function make(tenantId: number, run: rows.OpenRun): Promise<Made> {
    const { from, to, number } = run;
    const { name: tenant, currency } = await store.read((q) => rows.readBooks(q, tenantId));
    const late = bookedLate(await store.read((q) => lateOf(q, tenantId, run)), to);
    const files = new Files(currency);
    for (let after: rows.Place | undefined = { day: from, deviceNo: -1 }; after !== undefined; ) {
      const behind: rows.Place = after;
      const own = await store.read((q) => rows.readOwn(q, tenantId, run, behind, rowsAtOnce));
      const last = own.length < rowsAtOnce ? undefined : own.at(-1);
      await files.add(merged(own, late, last === undefined));
      after = last;
    }
    const csv = files.csv();
    const { rows: count, totals } = files;
    const figures = { rows: count, totals, sha256: Bun.SHA256.hash(csv, "hex") };
    await nextTurn();
    const json = files.json(shownRun({ ...run, ...figures }));
    await nextTurn();
    const journal = files.journal({ tenant, from, to, run: number });
    const made: Made["files"][number][] = [];
    for (const [format, plain] of Object.entries({ json, csv, journal })) {
      const sha256 = Bun.SHA256.hash(plain) as Uint8Array;
      const bytes = await Bun.zstdCompress(plain);
      made.push({ format: format as rows.Format, sha256, bytes });
    }
    return { figures, files: made };
  }

  async function seal(
    tx: Writer,
    tenantId: number,
    open: rows.OpenRun,
    { figures, files }: Made,
    by: By,
    nowMs: number,
  ): Promise<rows.Run> {
    if (!(await rows.sealRun(tx, tenantId, open.runNo, figures))) {
      throw new Problem("already-exists", `Run ${open.number} is closed.`, { field: "from" });
    }
    for (const { format, sha256, bytes } of files) {
      await rows.insertExport(tx, tenantId, open.runNo, format, sha256, bytes);
    }
    const run = { ...open, ...figures };
    const { id: runId, closedAt: _at, closedBy: _by, ...shown } = shownRun(run);
    const type = "fleet.settlement.closed";
    await audit.append(tx, {
      ...{ tenantId, atMs: nowMs, action: type, entityType: "settlementRun", entityId: runId },
      ...recordedBy(by),
      after: shown,
    });
    const { number, from, to, sha256 } = shown;
    const data = { runId, number, from, to, sha256 };
    await event.publish(tx, { tenantId, type, data, atMs: nowMs });
    return run;
  }

  async function finish(
    tenantId: number,
    open: rows.OpenRun,
    by: By,
    nowMs: number,
    write: SealingWrite,
  ): Promise<rows.Run> {
    if (busy.has(open.runNo)) {
      throw new Problem("already-exists", `Run ${open.number} is being closed.`, { field: "from" });
    }
    busy.add(open.runNo);
    try {
      const made = await make(tenantId, open);
      return await write((tx) => seal(tx, tenantId, open, made, by, nowMs));
    } finally {
      busy.delete(open.runNo);
    }
  }

  /** Makes the files of runs that a stop left without, in the name of who closed them. */
  async function finishLeft(tenantId: number, nowMs: number): Promise<void> {
    const left = await store.read((q) => rows.readOpen(q, tenantId));
    for (const run of left) {
      if (busy.has(run.runNo)) continue;
      const by: By = { actor: { type: "system", id: "server" } };
      await finish(tenantId, run, by, nowMs, (work) => store.write(work));
    }
  }

  /** @throws Problem already-exists · wrong-state */
  async function close(
    tenantId: number,
    span: Span,
    by: By,
    nowMs: number,
    write: SealingWrite,
  ): Promise<rows.Run> {
    const open = await store.write((tx) => closeDays(tx, tenantId, span, by, nowMs));
    return await finish(tenantId, open, by, nowMs, write);
  }

  return { closings, close, finishLeft };
};
