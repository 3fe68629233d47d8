/**
 * Runs queued jobs, a few at a time and not many of one tenant. What a job has done is kept with its
 * progress, in the same write; a job that a stop broke off is run again from there, so a step may be
 * begun twice, but counts once. Not timers: those are `system/job.ts`.
 */
import { Problem } from "../../domain/problem.ts";
import { type Store, StoreUnavailable, type Writer } from "../../store/seam.ts";
import type { Clock } from "../../system/clock.ts";
import type { Log } from "../../system/log.ts";
import type { JobProblem, JobValues, QueuedJob } from "./store.ts";
import * as rows from "./store.ts";

/** A job at work, as its runner sees it. */
export interface RunningJob {
  readonly id: string;
  readonly tenantId: number;
  readonly input: JobValues;
  readonly createdBy: string;
  /** Steps that an earlier run, which was broken off, has done. */
  readonly done: number;
  /** Aborted when the job is canceled or the server stops. */
  readonly signal: AbortSignal;
  nowMs(): number;
  /**
   * Keeps how far it is, in the write that did it.
   * @throws JobEnded it was canceled: the write is undone
   */
  advance(tx: Writer, done: number, total?: number): Promise<void>;
}

/** Does the work; what it returns is the result. A `Problem` that it throws is the job's. */
export type Runner = (job: RunningJob) => Promise<JobValues | null>;

class JobEnded extends Error {
  override readonly name = "JobEnded";
}

export interface WorkerDeps {
  readonly store: Store;
  readonly clock: Pick<Clock, "nowMs">;
  readonly log: Pick<Log, "error">;
}

const jobsAtOnceMax = 4;
const jobsOfTenantMax = 2;
const queuedSeenMax = 1_000;

interface AtWork {
  readonly tenantId: number;
  readonly abort: AbortController;
  readonly ended: Promise<void>;
}

export class Worker {
  readonly #atWork = new Map<number, AtWork>();
  /** On their way from the queue to work. */
  readonly #claimed = new Set<number>();
  #claiming: Promise<void> | undefined;
  #isWoken = false;
  #isStopped = false;

  constructor(
    readonly runners: ReadonlyMap<string, Runner>,
    readonly deps: WorkerDeps,
  ) {}

  /** Puts back what runs by the book and not here: a stop, or a failing storage, left it so. */
  async recover(): Promise<void> {
    await this.deps.store.write(async (tx) => {
      for (const jobNo of await rows.runningJobs(tx)) {
        if (!this.#atWork.has(jobNo) && !this.#claimed.has(jobNo)) await rows.requeueJob(tx, jobNo);
      }
    });
    this.wake();
  }

  /** There may be something to do. */
  wake(): void {
    this.#isWoken = true;
    if (this.#isStopped || this.#claiming !== undefined) return;
    this.#claiming = this.#claim().finally(() => {
      this.#claiming = undefined;
      if (this.#isWoken) this.wake();
    });
  }

  abort(jobNo: number): void {
    this.#atWork.get(jobNo)?.abort.abort(new JobEnded("the job was canceled"));
  }

  /** Resolves when none waits that could run, and none runs. */
  async idle(): Promise<void> {
    while (this.#claiming !== undefined || this.#atWork.size > 0) {
      await this.#claiming;
      await Promise.all([...this.#atWork.values()].map(({ ended }) => ended));
    }
  }

  /** Breaks off what runs; it stays as it is, for the next start. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const { abort } of this.#atWork.values()) abort.abort(new JobEnded("the server stops"));
    await this.idle();
  }

  async #claim(): Promise<void> {
    this.#isWoken = false;
    if (this.#atWork.size >= jobsAtOnceMax) return;
    const { store, clock, log } = this.deps;
    try {
      const nowMs = clock.nowMs();
      const queued = await store.read((q) => rows.queuedJobs(q, queuedSeenMax));
      const chosen = this.#choose(queued);
      if (chosen.length === 0) return;
      for (const { jobNo } of chosen) this.#claimed.add(jobNo);
      const started = await store.write(async (tx) => {
        const started: QueuedJob[] = [];
        for (const job of chosen) if (await rows.startJob(tx, job.jobNo, nowMs)) started.push(job);
        return started;
      });
      for (const job of started) this.#begin(job);
    } catch (error) {
      // Nothing was claimed; the next minute tries again.
      if (!this.#isStopped) log.error("jobs could not be begun", { error });
    } finally {
      this.#claimed.clear();
    }
  }

  #choose(queued: readonly QueuedJob[]): QueuedJob[] {
    const ofTenant = new Map<number, number>();
    for (const { tenantId } of this.#atWork.values()) {
      ofTenant.set(tenantId, (ofTenant.get(tenantId) ?? 0) + 1);
    }
    const chosen: QueuedJob[] = [];
    for (const job of queued) {
      if (this.#atWork.size + chosen.length >= jobsAtOnceMax) break;
      const count = ofTenant.get(job.tenantId) ?? 0;
      if (count >= jobsOfTenantMax || this.#atWork.has(job.jobNo)) continue;
      ofTenant.set(job.tenantId, count + 1);
      chosen.push(job);
    }
    return chosen;
  }

  #begin(job: QueuedJob): void {
    const { tenantId, jobNo } = job;
    const abort = new AbortController();
    const ended = this.#run(job, abort.signal).finally(() => {
      this.#atWork.delete(jobNo);
      this.wake();
    });
    this.#atWork.set(jobNo, { tenantId, abort, ended });
  }

  async #run(job: QueuedJob, signal: AbortSignal): Promise<void> {
    const { store, clock, log } = this.deps;
    const { jobNo, kind } = job;
    try {
      const result = await this.#work(job, signal);
      await store.write((tx) => rows.succeedJob(tx, jobNo, result, clock.nowMs()));
    } catch (error) {
      // Canceled, or the server stops or can't keep anything now: it is as the book has it.
      if (signal.aborted || error instanceof StoreUnavailable || error instanceof JobEnded) return;
      const problem = problemOf(error);
      if (problem.slug === "internal-error") log.error("a job failed", { kind, jobNo, error });
      await store
        .write((tx) => rows.failJob(tx, jobNo, problem, clock.nowMs()))
        .catch((error) => log.error("a failed job could not be noted", { kind, jobNo, error }));
    }
  }

  #work(job: QueuedJob, signal: AbortSignal): Promise<JobValues | null> {
    const runner = this.runners.get(job.kind);
    if (runner === undefined) return Promise.reject(new Error(`no runner for ${job.kind}`));
    const { jobNo, id, tenantId, input, createdBy, done } = job;
    const advance = async (tx: Writer, done: number, total?: number): Promise<void> => {
      if (await rows.advanceJob(tx, jobNo, done, total ?? null)) return;
      throw new JobEnded("the job was canceled");
    };
    const nowMs = (): number => this.deps.clock.nowMs();
    return runner({ id, tenantId, input, createdBy, done, signal, nowMs, advance });
  }
}

function problemOf(error: unknown): JobProblem {
  const problem = error instanceof Problem ? error : new Problem("internal-error");
  return { slug: problem.slug, detail: problem.message };
}
