/**
 * Walks of hostile calls one after another, each on a server of its own, up to a number of calls; with
 * what memory they took. One walk is `walk.ts`; many processes of this are `run.ts`.
 */
import { type Finding, Tally } from "./tally.ts";
import { Walk } from "./walk.ts";

/** Of one server; the next begins with another seed. */
const walkCalls = 60_000;
/** Calls between two looks at the memory. */
const lookCalls = 4_000;
const findingsMax = 50;
/** Looks at the memory that do not count yet: caches fill, code is compiled. */
const warmLooks = 4;
const growthMaxBytes = 96 * 1_048_576;

export interface FuzzOptions {
  readonly seed: number;
  readonly calls: number;
  readonly socketPercent: number;
  readonly onProgress?: (calls: number, findings: number) => void;
  readonly onFinding?: (finding: Finding) => void;
}

export interface FuzzResult {
  readonly calls: number;
  readonly unsent: number;
  readonly byStatus: Readonly<Record<string, number>>;
  /** By the name of a route, its alias apart. */
  readonly byRoute: Readonly<Record<string, number>>;
  /** Documented operations that were answered with a success. */
  readonly right: readonly string[];
  /** Routes that no call of the last walk or one before was for. */
  readonly missed: readonly string[];
  /** Why people could not be made any more, and how often. */
  readonly ends: Readonly<Record<string, number>>;
  readonly findings: readonly Finding[];
  /** Of each walk, looked at now and then once garbage is collected. */
  readonly rssMib: readonly (readonly number[])[];
}

const mib = (bytes: number): number => Math.round(bytes / 1_048_576);

/** By how much memory grew while one server ran: the later half of the looks against the half before. */
export function growthOf(rssMib: readonly number[]): number {
  const warm = rssMib.slice(warmLooks);
  if (warm.length < 4) return 0;
  const middle = Math.floor(warm.length / 2);
  const least = (some: readonly number[]): number => Math.min(...some);
  return least(warm.slice(middle)) - least(warm.slice(0, middle));
}

export async function fuzz(options: FuzzOptions): Promise<FuzzResult> {
  const { seed, calls, socketPercent, onProgress } = options;
  const tally = new Tally(options.onFinding);
  const rssMib: number[][] = [];
  let done = 0;
  let missed: readonly string[] = [];
  for (let walks = 0; done < calls && tally.findings.length < findingsMax; walks++) {
    const walk = await Walk.open({ seed: seed + walks, socketPercent }, tally);
    const before = done;
    let looked = 0;
    const looks: number[] = [];
    rssMib.push(looks);
    const told = (): void => {
      if (walk.calls - looked > lookCalls) {
        looked = walk.calls;
        Bun.gc(true);
        looks.push(mib(process.memoryUsage().rss));
      }
      onProgress?.(before + walk.calls, tally.findings.length);
    };
    try {
      await walk.run(Math.min(walkCalls, calls - done), told);
    } finally {
      await walk.close();
    }
    done += walk.calls;
    missed = walk.missed;
    const grown = growthOf(looks);
    if (grown > mib(growthMaxBytes)) {
      const why = `memory grew by ${grown} MiB: ${looks.join(", ")}`;
      tally.found({ seed: seed + walks, at: done, operation: "all", why, call: {}, answer: null });
    }
  }
  return {
    calls: tally.calls,
    unsent: tally.unsent,
    byStatus: Object.fromEntries([...tally.byStatus].sort(([a], [b]) => a - b)),
    byRoute: Object.fromEntries([...tally.byRoute].sort()),
    right: [...tally.right].sort(),
    missed,
    ends: Object.fromEntries(tally.ends),
    findings: tally.findings,
    rssMib,
  };
}
