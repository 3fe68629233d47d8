/**
 * What somebody who is signed in sees and changes about themselves: profile, email, password, sessions,
 * second factor; and the two mailed links, to verify an address and to set a forgotten password. The
 * parts do the work; here they are put together.
 */
import {
  attemptsCountedMax,
  mailsPerHourMax,
  selfFailuresMax,
  signInWindowSec,
  verifyLinkLifeSec,
} from "../../../schema/bound.ts";
import { checkNewPassword } from "../../domain/password.ts";
import { Problem } from "../../domain/problem.ts";
import type { Store, Writer } from "../../store/seam.ts";
import { type Argon, argon, codeCost } from "../../system/argon.ts";
import { Attempts } from "../../system/attempts.ts";
import type { Random } from "../../system/random.ts";
import type { AccessService } from "../access/service.ts";
import type { AccountService } from "../account/service.ts";
import type { AuthService, Place, SignInUser, Write } from "../auth/service.ts";
import type { MailService } from "../mail/service.ts";
import { linkPart } from "./link.ts";
import { mePart } from "./me.ts";
import { mfaPart } from "./mfa.ts";
import type { Self } from "./person.ts";
import type { SessionItem } from "./store.ts";
import * as rows from "./store.ts";

export type { Me } from "./me.ts";
export type { Self } from "./person.ts";
export type { SessionItem } from "./store.ts";

export interface SelfDeps {
  readonly store: Store;
  readonly random: Random;
  /** 32 bytes. */
  readonly masterKey: Uint8Array;
  readonly auth: Pick<
    AuthService,
    | "person"
    | "memberships"
    | "user"
    | "userByEmail"
    | "userByNo"
    | "tenantsOf"
    | "tell"
    | "checkCode"
    | "proofs"
    | "revokeSessions"
    | "endTokens"
    | "endFamily"
    | "forgive"
  >;
  readonly access: AccessService;
  readonly account: Pick<AccountService, "byEmail">;
  readonly mail: Pick<MailService, "queue">;
  readonly passwords: Argon;
  /** For recovery codes; default: a cost that fits them. */
  readonly codes?: Argon;
}

export interface ProfileChange {
  readonly name?: string;
  /** BCP 47, canonical. */
  readonly locale?: string;
  /** Trimmed and in lower case; due with it: `currentPassword`. */
  readonly email?: string;
  readonly currentPassword?: string;
}

export type SelfService = ReturnType<typeof selfService>;

