/** Statements on `oauth_client` and `oauth_request`, and what a session says of its application. */
import { statement } from "./statement.ts";

export interface ClientRow {
  client_no: number;
  uuid: string;
  tenant_id: number;
  name: string;
  type: "confidential" | "public";
  redirect_uris: string;
  grant_types: string;
  scopes: string;
  secret_hash: Uint8Array | null;
  old_secret_hash: Uint8Array | null;
  old_secret_until_ms: number | null;
  created_by: string;
  created_at_ms: number;
  updated_at_ms: number;
  version: number;
}

const clientColumns = `client_no, uuid, tenant_id, name, type, redirect_uris, grant_types, scopes,
  secret_hash, old_secret_hash, old_secret_until_ms, created_by, created_at_ms, updated_at_ms, version`;

export const clientOf = statement<[tenantId: number, uuid: string], ClientRow>(
  "oauth.client",
  `SELECT ${clientColumns} FROM oauth_client
   WHERE tenant_id = ?1 AND uuid = ?2 AND deleted_at_ms IS NULL`,
);

/** Whoever calls by its id, before it is known whose it is; its tenant with it. */
export const clientByUuid = statement<
  [uuid: string],
  ClientRow & { tenant_uuid: string; tenant_status: string }
>(
  "oauth.clientByUuid",
  `SELECT ${clientColumns
    .split(",")
    .map((column) => `c.${column.trim()}`)
    .join(", ")}, t.uuid AS tenant_uuid, t.status AS tenant_status
   FROM oauth_client c JOIN tenant t USING (tenant_id)
   WHERE c.uuid = ?1 AND c.deleted_at_ms IS NULL`,
);

/** Newest first, below a number. */
export const clientPage = statement<[tenantId: number, below: number, limit: number], ClientRow>(
  "oauth.clientPage",
  `SELECT ${clientColumns} FROM oauth_client
   WHERE tenant_id = ?1 AND client_no < ?2 AND deleted_at_ms IS NULL
   ORDER BY client_no DESC LIMIT ?3`,
);

export const clientCount = statement<[tenantId: number], { n: number }>(
  "oauth.clientCount",
  "SELECT count(*) AS n FROM oauth_client WHERE tenant_id = ?1 AND deleted_at_ms IS NULL",
);

export const clientInsert = statement<
  [
    uuid: string,
    tenantId: number,
    name: string,
    type: string,
    redirectUris: string,
    grantTypes: string,
    scopes: string,
    secretHash: Uint8Array | null,
    createdBy: string,
    nowMs: number,
  ]
>(
  "oauth.clientInsert",
  `INSERT INTO oauth_client (uuid, tenant_id, name, type, redirect_uris, grant_types, scopes, secret_hash,
     created_by, created_at_ms, updated_at_ms, version)
   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, 1)`,
);

/** A public application has no secret. */
export const clientUpdate = statement<
  [
    tenantId: number,
    uuid: string,
    name: string,
    type: string,
    redirectUris: string,
    grantTypes: string,
    scopes: string,
    nowMs: number,
  ]
>(
  "oauth.clientUpdate",
  `UPDATE oauth_client SET name = ?3, type = ?4, redirect_uris = ?5, grant_types = ?6, scopes = ?7,
     secret_hash = CASE ?4 WHEN 'public' THEN NULL ELSE secret_hash END,
     old_secret_hash = CASE ?4 WHEN 'public' THEN NULL ELSE old_secret_hash END,
     old_secret_until_ms = CASE ?4 WHEN 'public' THEN NULL ELSE old_secret_until_ms END,
     updated_at_ms = ?8, version = version + 1
   WHERE tenant_id = ?1 AND uuid = ?2 AND deleted_at_ms IS NULL`,
);

/** The secret in force becomes the old one, if there is one. */
export const clientRotate = statement<
  [tenantId: number, uuid: string, secretHash: Uint8Array, oldUntilMs: number, nowMs: number]
>(
  "oauth.clientRotate",
  `UPDATE oauth_client SET old_secret_hash = secret_hash,
     old_secret_until_ms = CASE WHEN secret_hash IS NULL THEN NULL ELSE ?4 END,
     secret_hash = ?3, updated_at_ms = ?5, version = version + 1
   WHERE tenant_id = ?1 AND uuid = ?2 AND type = 'confidential' AND deleted_at_ms IS NULL`,
);

export const clientDelete = statement<[tenantId: number, uuid: string, nowMs: number]>(
  "oauth.clientDelete",
  `UPDATE oauth_client SET deleted_at_ms = ?3, updated_at_ms = ?3, version = version + 1
   WHERE tenant_id = ?1 AND uuid = ?2 AND deleted_at_ms IS NULL`,
);

