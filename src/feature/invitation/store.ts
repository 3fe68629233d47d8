/** Invitations as rows. */
import {
  type InvitationRow,
  invitationByToken,
  invitationByUuid,
  invitationCount,
  invitationInsert,
  invitationPage,
  invitationRenew,
  invitationSettle,
  invitationsPending,
  invitationTenant,
} from "../../../schema/query/invitation.ts";
import type { Reader, Writer } from "../../store/seam.ts";

export interface Invitation {
  readonly invitationNo: number;
  readonly uuid: string;
  readonly tenantId: number;
  readonly email: string;
  readonly name: string | null;
  readonly roles: readonly string[];
  readonly status: "pending" | "accepted" | "revoked";
  readonly expiresAtMs: number;
  readonly invitedBy: string;
  readonly createdAtMs: number;
}

const invitationOf = (row: InvitationRow): Invitation => ({
  invitationNo: row.invitation_no,
  uuid: row.uuid,
  tenantId: row.tenant_id,
  email: row.email,
  name: row.name,
  roles: JSON.parse(row.roles) as string[],
  status: row.status,
  expiresAtMs: row.expires_at_ms,
  invitedBy: row.invited_by,
  createdAtMs: row.created_at_ms,
});

export async function findInvitation(
  q: Reader,
  tenantId: number,
  uuid: string,
): Promise<Invitation | undefined> {
  const row = await q.get(invitationByUuid, tenantId, uuid);
  return row && invitationOf(row);
}

/** By SHA-256 of the token in its newest link. */
export async function invitationWithToken(
  q: Reader,
  tokenHash: Uint8Array,
): Promise<Invitation | undefined> {
  const row = await q.get(invitationByToken, tokenHash);
  return row && invitationOf(row);
}

export async function pendingInvitations(
  q: Reader,
  tenantId: number,
  email: string,
): Promise<Invitation[]> {
  return (await q.all(invitationsPending, tenantId, email)).map(invitationOf);
}

export async function pageInvitations(
  q: Reader,
  tenantId: number,
  status: string | null,
  nowMs: number,
  belowNo: number,
  limit: number,
): Promise<Invitation[]> {
  const rows = await q.all(invitationPage, tenantId, status, nowMs, belowNo, limit);
  return rows.map(invitationOf);
}

export const countInvitations = async (
  q: Reader,
  tenantId: number,
  status: string | null,
  nowMs: number,
): Promise<number> => (await q.get(invitationCount, tenantId, status, nowMs))?.count ?? 0;

export interface NewInvitation {
  readonly uuid: string;
  readonly tenantId: number;
  readonly email: string;
  readonly name: string | null;
  readonly roles: readonly string[];
  readonly tokenHash: Uint8Array;
  readonly expiresAtMs: number;
  readonly invitedBy: string;
}

export async function insertInvitation(tx: Writer, i: NewInvitation, nowMs: number): Promise<void> {
  await tx.run(
    invitationInsert,
    i.uuid,
    i.tenantId,
    i.email,
    i.name,
    JSON.stringify(i.roles),
    i.tokenHash,
    i.expiresAtMs,
    i.invitedBy,
    nowMs,
  );
}

export async function renewInvitation(
  tx: Writer,
  { tenantId, invitationNo }: Invitation,
  tokenHash: Uint8Array,
  expiresAtMs: number,
  nowMs: number,
): Promise<void> {
  await tx.run(invitationRenew, tenantId, invitationNo, tokenHash, expiresAtMs, nowMs);
}

export async function settleInvitation(
  tx: Writer,
  { tenantId, invitationNo }: Invitation,
  status: "accepted" | "revoked",
  nowMs: number,
): Promise<void> {
  await tx.run(invitationSettle, tenantId, invitationNo, status, nowMs);
}

export const tenantNamed = (
  q: Reader,
  tenantId: number,
): Promise<{ uuid: string; name: string; status: string } | undefined> =>
  q.get(invitationTenant, tenantId);
