/** What a person changes about themselves, as rows. */
import * as sql from "../../../schema/query/self.ts";
import type { Reader, Writer } from "../../store/seam.ts";

export async function updateProfile(
  tx: Writer,
  userNo: number,
  { name, locale }: { readonly name: string | null; readonly locale: string },
  nowMs: number,
): Promise<void> {
  await tx.run(sql.selfProfile, userNo, name, locale, nowMs);
}

export async function updateEmail(
  tx: Writer,
  userNo: number,
  email: string,
  nowMs: number,
): Promise<void> {
  await tx.run(sql.selfEmail, userNo, email, nowMs);
}

const isOne = async (changed: Promise<number>): Promise<boolean> => (await changed) === 1;

/** Each is false where nothing was changed: it was otherwise by then. */
export const markVerified = (
  tx: Writer,
  userNo: number,
  email: string,
  nowMs: number,
): Promise<boolean> => isOne(tx.run(sql.selfVerified, userNo, email, nowMs));

export const updatePassword = (
  tx: Writer,
  userNo: number,
  hashBefore: string | null,
  hash: string,
  nowMs: number,
): Promise<boolean> => isOne(tx.run(sql.selfPassword, userNo, hashBefore, hash, nowMs));

export const putFactor = (
  tx: Writer,
  userNo: number,
  sealed: Uint8Array,
  nowMs: number,
): Promise<boolean> => isOne(tx.run(sql.selfFactor, userNo, sealed, nowMs));

export const turnFactorOn = (tx: Writer, userNo: number, nowMs: number): Promise<boolean> =>
  isOne(tx.run(sql.selfFactorOn, userNo, nowMs));

export const turnFactorOff = (tx: Writer, userNo: number, nowMs: number): Promise<boolean> =>
  isOne(tx.run(sql.selfFactorOff, userNo, nowMs));

/** In place of what there was; none: all are gone. */
export async function putCodes(
  tx: Writer,
  userNo: number,
  hashes: readonly string[],
): Promise<void> {
  await tx.run(sql.selfCodesClear, userNo);
  for (const [place, hash] of hashes.entries()) {
    await tx.run(sql.selfCodeInsert, userNo, place, hash);
  }
}

export const countCodes = async (q: Reader, userNo: number): Promise<number> =>
  (await q.get(sql.selfCodesLeft, userNo))?.count ?? 0;

export interface SessionItem {
  readonly sessionNo: number;
  readonly sid: string;
  readonly ip: string;
  readonly userAgent: string;
  readonly createdAtMs: number;
  readonly lastUsedAtMs: number;
}

export async function pageSessions(
  q: Reader,
  userNo: number,
  nowMs: number,
  belowNo: number,
  limit: number,
): Promise<SessionItem[]> {
  const rows = await q.all(sql.selfSessions, userNo, nowMs, belowNo, limit);
  return rows.map((row) => ({
    sessionNo: row.session_no,
    sid: row.uuid,
    ip: row.ip,
    userAgent: row.user_agent,
    createdAtMs: row.created_at_ms,
    lastUsedAtMs: row.last_used_at_ms,
  }));
}

export const countSessions = async (q: Reader, userNo: number, nowMs: number): Promise<number> =>
  (await q.get(sql.selfSessionCount, userNo, nowMs))?.count ?? 0;

export const findSession = (
  q: Reader,
  userNo: number,
  sid: string,
): Promise<{ session_no: number; tenant_id: number } | undefined> =>
  q.get(sql.selfSession, userNo, sid);
