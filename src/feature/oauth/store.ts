/** Applications and their requests as rows; what a session was given to an application for. */
import {
  type ClientRow,
  clientByUuid,
  clientCount,
  clientDelete,
  clientInsert,
  clientOf,
  clientPage,
  clientRotate,
  clientSession,
  clientUpdate,
  type RequestRow,
  refreshSession,
  requestApprove,
  requestByCode,
  requestByUuid,
  requestDeny,
  requestInsert,
  requestPurge,
  requestSpend,
  type SessionRow,
  sessionStart,
  tenantWithin,
} from "../../../schema/query/oauth.ts";
import type { Reader, Writer } from "../../store/seam.ts";

export const grantTypes = ["authorization_code", "refresh_token", "client_credentials"] as const;
export type GrantType = (typeof grantTypes)[number];
export type ClientType = "confidential" | "public";

/** What an application is registered as. */
export interface ClientDraft {
  readonly name: string;
  readonly type: ClientType;
  readonly redirectUris: readonly string[];
  readonly grantTypes: readonly GrantType[];
  readonly scopes: readonly string[];
}

export interface Client extends ClientDraft {
  readonly clientNo: number;
  readonly uuid: string;
  readonly tenantId: number;
  /** SHA-256. */
  readonly secretHash: Uint8Array | null;
  readonly oldSecretHash: Uint8Array | null;
  readonly oldSecretUntilMs: number | null;
  readonly createdBy: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly version: number;
}

/** An application whose tenant the caller does not know yet. */
export interface KnownClient extends Client {
  readonly tenantUuid: string;
  readonly tenantStatus: string;
}

const clientFrom = (row: ClientRow): Client => ({
  clientNo: row.client_no,
  uuid: row.uuid,
  tenantId: row.tenant_id,
  name: row.name,
  type: row.type,
  redirectUris: JSON.parse(row.redirect_uris) as string[],
  grantTypes: JSON.parse(row.grant_types) as GrantType[],
  scopes: JSON.parse(row.scopes) as string[],
  secretHash: row.secret_hash,
  oldSecretHash: row.old_secret_hash,
  oldSecretUntilMs: row.old_secret_until_ms,
  createdBy: row.created_by,
  createdAtMs: row.created_at_ms,
  updatedAtMs: row.updated_at_ms,
  version: row.version,
});

export async function findClient(
  q: Reader,
  tenantId: number,
  uuid: string,
): Promise<Client | undefined> {
  const row = await q.get(clientOf, tenantId, uuid);
  return row && clientFrom(row);
}

export async function knownClient(q: Reader, uuid: string): Promise<KnownClient | undefined> {
  const row = await q.get(clientByUuid, uuid);
  return (
    row && { ...clientFrom(row), tenantUuid: row.tenant_uuid, tenantStatus: row.tenant_status }
  );
}

/** Newest first, below `belowNo`. */
export async function pageClients(
  q: Reader,
  tenantId: number,
  belowNo: number,
  limit: number,
): Promise<Client[]> {
  return (await q.all(clientPage, tenantId, belowNo, limit)).map(clientFrom);
}

export async function countClients(q: Reader, tenantId: number): Promise<number> {
  return (await q.get(clientCount, tenantId))?.n ?? 0;
}

export async function insertClient(
  tx: Writer,
  of: { readonly tenantId: number; readonly uuid: string; readonly createdBy: string },
  draft: ClientDraft,
  secretHash: Uint8Array | null,
  nowMs: number,
): Promise<void> {
  await tx.run(
    clientInsert,
    of.uuid,
    of.tenantId,
    draft.name,
    draft.type,
    JSON.stringify(draft.redirectUris),
    JSON.stringify(draft.grantTypes),
    JSON.stringify(draft.scopes),
    secretHash,
    of.createdBy,
    nowMs,
  );
}

export async function updateClient(
  tx: Writer,
  { tenantId, uuid }: Pick<Client, "tenantId" | "uuid">,
  draft: ClientDraft,
  nowMs: number,
): Promise<void> {
  await tx.run(
    clientUpdate,
    tenantId,
    uuid,
    draft.name,
    draft.type,
    JSON.stringify(draft.redirectUris),
    JSON.stringify(draft.grantTypes),
    JSON.stringify(draft.scopes),
    nowMs,
  );
}

export async function rotateSecret(
  tx: Writer,
  { tenantId, uuid }: Pick<Client, "tenantId" | "uuid">,
  secretHash: Uint8Array,
  oldUntilMs: number,
  nowMs: number,
): Promise<void> {
  await tx.run(clientRotate, tenantId, uuid, secretHash, oldUntilMs, nowMs);
}

export async function deleteClient(
  tx: Writer,
  { tenantId, uuid }: Pick<Client, "tenantId" | "uuid">,
  nowMs: number,
): Promise<void> {
  await tx.run(clientDelete, tenantId, uuid, nowMs);
}

/** What an application asked for. */
export interface RequestDraft {
  readonly clientNo: number;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly state: string | null;
  readonly nonce: string | null;
  readonly codeChallenge: string;
  /** Who allows must have signed in since then. */
  readonly signedInFromMs: number;
}

/** Who allowed it. */
export interface Grantor {
  readonly userNo: number;
  readonly tenantId: number;
  readonly signedInAtMs: number;
}

