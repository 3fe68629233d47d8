/** Calls about jobs: a caller's own, or with `jobs.read` everybody's of the tenant. */
import { jobAnswer, jobParams, jobQuery } from "../../../schema/contract/job.ts";
import { isProblemSlug, problems } from "../../../schema/problem.ts";
import { instantText } from "../../domain/instant.ts";
import { Problem } from "../../domain/problem.ts";
import { actorOf, type Caller } from "../../http/platform/caller.ts";
import { pageOf } from "../../http/platform/page.ts";
import { titleOf } from "../../http/platform/problem.ts";
import { operation, type PlatformRoute } from "../../http/platform/route.ts";
import type { Job, JobService } from "./service.ts";

export interface JobRouteDeps {
  readonly job: Pick<JobService, "get" | "page" | "cancel">;
  /** Start of problem types, without a trailing slash. */
  readonly problemBase: () => string;
}

const permission = "jobs.read";
const shared = { namespace: "gateway", tag: "Jobs", access: { self: true } } as const;

const example = {
  id: "01936d7a-0000-7000-8000-000000000001",
  kind: "auditExport",
  status: "running",
  progress: { done: 120, total: 400 },
  result: null,
  problem: null,
  createdBy: "01936d7a-0000-7000-8000-000000000002",
  createdAt: "2026-11-21T16:33:00.000Z",
  startedAt: "2026-11-21T16:33:01.000Z",
  finishedAt: null,
} as const;

const timeOrNull = (ms: number | null): string | null => (ms === null ? null : instantText(ms));

function jobView(job: Job, problemBase: string) {
  const { id, kind, status, progress, result, createdBy } = job;
  return {
    id,
    kind,
    status,
    progress,
    result,
    problem: job.problem === null ? null : problemView(job.problem, problemBase),
    createdBy,
    createdAt: instantText(job.createdAtMs),
    startedAt: timeOrNull(job.startedAtMs),
    finishedAt: timeOrNull(job.finishedAtMs),
  };
}

function problemView({ slug, detail }: NonNullable<Job["problem"]>, problemBase: string) {
  const status = isProblemSlug(slug) ? problems[slug].status : problems["internal-error"].status;
  return { type: `${problemBase}/${slug}`, title: titleOf(slug), status, detail };
}

/** @throws Problem forbidden (somebody else's) */
function checkOwn(job: Job, caller: Caller): void {
  if (job.createdBy === caller.id || caller.can(permission)) return;
  throw new Problem("forbidden", `The job is another caller's; ${permission} is missing.`);
}

export const jobRoutes = ({ job: jobs, problemBase }: JobRouteDeps): PlatformRoute[] => [
  operation({
    ...shared,
    method: "GET",
    path: "/jobs",
    operationId: "listJobs",
    summary: "Work in the background",
    description: `One's own; with \`${permission}\` everybody's of the tenant.`,
    contract: { query: jobQuery, list: jobAnswer },
    status: 200,
    refusals: [],
    examples: {
      response: { data: [example], meta: { cursor: null, hasMore: false, total: 1 } },
    },
    handle: async (call) => {
      const { caller, query } = call;
      const filter = {
        kind: query.kind,
        status: query.status,
        createdBy: caller.can(permission) ? undefined : caller.id,
      };
      const first = Number(query.after?.[0] ?? Number.MAX_SAFE_INTEGER);
      const page = jobs.page(caller.tenantId, filter, first, query.limit + 1);
      return await pageOf(
        call,
        {
          read: async () => (await page).jobs,
          placeOf: ({ jobNo }) => [jobNo],
          count: async () => (await page).total,
        },
        (job) => jobView(job, problemBase()),
      );
    },
  }),
  operation({
    ...shared,
    method: "GET",
    path: "/jobs/:id",
    operationId: "getJob",
    summary: "How far a job is",
    contract: { params: jobParams, response: jobAnswer },
    status: 200,
    refusals: ["forbidden"],
    examples: { params: { id: example.id }, response: example },
    handle: async ({ caller, params }) => {
      const job = await jobs.get(caller.tenantId, params.id);
      checkOwn(job, caller);
      return jobView(job, problemBase());
    },
  }),
  operation({
    ...shared,
    method: "POST",
    path: "/jobs/:id/cancel",
    operationId: "cancelJob",
    summary: "End a job that waits or runs",
    description: "What it has done so far stays.",
    contract: { params: jobParams, response: jobAnswer },
    status: 200,
    refusals: ["forbidden", "wrong-state"],
    examples: {
      params: { id: example.id },
      response: { ...example, status: "canceled", finishedAt: "2026-11-21T16:34:00.000Z" },
    },
    handle: async ({ caller, params, nowMs, write }) => {
      checkOwn(await jobs.get(caller.tenantId, params.id), caller);
      return await write(async (tx) => {
        const job = await jobs.cancel(tx, caller.tenantId, params.id, actorOf(caller), nowMs);
        return jobView(job, problemBase());
      });
    },
  }),
];
