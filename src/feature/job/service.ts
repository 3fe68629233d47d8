/**
 * Jobs: work that takes longer than a call, asked for in the transaction of the call, done in the
 * background, kept for a week. What a kind of job does is its feature's; how it is run is `worker.ts`.
 */
import type { Actor } from "../../domain/audit.ts";
import { Problem } from "../../domain/problem.ts";
import type { Store, Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import type { AuditService } from "../audit/service.ts";
import type { Job, JobDraft, JobFilter } from "./store.ts";
import * as rows from "./store.ts";
import { type Runner, Worker, type WorkerDeps } from "./worker.ts";

export type { Job } from "./store.ts";
export type { Runner } from "./worker.ts";

const jobKeptMs = 7 * 86_400_000;
const purgeRows = 1_000;

export interface JobDeps {
  readonly store: Store;
  readonly random: Random;
  readonly audit: Pick<AuditService, "append">;
}

export type JobService = ReturnType<typeof jobService>;

export function jobService({ store, random, audit }: JobDeps) {
  const runners = new Map<string, Runner>();
  let worker: Worker | undefined;

  /** What jobs of `kind` do. Before `start`; once a kind. */
  function register(kind: string, runner: Runner): void {
    if (runners.has(kind)) throw new Error(`jobs of kind ${kind} have a runner`);
    runners.set(kind, runner);
  }

  /** Queues a job; it stands or falls with `tx`, and begins after the COMMIT. */
  async function create(tx: Writer, draft: JobDraft, nowMs: number): Promise<Job> {
    if (!runners.has(draft.kind)) throw new Error(`no runner for jobs of kind ${draft.kind}`);
    const id = random.uuid(nowMs);
    await rows.insertJob(tx, id, draft, nowMs);
    const made = await rows.findJob(tx, draft.tenantId, id);
    if (made === undefined) throw new Error("a job that was just made is not there");
    tx.onCommit(() => worker?.wake());
    return made;
  }

  /** @throws Problem not-found */
  async function get(tenantId: number, id: string): Promise<Job> {
    const job = await store.read((q) => rows.findJob(q, tenantId, id));
    if (job === undefined) throw new Problem("not-found", "There is no such job.");
    return job;
  }

  /** Newest first: up to `rowsMax` below a position, and how many match. */
  const page = (
    tenantId: number,
    filter: JobFilter,
    below: number,
    rowsMax: number,
  ): Promise<{ jobs: Job[]; total: number }> =>
    store.read((q) => rows.pageJobs(q, tenantId, filter, below, rowsMax));

  /**
   * Ends a job that waits or runs; what its steps have done stays.
   * @throws Problem not-found · wrong-state (it has finished)
   */
  async function cancel(
    tx: Writer,
    tenantId: number,
    id: string,
    actor: Actor,
    nowMs: number,
  ): Promise<Job> {
    const job = await rows.findJob(tx, tenantId, id);
    if (job === undefined) throw new Problem("not-found", "There is no such job.");
    if (job.finishedAtMs !== null) {
      throw new Problem("wrong-state", `The job is ${job.status}.`, {
        members: { state: job.status },
      });
    }
    await rows.cancelJob(tx, job.jobNo, nowMs);
    const { kind, createdBy } = job;
    await audit.append(tx, {
      tenantId,
      atMs: nowMs,
      action: "gateway.job.canceled",
      entityType: "job",
      entityId: id,
      actor,
      before: { status: job.status },
      after: { status: "canceled" },
      metadata: { kind, createdBy },
    });
    tx.onCommit(() => worker?.abort(job.jobNo));
    return { ...job, status: "canceled", finishedAtMs: nowMs };
  }

  /** Begins with what waits, and with what the last stop broke off. @throws StoreUnavailable */
  async function start(deps: Omit<WorkerDeps, "store">): Promise<void> {
    worker = new Worker(runners, { ...deps, store });
    await worker.recover();
  }

  /** Each minute: what fell by the wayside is begun again, what is old goes. */
  async function tidy(nowMs: number): Promise<void> {
    await worker?.recover();
    const before = nowMs - jobKeptMs;
    let gone = purgeRows;
    while (gone === purgeRows) {
      gone = await store.write((tx) => rows.purgeJobs(tx, before, purgeRows));
    }
  }

  return {
    register,
    create,
    get,
    page,
    cancel,
    start,
    tidy,
    /** Resolves when none waits and none runs. */
    idle: async (): Promise<void> => worker?.idle(),
    /** Breaks off what runs, for the next start; before the store closes. */
    stop: async (): Promise<void> => worker?.stop(),
  };
}
