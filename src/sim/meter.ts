/**
 * What the calls of a run cost: how long each kind took, and which statuses it got. Kept in full and
 * sorted once at the end; a run is bounded, so this is too.
 */
export interface CallSummary {
  readonly kind: string;
  readonly count: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Status → how often; 0 stands for "no answer". */
  readonly statuses: Readonly<Record<string, number>>;
}

interface Kind {
  readonly tookMs: number[];
  readonly statuses: Record<string, number>;
}

/** Value below which a share of the sorted list lies (nearest rank); 0 for an empty one. */
export function percentile(sorted: readonly number[], share: number): number {
  const rank = Math.max(1, Math.ceil(share * sorted.length));
  return sorted[rank - 1] ?? 0;
}

export class Meter {
  readonly #kinds = new Map<string, Kind>();

  record(kind: string, status: number, tookMs: number): void {
    let row = this.#kinds.get(kind);
    if (!row) {
      row = { tookMs: [], statuses: {} };
      this.#kinds.set(kind, row);
    }
    row.statuses[status] = (row.statuses[status] ?? 0) + 1;
    if (status > 0) row.tookMs.push(tookMs);
  }

  summary(): CallSummary[] {
    const round = (ms: number) => Math.round(ms * 100) / 100;
    return [...this.#kinds].map(([kind, { tookMs, statuses }]) => {
      const sorted = Float64Array.from(tookMs).sort();
      const at = (share: number) => round(percentile(Array.from(sorted), share));
      return {
        kind,
        count: sorted.length,
        p50Ms: at(0.5),
        p90Ms: at(0.9),
        p99Ms: at(0.99),
        maxMs: at(1),
        statuses,
      };
    });
  }
}
