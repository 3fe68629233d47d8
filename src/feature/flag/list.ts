/**
 * The review queue as a list, newest first. Reasons, severities and kinds are few and known, so that any
 * choice of them is the merge of a few ranges of an index; a card or a device has few of its own.
 */
import {
  type FlagRow,
  flagByNo,
  flagCountByStatus,
  flagCountOfCardId,
  flagCountOfDevice,
  flagCountOfSort,
  flagNoFrom,
  flagsByStatus,
  flagsOfCardId,
  flagsOfDevice,
  flagsOfSort,
} from "../../../schema/query/flag.ts";
import type { ReviewStatus } from "../../domain/batch.ts";
import { uuidFrom } from "../../domain/eventid.ts";
import { reviewReasons, type Severity } from "../../domain/flag.ts";
import type { Reader } from "../../store/seam.ts";

/** Null lets everything through. */
export interface FlagFilter {
  readonly status: ReviewStatus;
  readonly kind: "flag" | "quarantine" | null;
  readonly reason: string | null;
  readonly severity: Severity | null;
  readonly cardId: string | null;
  readonly terminalId: number | null;
  /** By when it was raised: from this moment on, and before that one. */
  readonly fromMs: number | null;
  readonly toMs: number | null;
}

const severities = ["low", "medium", "high"] as const;
const kinds = ["flag", "quarantine"] as const;
const all = Number.MAX_SAFE_INTEGER;

/** Flags below a number. */
export async function pageFlags(
  q: Reader,
  tenantId: number,
  filter: FlagFilter,
  below: number,
  limit: number,
): Promise<FlagRow[]> {
  const span = await spanOf(q, tenantId, filter, below);
  const found: number[] = [];
  if (filter.cardId !== null) {
    found.push(...numbers(await q.all(flagsOfCardId, ...span, ...restOf(filter), limit)));
  } else if (filter.terminalId !== null) {
    found.push(...numbers(await q.all(flagsOfDevice, ...span, ...restOf(filter), limit)));
  } else if (isPlain(filter)) {
    found.push(...numbers(await q.all(flagsByStatus, ...span, limit)));
  } else {
    for (const sort of sortsOf(filter)) {
      found.push(...numbers(await q.all(flagsOfSort, ...span, ...sort, limit)));
    }
    found.sort((a, b) => b - a);
  }
  const rows: FlagRow[] = [];
  for (const flagNo of found.slice(0, limit)) {
    const row = await q.get(flagByNo, tenantId, flagNo);
    if (row !== undefined) rows.push(row);
  }
  return rows;
}

export async function countFlags(q: Reader, tenantId: number, filter: FlagFilter): Promise<number> {
  const span = await spanOf(q, tenantId, filter, all);
  if (filter.cardId !== null) {
    return (await q.get(flagCountOfCardId, ...span, ...restOf(filter)))?.count ?? 0;
  }
  if (filter.terminalId !== null) {
    return (await q.get(flagCountOfDevice, ...span, ...restOf(filter)))?.count ?? 0;
  }
  if (isPlain(filter)) return (await q.get(flagCountByStatus, ...span))?.count ?? 0;
  let total = 0;
  for (const sort of sortsOf(filter)) {
    total += (await q.get(flagCountOfSort, ...span, ...sort))?.count ?? 0;
  }
  return total;
}

async function spanOf(
  q: Reader,
  tenantId: number,
  { status, fromMs, toMs }: FlagFilter,
  below: number,
) {
  const from = fromMs === null ? 0 : await numberFrom(q, fromMs);
  const to = toMs === null ? all : await numberFrom(q, toMs);
  return [tenantId, status, from, Math.min(below, to)] as const;
}

/** Number of the first flag that was raised at `ms` or later; one that never is where there is none. */
const numberFrom = async (q: Reader, ms: number): Promise<number> =>
  (await q.get(flagNoFrom, uuidFrom(ms)))?.flag_no ?? all;

const restOf = ({ reason, severity, kind, cardId, terminalId }: FlagFilter) =>
  [reason, severity, kind, cardId, terminalId] as const;

const isPlain = ({ kind, reason, severity }: FlagFilter): boolean =>
  kind === null && reason === null && severity === null;

function sortsOf({ kind, reason, severity }: FlagFilter): [string, string, string][] {
  const sorts: [string, string, string][] = [];
  for (const why of reason === null ? reviewReasons : [reason]) {
    for (const how of severity === null ? severities : [severity]) {
      for (const what of kind === null ? kinds : [kind]) sorts.push([why, how, what]);
    }
  }
  return sorts;
}

const numbers = (rows: readonly { readonly flag_no: number }[]): number[] =>
  rows.map((row) => row.flag_no);
