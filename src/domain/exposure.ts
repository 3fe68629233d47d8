/**
 * The exposure of a device: the most that may have been taken at it and is not uploaded yet, by what it
 * was granted. A bound from grants and limits, not a guess of what was taken.
 *
 *   amount = days × dailyLimit × cards
 *   days   = time under grants with `debit` since the last upload, until now at most, in whole days
 *            rounded up
 *   cards  = ACTIVE cards seen lately, at least 1
 */
import { safeIntegerMax } from "../../schema/bound.ts";
import { opsMask } from "./grant.ts";
import type { GrantWindow } from "./window.ts";

const dayMs = 86_400_000;
const debitMask = opsMask(["debit"]);

/** What a device could do unseen, whatever the limits are. */
export interface Outlook {
  readonly lastUploadAtMs: number | null;
  /** What it is counted from: the last upload, else the first grant; null when there is neither. */
  readonly sinceMs: number | null;
  readonly days: number;
  readonly cards: number;
}

/**
 * The spans of a device that let it take payments, and end after its last upload. One that is open now
 * may have been used already, however short it is.
 */
export function openDays(
  windows: readonly GrantWindow[],
  lastUploadAtMs: number | null,
  nowMs: number,
): { readonly days: number; readonly firstMs: number | null } {
  const spans: [fromMs: number, toMs: number][] = [];
  for (const { issuedSec, expiresSec, ops } of windows) {
    if ((ops & debitMask) === 0) continue;
    const toMs = Math.min(expiresSec * 1000, nowMs);
    const fromMs = Math.max(issuedSec * 1000, lastUploadAtMs ?? 0);
    if (expiresSec * 1000 > (lastUploadAtMs ?? 0)) spans.push([fromMs, Math.max(fromMs, toMs)]);
  }
  spans.sort(([a], [b]) => a - b);
  let totalMs = 0;
  let coveredMs = Number.NEGATIVE_INFINITY;
  for (const [fromMs, toMs] of spans) {
    totalMs += Math.max(0, toMs - Math.max(fromMs, coveredMs));
    coveredMs = Math.max(coveredMs, toMs);
  }
  const days = spans.length === 0 ? 0 : Math.max(1, Math.ceil(totalMs / dayMs));
  return { days, firstMs: spans[0]?.[0] ?? null };
}

/** Minor units. */
export const exposedMinor = ({ days, cards }: Outlook, dailyLimitMinor: number): number =>
  Math.min(safeIntegerMax, days * dailyLimitMinor * Math.max(1, cards));
