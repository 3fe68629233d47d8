/**
 * Signing in and what comes of it: registration, password and second factor, the choice of a tenant,
 * API keys, access tokens and refresh families. The parts do the work; here they are put together. What
 * somebody changes about themselves is not here.
 */
import {
  accessTokenLifeSec,
  attemptsCountedMax,
  refreshGraceSec,
  signInFailuresMax,
  signInWindowSec,
  verifyLinkLifeSec,
} from "../../../schema/bound.ts";
import { checkNewPassword } from "../../domain/password.ts";
import { Problem } from "../../domain/problem.ts";
import type { Reader, Store, Writer } from "../../store/seam.ts";
import { type Argon, argon, codeCost } from "../../system/argon.ts";
import { Attempts } from "../../system/attempts.ts";
import type { Random } from "../../system/random.ts";
import type { AccessService } from "../access/service.ts";
import type { AccountService } from "../account/service.ts";
import type { AuditService } from "../audit/service.ts";
import type { EventService } from "../event/service.ts";
import type { InvitationService } from "../invitation/service.ts";
import type { MailService } from "../mail/service.ts";
import type { SigningService } from "../signing/service.ts";
import {
  type Choice,
  enterPart,
  type OpenOwned,
  personally,
  type UserPair,
  type Via,
} from "./enter.ts";
import { exchangePart } from "./exchange.ts";
import { factorPart } from "./factor.ts";
import { type Family, familyPart, type Origin, type Rotation } from "./family.ts";
import { impersonatePart } from "./impersonate.ts";
import { loginPart } from "./login.ts";
import { mintPart } from "./mint.ts";
import { proofPart } from "./proof.ts";
import type { SignInUser } from "./store.ts";
import * as rows from "./store.ts";
import { switchPart } from "./switch.ts";
import { teller } from "./tell.ts";
import type { Place } from "./view.ts";

export type { Choice, OpenOwned, Pair, UserPair, Via, Write } from "./enter.ts";
export { factorPlace } from "./factor.ts";
export type { Family, Origin, Rotation } from "./family.ts";
export type { SignInUser } from "./store.ts";
export type { Place, UserView } from "./view.ts";
export { personView } from "./view.ts";

export interface AuthDeps {
  readonly store: Store;
  readonly random: Random;
  /** 32 bytes. */
  readonly masterKey: Uint8Array;
  readonly audit: Pick<AuditService, "append">;
  readonly event: EventService;
  readonly signing: Pick<SigningService, "signer" | "verifier">;
  readonly access: AccessService;
  readonly account: Pick<AccountService, "byEmail" | "create">;
  readonly mail: Pick<MailService, "queue">;
  readonly invitation: Pick<InvitationService, "accept">;
  readonly passwords: Argon;
  /** For recovery codes; default: a cost that fits them. */
  readonly codes?: Argon;
  readonly openOwned: OpenOwned;
  /** `iss` of tokens; may change once a port is bound. */
  readonly issuer: () => string;
  /** Anybody may register. */
  readonly isRegistrationOpen: boolean;
}

export interface Registration {
  /** Trimmed and in lower case. */
  readonly email: string;
  readonly password: string;
  readonly name: string;
  readonly organization?: string;
}

export type AuthService = ReturnType<typeof authService>;

const purgeRows = 500;
/** A link that lapsed is told apart from one that never was for so long. */
const proofsKeptSec = 30 * 86_400;

