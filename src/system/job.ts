/**
 * Jobs that come round: each on a timer of its own that follows the clock, never overlapping itself,
 * what it throws logged. Not a scheduler: nothing is kept across a restart.
 */
import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";

export interface Job {
  readonly name: string;
  run(nowMs: number): Promise<unknown>;
}

export interface Jobs {
  /** Resolves when none runs. */
  idle(): Promise<void>;
  /** Starts none any more; resolves when none runs. */
  stop(): Promise<void>;
}

export function startJobs(clock: Clock, log: Log, periodMs: number, jobs: readonly Job[]): Jobs {
  const running = new Set<Promise<void>>();
  const runOnce = async ({ name, run }: Job): Promise<void> => {
    try {
      await run(clock.nowMs());
    } catch (error) {
      log.error("a job failed", { job: name, error });
    }
  };
  const stops = jobs.map((job) =>
    clock.every(periodMs, () => {
      const run = runOnce(job);
      running.add(run);
      return run.finally(() => running.delete(run));
    }),
  );
  const idle = async (): Promise<void> => {
    while (running.size > 0) await Promise.all(running);
  };
  return {
    idle,
    stop: async () => {
      await Promise.all(stops.map((stop) => stop()));
      await idle();
    },
  };
}
