/** Jobs as rows. */
import {
  type JobRow,
  type JobStatus,
  jobAdvance,
  jobByUuid,
  jobCancel,
  jobCount,
  jobFail,
  jobInsert,
  jobPage,
  jobPurge,
  jobQueued,
  jobRequeue,
  jobRunning,
  jobStart,
  jobSucceed,
} from "../../../schema/query/job.ts";
import type { Reader, Writer } from "../../store/seam.ts";

export type { JobStatus } from "../../../schema/query/job.ts";

/** Values of JSON; never a secret: what a job is given is kept in clear. */
export type JobValues = Readonly<Record<string, unknown>>;

/** Why a job failed. */
export interface JobProblem {
  readonly slug: string;
  readonly detail: string;
}

export interface Job {
  /** Position in a list. */
  readonly jobNo: number;
  readonly id: string;
  readonly kind: string;
  readonly status: JobStatus;
  readonly progress: { readonly done: number; readonly total: number };
  readonly result: JobValues | null;
  readonly problem: JobProblem | null;
  readonly createdBy: string;
  readonly createdAtMs: number;
  readonly startedAtMs: number | null;
  readonly finishedAtMs: number | null;
}

export interface QueuedJob {
  readonly jobNo: number;
  readonly id: string;
  readonly tenantId: number;
  readonly kind: string;
  readonly input: JobValues;
  readonly done: number;
  readonly total: number;
  readonly createdBy: string;
}

export interface JobDraft {
  readonly tenantId: number;
  readonly kind: string;
  /** Uuid of the user, key or module. */
  readonly createdBy: string;
  readonly input: JobValues;
  /** Steps, where they are known. */
  readonly total?: number;
}

export interface JobFilter {
  readonly kind?: string | undefined;
  readonly status?: JobStatus | undefined;
  readonly createdBy?: string | undefined;
}

const jobOf = (row: JobRow): Job => ({
  jobNo: row.job_no,
  id: row.uuid,
  kind: row.kind,
  status: row.status,
  progress: { done: row.done, total: row.total },
  result: row.result === null ? null : (JSON.parse(row.result) as JobValues),
  problem: row.problem === null ? null : (JSON.parse(row.problem) as JobProblem),
  createdBy: row.created_by,
  createdAtMs: row.created_at_ms,
  startedAtMs: row.started_at_ms,
  finishedAtMs: row.finished_at_ms,
});

export async function insertJob(
  tx: Writer,
  id: string,
  { tenantId, kind, createdBy, input, total = 0 }: JobDraft,
  nowMs: number,
): Promise<void> {
  await tx.run(jobInsert, id, tenantId, kind, JSON.stringify(input), total, createdBy, nowMs);
}

export async function findJob(q: Reader, tenantId: number, id: string): Promise<Job | undefined> {
  const row = await q.get(jobByUuid, tenantId, id);
  return row && jobOf(row);
}

/** Newest first, those below a position. */
export async function pageJobs(
  q: Reader,
  tenantId: number,
  { kind = null, status = null, createdBy = null }: Nullable<JobFilter>,
  below: number,
  rowsMax: number,
): Promise<{ jobs: Job[]; total: number }> {
  const rows = await q.all(jobPage, tenantId, kind, status, createdBy, below, rowsMax);
  const counted = await q.get(jobCount, tenantId, kind, status, createdBy);
  return { jobs: rows.map(jobOf), total: counted?.count ?? 0 };
}

type Nullable<T> = { readonly [K in keyof T]: T[K] | null };

export async function queuedJobs(q: Reader, rowsMax: number): Promise<QueuedJob[]> {
  const rows = await q.all(jobQueued, rowsMax);
  return rows.map((row) => ({
    jobNo: row.job_no,
    id: row.uuid,
    tenantId: row.tenant_id,
    kind: row.kind,
    input: JSON.parse(row.input) as JobValues,
    done: row.done,
    total: row.total,
    createdBy: row.created_by,
  }));
}

/** Whether it was still waiting. */
export async function startJob(tx: Writer, jobNo: number, nowMs: number): Promise<boolean> {
  return (await tx.run(jobStart, jobNo, nowMs)) > 0;
}

export async function runningJobs(q: Reader): Promise<number[]> {
  return (await q.all(jobRunning)).map((row) => row.job_no);
}

export async function requeueJob(tx: Writer, jobNo: number): Promise<void> {
  await tx.run(jobRequeue, jobNo);
}

/** Whether it still runs. */
export async function advanceJob(
  tx: Writer,
  jobNo: number,
  done: number,
  total: number | null,
): Promise<boolean> {
  return (await tx.run(jobAdvance, jobNo, done, total)) > 0;
}

/** Does nothing where the job was canceled meanwhile. */
export async function succeedJob(
  tx: Writer,
  jobNo: number,
  result: JobValues | null,
  nowMs: number,
): Promise<void> {
  await tx.run(jobSucceed, jobNo, result === null ? null : JSON.stringify(result), nowMs);
}

/** Does nothing where the job was canceled meanwhile. */
export async function failJob(
  tx: Writer,
  jobNo: number,
  problem: JobProblem,
  nowMs: number,
): Promise<void> {
  await tx.run(jobFail, jobNo, JSON.stringify(problem), nowMs);
}

export async function cancelJob(tx: Writer, jobNo: number, nowMs: number): Promise<void> {
  await tx.run(jobCancel, jobNo, nowMs);
}

/** Number of rows that are gone. */
export const purgeJobs = (tx: Writer, beforeMs: number, rowsMax: number): Promise<number> =>
  tx.run(jobPurge, beforeMs, rowsMax);
