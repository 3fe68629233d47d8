/** Members as rows. */
import {
  type MemberRow,
  memberActiveCard,
  memberByUserId,
  memberInsert,
  memberLast,
  memberPage,
  memberStatus,
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
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly version: number;
}

const memberOf = (row: MemberRow): Member => ({
  memberNo: row.member_no,
  memberId: row.uuid,
  userId: row.user_id,
  name: row.name,
  email: row.email,
  status: row.status,
  createdAtMs: row.created_at_ms,
  updatedAtMs: row.updated_at_ms,
  version: row.version,
});

export async function findMember(
  q: Reader,
  tenantId: number,
  userId: number,
): Promise<Member | undefined> {
  const row = await q.get(memberByUserId, tenantId, userId);
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

export async function setStatus(
  tx: Writer,
  memberNo: number,
  status: MemberStatus,
  nowMs: number,
): Promise<void> {
  await tx.run(memberStatus, memberNo, status, nowMs);
}

export async function hasActiveCard(q: Reader, memberNo: number, nowSec: number): Promise<boolean> {
  return (await q.get(memberActiveCard, memberNo, nowSec)) !== undefined;
}
