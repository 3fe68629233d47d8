/**
 * Asking people into a tenant by mail: the link is good once, for 72 hours, and a new one makes the old
 * one dead. Who follows it becomes a member; a new person chooses a password, a known one gives theirs.
 * Signing them in afterwards is not here.
 */
import { invitationLifeSec } from "../../../schema/bound.ts";
import { type By, type Holder, recordedBy } from "../../domain/by.ts";
import { checkLink, type InvitationState, nameOf, stateOf } from "../../domain/invitation.ts";
import { hashOf, opaqueBytes, opaqueToken } from "../../domain/opaque.ts";
import { checkNewPassword } from "../../domain/password.ts";
import { memberRole, ownerRole } from "../../domain/permission.ts";
import { Problem } from "../../domain/problem.ts";
import type { Reader, Store, Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import type { Account, AccountService } from "../account/service.ts";
import type { AuditService } from "../audit/service.ts";
import type { EventService } from "../event/service.ts";
import type { MailService } from "../mail/service.ts";
import { exceeds, type RoleService } from "../role/service.ts";
import * as rows from "./store.ts";

export type { InvitationState } from "../../domain/invitation.ts";
export type { Invitation } from "./store.ts";

/** Argon2id; takes its time, so never inside a write. */
export interface Passwords {
  hash(password: string): Promise<string>;
  verify(password: string, hash: string): Promise<boolean>;
}

export interface InvitationDeps {
  readonly store: Store;
  readonly random: Random;
  readonly audit: Pick<AuditService, "append">;
  readonly event: EventService;
  readonly account: AccountService;
  readonly role: RoleService;
  readonly mail: Pick<MailService, "queue">;
  readonly access: { forget(tx: Writer, what: { readonly userNo: number }): void };
  readonly passwords: Passwords;
}

export interface InvitationDraft {
  /** Trimmed and in lower case. */
  readonly email: string;
  readonly name?: string;
  /** Names; absent: `member`. */
  readonly roles?: readonly string[];
}

/** Somebody whom an operator has decided to ask; nothing is judged any more. */
export interface Asked {
  readonly tenantId: number;
  readonly email: string;
  readonly name: string | null;
  readonly roles: readonly string[];
  /** Which letter goes out: to a new user that was made without a password, or to anybody. */
  readonly letter: "invite" | "setPassword";
}

export interface Acceptance {
  readonly token: string;
  readonly password: string;
  readonly name?: string;
}

export interface Accepted {
  readonly userNo: number;
  readonly userUuid: string;
  readonly email: string;
  readonly tenantId: number;
}

export type InvitationService = ReturnType<typeof invitationService>;

export function invitationService(deps: InvitationDeps) {
  const { store, random, audit, event, account, role, mail, access, passwords } = deps;

  /**
   * Asks somebody by mail to join. An older invitation of the same address is revoked.
   * @throws Problem already-member · permission-escalation · validation-error (no such role)
   */
  async function create(
    tx: Writer,
    tenantId: number,
    { email, name, roles = [memberRole] }: InvitationDraft,
    holder: Holder,
    by: By,
    nowMs: number,
  ): Promise<rows.Invitation> {
    await role.checkGiven(tx, tenantId, roles, holder);
    const known = await account.byEmail(tx, email);
    const member = known && (await account.membership(tx, tenantId, known.userNo));
    if (member !== undefined && member.status !== "deleted") throw new Problem("already-member");
    const asked = { tenantId, email, name: name ?? null, roles: [...new Set(roles)] };
    return await ask(tx, { ...asked, letter: "invite" }, by, nowMs);
  }

  /** Makes the invitation and puts its letter on the way; whether it may be made is decided before. */
  async function ask(
    tx: Writer,
    { letter: kind, ...asked }: Asked,
    by: By,
    nowMs: number,
  ): Promise<rows.Invitation> {
    await withdraw(tx, asked.tenantId, asked.email, by, nowMs);
    const uuid = random.uuid(nowMs);
    const token = opaqueToken("in_", random.bytes(opaqueBytes));
    const expiresAtMs = nowMs + invitationLifeSec * 1000;
    const row = { ...asked, uuid, tokenHash: hashOf(token), expiresAtMs, invitedBy: by.actor.id };
    await rows.insertInvitation(tx, row, nowMs);
    const made = await must(tx, asked.tenantId, uuid);
    await post(tx, made, kind, token, nowMs);
    await tell(tx, "auth.invitation.created", made, by, nowMs);
    return made;
  }

  async function post(
    tx: Writer,
    { tenantId, email }: rows.Invitation,
    kind: "invite" | "setPassword",
    token: string,
    nowMs: number,
  ): Promise<void> {
    const tenantName = (await rows.tenantNamed(tx, tenantId))?.name ?? "";
    await mail.queue(tx, { to: email, tenantId, letter: { kind, token, tenantName } }, nowMs);
  }

  /** Revokes what is open for an address in a tenant; tells how many. */
  async function withdraw(
    tx: Writer,
    tenantId: number,
    email: string,
    by: By,
    nowMs: number,
  ): Promise<number> {
    const open = await rows.pendingInvitations(tx, tenantId, email);
    for (const each of open) await settle(tx, each, "revoked", by, nowMs);
    return open.length;
  }

  async function settle(
    tx: Writer,
    invitation: rows.Invitation,
    status: "accepted" | "revoked",
    by: By,
    nowMs: number,
  ): Promise<void> {
    await rows.settleInvitation(tx, invitation, status, nowMs);
    await tell(tx, `auth.invitation.${status}`, invitation, by, nowMs);
  }

  /**
   * A new link, another 72 hours; the old link is dead.
   * @throws Problem not-found · wrong-state (accepted, revoked) · permission-escalation
   */
  async function resend(
    tx: Writer,
    tenantId: number,
    uuid: string,
    holder: Holder,
    by: By,
    nowMs: number,
  ): Promise<rows.Invitation> {
    const found = await must(tx, tenantId, uuid);
    checkOpen(found, nowMs, ["pending", "expired"]);
    const granted = await role.permissionsOf(tx, tenantId, found.roles);
    if (exceeds(granted, holder)) throw new Problem("permission-escalation");
    const token = opaqueToken("in_", random.bytes(opaqueBytes));
    const expiresAtMs = nowMs + invitationLifeSec * 1000;
    await rows.renewInvitation(tx, found, hashOf(token), expiresAtMs, nowMs);
    await post(tx, found, "invite", token, nowMs);
    const renewed = await must(tx, tenantId, uuid);
    await tell(tx, "auth.invitation.created", renewed, by, nowMs);
    return renewed;
  }

  /**
   * @throws Problem not-found · wrong-state (accepted, revoked, or that of the tenant's owner)
   */
  async function revoke(
    tx: Writer,
    tenantId: number,
    uuid: string,
    by: By,
    nowMs: number,
  ): Promise<void> {
    const found = await must(tx, tenantId, uuid);
    checkOpen(found, nowMs, ["pending", "expired"]);
    if (found.roles.includes(ownerRole)) {
      throw new Problem("wrong-state", "The invitation of the owner stays.", {
        members: { state: stateOf(found, nowMs) },
      });
    }
    await settle(tx, found, "revoked", by, nowMs);
  }

  /** Newest first, below a number. */
  const list = (
    tenantId: number,
    status: InvitationState | undefined,
    belowNo: number,
    limit: number,
    nowMs: number,
  ): Promise<rows.Invitation[]> =>
    store.read((q) => rows.pageInvitations(q, tenantId, status ?? null, nowMs, belowNo, limit));

  const count = (
    tenantId: number,
    status: InvitationState | undefined,
    nowMs: number,
  ): Promise<number> =>
    store.read((q) => rows.countInvitations(q, tenantId, status ?? null, nowMs));

  /**
   * The holder of a link joins: their own password if they have one, else the one they choose.
   * @throws Problem token-invalid · token-expired · invalid-credentials · validation-error (password)
   */
  async function accept(
    { token, password, name }: Acceptance,
    from: Omit<By, "actor">,
    nowMs: number,
  ): Promise<Accepted> {
    const tokenHash = hashOf(token);
    const { found, known } = await store.read(async (q) => {
      const found = checkLink(await rows.invitationWithToken(q, tokenHash), nowMs);
      const tenant = await rows.tenantNamed(q, found.tenantId);
      if (tenant === undefined || tenant.status === "deleted") throw new Problem("token-invalid");
      return { found, known: await account.byEmail(q, found.email) };
    });
    const ownHash = known?.passwordHash ?? null;
    let chosenHash: string | null = null;
    if (ownHash === null) {
      checkNewPassword(password, found.email);
      chosenHash = await passwords.hash(password);
    } else if (!(await passwords.verify(password, ownHash))) {
      throw new Problem("invalid-credentials");
    }
    return await store.write(async (tx) => {
      const link = checkLink(await rows.invitationWithToken(tx, tokenHash), nowMs);
      const now = await account.byEmail(tx, link.email);
      // What was checked must be what is there: a password set meanwhile is not the one that was given.
      if ((now?.passwordHash ?? null) !== ownHash) throw new Problem("invalid-credentials");
      return await join(tx, link, now, chosenHash, name, from, nowMs);
    });
  }

  async function join(
    tx: Writer,
    invitation: rows.Invitation,
    known: Account | undefined,
    chosenHash: string | null,
    name: string | undefined,
    from: Omit<By, "actor">,
    nowMs: number,
  ): Promise<Accepted> {
    const { tenantId, email } = invitation;
    const called = name ?? invitation.name ?? nameOf(email);
    const draft = { email, name: called, passwordHash: chosenHash, emailVerifiedAtMs: nowMs };
    const person = known ?? (await account.create(tx, draft, nowMs));
    const { userNo, uuid } = person;
    const by: By = { ...from, actor: { type: "user", id: uuid } };
    if (known !== undefined) {
      await account.prove(tx, userNo, chosenHash, nowMs);
      if (chosenHash !== null && name !== undefined && name !== known.name) {
        await account.change(tx, { ...known, emailVerifiedAtMs: nowMs }, { name }, nowMs);
      }
    }
    await admit(tx, invitation, person, by, nowMs);
    if (known?.emailVerifiedAtMs === null) await tellVerified(tx, tenantId, uuid, by, nowMs);
    await settle(tx, invitation, "accepted", by, nowMs);
    access.forget(tx, { userNo });
    return { userNo, userUuid: uuid, email, tenantId };
  }

  /** A membership that waited becomes active; without one there is one now. */
  async function admit(
    tx: Writer,
    { tenantId, roles }: rows.Invitation,
    { userNo, uuid, email }: Account,
    by: By,
    nowMs: number,
  ): Promise<void> {
    const member = await account.membership(tx, tenantId, userNo);
    if (member?.status === "invited") {
      await account.setStatus(tx, tenantId, member.membershipNo, "active", nowMs);
      return;
    }
    // Blocked meanwhile, or in the tenant already: the link is no way around that.
    if (member !== undefined && member.status !== "deleted") throw new Problem("token-invalid");
    await account.join(tx, { tenantId, userNo, status: "active", roles }, nowMs);
    await tellCreated(tx, tenantId, { userId: uuid, email, roles }, by, nowMs);
  }

  /** That a person is part of a tenant from now on, invited ones too. */
  async function tellCreated(
    tx: Writer,
    tenantId: number,
    { userId, email, roles }: { userId: string; email: string; roles: readonly string[] },
    by: By,
    atMs: number,
  ): Promise<void> {
    const type = "auth.user.created";
    const tenant = await rows.tenantNamed(tx, tenantId);
    await audit.append(tx, {
      ...{ tenantId, atMs, action: type, entityType: "user", entityId: userId },
      ...recordedBy(by),
      after: { email, roles },
    });
    const data = { userId, email, tenantId: tenant?.uuid ?? null, roles };
    await event.publish(tx, { tenantId, type, data, atMs });
  }

  async function tellVerified(
    tx: Writer,
    tenantId: number,
    userId: string,
    by: By,
    atMs: number,
  ): Promise<void> {
    const type = "auth.email.verified";
    const entity = { entityType: "user", entityId: userId };
    await audit.append(tx, { tenantId, atMs, action: type, ...entity, ...recordedBy(by) });
    await event.publish(tx, { tenantId, type, data: { userId }, atMs });
  }

  async function tell(
    tx: Writer,
    type: string,
    { tenantId, uuid: invitationId, email, roles }: rows.Invitation,
    by: By,
    atMs: number,
  ): Promise<void> {
    await audit.append(tx, {
      ...{ tenantId, atMs, action: type, entityType: "invitation", entityId: invitationId },
      ...recordedBy(by),
      after: { email, roles },
    });
    await event.publish(tx, { tenantId, type, data: { invitationId, email, roles }, atMs });
  }

  return {
    ...{ create, ask, withdraw, resend, revoke },
    ...{ list, count, accept, tellCreated },
  };
}

/** @throws Problem wrong-state */
function checkOpen(
  invitation: rows.Invitation,
  nowMs: number,
  allowed: readonly InvitationState[],
): void {
  const state = stateOf(invitation, nowMs);
  if (allowed.includes(state)) return;
  throw new Problem("wrong-state", `The invitation is ${state}.`, { members: { state } });
}

async function must(q: Reader, tenantId: number, uuid: string): Promise<rows.Invitation> {
  const found = await rows.findInvitation(q, tenantId, uuid);
  if (found === undefined) throw new Problem("not-found", "There is no such invitation.");
  return found;
}
