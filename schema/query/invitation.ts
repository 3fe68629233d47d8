/** Statements on `invitation`, and the look at `tenant` for the words of its letter. */
import { statement } from "./statement.ts";

export interface InvitationRow {
  invitation_no: number;
  uuid: string;
  tenant_id: number;
  email: string;
  name: string | null;
  /** JSON array of names. */
  roles: string;
  status: "pending" | "accepted" | "revoked";
  expires_at_ms: number;
  invited_by: string;
  created_at_ms: number;
}

const columns = `invitation_no, uuid, tenant_id, email, name, roles, status, expires_at_ms, invited_by,
  created_at_ms`;

export const invitationByUuid = statement<[tenantId: number, uuid: string], InvitationRow>(
  "invitation.byUuid",
  `SELECT ${columns} FROM invitation WHERE uuid = ?2 AND tenant_id = ?1`,
);

export const invitationByToken = statement<[tokenHash: Uint8Array], InvitationRow>(
  "invitation.byToken",
  `SELECT ${columns} FROM invitation WHERE token_hash = ?1`,
);

export const invitationsPending = statement<[tenantId: number, email: string], InvitationRow>(
  "invitation.pending",
  `SELECT ${columns} FROM invitation WHERE tenant_id = ?1 AND email = ?2 AND status = 'pending'`,
);

/** An expired one is pending still, and shown as what it is. */
const ofStatus = `(?2 IS NULL
     OR CASE WHEN status = 'pending' AND expires_at_ms <= ?3 THEN 'expired' ELSE status END = ?2)`;

/** Newest first. */
export const invitationPage = statement<
  [tenantId: number, status: string | null, nowMs: number, belowNo: number, limit: number],
  InvitationRow
>(
  "invitation.page",
  `SELECT ${columns} FROM invitation WHERE tenant_id = ?1 AND invitation_no < ?4 AND ${ofStatus}
   ORDER BY invitation_no DESC LIMIT ?5`,
);

export const invitationCount = statement<
  [tenantId: number, status: string | null, nowMs: number],
  { count: number }
>(
  "invitation.count",
  `SELECT count(*) AS count FROM invitation WHERE tenant_id = ?1 AND ${ofStatus}`,
);

export const invitationInsert = statement<
  [
    uuid: string,
    tenantId: number,
    email: string,
    name: string | null,
    roles: string,
    tokenHash: Uint8Array,
    expiresAtMs: number,
    invitedBy: string,
    nowMs: number,
  ]
>(
  "invitation.insert",
  `INSERT INTO invitation (uuid, tenant_id, email, name, roles, token_hash, status, expires_at_ms,
     invited_by, created_at_ms, updated_at_ms)
   VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'pending', ?7, ?8, ?9, ?9)`,
);

export const invitationRenew = statement<
  [
    tenantId: number,
    invitationNo: number,
    tokenHash: Uint8Array,
    expiresAtMs: number,
    nowMs: number,
  ]
>(
  "invitation.renew",
  `UPDATE invitation SET token_hash = ?3, expires_at_ms = ?4, updated_at_ms = ?5
   WHERE invitation_no = ?2 AND tenant_id = ?1`,
);

export const invitationSettle = statement<
  [tenantId: number, invitationNo: number, status: string, nowMs: number]
>(
  "invitation.settle",
  `UPDATE invitation SET status = ?3, updated_at_ms = ?4
   WHERE invitation_no = ?2 AND tenant_id = ?1`,
);

export const invitationTenant = statement<
  [tenantId: number],
  { uuid: string; name: string; status: string }
>("invitation.tenant", "SELECT uuid, name, status FROM tenant WHERE tenant_id = ?1");
