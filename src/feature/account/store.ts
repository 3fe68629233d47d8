/** People and what they are in which tenant, as rows. */
import {
  type AccountRow,
  accountByEmail,
  accountByNo,
  accountByUuid,
  accountChange,
  accountInsert,
  accountPassword,
  accountProve,
  type MembershipRow,
  membershipCount,
  membershipDelete,
  membershipOf,
  membershipPut,
  membershipRoleInsert,
  membershipRolesClear,
  membershipStatus,
  membershipsLapsed,
  membershipTouch,
  ownerPut,
} from "../../../schema/query/account.ts";
import type { Reader, Writer } from "../../store/seam.ts";

export interface Account {
  readonly userNo: number;
  readonly uuid: string;
  readonly email: string;
  readonly name: string | null;
  /** Argon2id; null until a password is set. */
  readonly passwordHash: string | null;
  readonly emailVerifiedAtMs: number | null;
  readonly version: number;
}

const accountOf = (row: AccountRow): Account => ({
  userNo: row.user_no,
  uuid: row.uuid,
  email: row.email,
  name: row.name,
  passwordHash: row.password_hash,
  emailVerifiedAtMs: row.email_verified_at_ms,
  version: row.version,
});

export async function accountWithEmail(q: Reader, email: string): Promise<Account | undefined> {
  const row = await q.get(accountByEmail, email);
  return row && accountOf(row);
}

export async function accountWithUuid(q: Reader, uuid: string): Promise<Account | undefined> {
  const row = await q.get(accountByUuid, uuid);
  return row && accountOf(row);
}

export async function accountWithNo(q: Reader, userNo: number): Promise<Account | undefined> {
  const row = await q.get(accountByNo, userNo);
  return row && accountOf(row);
}

export interface NewAccount {
  readonly uuid: string;
  readonly email: string;
  readonly name: string | null;
  readonly locale: string;
  readonly passwordHash: string | null;
  readonly emailVerifiedAtMs: number | null;
}

export async function insertAccount(tx: Writer, a: NewAccount, nowMs: number): Promise<number> {
  const row = await tx.get(
    accountInsert,
    a.uuid,
    a.email,
    a.name,
    a.locale,
    a.passwordHash,
    a.emailVerifiedAtMs,
    nowMs,
  );
  if (row === undefined) throw new RangeError("user_account: nothing inserted");
  return row.user_no;
}

export async function updateAccount(
  tx: Writer,
  { userNo, email, name, emailVerifiedAtMs }: Account,
  nowMs: number,
): Promise<void> {
  await tx.run(accountChange, userNo, email, name, emailVerifiedAtMs, nowMs);
}

export async function proveAccount(
  tx: Writer,
  userNo: number,
  passwordHash: string | null,
  nowMs: number,
): Promise<void> {
  await tx.run(accountProve, userNo, passwordHash, nowMs);
}

export async function setAccountPassword(
  tx: Writer,
  userNo: number,
  passwordHash: string,
  nowMs: number,
): Promise<void> {
  await tx.run(accountPassword, userNo, passwordHash, nowMs);
}

export type MembershipStatus = MembershipRow["status"];

export interface Membership {
  readonly membershipNo: number;
  readonly status: MembershipStatus;
  readonly deletedAtMs: number | null;
  /** Null for somebody who was only ever asked. */
  readonly joinedAtMs: number | null;
  /** Names, in order. */
  readonly roles: readonly string[];
  readonly isOwner: boolean;
}

export async function findMembership(
  q: Reader,
  tenantId: number,
  userNo: number,
): Promise<Membership | undefined> {
  const row = await q.get(membershipOf, tenantId, userNo);
  return (
    row && {
      membershipNo: row.membership_no,
      status: row.status,
      deletedAtMs: row.deleted_at_ms,
      joinedAtMs: row.joined_at_ms,
      roles: (JSON.parse(row.roles) as string[]).sort(),
      isOwner: row.is_owner === 1,
    }
  );
}

export async function countMemberships(q: Reader, userNo: number): Promise<number> {
  return (await q.get(membershipCount, userNo))?.count ?? 0;
}

export async function putMembership(
  tx: Writer,
  tenantId: number,
  userNo: number,
  status: MembershipStatus,
  nowMs: number,
): Promise<number> {
  const row = await tx.get(membershipPut, tenantId, userNo, status, nowMs);
  if (row === undefined) throw new RangeError("membership: nothing inserted");
  return row.membership_no;
}

export async function setMembershipStatus(
  tx: Writer,
  tenantId: number,
  membershipNo: number,
  status: MembershipStatus,
  nowMs: number,
): Promise<void> {
  const deletedAtMs = status === "deleted" ? nowMs : null;
  await tx.run(membershipStatus, tenantId, membershipNo, status, deletedAtMs, nowMs);
}

/** Replaces the roles; each name must be a role of the tenant. */
export async function putRoles(
  tx: Writer,
  tenantId: number,
  membershipNo: number,
  roles: readonly string[],
  nowMs: number,
): Promise<void> {
  await tx.run(membershipRolesClear, tenantId, membershipNo);
  for (const role of new Set(roles)) {
    const changed = await tx.run(membershipRoleInsert, tenantId, membershipNo, role);
    if (changed !== 1) throw new RangeError("membership_role: no such role in the tenant");
  }
  await tx.run(membershipTouch, tenantId, membershipNo, nowMs);
}

export async function putOwner(tx: Writer, tenantId: number, membershipNo: number): Promise<void> {
  await tx.run(ownerPut, tenantId, membershipNo);
}

export const lapsedMemberships = (
  q: Reader,
  deletedUntilMs: number,
  limit: number,
): Promise<{ tenant_id: number; membership_no: number }[]> =>
  q.all(membershipsLapsed, deletedUntilMs, limit);

export async function deleteMembership(
  tx: Writer,
  tenantId: number,
  membershipNo: number,
): Promise<void> {
  await tx.run(membershipRolesClear, tenantId, membershipNo);
  await tx.run(membershipDelete, tenantId, membershipNo);
}
