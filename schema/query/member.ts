/** Statements on `member`, and the look at `card` that showing and closing one needs. */
import { statement } from "./statement.ts";

export interface MemberRow {
  member_no: number;
  uuid: string;
  user_id: number;
  name: string;
  email: string | null;
  status: "active" | "suspended" | "closed";
  created_at_ms: number;
  updated_at_ms: number;
  version: number;
  /** The card that is ACTIVE as far as is written down, and when it ends. */
  card_id: string | null;
  expires_at_sec: number | null;
}

/** A member has one ACTIVE card at most. */
const memberFrom = `SELECT m.member_no, m.uuid, m.user_id, m.name, m.email, m.status, m.created_at_ms,
     m.updated_at_ms, m.version, c.card_id, c.expires_at_sec
   FROM member m LEFT JOIN card c ON c.member_no = m.member_no AND c.status = 0`;

export const memberByUserId = statement<[tenantId: number, userId: number], MemberRow>(
  "member.byUserId",
  `${memberFrom} WHERE m.tenant_id = ?1 AND m.user_id = ?2`,
);

export const memberByUuid = statement<[tenantId: number, uuid: string], MemberRow>(
  "member.byUuid",
  `${memberFrom} WHERE m.uuid = ?2 AND m.tenant_id = ?1`,
);

/** By number, ascending. */
export const memberPage = statement<
  [tenantId: number, afterUserId: number, limit: number],
  MemberRow
>(
  "member.page",
  `${memberFrom} WHERE m.tenant_id = ?1 AND m.user_id > ?2 ORDER BY m.user_id LIMIT ?3`,
);

/** Newest first, below a number. */
export const memberNewest = statement<
  [tenantId: number, belowNo: number, limit: number],
  MemberRow
>(
  "member.newest",
  `${memberFrom} WHERE m.tenant_id = ?1 AND m.member_no < ?2 ORDER BY m.member_no DESC LIMIT ?3`,
);

export const memberNewestOf = statement<
  [tenantId: number, status: string, belowNo: number, limit: number],
  MemberRow
>(
  "member.newestOf",
  `${memberFrom} WHERE m.tenant_id = ?1 AND m.status = ?2 AND m.member_no < ?3
   ORDER BY m.member_no DESC LIMIT ?4`,
);

/** The number that `span` members stand below another one: a search goes a stretch at a time. */
export const memberStretch = statement<
  [tenantId: number, belowNo: number, span: number],
  { member_no: number }
>(
  "member.stretch",
  `SELECT member_no FROM member WHERE tenant_id = ?1 AND member_no < ?2
   ORDER BY member_no DESC LIMIT 1 OFFSET ?3`,
);

/** Members of a stretch, newest first, whose name or address fits a GLOB pattern. */
export const memberFits = statement<
  [tenantId: number, belowNo: number, fromNo: number, glob: string, status: string | null],
  { member_no: number }
>(
  "member.fits",
  `SELECT member_no FROM member
   WHERE tenant_id = ?1 AND member_no < ?2 AND member_no >= ?3 AND (name GLOB ?4 OR email GLOB ?4)
     AND (?5 IS NULL OR status = ?5) ORDER BY member_no DESC`,
);

export const memberByNo = statement<[tenantId: number, memberNo: number], MemberRow>(
  "member.byNo",
  `${memberFrom} WHERE m.member_no = ?2 AND m.tenant_id = ?1`,
);

/** How many there are of each status. */
export const memberCounts = statement<
  [tenantId: number],
  { status: "active" | "suspended" | "closed"; members: number }
>("member.counts", "SELECT status, members FROM member_count WHERE tenant_id = ?1");

export const memberLast = statement<[tenantId: number], { user_id: number }>(
  "member.last",
  "SELECT user_id FROM member WHERE tenant_id = ?1 ORDER BY user_id DESC LIMIT 1",
);

export const memberInsert = statement<
  [
    uuid: string,
    tenantId: number,
    userId: number,
    name: string,
    email: string | null,
    nowMs: number,
  ]
>(
  "member.insert",
  `INSERT INTO member (uuid, tenant_id, user_id, name, email, status, created_at_ms, updated_at_ms,
     version)
   VALUES (?1, ?2, ?3, ?4, ?5, 'active', ?6, ?6, 1)`,
);

export const memberUpdate = statement<
  [
    tenantId: number,
    memberNo: number,
    name: string,
    email: string | null,
    status: string,
    nowMs: number,
  ]
>(
  "member.update",
  `UPDATE member SET name = ?3, email = ?4, status = ?5, updated_at_ms = ?6, version = version + 1
   WHERE member_no = ?2 AND tenant_id = ?1`,
);

/** A card of the member that is ACTIVE at `nowSec`. */
export const memberActiveCard = statement<[memberNo: number, nowSec: number], { card_id: string }>(
  "member.activeCard",
  `SELECT card_id FROM card WHERE member_no = ?1 AND status = 0
     AND (expires_at_sec IS NULL OR expires_at_sec > ?2)`,
);
