/**
 * `--soak`: everything at once for a long time at a moderate rate, with bursts. One workload does it; the
 * others are its parts, each with its own latencies.
 */
import type { Running, Workload } from "../workload.ts";
import { batchEvents, burstMs, type Kind, perSec, Soak } from "./soak.ts";
import { reportOf, type SoakReport } from "./trend.ts";

const about: Readonly<Record<Kind, string>> = {
  batch: `batches of ${batchEvents}, ${perSec.batch} a second and the bursts; all of this at once`,
  burst: `of that: batches flat out for ${burstMs / 1000} s, now and then`,
  grant: "GET /api/session-grant",
  read: "GET /api/cards/:cardId",
  topup: "POST /api/cards/:cardId/topup",
  replay: "batches that were taken before, sent again",
  unchanged: "GET /api/policy with the tag of the last answer",
};

/** What `--soak` runs: the first does it, the others tell of their part of it. */
export function soakWorkloads(): {
  readonly workloads: readonly Workload[];
  report(): SoakReport;
} {
  let soak: Soak | undefined;
  let seconds = 0;
  const started = (): Soak => {
    if (soak === undefined) throw new Error("the soak was not started");
    return soak;
  };
  const part = (kind: Kind): Workload => ({
    name: kind === "batch" ? "soak" : `soak-${kind}`,
    unit: kind === "batch" || kind === "burst" ? "events/s" : "/s",
    whole: true,
    about: about[kind],
    start: async (site): Promise<Running> => {
      if (kind === "batch") soak = await Soak.open(site);
      return {
        warmUp: async () => undefined,
        sample: async (windowMs) => {
          if (kind === "batch") {
            seconds = windowMs / 1000;
            await started().run(windowMs);
          }
          const sample = started().samples.get(kind);
          return sample ?? { value: 0, latenciesMs: new Float64Array(0) };
        },
        finish: async () => {
          if (kind === "batch") await started().finish();
        },
      };
    },
  });
  const kinds = ["batch", "burst", "grant", "read", "topup", "replay", "unchanged"] as const;
  return {
    workloads: kinds.map(part),
    report: () => reportOf(seconds, started().gauges),
  };
}
