/**
 * The users of a tenant as those who run it see and change them: adding, changing, roles. Blocking and
 * removing is `state.ts`. What people change about themselves, and signing in, is not here.
 */
import { type By, type Holder, recordedBy } from "../../domain/by.ts";
import { nameOf } from "../../domain/invitation.ts";
import { checkNewPassword } from "../../domain/password.ts";
import { ownerRole } from "../../domain/permission.ts";
import { checkVersion, type FieldFault, invalid, Problem } from "../../domain/problem.ts";
import { globOf } from "../../domain/search.ts";
import type { Reader, Store, Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import type { Account } from "../account/service.ts";
import type { Passwords } from "../invitation/service.ts";
import type { MailService } from "../mail/service.ts";
import { exceeds } from "../role/service.ts";
import {
  type Doer,
  entity,
  mustUser,
  refuseOwner,
  type StateDeps,
  userStates,
  wrongState,
} from "./state.ts";
import * as rows from "./store.ts";

export type { Doer } from "./state.ts";
export type { User } from "./store.ts";

export interface UserDeps extends StateDeps {
  readonly store: Store;
  readonly random: Random;
  readonly mail: Pick<MailService, "queue">;
  readonly passwords: Passwords;
}

export interface UserFilter {
  readonly status?: rows.User["status"];
  /** Part of email or name, capitals not minded. */
  readonly q?: string;
  /** Name of a role. */
  readonly role?: string;
}

export interface UserDraft {
  /** Trimmed and in lower case. */
  readonly email: string;
  readonly name?: string;
  /** Names. */
  readonly roles: readonly string[];
  /** Argon2id of a password, where one was given. */
  readonly passwordHash?: string;
}

export interface UserChange {
  readonly name?: string;
  /** Trimmed and in lower case. */
  readonly email?: string;
  readonly version?: number;
}

const passwordBytes = 18;

export type UserService = ReturnType<typeof userService>;

const notAllowed = (field: string): FieldFault => ({
  field,
  message: "Is theirs to change: there is a user of this email",
  code: "NOT_ALLOWED",
});

export function userService(deps: UserDeps) {
  const { store, random, audit, event, account, role, invitation, mail, access, passwords } = deps;
  const { revokeSessions } = deps.sessions;
  const states = userStates(deps);
  const { remove, restore, block, unblock, endSessions, mustMembership } = states;

  const filterOf = ({ q, ...rest }: UserFilter) => ({
    ...rest,
    ...(q !== undefined && { glob: globOf(q) }),
  });

  /** Newest first, below a number; removed ones only where they are asked for. */
  const list = (
    tenantId: number,
    filter: UserFilter,
    belowNo: number,
    limit: number,
  ): Promise<rows.User[]> =>
    store.read((q) => rows.pageUsers(q, tenantId, filterOf(filter), belowNo, limit));

  const count = (tenantId: number, filter: UserFilter): Promise<number> =>
    store.read((q) => rows.countUsers(q, tenantId, filterOf(filter)));

  /** @throws Problem not-found */
  const get = (tenantId: number, uuid: string, nowMs: number): Promise<rows.User> =>
    store.read((q) => mustUser(q, tenantId, uuid, nowMs));

  /** The user of this address in the tenant. @throws Problem not-found */
  const getByEmail = (tenantId: number, email: string, nowMs: number): Promise<rows.User> =>
    store.read(async (q) =>
      mustUser(q, tenantId, (await rows.uuidWithEmail(q, tenantId, email)) ?? "", nowMs),
    );

  /** Hashes the password of a new user, outside any write. @throws Problem validation-error */
  async function hashFor(email: string, password: string | undefined): Promise<string | undefined> {
    if (password === undefined) return undefined;
    checkNewPassword(password, email);
    return await passwords.hash(password);
  }

  /** 144 bits, 24 characters. */
  const newPassword = (): string =>
    random.bytes(passwordBytes).toBase64({ alphabet: "base64url", omitPadding: true });

  /**
   * Another password, by whoever runs the server; the user is signed out everywhere, and told.
   * @throws Problem not-found
   */
  async function setPassword(
    tx: Writer,
    tenantId: number,
    uuid: string,
    passwordHash: string,
    by: By,
    nowMs: number,
  ): Promise<void> {
    const { userNo, email } = await mustUser(tx, tenantId, uuid, nowMs);
    await account.setPassword(tx, userNo, passwordHash, nowMs);
    await revokeSessions(tx, { userNo }, nowMs);
    await mail.queue(tx, { to: email, tenantId, letter: { kind: "passwordChanged" } }, nowMs);
    const type = "auth.password.changed";
    const record = { tenantId, atMs: nowMs, action: type, ...entity(uuid) };
    await audit.append(tx, { ...record, ...recordedBy(by) });
    await event.publish(tx, { tenantId, type, data: { userId: uuid }, atMs: nowMs });
  }

  /**
   * A user of the tenant. A new person with a password is active at once; one without, and one who is
   * known to the server, is asked by mail and stays invited until then.
   * @throws Problem already-member · permission-escalation · validation-error (no such role; name or
   * password of somebody who has their own)
   */
  async function create(
    tx: Writer,
    tenantId: number,
    { email, name, roles: given, passwordHash }: UserDraft,
    { by, holder }: Doer,
    nowMs: number,
  ): Promise<rows.User> {
    const roles = [...new Set(given)];
    await role.checkGiven(tx, tenantId, roles, holder);
    const known = await account.byEmail(tx, email);
    if (known !== undefined) {
      const member = await account.membership(tx, tenantId, known.userNo);
      if (member !== undefined && member.status !== "deleted") throw new Problem("already-member");
      const faults = [
        ...(name === undefined ? [] : [notAllowed("name")]),
        ...(passwordHash === undefined ? [] : [notAllowed("password")]),
      ];
      if (faults.length > 0) throw invalid(faults);
    }
    const draft = { email, name: name ?? nameOf(email), passwordHash: passwordHash ?? null };
    const person = known ?? (await account.create(tx, draft, nowMs));
    const { userNo, uuid: userId } = person;
    await invitation.withdraw(tx, tenantId, email, by, nowMs);
    const status = passwordHash === undefined ? "invited" : "active";
    await account.join(tx, { tenantId, userNo, status, roles }, nowMs);
    access.forget(tx, { userNo });
    await invitation.tellCreated(tx, tenantId, { userId, email, roles }, by, nowMs);
    if (status === "invited") {
      const letter = known === undefined ? "setPassword" : "invite";
      const asked = { tenantId, email, name: person.name, roles, letter } as const;
      await invitation.ask(tx, asked, by, nowMs);
    }
    return await mustUser(tx, tenantId, userId, nowMs);
  }

  /**
   * Name and address. The address is changed for those alone who are in this tenant and no other, and
   * by those alone who could do all that they can; the old one is told.
   * @throws Problem not-found · version-conflict · wrong-state (removed) · owner-protected ·
   * identity-shared · permission-escalation · already-exists (email)
   */
  async function change(
    tx: Writer,
    tenantId: number,
    uuid: string,
    { version, ...given }: UserChange,
    { by, holder }: Doer,
    nowMs: number,
  ): Promise<rows.User> {
    const before = await mustUser(tx, tenantId, uuid, nowMs);
    if (before.status === "deleted") throw wrongState(before);
    checkVersion(version, before.version);
    const person = await mustAccount(tx, before.userNo);
    const { email } = given;
    const isMoved = email !== undefined && email !== before.email;
    if (isMoved) await checkMove(tx, tenantId, before, email, holder);
    await account.change(tx, person, given, nowMs);
    access.forget(tx, { userNo: before.userNo });
    if (isMoved) await tellMove(tx, tenantId, before, email, by, nowMs);
    const after = await mustUser(tx, tenantId, uuid, nowMs);
    const fields = Object.keys(given);
    const values = ({ name, email }: rows.User) => ({
      ...("name" in given && { name }),
      ...("email" in given && { email }),
    });
    await audit.append(tx, {
      ...{ tenantId, atMs: nowMs, action: "auth.user.updated", ...entity(uuid) },
      ...recordedBy(by),
      ...{ before: values(before), after: values(after) },
    });
    const data = { userId: uuid, fields };
    await event.publish(tx, { tenantId, type: "auth.user.updated", data, atMs: nowMs });
    return after;
  }

  async function checkMove(
    tx: Writer,
    tenantId: number,
    { userNo, roles }: rows.User,
    email: string,
    holder: Holder,
  ): Promise<void> {
    if (roles.includes(ownerRole)) throw new Problem("owner-protected");
    if ((await account.tenantsOf(tx, userNo)) > 1) throw new Problem("identity-shared");
    const held = await role.permissionsOf(tx, tenantId, roles);
    if (exceeds(held, holder)) {
      throw new Problem("permission-escalation", "The user may do what you may not.");
    }
    if ((await account.byEmail(tx, email)) !== undefined) {
      throw new Problem("already-exists", "The email is taken.", { field: "email" });
    }
  }

  /** The old address hears of it; a link that is on its way to it is replaced by one to the new. */
  async function tellMove(
    tx: Writer,
    tenantId: number,
    { email: old, name, roles, status }: rows.User,
    email: string,
    by: By,
    nowMs: number,
  ): Promise<void> {
    await mail.queue(tx, { to: old, tenantId, letter: { kind: "emailChanged" } }, nowMs);
    await invitation.withdraw(tx, tenantId, old, by, nowMs);
    if (status !== "invited") return;
    await invitation.ask(tx, { tenantId, email, name, roles, letter: "invite" }, by, nowMs);
  }

  /**
   * Replaces the set of roles; counts on the very next call.
   * @throws Problem not-found · wrong-state (removed) · owner-protected · permission-escalation ·
   * validation-error (no such role)
   */
  async function assignRoles(
    tx: Writer,
    tenantId: number,
    uuid: string,
    given: readonly string[],
    { by, holder }: Doer,
    nowMs: number,
  ): Promise<rows.User> {
    const before = await mustUser(tx, tenantId, uuid, nowMs);
    refuseOwner(before);
    if (before.status === "deleted") throw wrongState(before);
    const newRoles = [...new Set(given)].sort();
    await role.permissionsOf(tx, tenantId, newRoles);
    const added = newRoles.filter((name) => !before.roles.includes(name));
    await role.checkGiven(tx, tenantId, added, holder);
    const member = await mustMembership(tx, tenantId, before.userNo);
    await account.setRoles(tx, tenantId, member.membershipNo, newRoles, nowMs);
    access.forget(tx, { userNo: before.userNo });
    const oldRoles = before.roles;
    await audit.append(tx, {
      ...{ tenantId, atMs: nowMs, action: "auth.role.changed", ...entity(uuid) },
      ...recordedBy(by),
      ...{ before: { roles: oldRoles }, after: { roles: newRoles } },
    });
    const data = { userId: uuid, oldRoles, newRoles };
    await event.publish(tx, { tenantId, type: "auth.role.changed", data, atMs: nowMs });
    return await mustUser(tx, tenantId, uuid, nowMs);
  }

  async function mustAccount(q: Reader, userNo: number): Promise<Account> {
    const person = await account.byNo(q, userNo);
    if (person === undefined) throw new Error("a user of the tenant has no account");
    return person;
  }

  return {
    ...{ list, count, get, getByEmail, hashFor, newPassword, setPassword, create, change },
    ...{ remove, restore, block, unblock, endSessions, assignRoles },
  };
}
