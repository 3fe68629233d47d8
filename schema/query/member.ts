/** Statements on `member`, and the look at `card` that closing one needs. */
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
}

const columns = `member_no, uuid, user_id, name, email, status, created_at_ms, updated_at_ms, version`;

export const memberByUserId = statement<[tenantId: number, userId: number], MemberRow>(
  "member.byUserId",
  `SELECT ${columns} FROM member WHERE tenant_id = ?1 AND user_id = ?2`,
);

export const memberPage = statement<
  [tenantId: number, afterUserId: number, limit: number],
  MemberRow
>(
  "member.page",
  `SELECT ${columns} FROM member WHERE tenant_id = ?1 AND user_id > ?2 ORDER BY user_id LIMIT ?3`,
);

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

export const memberStatus = statement<[memberNo: number, status: string, nowMs: number]>(
  "member.status",
  `UPDATE member SET status = ?2, updated_at_ms = ?3, version = version + 1 WHERE member_no = ?1`,
);

/** A card of the member that is ACTIVE at `nowSec`. */
export const memberActiveCard = statement<[memberNo: number, nowSec: number], { card_id: string }>(
  "member.activeCard",
  `SELECT card_id FROM card WHERE member_no = ?1 AND status = 0
     AND (expires_at_sec IS NULL OR expires_at_sec > ?2)`,
);
