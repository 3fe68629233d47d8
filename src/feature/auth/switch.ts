/**
 * From one tenant to another, and out: the choice after a sign-in, changing the tenant later, ending one
 * family or all.
 */
import type { By } from "../../domain/by.ts";
import { Problem } from "../../domain/problem.ts";
import type { Store, Writer } from "../../store/seam.ts";
import type { AccessService } from "../access/service.ts";
import type { enterPart, UserPair, Via, Write } from "./enter.ts";
import type { familyPart } from "./family.ts";
import type { proofPart } from "./proof.ts";
import type { SignInUser } from "./store.ts";
import * as rows from "./store.ts";

export interface SwitchDeps {
  readonly store: Store;
  readonly access: AccessService;
  readonly family: ReturnType<typeof familyPart>;
  readonly proofs: ReturnType<typeof proofPart>;
  readonly entry: ReturnType<typeof enterPart>;
}

export interface Selection {
  /** `st_…` */
  readonly sessionToken: string;
  /** Uuid. */
  readonly tenantId: string;
  /** Later sign-ins go there. */
  readonly remember: boolean;
}

/** A person who is signed in. */
export interface SignedIn {
  readonly userNo: number;
  readonly userId: string;
  /** Family of their token; null where it has none. */
  readonly sid: string | null;
}

export interface Switching {
  /** Uuid. */
  readonly tenantId: string;
  /** Its family ends. */
  readonly refreshToken?: string;
}

export function switchPart({ store, access, family, proofs, entry }: SwitchDeps) {
  const notAllowed = (): Problem => new Problem("tenant-not-allowed");

  /** @throws Problem `session-token-invalid` `tenant-not-allowed` (the token stays) `tenant-blocked` */
  async function select(
    { sessionToken, tenantId, remember }: Selection,
    via: Omit<Via, "method" | "tenantId">,
    nowMs: number,
  ): Promise<UserPair> {
    const found = await store
      .read((q) => proofs.find(q, "choice", sessionToken, nowMs))
      .catch(asSessionToken);
    const { userNo, data } = found;
    const user = userNo === null ? undefined : await store.read((q) => rows.userByNo(q, userNo));
    if (user === undefined) throw new Problem("session-token-invalid");
    const place = await placeIn(user, tenantId);
    const method = typeof data.method === "string" ? data.method : "password";
    const as: Via = { ...via, method, useCookie: data.useCookie === true };
    const write: Write = (work) => store.write(work);
    return await entry.open(user, place, as, nowMs, write, async (tx) => {
      await proofs.use(tx, "choice", sessionToken, nowMs).catch(asSessionToken);
      if (remember) await rows.rememberTenant(tx, user.userNo, place.tenant.tenantId);
    });
  }

  async function placeIn(user: SignInUser, tenantUuid: string) {
    const tenant = await access.tenantByUuid(tenantUuid);
    const place = tenant && (await entry.placeOf(tenant.tenantId, user.userNo));
    if (place === undefined) throw notAllowed();
    return place;
  }

  /**
   * A family in another tenant; a cookie that carried the old one carries the new one, so that the old
   * one ends.
   * @throws Problem `tenant-not-allowed` `tenant-blocked`
   */
  async function switchTo(
    who: SignedIn,
    { tenantId, refreshToken }: Switching,
    via: Omit<Via, "method" | "tenantId" | "useCookie">,
    by: By,
    write: Write,
    nowMs: number,
  ): Promise<UserPair> {
    const user = await store.read((q) => rows.userByNo(q, who.userNo));
    if (user === undefined) throw notAllowed();
    const place = await placeIn(user, tenantId);
    const session = who.sid === null ? undefined : await access.session(who.sid);
    const useCookie = session?.cookie === true;
    const as: Via = { ...via, method: "switch", useCookie };
    return await entry.open(user, place, as, nowMs, write, async (tx) => {
      if (refreshToken !== undefined) await endOf(tx, who, refreshToken, by, nowMs);
      else if (useCookie) await endOwn(tx, who, by, nowMs);
    });
  }

  /** Ends the family of a refresh token, if it is a live one of this person. */
  async function endOf(
    tx: Writer,
    { userNo, userId }: SignedIn,
    refreshToken: string,
    by: By,
    nowMs: number,
  ): Promise<boolean> {
    const found = await family.familyOf(tx, refreshToken, userNo);
    if (found === undefined) return false;
    await family.endTold(tx, found, userId, by, nowMs);
    return true;
  }

  async function endOwn(
    tx: Writer,
    { userNo, userId, sid }: SignedIn,
    by: By,
    nowMs: number,
  ): Promise<void> {
    const families = await rows.familiesOf(tx, userNo, null, null);
    const own = families.find((one) => one.sid === sid);
    if (own !== undefined) await family.endTold(tx, own, userId, by, nowMs);
  }

  /**
   * Ends the family of a refresh token, else that of the access token. A token that is not theirs, or
   * has ended, changes nothing.
   */
  async function logout(
    tx: Writer,
    who: SignedIn,
    { body, cookie }: { readonly body?: string; readonly cookie?: string },
    by: By,
    nowMs: number,
  ): Promise<void> {
    if (body !== undefined) await endOf(tx, who, body, by, nowMs);
    else if (cookie === undefined || !(await endOf(tx, who, cookie, by, nowMs))) {
      await endOwn(tx, who, by, nowMs);
    }
  }

  /** Every family and every token of the person, in all tenants. */
  async function logoutAll(tx: Writer, { userNo }: SignedIn, by: By, nowMs: number): Promise<void> {
    await family.revokeSessions(tx, { userNo, by }, nowMs);
  }

  return { select, switchTo, logout, logoutAll };
}

function asSessionToken(error: unknown): never {
  throw error instanceof Problem && error.slug.startsWith("token-")
    ? new Problem("session-token-invalid")
    : error;
}
