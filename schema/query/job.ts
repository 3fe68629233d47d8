/** Statements on `job`: work in the background. */
import { statement } from "./statement.ts";

export type JobStatus = "queued" | "running" | "succeeded" | "failed" | "canceled";

export interface JobRow {
  job_no: number;
  uuid: string;
  tenant_id: number;
  kind: string;
  status: JobStatus;
  input: string;
  done: number;
  total: number;
  result: string | null;
  problem: string | null;
  created_by: string;
  created_at_ms: number;
  started_at_ms: number | null;
  finished_at_ms: number | null;
}

const columns = `job_no, uuid, tenant_id, kind, status, input, done, total, result, problem,
   created_by, created_at_ms, started_at_ms, finished_at_ms`;

export const jobInsert = statement<
  [
    uuid: string,
    tenantId: number,
    kind: string,
    input: string,
    total: number,
    createdBy: string,
    createdAtMs: number,
  ]
>(
  "job.insert",
  `INSERT INTO job (uuid, tenant_id, kind, status, input, done, total, created_by, created_at_ms)
   VALUES (?1, ?2, ?3, 'queued', ?4, 0, ?5, ?6, ?7)`,
);

export const jobByUuid = statement<[tenantId: number, uuid: string], JobRow>(
  "job.byUuid",
  `SELECT ${columns} FROM job WHERE uuid = ?2 AND tenant_id = ?1`,
);

/** Filters that are null let everything through. */
type Filter = [
  tenantId: number,
  kind: string | null,
  status: string | null,
  createdBy: string | null,
];
const filter = `tenant_id = ?1 AND (?2 IS NULL OR kind = ?2) AND (?3 IS NULL OR status = ?3)
     AND (?4 IS NULL OR created_by = ?4)`;

/** Newest first, below a number. */
export const jobPage = statement<[...Filter, below: number, rowsMax: number], JobRow>(
  "job.page",
  `SELECT ${columns} FROM job WHERE ${filter} AND job_no < ?5 ORDER BY job_no DESC LIMIT ?6`,
);

export const jobCount = statement<Filter, { count: number }>(
  "job.count",
  `SELECT count(*) AS count FROM job WHERE ${filter}`,
);

/** Of all tenants, oldest first. */
export const jobQueued = statement<
  [rowsMax: number],
  Pick<JobRow, "job_no" | "uuid" | "tenant_id" | "kind" | "input" | "done" | "total" | "created_by">
>(
  "job.queued",
  `SELECT job_no, uuid, tenant_id, kind, input, done, total, created_by FROM job
   WHERE status = 'queued' AND finished_at_ms IS NULL ORDER BY job_no LIMIT ?1`,
);

/** Keeps the moment of its first start. */
export const jobStart = statement<[jobNo: number, nowMs: number]>(
  "job.start",
  `UPDATE job SET status = 'running', started_at_ms = coalesce(started_at_ms, ?2)
   WHERE job_no = ?1 AND status = 'queued'`,
);

export const jobRunning = statement<[], { job_no: number }>(
  "job.running",
  "SELECT job_no FROM job WHERE status = 'running' AND finished_at_ms IS NULL ORDER BY job_no",
);

export const jobRequeue = statement<[jobNo: number]>(
  "job.requeue",
  "UPDATE job SET status = 'queued' WHERE job_no = ?1 AND status = 'running'",
);

/** Only as long as it runs. */
export const jobAdvance = statement<[jobNo: number, done: number, total: number | null]>(
  "job.advance",
  `UPDATE job SET done = ?2, total = coalesce(?3, total)
   WHERE job_no = ?1 AND status = 'running'`,
);

export const jobSucceed = statement<[jobNo: number, result: string | null, nowMs: number]>(
  "job.succeed",
  `UPDATE job SET status = 'succeeded', result = ?2, finished_at_ms = ?3
   WHERE job_no = ?1 AND status = 'running'`,
);

export const jobFail = statement<[jobNo: number, problem: string, nowMs: number]>(
  "job.fail",
  `UPDATE job SET status = 'failed', problem = ?2, finished_at_ms = ?3
   WHERE job_no = ?1 AND status = 'running'`,
);

export const jobCancel = statement<[jobNo: number, nowMs: number]>(
  "job.cancel",
  `UPDATE job SET status = 'canceled', finished_at_ms = ?2
   WHERE job_no = ?1 AND finished_at_ms IS NULL`,
);

/** So many at a time that the writer is not held up. */
export const jobPurge = statement<[finishedBeforeMs: number, rowsMax: number]>(
  "job.purge",
  `DELETE FROM job WHERE job_no IN (
     SELECT job_no FROM job WHERE finished_at_ms < ?1 ORDER BY finished_at_ms LIMIT ?2)`,
);
