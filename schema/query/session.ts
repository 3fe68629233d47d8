/** Statements on `session_grant`. */
import { statement } from "./statement.ts";

export interface GrantWindowRow {
  issued_at_ms: number;
  expires_at_sec: number;
  ops: number;
}

export const grantInsert = statement<
  [
    tenantId: number,
    deviceNo: number,
    keyVersion: number,
    ops: number,
    issuedAtMs: number,
    expiresAtSec: number,
  ]
>(
  "grant.insert",
  `INSERT INTO session_grant (tenant_id, device_no, key_version, ops, issued_at_ms, expires_at_sec)
   VALUES (?1, ?2, ?3, ?4, ?5, ?6)`,
);

/**
 * A device's grants that end at `sinceSec` or later. Those of one hour and the same operations come as
 * one span: none lives for less than an hour, so they touch.
 */
export const grantWindows = statement<[deviceNo: number, sinceSec: number], GrantWindowRow>(
  "grant.windows",
  `SELECT min(issued_at_ms) AS issued_at_ms, max(expires_at_sec) AS expires_at_sec, ops
   FROM session_grant WHERE device_no = ?1 AND expires_at_sec >= ?2
   GROUP BY ops, issued_at_ms / 3600000 ORDER BY 1`,
);

/**
 * The latest expiry among the tenant's grants that were open at a moment. `untilSec` = that moment and
 * the longest life of a grant, which bounds the look.
 */
export const grantOpenUntil = statement<
  [tenantId: number, atSec: number, untilSec: number, issuedByMs: number],
  { expires_at_sec: number }
>(
  "grant.openUntil",
  `SELECT expires_at_sec FROM session_grant
   WHERE tenant_id = ?1 AND expires_at_sec > ?2 AND expires_at_sec <= ?3 AND issued_at_ms <= ?4
   ORDER BY expires_at_sec DESC LIMIT 1`,
);