export function authService(deps: AuthDeps) {
  const { store, random, masterKey, access, account, mail, passwords } = deps;
  const codes = deps.codes ?? argon({ cost: codeCost });
  const failures = new Attempts({
    max: signInFailuresMax,
    windowSec: signInWindowSec,
    keysMax: attemptsCountedMax,
  });
  const tell = teller(deps);
  const mint = mintPart(deps);
  const proofs = proofPart(deps);
  const family = familyPart({ store, random, access, tell });
  const isOpen = deps.isRegistrationOpen;
  const parts = { store, random, access, mint, family, proofs, tell };
  const entry = enterPart({ ...parts, openOwned: deps.openOwned, isOpen });
  const factor = factorPart({ store, masterKey, codes });
  const { login } = loginPart({ ...parts, passwords, failures, factor, entry });
  const { select, switchTo, logout, logoutAll } = switchPart({ ...parts, entry });
  const { impersonate } = impersonatePart({ ...parts });

  const { exchangeKey, exchangeCode } = exchangePart({ ...parts, signIn });

  /**
   * A new person with a tenant of their own, signed in.
   * @throws Problem `registration-closed` `already-exists` `validation-error` (password)
   */
  async function register(
    { email, password, name, organization = name }: Registration,
    origin: Origin,
    nowMs: number,
  ): Promise<UserPair> {
    if (!isOpen) throw new Problem("registration-closed");
    checkNewPassword(password, email);
    if ((await store.read((q) => rows.userByEmail(q, email))) !== undefined) throw taken();
    const passwordHash = await passwords.hash(password);
    const userNo = await store.write(async (tx) => {
      if ((await account.byEmail(tx, email)) !== undefined) throw taken();
      const made = await account.create(tx, { email, name, passwordHash }, nowMs);
      const by = personally(made, origin);
      const home = await deps.openOwned(tx, { name: organization, owner: made }, by, nowMs);
      const draft = { userNo: made.userNo, data: { email }, ttlSec: verifyLinkLifeSec };
      const token = await proofs.issue(tx, "verify", draft, nowMs);
      const letter = { kind: "verify", token } as const;
      await mail.queue(tx, { to: email, tenantId: home.tenantId, letter }, nowMs);
      access.forget(tx, { userNo: made.userNo, tenantId: home.tenantId });
      return made.userNo;
    });
    return await signInAlone(userNo, { ...origin, method: "password" }, nowMs);
  }

  /** Somebody who has one tenant, or names it. */
  async function signInAlone(userNo: number, via: Via, nowMs: number): Promise<UserPair> {
    const answer = await signIn(userNo, via, nowMs);
    if ("requiresTenantSelection" in answer) throw new Error("one tenant, and yet a choice");
    return answer;
  }

  /**
   * Signs in somebody whom another part has proved.
   * @param within written in the same transaction, such as the use of the proof.
   * @throws Problem `tenant-not-allowed` `no-tenant` `account-blocked` `tenant-blocked`
   */
  async function signIn(
    userNo: number,
    via: Via,
    nowMs: number,
    within?: (tx: Writer) => Promise<void>,
  ): Promise<UserPair | Choice> {
    const user = await store.read((q) => rows.userByNo(q, userNo));
    if (user === undefined) throw new Problem("invalid-credentials");
    return await entry.enter(user, via, nowMs, within);
  }

  /** The holder of a mailed invitation joins, and is signed in to that tenant. */
  async function acceptInvitation(
    acceptance: { readonly token: string; readonly password: string; readonly name?: string },
    origin: Origin,
    nowMs: number,
  ): Promise<UserPair> {
    const { userNo, tenantId } = await deps.invitation.accept(acceptance, origin, nowMs);
    const uuid = (await access.tenant(tenantId))?.uuid;
    const via = { ...origin, method: "invitation", ...(uuid !== undefined && { tenantId: uuid }) };
    return await signInAlone(userNo, via, nowMs);
  }

  /** @throws Problem `refresh-token-invalid` `refresh-token-reused` `tenant-blocked` */
  const refresh = (token: string, origin: Origin, nowMs: number): Promise<Rotation> =>
    family.rotate(token, null, origin, (of, next) => pairAgain(of, next, nowMs), nowMs);

  async function pairAgain(of: Family, next: string, nowMs: number): Promise<string> {
    const { userNo, tenantId, sid, cookie } = of;
    const user = userNo === null ? undefined : await access.user(userNo);
    const place = user && (await entry.placeOf(tenantId, user.userNo));
    if (user === undefined || place === undefined) throw new Problem("refresh-token-invalid");
    if (place.tenant.status === "blocked") throw new Problem("tenant-blocked");
    return JSON.stringify(await entry.pairOf(user, place, sid, cookie ? null : next, nowMs));
  }

  /** A person in the tenant of their token, for what they change about themselves. */
  async function person(
    userNo: number,
    tenantId: number,
  ): Promise<{ readonly user: SignInUser; readonly place: Place } | undefined> {
    const user = await store.read((q) => rows.userByNo(q, userNo));
    const tenant = await access.tenant(tenantId);
    const member = await access.member(tenantId, userNo);
    return user && tenant && member && { user, place: { tenant, member } };
  }

  /** Everywhere that a person is, blocked and invited included. */
  async function memberships(userNo: number): Promise<Place[]> {
    const found = await store.read((q) => rows.placesOf(q, userNo));
    const places: Place[] = [];
    for (const { tenant_id: tenantId, status } of found) {
      if (status === "deleted") continue;
      const tenant = await access.tenant(tenantId);
      const member = await access.member(tenantId, userNo);
      if (tenant !== undefined && tenant.status !== "deleted" && member !== undefined) {
        places.push({ tenant, member });
      }
    }
    return places;
  }

  const user = (userNo: number): Promise<SignInUser | undefined> =>
    store.read((q) => rows.userByNo(q, userNo));

  const userByEmail = (email: string): Promise<SignInUser | undefined> =>
    store.read((q) => rows.userByEmail(q, email));

  const userByNo: (q: Reader, userNo: number) => Promise<SignInUser | undefined> = rows.userByNo;

  /** Tenants that hear of what happens to a person: all that they are in, else the root. */
  async function tenantsOf(userNo: number): Promise<number[]> {
    const places = await store.read((q) => rows.placesOf(q, userNo));
    const open = places.filter(({ status }) => status !== "deleted");
    return open.length === 0 ? [await access.root()] : open.map(({ tenant_id }) => tenant_id);
  }

  /** Drops what has lapsed; tells how many rows, at most 500 of each kind. */
  const purge = (nowMs: number): Promise<number> =>
    store.write(
      async (tx) => {
        const counts = [
          await rows.purgeGraces(tx, nowMs - (refreshGraceSec + 1) * 1000, purgeRows),
          await rows.purgeRefresh(tx, nowMs, purgeRows),
          await rows.purgeFamilies(tx, nowMs - accessTokenLifeSec * 1000, purgeRows),
          await rows.purgeProofs(tx, nowMs - proofsKeptSec * 1000, purgeRows),
        ];
        return Math.max(...counts);
      },
      { weight: purgeRows },
    );

  return {
    ...{ register, login, signIn, select, switchTo, acceptInvitation },
    ...{ refresh, logout, logoutAll, exchangeKey, exchangeCode, impersonate },
    mintAccess: mint.mintAccess,
    verifyAccess: mint.verifyAccess,
    openSession: family.openSession,
    revokeSessions: family.revokeSessions,
    endTokens: family.endTokens,
    /** Refresh tokens of an application: `rotate` with its number, and an answer of its own. */
    rotate: family.rotate,
    familyOf: family.familyOf,
    endFamily: family.endTold,
    proofs,
    /** A one-time code of a person. */
    checkCode: factor.checkCode,
    ...{ person, memberships, user, userByEmail, userByNo, tenantsOf, tell, purge },
    /** Another way in has set their password: what was counted against the email is over. */
    forgive: (email: string) => failures.clear(email),
  };
}

const taken = (): Problem =>
  new Problem("already-exists", "The email is taken.", { field: "email" });
