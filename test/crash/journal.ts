/**
 * What was handed in and which of it was acknowledged, held against the rows of the file: whatever was
 * acknowledged is there once and as it was sent, and of a batch whose answer never came all or nothing.
 * The file is only appended to, so rows are looked at once.
 */
import type { WireEvent } from "../chip.ts";

/** Events that were new when they were sent, in one request. */
export interface Upload {
  readonly tenantId: number;
  readonly events: readonly WireEvent[];
  readonly body: string;
  readonly token: string;
  /** Once it was answered. */
  batchId: string | undefined;
  /** The file has all of it; undefined until it was looked at. */
  isRecorded: boolean | undefined;
}

/** A row of an event, with the names that the wire has for it. */
export interface EventRow {
  readonly event_id: number;
  readonly tenant_id: number;
  readonly card_id: string;
  readonly counter: number;
  readonly type: number;
  readonly amount: number;
  readonly balance_after: number;
  readonly timestamp_sec: number;
  readonly hash: number;
}

const typeNames: Readonly<Record<number, string>> = {
  ...{ 0: "debit", 1: "credit", 2: "checkin", 3: "checkout", 15: "admin" },
};

interface Known {
  readonly event: WireEvent;
  eventId: number;
}

const keyOf = (tenantId: number, cardId: string, counter: number): string =>
  `${tenantId} ${cardId} ${counter}`;

const contentOf = (row: EventRow): WireEvent => ({
  cardId: row.card_id,
  counter: row.counter,
  type: (typeNames[row.type] ?? "none") as WireEvent["type"],
  amount: row.amount,
  balanceAfter: row.balance_after,
  timestamp: row.timestamp_sec,
  hash: row.hash.toString(16).padStart(12, "0"),
});

export class Journal {
  /** By tenant, card and counter. */
  readonly #known = new Map<string, Known>();
  readonly #open = new Set<Upload>();
  /** Every one that was sent, oldest first. */
  readonly uploads: Upload[] = [];
  #lastId: number;

  /** Events up to `lastId` are not of this journal. */
  constructor(lastId: number) {
    this.#lastId = lastId;
  }

  /** The last event that the file had when it was last looked at. */
  get lastId(): number {
    return this.#lastId;
  }

  get recorded(): number {
    let count = 0;
    for (const { eventId } of this.#known.values()) if (eventId > 0) count += 1;
    return count;
  }

  /** About to be sent for the first time. */
  send(upload: Upload): void {
    for (const event of upload.events) {
      const key = keyOf(upload.tenantId, event.cardId, event.counter);
      if (this.#known.has(key)) throw new Error(`the crash test sends ${key} as new twice`);
      this.#known.set(key, { event, eventId: 0 });
    }
    this.#open.add(upload);
    this.uploads.push(upload);
  }

  /**
   * Takes in what the file has above `lastId`, in order, and the batches that it has.
   * @throws Error something is lost, doubled, changed, invented or halved
   */
  prove(rows: readonly EventRow[], hasBatch: (uuid: string) => boolean): void {
    for (const row of rows) this.#take(row);
    for (const upload of this.#open) this.#settle(upload, hasBatch);
  }

  #take(row: EventRow): void {
    const key = keyOf(row.tenant_id, row.card_id, row.counter);
    if (row.event_id !== this.#lastId + 1) throw new Error(`no event ${this.#lastId + 1}`);
    this.#lastId = row.event_id;
    const known = this.#known.get(key);
    if (known === undefined) throw new Error(`event ${row.event_id}: nobody sent ${key}`);
    if (known.eventId > 0) throw new Error(`${key} is event ${known.eventId} and ${row.event_id}`);
    known.eventId = row.event_id;
    const [sent, found] = [JSON.stringify(known.event), JSON.stringify(contentOf(row))];
    if (sent !== found) throw new Error(`event ${row.event_id}: sent ${sent}, found ${found}`);
  }

  #settle(upload: Upload, hasBatch: (uuid: string) => boolean): void {
    const { tenantId, events, batchId } = upload;
    const has = events.filter(
      ({ cardId, counter }) =>
        (this.#known.get(keyOf(tenantId, cardId, counter))?.eventId ?? 0) > 0,
    ).length;
    const told = JSON.stringify(events.map(({ cardId, counter }) => `${cardId} ${counter}`));
    if (has !== 0 && has !== events.length) {
      throw new Error(`half a batch: ${has} of ${events.length}: ${told}`);
    }
    upload.isRecorded = has > 0;
    if (batchId === undefined) return;
    if (has === 0) throw new Error(`lost, though acknowledged as ${batchId}: ${told}`);
    if (!hasBatch(batchId)) throw new Error(`batch ${batchId} was acknowledged and is lost`);
    this.#open.delete(upload);
  }

  /** Answered or found recorded: it need not be asked after any more, once it was looked at. */
  close(upload: Upload): void {
    if (upload.isRecorded) this.#open.delete(upload);
  }
}
