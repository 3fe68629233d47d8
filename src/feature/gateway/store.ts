/** Limits of routes, and versions that end, as rows. */
import {
  activeTenants,
  apiVersionInsert,
  apiVersions,
  type RateRuleRow,
  rateRuleByRoute,
  rateRuleByUuid,
  rateRuleCount,
  rateRuleDelete,
  rateRuleInsert,
  rateRulePage,
  rateRulesOf,
  rateRuleUpdate,
  rootTenant,
} from "../../../schema/query/gateway.ts";
import type { EndingVersion } from "../../domain/apiversion.ts";
import type { Reader, Writer } from "../../store/seam.ts";

/** What a caller sets of a limit. */
export interface RuleDraft {
  /** An operationId, or `/m/{module}`. */
  readonly route: string;
  readonly groupBy: RateRuleRow["group_by"];
  readonly requests: number;
  /** null: as many as the others, counted apart. */
  readonly adminRequests: number | null;
  readonly windowSec: number;
}

export interface Rule extends RuleDraft {
  /** Position in a list. */
  readonly ruleNo: number;
  readonly id: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly version: number;
}

const ruleOf = (row: RateRuleRow): Rule => ({
  ruleNo: row.rate_rule_no,
  id: row.uuid,
  route: row.route,
  groupBy: row.group_by,
  requests: row.requests,
  adminRequests: row.admin_requests,
  windowSec: row.window_sec,
  createdAtMs: row.created_at_ms,
  updatedAtMs: row.updated_at_ms,
  version: row.version,
});

export const rulesOf = async (q: Reader, tenantId: number): Promise<Rule[]> =>
  (await q.all(rateRulesOf, tenantId)).map(ruleOf);

/** Newest first, those below a position; and how many there are. */
export async function pageRules(
  q: Reader,
  tenantId: number,
  below: number,
  rowsMax: number,
): Promise<{ rules: Rule[]; total: number }> {
  const rules = (await q.all(rateRulePage, tenantId, below, rowsMax)).map(ruleOf);
  return { rules, total: (await q.get(rateRuleCount, tenantId))?.count ?? 0 };
}

export async function findRule(q: Reader, tenantId: number, id: string): Promise<Rule | undefined> {
  const row = await q.get(rateRuleByUuid, tenantId, id);
  return row && ruleOf(row);
}

export const hasRule = async (q: Reader, tenantId: number, route: string): Promise<boolean> =>
  (await q.get(rateRuleByRoute, tenantId, route)) !== undefined;

export async function insertRule(
  tx: Writer,
  tenantId: number,
  id: string,
  { route, groupBy, requests, adminRequests, windowSec }: RuleDraft,
  nowMs: number,
): Promise<void> {
  await tx.run(
    rateRuleInsert,
    id,
    tenantId,
    route,
    groupBy,
    requests,
    adminRequests,
    windowSec,
    nowMs,
  );
}

export async function updateRule(
  tx: Writer,
  tenantId: number,
  id: string,
  { groupBy, requests, adminRequests, windowSec }: Omit<RuleDraft, "route">,
  nowMs: number,
): Promise<void> {
  await tx.run(rateRuleUpdate, tenantId, id, groupBy, requests, adminRequests, windowSec, nowMs);
}

export async function deleteRule(tx: Writer, tenantId: number, id: string): Promise<void> {
  await tx.run(rateRuleDelete, tenantId, id);
}

export interface EndedVersion extends EndingVersion {
  readonly successor: string | null;
  readonly documentHash: Uint8Array;
}

export const endingVersions = async (q: Reader): Promise<EndedVersion[]> =>
  (await q.all(apiVersions)).map((row) => ({
    version: row.version,
    deprecatedAtMs: row.deprecated_at_ms,
    sunsetAtMs: row.sunset_at_ms,
    successor: row.successor,
    documentHash: row.document_hash,
  }));

export async function insertVersion(tx: Writer, ending: EndedVersion): Promise<void> {
  const { version, deprecatedAtMs, sunsetAtMs, successor, documentHash } = ending;
  await tx.run(apiVersionInsert, version, deprecatedAtMs, sunsetAtMs, successor, documentHash);
}

const tenantsPage = 1_000;

export async function activeTenantIds(q: Reader): Promise<number[]> {
  const ids: number[] = [];
  for (;;) {
    const rows = await q.all(activeTenants, ids.at(-1) ?? 0, tenantsPage);
    for (const { tenant_id } of rows) ids.push(tenant_id);
    if (rows.length < tenantsPage) return ids;
  }
}

/** Undefined before the server has its first tenant. */
export const rootTenantId = async (q: Reader): Promise<number | undefined> =>
  (await q.get(rootTenant))?.tenant_id;