export function selfService(deps: SelfDeps) {
  const { store, auth, access, account, mail, passwords } = deps;
  const codes = deps.codes ?? argon({ cost: codeCost });
  const failures = new Attempts({
    max: selfFailuresMax,
    windowSec: signInWindowSec,
    keysMax: attemptsCountedMax,
  });
  const mails = new Attempts({
    max: mailsPerHourMax,
    windowSec: 3_600,
    keysMax: attemptsCountedMax,
  });

  /** The person as they are now. @throws Problem `token-revoked`: they are gone */
  async function personOf({
    userNo,
    tenantId,
  }: Self): Promise<{ readonly user: SignInUser; readonly place: Place }> {
    const person = await auth.person(userNo, tenantId);
    if (person === undefined) throw new Problem("token-revoked");
    return person;
  }

  /**
   * Runs a check of a password or code, one at a time of a person, and counts what was wrong.
   * @throws Problem `rate-limit-exceeded`, and what `check` throws
   */
  function guarded<T>({ userId }: Self, nowMs: number, check: () => Promise<T>): Promise<T> {
    return failures.inTurn(userId, async () => {
      const retryAfterSec = failures.waitSec(userId, nowMs);
      if (retryAfterSec > 0) {
        const detail = `Request rate exceeds limit of ${selfFailuresMax} req/${signInWindowSec}s for user ${userId}`;
        throw new Problem("rate-limit-exceeded", detail, { retryAfterSec });
      }
      try {
        return await check();
      } catch (error) {
        if (error instanceof Problem && isWrong.has(error.slug)) failures.note(userId, nowMs);
        throw error;
      }
    });
  }

  /** @throws Problem `invalid-credentials` */
  async function checkPassword(user: SignInUser, password: string): Promise<void> {
    if (!(await passwords.verify(password, user.passwordHash))) {
      throw new Problem("invalid-credentials");
    }
  }

  /**
   * Name, locale, email. A changed email is unverified again: the new address gets a link, the old one
   * is told, and links that went to the old one are dead.
   * @throws Problem `invalid-credentials` `already-exists` `rate-limit-exceeded`
   */
  async function change(
    self: Self,
    { name, locale, email, currentPassword = "" }: ProfileChange,
    nowMs: number,
  ): Promise<void> {
    const { user } = await personOf(self);
    const isMoved = email !== undefined && email !== user.email;
    if (email !== undefined) {
      await guarded(self, nowMs, () => checkPassword(user, currentPassword));
    }
    const tenantIds = await auth.tenantsOf(user.userNo);
    const fields: string[] = [];
    if (name !== undefined && name !== user.name) fields.push("name");
    if (locale !== undefined && locale !== user.locale) fields.push("locale");
    if (isMoved) fields.push("email");
    await store.write(async (tx) => {
      const profile = { name: name ?? user.name, locale: locale ?? user.locale };
      await rows.updateProfile(tx, user.userNo, profile, nowMs);
      if (isMoved) await moveTo(tx, self, user, email, nowMs);
      access.forget(tx, { userNo: user.userNo });
      if (fields.length === 0) return;
      const { userId, by } = self;
      const type = "auth.user.updated";
      const data = { userId, fields };
      await auth.tell(tx, { type, tenantIds, userId, by, data, metadata: { fields } }, nowMs);
    });
  }

  async function moveTo(
    tx: Writer,
    { tenantId }: Self,
    { userNo, email: oldEmail }: SignInUser,
    email: string,
    nowMs: number,
  ): Promise<void> {
    const holder = await account.byEmail(tx, email);
    if (holder !== undefined)
      throw new Problem("already-exists", "The email is taken.", { field: "email" });
    await rows.updateEmail(tx, userNo, email, nowMs);
    await auth.proofs.end(tx, "verify", userNo, nowMs);
    await auth.proofs.end(tx, "reset", userNo, nowMs);
    const draft = { userNo, data: { email }, ttlSec: verifyLinkLifeSec };
    const token = await auth.proofs.issue(tx, "verify", draft, nowMs);
    await mail.queue(tx, { to: email, tenantId, letter: { kind: "verify", token } }, nowMs);
    await mail.queue(tx, { to: oldEmail, tenantId, letter: { kind: "emailChanged" } }, nowMs);
  }

  /**
   * A new password. Every other family ends, and every access token made until now is dead.
   * @throws Problem `invalid-credentials` `validation-error` `rate-limit-exceeded`
   */
  async function changePassword(
    self: Self,
    { currentPassword, password }: { readonly currentPassword: string; readonly password: string },
    write: Write,
    nowMs: number,
  ): Promise<void> {
    const { user } = await personOf(self);
    await guarded(self, nowMs, () => checkPassword(user, currentPassword));
    checkNewPassword(password, user.email);
    const hash = await passwords.hash(password);
    const tenantIds = await auth.tenantsOf(user.userNo);
    const { userNo, passwordHash, email } = user;
    await write(async (tx) => {
      if (!(await rows.updatePassword(tx, userNo, passwordHash, hash, nowMs))) {
        throw new Problem("invalid-credentials");
      }
      const { sid, by, userId } = self;
      await auth.revokeSessions(tx, { userNo, exceptSid: sid ?? "", by }, nowMs);
      await auth.endTokens(tx, userNo, undefined, nowMs);
      await auth.proofs.end(tx, "reset", userNo, nowMs);
      const letter = { kind: "passwordChanged" } as const;
      await mail.queue(tx, { to: email, tenantId: self.tenantId, letter }, nowMs);
      const type = "auth.password.changed";
      await auth.tell(tx, { type, tenantIds, userId, by, data: { userId } }, nowMs);
    });
  }

  /** Live families of a person, newest first, below a number. */
  const sessions = (
    userNo: number,
    belowNo: number,
    limit: number,
    nowMs: number,
  ): Promise<SessionItem[]> =>
    store.read((q) => rows.pageSessions(q, userNo, nowMs, belowNo, limit));

  const countSessions = (userNo: number, nowMs: number): Promise<number> =>
    store.read((q) => rows.countSessions(q, userNo, nowMs));

  /** Ends one family. @throws Problem `not-found`: no such one, or somebody else's */
  async function endSession(
    { userNo, userId, by }: Self,
    sid: string,
    write: Write,
    nowMs: number,
  ): Promise<void> {
    await write(async (tx) => {
      const found = await rows.findSession(tx, userNo, sid);
      if (found === undefined) throw new Problem("not-found", "There is no such session.");
      const family = { sid, sessionNo: found.session_no, tenantId: found.tenant_id };
      await auth.endFamily(tx, family, userId, by, nowMs);
    });
  }

  const parts = { ...deps, codes, mails, personOf, guarded, checkPassword };
  return {
    ...{ change, changePassword, sessions, countSessions, endSession, personOf },
    ...mePart({ access, auth }),
    mfa: mfaPart(parts),
    ...linkPart(parts),
  };
}

const isWrong: ReadonlySet<string> = new Set(["invalid-credentials", "mfa-invalid"]);
