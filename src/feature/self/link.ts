/**
 * The two links that a person is mailed: one proves that the address is theirs, one lets them set a
 * password that they forgot. Asking for the second answers the same whoever the address belongs to.
 */
import { resetLinkLifeSec, verifyLinkLifeSec } from "../../../schema/bound.ts";
import type { By } from "../../domain/by.ts";
import { checkNewPassword } from "../../domain/password.ts";
import { Problem } from "../../domain/problem.ts";
import type { Store, Writer } from "../../store/seam.ts";
import type { Argon } from "../../system/argon.ts";
import type { Attempts } from "../../system/attempts.ts";
import type { AccessService } from "../access/service.ts";
import type { AuthService, SignInUser, Write } from "../auth/service.ts";
import type { MailService } from "../mail/service.ts";
import type { PersonChecks, Self } from "./person.ts";
import * as rows from "./store.ts";

export interface LinkDeps extends Pick<PersonChecks, "personOf"> {
  readonly store: Store;
  readonly auth: Pick<
    AuthService,
    "tell" | "tenantsOf" | "proofs" | "userByEmail" | "userByNo" | "revokeSessions" | "forgive"
  >;
  readonly access: AccessService;
  readonly mail: Pick<MailService, "queue">;
  readonly passwords: Argon;
  /** Mails of an hour. */
  readonly mails: Attempts;
}

/** Who follows a link, before it says who they are. */
export type Stranger = Omit<By, "actor">;

export interface Queued {
  readonly status: "queued";
}

const system = { type: "system", id: "server" } as const;

export function linkPart({ store, auth, access, mail, passwords, mails, personOf }: LinkDeps) {
  const { proofs } = auth;
  const isVerified = (user: SignInUser): boolean => user.emailVerifiedAtMs !== null;

  /** A link to the address as it is; to one that is verified none is sent. @throws Problem 429 */
  async function requestVerify(self: Self, write: Write, nowMs: number): Promise<Queued> {
    const { user } = await personOf(self);
    const retryAfterSec = mails.take(`verify ${user.uuid}`, nowMs);
    if (retryAfterSec > 0) {
      const detail = `Request rate exceeds limit of 3 req/3600s for user ${user.uuid}`;
      throw new Problem("rate-limit-exceeded", detail, { retryAfterSec });
    }
    if (isVerified(user)) return { status: "queued" };
    const { userNo, email, uuid: userId } = user;
    const tenantIds = await auth.tenantsOf(userNo);
    return await write(async (tx) => {
      const draft = { userNo, data: { email }, ttlSec: verifyLinkLifeSec };
      const token = await proofs.issue(tx, "verify", draft, nowMs);
      const letter = { kind: "verify", token } as const;
      await mail.queue(tx, { to: email, tenantId: self.tenantId, letter }, nowMs);
      const type = "auth.email.verification_requested";
      await auth.tell(tx, { type, tenantIds, userId, by: self.by, data: null }, nowMs);
      return { status: "queued" };
    });
  }

  /** @throws Problem `token-invalid` `token-expired` */
  async function verifyEmail(token: string, from: Stranger, nowMs: number): Promise<void> {
    const found = await store.read((q) => proofs.find(q, "verify", token, nowMs));
    const tenantIds = found.userNo === null ? [] : await auth.tenantsOf(found.userNo);
    await store.write(async (tx) => {
      const { userNo, data } = await proofs.use(tx, "verify", token, nowMs);
      const user = userNo === null ? undefined : await auth.userByNo(tx, userNo);
      if (user === undefined || user.email !== data.email) throw new Problem("token-invalid");
      await proveAddress(tx, user, tenantIds, from, nowMs);
    });
  }

  /** A link that went to the address was followed. */
  async function proveAddress(
    tx: Writer,
    user: SignInUser,
    tenantIds: readonly number[],
    from: Stranger,
    nowMs: number,
  ): Promise<void> {
    const { userNo, email, uuid: userId } = user;
    if (isVerified(user) || !(await rows.markVerified(tx, userNo, email, nowMs))) return;
    access.forget(tx, { userNo });
    const by: By = { ...from, actor: { type: "user", id: userId } };
    const type = "auth.email.verified";
    await auth.tell(tx, { type, tenantIds, userId, by, data: { userId } }, nowMs);
  }

  /** Mails a link where the address is somebody's; the same is recorded, in the same time, where not. */
  async function requestReset(email: string, from: Stranger, nowMs: number): Promise<void> {
    if (mails.take(`reset ${email}`, nowMs) > 0) return;
    const user = await auth.userByEmail(email);
    const tenantIds =
      user === undefined ? [await access.root()] : await auth.tenantsOf(user.userNo);
    const by: By = { ...from, actor: system };
    await store.write(async (tx) => {
      const type = "auth.password.reset_requested";
      const userId = user?.uuid ?? "";
      await auth.tell(tx, { type, tenantIds, userId, by, data: null }, nowMs);
      if (user === undefined) return;
      const draft = { userNo: user.userNo, data: { email }, ttlSec: resetLinkLifeSec };
      const token = await proofs.issue(tx, "reset", draft, nowMs);
      await mail.queue(tx, { to: email, tenantId: null, letter: { kind: "reset", token } }, nowMs);
    });
  }

  /**
   * Sets a password by a mailed link, which proves the address too. Every family ends, and every access
   * token made until now is dead.
   * @throws Problem `token-invalid` `token-expired` `validation-error` (password)
   */
  async function resetPassword(
    { token, password }: { readonly token: string; readonly password: string },
    from: Stranger,
    nowMs: number,
  ): Promise<void> {
    const user = await store.read(async (q) => {
      const { userNo, data } = await proofs.find(q, "reset", token, nowMs);
      const found = userNo === null ? undefined : await auth.userByNo(q, userNo);
      return found?.email === data.email ? found : undefined;
    });
    if (user === undefined) throw new Problem("token-invalid");
    checkNewPassword(password, user.email);
    const hash = await passwords.hash(password);
    const tenantIds = await auth.tenantsOf(user.userNo);
    const { userNo, uuid: userId, email, passwordHash } = user;
    const by: By = { ...from, actor: { type: "user", id: userId } };
    await store.write(async (tx) => {
      await proofs.use(tx, "reset", token, nowMs);
      if (!(await rows.updatePassword(tx, userNo, passwordHash, hash, nowMs))) {
        throw new Problem("token-invalid");
      }
      await proofs.end(tx, "reset", userNo, nowMs);
      await auth.revokeSessions(tx, { userNo, by }, nowMs);
      const type = "auth.password.changed";
      await auth.tell(tx, { type, tenantIds, userId, by, data: { userId } }, nowMs);
      await proveAddress(tx, user, tenantIds, from, nowMs);
      const letter = { kind: "passwordChanged" } as const;
      await mail.queue(tx, { to: email, tenantId: null, letter }, nowMs);
    });
    auth.forgive(email);
  }

  return { requestVerify, verifyEmail, requestReset, resetPassword };
}
