/**
 * Tells whoever listens what happened, in the transaction of the change: none is lost, none is early.
 * Those who listen in this process are woken at the COMMIT; delivery to others is not here.
 */
import { fitsPattern } from "../../domain/eventpattern.ts";
import { instantText } from "../../domain/instant.ts";
import type { Store, Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import {
  insertEvent,
  insertEvents,
  type PublishedRow,
  readAfter,
  readNewest,
  readOldest,
} from "./store.ts";

export interface EventDraft {
  readonly tenantId: number;
  /** `domain.noun.verb`, the verb in the past. */
  readonly type: string;
  /** Values of JSON; never a secret, a token or a key. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly atMs: number;
}

/** Which events a listener is shown. */
export interface Listening {
  readonly tenantId: number;
  readonly tenantUuid: string;
  /** A type must fit one of these, and begin with `domain` and a dot. */
  readonly patterns: readonly string[];
  readonly domain: string;
  /** Those whose data name this terminal alone. */
  readonly terminalId: number | null;
}

interface Told {
  readonly position: number;
  readonly type: string;
  readonly data: Envelope;
}

type Envelope = ReturnType<typeof envelopeOf>;

const schemaVersion = "1.0.0";

export interface EventDeps {
  readonly random: Random;
  readonly store: Store;
}

export type EventService = Pick<ReturnType<typeof eventService>, "publish" | "publishAll">;
export type EventLog = Pick<ReturnType<typeof eventService>, "listen">;

export function eventService({ random, store }: EventDeps) {
  const listeners = new Map<number, Set<() => void>>();

  function wake(tenantId: number): void {
    for (const listener of listeners.get(tenantId) ?? []) listener();
  }

  /** Appends one event; it stands or falls with `tx`. Returns its id. */
  async function publish(tx: Writer, { tenantId, type, data, atMs }: EventDraft): Promise<string> {
    const uuid = random.uuid(atMs);
    await insertEvent(tx, { uuid, tenantId, type, data: JSON.stringify(data), atMs });
    tx.onCommit(() => wake(tenantId));
    return uuid;
  }

  /** Appends many events of one tenant, in their order. */
  async function publishAll(tx: Writer, tenantId: number, drafts: readonly EventDraft[]) {
    const made = drafts.map(({ type, data, atMs }) => {
      return { uuid: random.uuid(atMs), tenantId, type, data: JSON.stringify(data), atMs };
    });
    await insertEvents(tx, made);
    tx.onCommit(() => wake(tenantId));
  }

  /** The log as one listener sees it. */
  const listen = (listening: Listening) => {
    const { tenantId } = listening;
    return {
      newest: (): Promise<number> => store.read((q) => readNewest(q, tenantId)),
      oldest: (): Promise<number> => store.read((q) => readOldest(q)),
      read: (after: number, limit: number) =>
        store.read(async (q) => {
          const rows = await readAfter(q, tenantId, after, limit);
          const events: Told[] = [];
          for (const row of rows) {
            const data = JSON.parse(row.data) as Readonly<Record<string, unknown>>;
            if (!isShown(row, data, listening)) continue;
            const { event_no: position, type } = row;
            events.push({ position, type, data: envelopeOf(row, data, listening.tenantUuid) });
          }
          return { events, upTo: rows.at(-1)?.event_no ?? after };
        }),
      subscribe: (listener: () => void): (() => void) => {
        const own = listeners.get(tenantId) ?? new Set();
        listeners.set(tenantId, own.add(listener));
        return () => {
          own.delete(listener);
          if (own.size === 0 && listeners.get(tenantId) === own) listeners.delete(tenantId);
        };
      },
    };
  };

  return { publish, publishAll, listen };
}

const isShown = (
  { type }: PublishedRow,
  data: Readonly<Record<string, unknown>>,
  { patterns, domain, terminalId }: Listening,
): boolean =>
  type.startsWith(`${domain}.`) &&
  fitsPattern(type, patterns) &&
  (terminalId === null || data.terminalId === terminalId);

/** An event as everybody outside is told of it. */
function envelopeOf(
  { event_no: seq, uuid, type, at_ms: atMs }: PublishedRow,
  data: Readonly<Record<string, unknown>>,
  tenantId: string,
) {
  return {
    id: uuid,
    eventId: uuid,
    seq,
    type,
    topic: `platform.${type.slice(0, type.indexOf("."))}.events`,
    source: "kartu",
    tenantId,
    data,
    schemaVersion,
    timestamp: instantText(atMs),
    traceId: null,
  };
}
