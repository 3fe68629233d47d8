/**
 * The last step of every sign-in, whatever proved who it is: which tenant, then a refresh family and a
 * pair of tokens, or the question which tenant. Proving who somebody is is not here.
 */
import { accessTokenLifeSec, choiceLifeSec } from "../../../schema/bound.ts";
import type { By } from "../../domain/by.ts";
import { Problem } from "../../domain/problem.ts";
import type { Store, WriteOptions, Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import type { AccessService } from "../access/service.ts";
import type { familyPart, Origin } from "./family.ts";
import type { mintPart } from "./mint.ts";
import type { proofPart } from "./proof.ts";
import type { SignInUser } from "./store.ts";
import * as rows from "./store.ts";
import type { Tell } from "./tell.ts";
import { type ChoiceView, choiceView, isoOf, type Place, type UserView, userView } from "./view.ts";

export interface Pair {
  readonly accessToken: string;
  /** Null where it went into a cookie. */
  readonly refreshToken: string | null;
  readonly tokenType: "Bearer";
  /** Seconds. */
  readonly expiresIn: number;
  readonly expiresAt: string;
  /** Uuid. */
  readonly tenantId: string;
}

export interface UserPair extends Pair {
  readonly user: UserView;
}

export interface Choice {
  readonly requiresTenantSelection: true;
  readonly sessionToken: string;
  readonly expiresAt: string;
  readonly tenants: ChoiceView[];
}

export interface Via extends Origin {
  /** How it was proved: `password`, `oauth`, `wallet`, `invitation`, `switch`. */
  readonly method: string;
  /** Uuid of the tenant wanted. */
  readonly tenantId?: string;
  readonly useCookie?: boolean;
  /** Told of the refresh token, before the write, where it goes into a cookie. */
  readonly setCookie?: (refreshToken: string) => void;
}

/** The write that signs in; its result is the answer. */
export type Write = <T>(work: (tx: Writer) => Promise<T>, options?: WriteOptions) => Promise<T>;

/** What else is written with the sign-in: what it spends. @throws Problem */
export type Within = (tx: Writer) => Promise<void>;

/** Makes a tenant for somebody who has none, and them its owner. */
export interface OwnedTenantDraft {
  readonly name: string;
  readonly owner: { readonly userNo: number; readonly uuid: string; readonly email: string };
}
export type OpenOwned = (
  tx: Writer,
  draft: OwnedTenantDraft,
  by: By,
  nowMs: number,
) => Promise<{ readonly tenantId: number; readonly uuid: string }>;

export interface EnterDeps {
  readonly store: Store;
  readonly random: Random;
  readonly access: AccessService;
  readonly mint: ReturnType<typeof mintPart>;
  readonly family: ReturnType<typeof familyPart>;
  readonly proofs: ReturnType<typeof proofPart>;
  readonly tell: Tell;
  readonly openOwned: OpenOwned;
  /** Self-registration is open: who has no tenant is given one. */
  readonly isOpen: boolean;
}

const nothing: Within = async () => undefined;

export function enterPart(deps: EnterDeps) {
  const { store, random, access, mint, family, proofs, tell } = deps;

  /** Memberships that may be signed in to. @throws Problem `account-blocked` `no-tenant` */
  async function placesOf(userNo: number): Promise<Place[]> {
    const found = await store.read((q) => rows.placesOf(q, userNo));
    const places: Place[] = [];
    let blocked = 0;
    let others = 0;
    for (const { tenant_id: tenantId, status } of found) {
      if (status === "deleted") continue;
      const place = status === "active" ? await placeOf(tenantId, userNo) : undefined;
      if (place !== undefined) places.push(place);
      else if (status === "blocked") blocked++;
      else others++;
    }
    if (places.length > 0) return places;
    if (blocked > 0 && others === 0) throw new Problem("account-blocked");
    if (!deps.isOpen) throw new Problem("no-tenant");
    return [];
  }

  /** An active membership of a tenant that is there. */
  async function placeOf(tenantId: number, userNo: number): Promise<Place | undefined> {
    const tenant = await access.tenant(tenantId);
    const member = await access.member(tenantId, userNo);
    if (tenant === undefined || tenant.status === "deleted") return undefined;
    return member?.status === "active" ? { tenant, member } : undefined;
  }

  const notAllowed = (): Problem => new Problem("tenant-not-allowed");

  /** The one that is wanted, remembered or alone; undefined: it is to be chosen. */
  function pick(
    places: readonly Place[],
    user: SignInUser,
    wanted: string | undefined,
  ): Place | undefined {
    if (wanted !== undefined) {
      const found = places.find(({ tenant }) => tenant.uuid === wanted);
      if (found === undefined) throw notAllowed();
      return found;
    }
    if (places.length === 1) return places[0];
    return places.find(({ tenant }) => tenant.tenantId === user.rememberedTenantId);
  }

  async function makeHome(user: SignInUser, via: Via, nowMs: number): Promise<Place> {
    const { userNo, uuid, email, name } = user;
    const owner = { userNo, uuid, email };
    const home = await store.write(async (tx) => {
      const made = await deps.openOwned(
        tx,
        { name: name ?? email.slice(0, email.indexOf("@")), owner },
        personally(user, via),
        nowMs,
      );
      access.forget(tx, { userNo, tenantId: made.tenantId });
      return made;
    });
    const place = await placeOf(home.tenantId, userNo);
    if (place === undefined) throw new Error("a tenant that was just made is not there");
    return place;
  }

  /**
   * Signs in somebody who has proved who they are.
   * @param within written with it, in the same transaction.
   * @throws Problem `tenant-not-allowed` `no-tenant` `account-blocked` `tenant-blocked`, and what
   * `within` throws
   */
  async function enter(
    user: SignInUser,
    via: Via,
    nowMs: number,
    within: Within = nothing,
  ): Promise<UserPair | Choice> {
    const places = await placesOf(user.userNo);
    if (places.length === 0 && via.tenantId !== undefined) throw notAllowed();
    const place =
      places.length === 0 ? await makeHome(user, via, nowMs) : pick(places, user, via.tenantId);
    if (place === undefined) return await ask(user, places, via, nowMs, within);
    return await open(user, place, via, nowMs, (work) => store.write(work), within);
  }

  async function ask(
    user: SignInUser,
    places: readonly Place[],
    { method, useCookie = false }: Via,
    nowMs: number,
    within: Within,
  ): Promise<Choice> {
    const data = { method, useCookie };
    const draft = { userNo: user.userNo, data, ttlSec: choiceLifeSec };
    const sessionToken = await store.write(async (tx) => {
      await within(tx);
      return await proofs.issue(tx, "choice", draft, nowMs);
    });
    return {
      requiresTenantSelection: true,
      sessionToken,
      expiresAt: isoOf(nowMs + choiceLifeSec * 1000),
      tenants: places.map(choiceView),
    };
  }

  /** A family and its first pair; signed before the write. @throws Problem `tenant-blocked` */
  async function open(
    user: SignInUser,
    place: Place,
    via: Via,
    nowMs: number,
    write: Write,
    within: Within = nothing,
  ): Promise<UserPair> {
    const { tenant, member } = place;
    if (tenant.status === "blocked") throw new Problem("tenant-blocked");
    const sid = random.uuid(nowMs);
    const refreshToken = family.newRefreshToken();
    const cookie = via.useCookie === true;
    const pair = await pairOf(user, place, sid, cookie ? null : refreshToken, nowMs);
    if (cookie) via.setCookie?.(refreshToken);
    const answer = { ...pair, user: userView({ ...user, lastLoginAtMs: nowMs }, place) };
    return await write(async (tx) => {
      await checkUnchanged(tx, user, member.tenantId);
      await within(tx);
      const { ip, userAgent } = via;
      const draft = { userNo: user.userNo, tenantId: tenant.tenantId, cookie, ip, userAgent };
      await family.openSession(tx, { ...draft, sid, refreshToken }, nowMs);
      await rows.markSignedIn(tx, user.userNo, nowMs);
      await tellSignedIn(tx, user, place, via, sid, nowMs);
      return answer;
    });
  }

  /** Who was blocked, or whose password changed, while the tokens were signed is not let in. */
  async function checkUnchanged(tx: Writer, user: SignInUser, tenantId: number): Promise<void> {
    const now = await rows.userByNo(tx, user.userNo);
    const isSame =
      now?.passwordHash === user.passwordHash && now.tokensFromMs === user.tokensFromMs;
    const places = await rows.placesOf(tx, user.userNo);
    const place = places.find(({ tenant_id }) => tenant_id === tenantId);
    if (!isSame || place?.status !== "active") throw new Problem("invalid-credentials");
  }

  async function tellSignedIn(
    tx: Writer,
    user: SignInUser,
    { tenant }: Place,
    via: Via,
    sid: string,
    nowMs: number,
  ): Promise<void> {
    const { ip, userAgent, method } = via;
    const userId = user.uuid;
    const data = { userId, tenantId: tenant.uuid, ip, userAgent, method };
    const type = "auth.user.logged_in";
    const by = personally(user, via);
    const metadata = { method, sid };
    await tell(tx, { type, tenantIds: [tenant.tenantId], userId, by, data, metadata }, nowMs);
  }

  /** Tokens of a family; `refreshToken` null where it goes into a cookie. */
  async function pairOf(
    user: Pick<SignInUser, "uuid" | "email" | "tokensFromMs">,
    { tenant, member }: Place,
    sid: string,
    refreshToken: string | null,
    nowMs: number,
  ): Promise<Pair> {
    const { accessToken, expiresAtSec } = await mint.mintAccess(
      {
        sub: user.uuid,
        email: user.email,
        tenantUuid: tenant.uuid,
        roles: member.roles,
        principal: "user",
        sid,
        afterMs: Math.max(user.tokensFromMs, member.tokensFromMs),
      },
      nowMs,
    );
    return {
      accessToken,
      refreshToken,
      tokenType: "Bearer",
      expiresIn: accessTokenLifeSec,
      expiresAt: isoOf(expiresAtSec * 1000),
      tenantId: tenant.uuid,
    };
  }

  return { enter, open, placeOf, pairOf };
}

/** The person did it, from there. */
export const personally = (
  { uuid }: Pick<SignInUser, "uuid">,
  { ip, userAgent, traceId }: Origin,
): By => ({
  actor: { type: "user", id: uuid },
  ...{ ip, userAgent },
  ...(traceId !== undefined && { traceId }),
});