export interface RequestRow {
  request_no: number;
  uuid: string;
  client_no: number;
  client_uuid: string;
  client_name: string;
  /** Of the application. */
  client_tenant_id: number;
  /** 1 once the application is gone. */
  client_gone: number;
  redirect_uri: string;
  scopes: string;
  state: string | null;
  nonce: string | null;
  code_challenge: string;
  signed_in_from_ms: number;
  status: "pending" | "approved" | "denied";
  user_no: number | null;
  tenant_id: number | null;
  signed_in_at_ms: number | null;
  expires_at_ms: number;
  spent_at_ms: number | null;
  sid: string | null;
}

const requestColumns = `r.request_no, r.uuid, r.client_no, c.uuid AS client_uuid, c.name AS client_name,
  c.tenant_id AS client_tenant_id, c.deleted_at_ms IS NOT NULL AS client_gone, r.redirect_uri, r.scopes,
  r.state, r.nonce, r.code_challenge, r.signed_in_from_ms, r.status, r.user_no, r.tenant_id,
  r.signed_in_at_ms, r.expires_at_ms, r.spent_at_ms, r.sid`;

export const requestInsert = statement<
  [
    uuid: string,
    clientNo: number,
    redirectUri: string,
    scopes: string,
    state: string | null,
    nonce: string | null,
    codeChallenge: string,
    signedInFromMs: number,
    expiresAtMs: number,
    nowMs: number,
  ]
>(
  "oauth.requestInsert",
  `INSERT INTO oauth_request (uuid, client_no, redirect_uri, scopes, state, nonce, code_challenge,
     signed_in_from_ms, status, expires_at_ms, created_at_ms)
   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'pending', ?9, ?10)`,
);

export const requestByUuid = statement<[uuid: string], RequestRow>(
  "oauth.request",
  `SELECT ${requestColumns} FROM oauth_request r JOIN oauth_client c USING (client_no)
   WHERE r.uuid = ?1`,
);

export const requestByCode = statement<[codeHash: Uint8Array], RequestRow>(
  "oauth.requestByCode",
  `SELECT ${requestColumns} FROM oauth_request r JOIN oauth_client c USING (client_no)
   WHERE r.code_hash = ?1`,
);

export const requestApprove = statement<
  [
    requestNo: number,
    userNo: number,
    tenantId: number,
    signedInAtMs: number,
    scopes: string,
    codeHash: Uint8Array,
    codeUntilMs: number,
  ]
>(
  "oauth.requestApprove",
  `UPDATE oauth_request SET status = 'approved', user_no = ?2, tenant_id = ?3, signed_in_at_ms = ?4,
     scopes = ?5, code_hash = ?6, expires_at_ms = ?7
   WHERE request_no = ?1 AND status = 'pending'`,
);

export const requestDeny = statement<[requestNo: number]>(
  "oauth.requestDeny",
  "UPDATE oauth_request SET status = 'denied' WHERE request_no = ?1 AND status = 'pending'",
);

export const requestSpend = statement<[requestNo: number, sid: string, nowMs: number]>(
  "oauth.requestSpend",
  `UPDATE oauth_request SET spent_at_ms = ?3, sid = ?2
   WHERE request_no = ?1 AND status = 'approved' AND spent_at_ms IS NULL`,
);

export const requestPurge = statement<[beforeMs: number, limit: number]>(
  "oauth.requestPurge",
  `DELETE FROM oauth_request WHERE request_no IN
     (SELECT request_no FROM oauth_request WHERE expires_at_ms < ?1 LIMIT ?2)`,
);

/** Whether a tenant is another one or stands below it. */
export const tenantWithin = statement<[aboveId: number, tenantId: number], { distance: number }>(
  "oauth.tenantWithin",
  "SELECT distance FROM tenant_closure WHERE ancestor_id = ?1 AND descendant_id = ?2",
);

/** When the person of a session signed in. */
export const sessionStart = statement<[sid: string], { created_at_ms: number }>(
  "oauth.sessionStart",
  "SELECT created_at_ms FROM session WHERE uuid = ?1",
);

export interface SessionRow {
  session_no: number;
  uuid: string;
  tenant_id: number;
  user_no: number | null;
  /** Of the person; null for an application that calls by itself. */
  user_uuid: string | null;
  client_no: number;
  scopes: string;
}

const sessionColumns = `s.session_no, s.uuid, s.tenant_id, s.user_no, u.uuid AS user_uuid, s.client_no,
  s.scopes`;

/** A live session of an application. */
export const clientSession = statement<[sid: string, clientNo: number], SessionRow>(
  "oauth.session",
  `SELECT ${sessionColumns} FROM session s LEFT JOIN user_account u USING (user_no)
   WHERE s.uuid = ?1 AND s.client_no = ?2 AND s.revoked_at_ms IS NULL`,
);

/** The same by any refresh token that it ever had. */
export const refreshSession = statement<[hash: Uint8Array, clientNo: number], SessionRow>(
  "oauth.refreshSession",
  `SELECT ${sessionColumns} FROM refresh_token r JOIN session s USING (session_no)
     LEFT JOIN user_account u USING (user_no)
   WHERE r.hash = ?1 AND s.client_no = ?2 AND s.revoked_at_ms IS NULL`,
);
