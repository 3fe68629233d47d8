/** Members as rows. */
import {
  type MemberRow,
  memberActiveCard,
  memberByNo,
  memberByUserId,
  memberByUuid,
  memberCounts,
  memberFits,
  memberInsert,
  memberLast,
  memberNewest,
  memberNewestOf,
  memberPage,
  memberStretch,
  memberUpdate,
} from "../../../schema/query/member.ts";
import type { Reader, Writer } from "../../store/seam.ts";

export type MemberStatus = "active" | "suspended" | "closed";

export interface Member {
  readonly memberNo: number;
  readonly memberId: string;
  readonly userId: number;
  readonly name: string;
  readonly email: string | null;
  readonly status: MemberStatus;
  /** ACTIVE as far as is written down; it may have expired meanwhile. */
  readonly card: { readonly cardId: string; readonly expiresAtSec: number | null } | null;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly version: number;
}

/** A member by its uuid, or by its number. */
export type MemberRef = { readonly id: string } | { readonly userId: number };

const memberOf = (row: MemberRow): Member => ({
  memberNo: row.member_no,
  memberId: row.uuid,
  userId: row.user_id,
  name: row.name,
  email: row.email,
  status: row.status,
  card: row.card_id === null ? null : { cardId: row.card_id, expiresAtSec: row.expires_at_sec },
  createdAtMs: row.created_at_ms,
  updatedAtMs: row.updated_at_ms,
  version: row.version,
});

export async function findMember(
  q: Reader,
  tenantId: number,
  ref: MemberRef,
): Promise<Member | undefined> {
  const row =
    "id" in ref
      ? await q.get(memberByUuid, tenantId, ref.id)
      : await q.get(memberByUserId, tenantId, ref.userId);
  return row && memberOf(row);
}

export async function pageMembers(
  q: Reader,
  tenantId: number,
  afterUserId: number,
  limit: number,
): Promise<Member[]> {
  return (await q.all(memberPage, tenantId, afterUserId, limit)).map(memberOf);
}

/** Newest first, below a number; of one status where it is named. */
export async function newestMembers(
  q: Reader,
  tenantId: number,
  status: MemberStatus | undefined,
  belowNo: number,
  limit: number,
): Promise<Member[]> {
  const found =
    status === undefined
      ? await q.all(memberNewest, tenantId, belowNo, limit)
      : await q.all(memberNewestOf, tenantId, status, belowNo, limit);
  return found.map(memberOf);
}

/** Of one status, or of all. */
export async function countMembers(
  q: Reader,
  tenantId: number,
  status: MemberStatus | undefined,
): Promise<number> {
  let count = 0;
  for (const row of await q.all(memberCounts, tenantId)) {
    if (status === undefined || row.status === status) count += row.members;
  }
  return count;
}

/** One stretch of a search: who fits, newest first, and where the next one begins; 0 at the end. */
export async function lookAtMembers(
  q: Reader,
  tenantId: number,
  { glob, status }: { readonly glob: string; readonly status?: MemberStatus },
  belowNo: number,
  span: number,
): Promise<{ readonly fits: readonly number[]; readonly next: number }> {
  const end = await q.get(memberStretch, tenantId, belowNo, span - 1);
  const from = end?.member_no ?? 0;
  const rows = await q.all(memberFits, tenantId, belowNo, from, glob, status ?? null);
  return { fits: rows.map((row) => row.member_no), next: from };
}

/** @throws Error if there is no such member. */
export async function getMember(q: Reader, tenantId: number, memberNo: number): Promise<Member> {
  const row = await q.get(memberByNo, tenantId, memberNo);
  if (row === undefined) throw new Error(`there is no member ${memberNo}`);
  return memberOf(row);
}

/** The highest number that was ever given; members are never deleted. */
export async function lastUserId(q: Reader, tenantId: number): Promise<number> {
  return (await q.get(memberLast, tenantId))?.user_id ?? 0;
}

export async function insertMember(
  tx: Writer,
  uuid: string,
  tenantId: number,
  userId: number,
  name: string,
  email: string | null,
  nowMs: number,
): Promise<void> {
  await tx.run(memberInsert, uuid, tenantId, userId, name, email, nowMs);
}

export async function updateMember(
  tx: Writer,
  tenantId: number,
  { memberNo, name, email, status }: Pick<Member, "memberNo" | "name" | "email" | "status">,
  nowMs: number,
): Promise<void> {
  await tx.run(memberUpdate, tenantId, memberNo, name, email, status, nowMs);
}

export async function hasActiveCard(q: Reader, memberNo: number, nowSec: number): Promise<boolean> {
  return (await q.get(memberActiveCard, memberNo, nowSec)) !== undefined;
}
