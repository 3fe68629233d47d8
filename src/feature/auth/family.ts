/**
 * Refresh families: opening one at a sign-in, putting a new refresh token in place of a used one, ending
 * them. A used token repeats the answer of its first use for 10 s, byte by byte, so that two tabs agree;
 * after that it proves a theft and ends its family. What an answer says is its maker's.
 */
import { refreshGraceSec, refreshTokenLifeSec, userAgentMaxChars } from "../../../schema/bound.ts";
import type { By } from "../../domain/by.ts";
import { uuidMs } from "../../domain/claims.ts";
import { hashOf, isOpaque, opaqueBytes, opaqueToken } from "../../domain/opaque.ts";
import { Problem } from "../../domain/problem.ts";
import { graceNonceBytes, openGrace, sealGrace } from "../../domain/refresh.ts";
import type { Store, Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import type { AccessService } from "../access/service.ts";
import type { Family, RefreshToken } from "./store.ts";
import * as rows from "./store.ts";
import type { Tell } from "./tell.ts";

export type { Family } from "./store.ts";

export interface FamilyDeps {
  readonly store: Store;
  readonly random: Random;
  readonly access: AccessService;
  readonly tell: Tell;
}

/** Where a call comes from. */
export interface Origin {
  readonly ip: string;
  readonly userAgent: string;
  readonly traceId?: string;
}

export interface SessionDraft extends Pick<Origin, "ip" | "userAgent"> {
  /** Null for an application that calls by itself. */
  readonly userNo: number | null;
  readonly tenantId: number;
  readonly cookie: boolean;
  readonly clientNo?: number;
  /** Due with `clientNo`. */
  readonly scopes?: readonly string[];
  /** Made before, where the access token is signed before the write. */
  readonly sid?: string;
  readonly refreshToken?: string;
}

export interface OpenedSession {
  readonly sessionNo: number;
  readonly sid: string;
  readonly refreshToken: string;
}

export interface Rotation {
  /** Body of the answer, the same for every use within the grace. */
  readonly body: string;
  /** The new refresh token, where it goes into a cookie. */
  readonly cookie: string | null;
}

/** Makes the answer to a first use, outside any write: it signs. @throws Problem */
export type RotationMaker = (family: Family, refreshToken: string) => Promise<string>;

export interface Revocation {
  readonly userNo: number;
  /** Absent: in all tenants. */
  readonly tenantId?: number;
  /** The family that stays; access tokens are left alone then, see `endTokens`. */
  readonly exceptSid?: string;
  /** Only those of this application; access tokens of others are left alone. */
  readonly clientNo?: number;
  /** Given: each ended family is told of. */
  readonly by?: By;
}

const invalidToken = (): Problem => new Problem("refresh-token-invalid");

export function familyPart({ store, random, access, tell }: FamilyDeps) {
  const newRefreshToken = (): string => opaqueToken("rt_", random.bytes(opaqueBytes));
  const lapsesAt = (nowMs: number): number => nowMs + refreshTokenLifeSec * 1000;

  /** A new family with its first refresh token. */
  async function openSession(
    tx: Writer,
    draft: SessionDraft,
    nowMs: number,
  ): Promise<OpenedSession> {
    const { sid = random.uuid(nowMs), refreshToken = newRefreshToken() } = draft;
    const { userNo, tenantId, cookie, ip, clientNo = null, scopes = null } = draft;
    const userAgent = draft.userAgent.slice(0, userAgentMaxChars);
    const row = { sid, userNo, tenantId, clientNo, scopes, cookie, ip, userAgent };
    const sessionNo = await rows.insertFamily(tx, row, nowMs, lapsesAt(nowMs));
    await rows.insertRefresh(tx, hashOf(refreshToken), sessionNo, lapsesAt(nowMs));
    return { sessionNo, sid, refreshToken };
  }

  /**
   * Uses a refresh token: the first time a new one takes its place, within the grace the same answer
   * comes again.
   * @param clientNo application that the family must be of; null: the person's own.
   * @throws Problem `refresh-token-invalid` `refresh-token-reused`, and what `make` throws
   */
  async function rotate(
    token: string,
    clientNo: number | null,
    origin: Origin,
    make: RotationMaker,
    nowMs: number,
  ): Promise<Rotation> {
    if (!isOpaque("rt_", token)) throw invalidToken();
    const hash = hashOf(token);
    const known = live(await store.read((q) => rows.findRefresh(q, hash)), clientNo, nowMs);
    const repeated = await repeat(known, token, origin, nowMs);
    if (repeated !== undefined) return repeated;
    const { family } = known;
    const next = newRefreshToken();
    const body = await make(family, next);
    const cookie = family.cookie ? next : null;
    const grace = sealGrace(token, random.bytes(graceNonceBytes), { body, cookie });
    const userAgent = origin.userAgent.slice(0, userAgentMaxChars);
    const faster = await store.write(async (tx) => {
      if (!(await rows.useRefresh(tx, hash, nowMs, grace))) {
        return live(await rows.findRefresh(tx, hash), clientNo, nowMs);
      }
      await rows.insertRefresh(tx, hashOf(next), family.sessionNo, lapsesAt(nowMs));
      const from = { ip: origin.ip, userAgent };
      await rows.markFamilyUsed(tx, family.sessionNo, from, nowMs, lapsesAt(nowMs));
      return undefined;
    });
    // Somebody was faster with the same token: theirs is the answer, ours was never told to anyone.
    return (faster && (await repeat(faster, token, origin, nowMs))) ?? { body, cookie };
  }

  /** What a used token yields, or undefined: it is not used yet. @throws Problem */
  async function repeat(
    { family, usedAtMs, grace }: RefreshToken,
    token: string,
    origin: Origin,
    nowMs: number,
  ): Promise<Rotation | undefined> {
    if (usedAtMs === null) return undefined;
    if (nowMs - usedAtMs <= refreshGraceSec * 1000 && grace !== null) {
      return openGrace(token, grace);
    }
    await store.write((tx) => endStolen(tx, family, origin, nowMs));
    throw new Problem("refresh-token-reused");
  }

  async function endStolen(
    tx: Writer,
    family: Family,
    { ip, userAgent, traceId }: Origin,
    nowMs: number,
  ): Promise<void> {
    if (!(await end(tx, family, nowMs))) return;
    const user = family.userNo === null ? undefined : await rows.userByNo(tx, family.userNo);
    const userId = user?.uuid ?? "";
    const by: By = {
      actor: { type: "system", id: "server" },
      ...{ ip, userAgent },
      ...(traceId !== undefined && { traceId }),
    };
    const data = { userId, sid: family.sid, ip };
    const type = "auth.token.reuse_detected";
    const metadata = { sid: family.sid };
    await tell(tx, { type, tenantIds: [family.tenantId], userId, by, data, metadata }, nowMs);
  }

  /** The family and its tokens are dead from the COMMIT on; false if they were before. */
  async function end(
    tx: Writer,
    { sessionNo, sid }: Pick<Family, "sessionNo" | "sid">,
    nowMs: number,
  ): Promise<boolean> {
    access.forget(tx, { session: sid });
    return await rows.endFamily(tx, sessionNo, nowMs);
  }

  /** Ends one family of a person and tells of it. */
  async function endTold(
    tx: Writer,
    family: Pick<Family, "sessionNo" | "sid" | "tenantId">,
    userId: string,
    by: By,
    nowMs: number,
  ): Promise<void> {
    if (!(await end(tx, family, nowMs))) return;
    const { sid, tenantId } = family;
    const data = { userId, sid, ip: by.ip ?? null };
    const type = "auth.session.revoked";
    await tell(tx, { type, tenantIds: [tenantId], userId, by, data, metadata: { sid } }, nowMs);
  }

  /** The live family of a refresh token, if it is this person's. */
  async function familyOf(tx: Writer, token: string, userNo: number): Promise<Family | undefined> {
    if (!isOpaque("rt_", token)) return undefined;
    const known = await rows.findRefresh(tx, hashOf(token));
    return known === undefined || known.isRevoked || known.family.userNo !== userNo
      ? undefined
      : known.family;
  }

  /**
   * Ends families of a person; unless one stays or it is about one application, every access token made
   * until now is dead too. Tells how many families ended.
   */
  async function revokeSessions(tx: Writer, what: Revocation, nowMs: number): Promise<number> {
    const { userNo, tenantId, exceptSid, clientNo, by } = what;
    const families = await rows.familiesOf(tx, userNo, tenantId ?? null, clientNo ?? null);
    const ending = families.filter(({ sid }) => sid !== exceptSid);
    const userId = by && ((await rows.userByNo(tx, userNo))?.uuid ?? "");
    for (const family of ending) {
      if (by === undefined || userId === undefined) await end(tx, family, nowMs);
      else await endTold(tx, family, userId, by, nowMs);
    }
    if (exceptSid === undefined && clientNo === undefined) {
      await endTokens(tx, userNo, tenantId, nowMs);
    }
    return ending.length;
  }

  /**
   * Every access token of a person made until now is dead, in one tenant or in all. Later ones are told
   * apart by their ids, which ascend even within a millisecond's clock.
   */
  async function endTokens(
    tx: Writer,
    userNo: number,
    tenantId: number | undefined,
    nowMs: number,
  ): Promise<void> {
    await rows.endTokens(tx, userNo, tenantId ?? null, uuidMs(random.uuid(nowMs)));
    access.forget(tx, { userNo });
  }

  return {
    ...{ openSession, newRefreshToken, rotate, revokeSessions, endTokens },
    ...{ end, endTold, familyOf },
  };
}

/** @throws Problem `refresh-token-invalid`: unknown, lapsed, ended, or of somebody else's */
function live(
  known: RefreshToken | undefined,
  clientNo: number | null,
  nowMs: number,
): RefreshToken {
  if (known === undefined || known.isRevoked || known.expiresAtMs <= nowMs) throw invalidToken();
  if (known.family.clientNo !== clientNo) throw invalidToken();
  return known;
}
