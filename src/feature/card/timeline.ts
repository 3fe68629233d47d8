/**
 * All that happened to a card on one line of time: its events, the flags they raised, and what people and
 * the server did to it. Reads nothing; what is known is handed in.
 */
import type { StoredEvent } from "./history.ts";
import type { ChangeKind } from "./store.ts";

export interface TimelineEntry {
  /** UTC milliseconds: of an event its own time, of all else when it came to be known. */
  readonly atMs: number;
  readonly kind: ChangeKind | "event" | "flag";
  readonly terminalId: number | null;
  readonly actor: string;
  readonly amount: number | null;
  readonly balanceAfter: number | null;
  readonly counter: number | null;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** The device behind an event. */
export interface EventDevice {
  readonly deviceId: string;
  readonly terminalId: number;
}

export const ofEvent = (
  e: StoredEvent,
  { deviceId, terminalId }: EventDevice,
  flags: readonly string[],
): TimelineEntry => ({
  atMs: e.timestamp * 1000,
  kind: "event",
  terminalId,
  actor: deviceId,
  amount: e.amount,
  balanceAfter: e.balanceAfter,
  counter: e.counter,
  detail: { type: e.type, flags },
});

export const ofChange = (row: {
  readonly at_ms: number;
  readonly kind: string;
  readonly terminal_id: number | null;
  readonly actor: string;
  readonly amount: number | null;
  readonly detail: string;
}): TimelineEntry => ({
  atMs: row.at_ms,
  kind: row.kind as ChangeKind,
  terminalId: row.terminal_id,
  actor: row.actor,
  amount: row.amount,
  balanceAfter: null,
  counter: null,
  detail: JSON.parse(row.detail) as Record<string, unknown>,
});

export const ofFlag = (row: {
  readonly uuid: string;
  readonly raised_at_ms: number;
  readonly kind: string;
  readonly reason: string;
  readonly severity: string;
  readonly status: string;
  readonly terminal_id: number;
  readonly amount: number | null;
  readonly counter: number | null;
}): TimelineEntry => ({
  atMs: row.raised_at_ms,
  kind: "flag",
  terminalId: row.terminal_id,
  actor: "server",
  amount: row.amount,
  balanceAfter: null,
  counter: row.counter,
  detail: {
    flagId: row.uuid,
    kind: row.kind,
    reason: row.reason,
    severity: row.severity,
    status: row.status,
  },
});

/** Newest first, at most `limit`; of one moment in the order of the lists. */
export const merged = (
  lists: readonly (readonly TimelineEntry[])[],
  limit: number,
): TimelineEntry[] =>
  lists
    .flat()
    .sort((a, b) => b.atMs - a.atMs)
    .slice(0, limit);
