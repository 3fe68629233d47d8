/** Statements on `rate_rule` and `api_version`: limits of routes, and versions that end. */
import { statement } from "./statement.ts";

export interface RateRuleRow {
  rate_rule_no: number;
  uuid: string;
  route: string;
  group_by: "ip" | "user" | "tenant" | "apiKey";
  requests: number;
  admin_requests: number | null;
  window_sec: number;
  created_at_ms: number;
  updated_at_ms: number;
  version: number;
}

const columns = `rate_rule_no, uuid, route, group_by, requests, admin_requests, window_sec,
   created_at_ms, updated_at_ms, version`;

export const rateRulesOf = statement<[tenantId: number], RateRuleRow>(
  "gateway.rateRules",
  `SELECT ${columns} FROM rate_rule WHERE tenant_id = ?1 ORDER BY route`,
);

/** Newest first, below a number. */
export const rateRulePage = statement<
  [tenantId: number, below: number, rowsMax: number],
  RateRuleRow
>(
  "gateway.rateRulePage",
  `SELECT ${columns} FROM rate_rule WHERE tenant_id = ?1 AND rate_rule_no < ?2
   ORDER BY rate_rule_no DESC LIMIT ?3`,
);

export const rateRuleCount = statement<[tenantId: number], { count: number }>(
  "gateway.rateRuleCount",
  "SELECT count(*) AS count FROM rate_rule WHERE tenant_id = ?1",
);

export const rateRuleByUuid = statement<[tenantId: number, uuid: string], RateRuleRow>(
  "gateway.rateRule",
  `SELECT ${columns} FROM rate_rule WHERE uuid = ?2 AND tenant_id = ?1`,
);

export const rateRuleByRoute = statement<[tenantId: number, route: string], RateRuleRow>(
  "gateway.rateRuleByRoute",
  `SELECT ${columns} FROM rate_rule WHERE tenant_id = ?1 AND route = ?2`,
);

export const rateRuleInsert = statement<
  [
    uuid: string,
    tenantId: number,
    route: string,
    groupBy: string,
    requests: number,
    adminRequests: number | null,
    windowSec: number,
    nowMs: number,
  ]
>(
  "gateway.rateRuleInsert",
  `INSERT INTO rate_rule (uuid, tenant_id, route, group_by, requests, admin_requests, window_sec,
     created_at_ms, updated_at_ms, version)
   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, 1)`,
);

export const rateRuleUpdate = statement<
  [
    tenantId: number,
    uuid: string,
    groupBy: string,
    requests: number,
    adminRequests: number | null,
    windowSec: number,
    nowMs: number,
  ]
>(
  "gateway.rateRuleUpdate",
  `UPDATE rate_rule SET group_by = ?3, requests = ?4, admin_requests = ?5, window_sec = ?6,
     updated_at_ms = ?7, version = version + 1
   WHERE uuid = ?2 AND tenant_id = ?1`,
);

export const rateRuleDelete = statement<[tenantId: number, uuid: string]>(
  "gateway.rateRuleDelete",
  "DELETE FROM rate_rule WHERE uuid = ?2 AND tenant_id = ?1",
);

export interface ApiVersionRow {
  version: number;
  deprecated_at_ms: number;
  sunset_at_ms: number;
  successor: string | null;
  document_hash: Uint8Array;
}

export const apiVersions = statement<[], ApiVersionRow>(
  "gateway.versions",
  `SELECT version, deprecated_at_ms, sunset_at_ms, successor, document_hash FROM api_version
   WHERE version >= 0 ORDER BY version`,
);

export const apiVersionInsert = statement<
  [
    version: number,
    deprecatedAtMs: number,
    sunsetAtMs: number,
    successor: string | null,
    documentHash: Uint8Array,
  ]
>(
  "gateway.versionInsert",
  `INSERT INTO api_version (version, deprecated_at_ms, sunset_at_ms, successor, document_hash)
   VALUES (?1, ?2, ?3, ?4, ?5)`,
);

/** Who is told of the end of a version, a page at a time. */
export const activeTenants = statement<[above: number, rowsMax: number], { tenant_id: number }>(
  "gateway.activeTenants",
  `SELECT tenant_id FROM tenant WHERE tenant_id > ?1 AND status = 'active'
   ORDER BY tenant_id LIMIT ?2`,
);

/** The tenant that runs the server. */
export const rootTenant = statement<[], { tenant_id: number }>(
  "gateway.rootTenant",
  "SELECT tenant_id FROM tenant WHERE parent_id IS NULL ORDER BY tenant_id LIMIT 1",
);