export interface Request extends RequestDraft {
  readonly requestNo: number;
  readonly uuid: string;
  readonly clientUuid: string;
  readonly clientName: string;
  readonly clientTenantId: number;
  readonly clientGone: boolean;
  readonly status: "pending" | "approved" | "denied";
  /** Set once allowed. */
  readonly grantor: Grantor | undefined;
  /** Of the page, then of the code. */
  readonly expiresAtMs: number;
  /** The session that its code was spent for. */
  readonly spentSid: string | undefined;
}

function requestFrom(row: RequestRow): Request {
  const { user_no: userNo, tenant_id: tenantId, signed_in_at_ms: signedInAtMs } = row;
  const isAllowed = userNo !== null && tenantId !== null && signedInAtMs !== null;
  return {
    requestNo: row.request_no,
    uuid: row.uuid,
    clientNo: row.client_no,
    clientUuid: row.client_uuid,
    clientName: row.client_name,
    clientTenantId: row.client_tenant_id,
    clientGone: row.client_gone === 1,
    redirectUri: row.redirect_uri,
    scopes: JSON.parse(row.scopes) as string[],
    state: row.state,
    nonce: row.nonce,
    codeChallenge: row.code_challenge,
    signedInFromMs: row.signed_in_from_ms,
    status: row.status,
    grantor: isAllowed ? { userNo, tenantId, signedInAtMs } : undefined,
    expiresAtMs: row.expires_at_ms,
    spentSid: row.sid ?? undefined,
  };
}

export async function insertRequest(
  tx: Writer,
  uuid: string,
  draft: RequestDraft,
  expiresAtMs: number,
  nowMs: number,
): Promise<void> {
  await tx.run(
    requestInsert,
    uuid,
    draft.clientNo,
    draft.redirectUri,
    JSON.stringify(draft.scopes),
    draft.state,
    draft.nonce,
    draft.codeChallenge,
    draft.signedInFromMs,
    expiresAtMs,
    nowMs,
  );
}

export async function findRequest(q: Reader, uuid: string): Promise<Request | undefined> {
  const row = await q.get(requestByUuid, uuid);
  return row && requestFrom(row);
}

export async function requestOfCode(q: Reader, codeHash: Uint8Array): Promise<Request | undefined> {
  const row = await q.get(requestByCode, codeHash);
  return row && requestFrom(row);
}

/** @param scopes what is given of what was asked */
export async function approveRequest(
  tx: Writer,
  requestNo: number,
  { userNo, tenantId, signedInAtMs }: Grantor,
  scopes: readonly string[],
  code: { readonly hash: Uint8Array; readonly expiresAtMs: number },
): Promise<void> {
  const given = JSON.stringify(scopes);
  await tx.run(
    requestApprove,
    requestNo,
    userNo,
    tenantId,
    signedInAtMs,
    given,
    code.hash,
    code.expiresAtMs,
  );
}

export async function denyRequest(tx: Writer, requestNo: number): Promise<void> {
  await tx.run(requestDeny, requestNo);
}

/** Whether the code was still there to spend. */
export async function spendCode(
  tx: Writer,
  requestNo: number,
  sid: string,
  nowMs: number,
): Promise<boolean> {
  return (await tx.run(requestSpend, requestNo, sid, nowMs)) === 1;
}

/** How many went. */
export const purgeRequests = (tx: Writer, beforeMs: number, limit: number): Promise<number> =>
  tx.run(requestPurge, beforeMs, limit);

/** Whether a tenant is `aboveId` or below it. */
export async function isWithin(q: Reader, aboveId: number, tenantId: number): Promise<boolean> {
  return (await q.get(tenantWithin, aboveId, tenantId)) !== undefined;
}

/** When the person of a session signed in; undefined if there is no such session. */
export async function signedInAt(q: Reader, sid: string): Promise<number | undefined> {
  return (await q.get(sessionStart, sid))?.created_at_ms;
}

/** A refresh family of an application. */
export interface ClientSession {
  readonly sessionNo: number;
  readonly sid: string;
  readonly tenantId: number;
  /** Null where the application calls by itself. */
  readonly userNo: number | null;
  readonly userUuid: string | null;
  readonly clientNo: number;
  readonly scopes: readonly string[];
  readonly cookie: false;
}

const sessionFrom = (row: SessionRow): ClientSession => ({
  sessionNo: row.session_no,
  sid: row.uuid,
  tenantId: row.tenant_id,
  userNo: row.user_no,
  userUuid: row.user_uuid,
  clientNo: row.client_no,
  scopes: JSON.parse(row.scopes) as string[],
  cookie: false,
});

/** Undefined if it is ended or another application's. */
export async function findSession(
  q: Reader,
  sid: string,
  clientNo: number,
): Promise<ClientSession | undefined> {
  const row = await q.get(clientSession, sid, clientNo);
  return row && sessionFrom(row);
}

/** By the hash of a refresh token. */
export async function sessionOfRefresh(
  q: Reader,
  hash: Uint8Array,
  clientNo: number,
): Promise<ClientSession | undefined> {
  const row = await q.get(refreshSession, hash, clientNo);
  return row && sessionFrom(row);
}
