/**
 * Where a user of a tenant stands: blocking, removing, taking back, ending sessions, each with what
 * follows from it; and what the other changes share.
 */
import { membershipKeptSec } from "../../../schema/bound.ts";
import { type By, type Holder, recordedBy } from "../../domain/by.ts";
import { memberRole, ownerRole } from "../../domain/permission.ts";
import { Problem } from "../../domain/problem.ts";
import type { Reader, Writer } from "../../store/seam.ts";
import type { AccountService, Membership } from "../account/service.ts";
import type { AuditService } from "../audit/service.ts";
import type { EventService } from "../event/service.ts";
import type { InvitationService } from "../invitation/service.ts";
import { exceeds, type RoleService } from "../role/service.ts";
import * as rows from "./store.ts";

export interface StateDeps {
  readonly audit: Pick<AuditService, "append">;
  readonly event: EventService;
  readonly account: AccountService;
  readonly role: RoleService;
  readonly invitation: Pick<InvitationService, "ask" | "withdraw" | "tellCreated">;
  readonly access: { forget(tx: Writer, what: { readonly userNo: number }): void };
  readonly sessions: {
    /** Ends families of a person, in one tenant or all; access tokens made there until now are dead. */
    revokeSessions(
      tx: Writer,
      what: { readonly userNo: number; readonly tenantId?: number; readonly by?: By },
      nowMs: number,
    ): Promise<number>;
  };
}

/** Whose doing it is: for what is kept of it, and for what they may give. */
export interface Doer {
  readonly by: By;
  readonly holder: Holder;
}

export function userStates(deps: StateDeps) {
  const { audit, event, account, role, invitation, access } = deps;
  const { revokeSessions } = deps.sessions;

  /** One step of a user's state, with what follows from it. */
  async function move(
    tx: Writer,
    tenantId: number,
    before: rows.User,
    to: rows.User["status"],
    type: string,
    by: By,
    nowMs: number,
  ): Promise<void> {
    const { userNo, uuid: userId } = before;
    const member = await mustMembership(tx, tenantId, userNo);
    await account.setStatus(tx, tenantId, member.membershipNo, to, nowMs);
    access.forget(tx, { userNo });
    await audit.append(tx, {
      ...{ tenantId, atMs: nowMs, action: type, ...entity(userId) },
      ...recordedBy(by),
      ...{ before: { status: before.status }, after: { status: to } },
    });
    const { type: kind, id } = by.actor;
    const isBlocking = type.endsWith("blocked");
    const data = { userId, ...(isBlocking && { actor: { type: kind, id } }) };
    await event.publish(tx, { tenantId, type, data, atMs: nowMs });
  }

  /**
   * The membership ends, its tokens with it; restorable for 30 days.
   * @throws Problem not-found · owner-protected
   */
  async function remove(
    tx: Writer,
    tenantId: number,
    uuid: string,
    by: By,
    nowMs: number,
  ): Promise<void> {
    const before = await mustUser(tx, tenantId, uuid, nowMs);
    if (before.status === "deleted") throw new Problem("not-found", "There is no such user.");
    refuseOwner(before);
    await revokeSessions(tx, { userNo: before.userNo, tenantId }, nowMs);
    await invitation.withdraw(tx, tenantId, before.email, by, nowMs);
    await move(tx, tenantId, before, "deleted", "auth.user.deleted", by, nowMs);
  }

  /**
   * Takes a removed user back, with the roles they had as far as they are still there; one who never
   * came is asked again.
   * @throws Problem not-found · wrong-state (not removed) · permission-escalation
   */
  async function restore(
    tx: Writer,
    tenantId: number,
    uuid: string,
    { by, holder }: Doer,
    nowMs: number,
  ): Promise<rows.User> {
    const before = await mustUser(tx, tenantId, uuid, nowMs);
    if (before.status !== "deleted") throw wrongState(before);
    const roles = before.roles.length === 0 ? [memberRole] : before.roles;
    if (exceeds(await role.permissionsOf(tx, tenantId, roles), holder)) {
      throw new Problem("permission-escalation", "The user may do what you may not.");
    }
    const member = await mustMembership(tx, tenantId, before.userNo);
    const to = member.joinedAtMs === null ? "invited" : "active";
    await move(tx, tenantId, before, to, "auth.user.restored", by, nowMs);
    await account.setRoles(tx, tenantId, member.membershipNo, roles, nowMs);
    if (to === "invited") {
      const { email, name } = before;
      const asked = { tenantId, email, name, roles, letter: "invite" } as const;
      await invitation.ask(tx, asked, by, nowMs);
    }
    return await mustUser(tx, tenantId, uuid, nowMs);
  }

  /** @throws Problem not-found · wrong-state (not active) · owner-protected */
  async function block(
    tx: Writer,
    tenantId: number,
    uuid: string,
    by: By,
    nowMs: number,
  ): Promise<rows.User> {
    const before = await mustUser(tx, tenantId, uuid, nowMs);
    refuseOwner(before);
    if (before.status !== "active") throw wrongState(before);
    await revokeSessions(tx, { userNo: before.userNo, tenantId }, nowMs);
    await move(tx, tenantId, before, "blocked", "auth.user.blocked", by, nowMs);
    return await mustUser(tx, tenantId, uuid, nowMs);
  }

  /** @throws Problem not-found · wrong-state (not blocked) */
  async function unblock(
    tx: Writer,
    tenantId: number,
    uuid: string,
    by: By,
    nowMs: number,
  ): Promise<rows.User> {
    const before = await mustUser(tx, tenantId, uuid, nowMs);
    if (before.status !== "blocked") throw wrongState(before);
    await move(tx, tenantId, before, "active", "auth.user.unblocked", by, nowMs);
    return await mustUser(tx, tenantId, uuid, nowMs);
  }

  /** Signs a user out of the tenant everywhere. @throws Problem not-found */
  async function endSessions(
    tx: Writer,
    tenantId: number,
    uuid: string,
    by: By,
    nowMs: number,
  ): Promise<void> {
    const { userNo } = await mustUser(tx, tenantId, uuid, nowMs);
    const ended = await revokeSessions(tx, { userNo, tenantId, by }, nowMs);
    if (ended > 0) return;
    await audit.append(tx, {
      ...{ tenantId, atMs: nowMs, action: "auth.session.revoked", ...entity(uuid) },
      ...recordedBy(by),
    });
  }

  async function mustMembership(q: Reader, tenantId: number, userNo: number): Promise<Membership> {
    const member = await account.membership(q, tenantId, userNo);
    if (member === undefined) throw new Error("a user of the tenant has no membership");
    return member;
  }

  return { remove, restore, block, unblock, endSessions, mustMembership };
}

export const wrongState = ({ status }: rows.User): Problem =>
  new Problem("wrong-state", `The user is ${status}.`, { members: { state: status } });

/** Of an audit record. */
export const entity = (entityId: string) => ({ entityType: "user", entityId });

/** @throws Problem owner-protected */
export function refuseOwner({ roles }: rows.User): void {
  if (!roles.includes(ownerRole)) return;
  throw new Problem("owner-protected", "The owner stays until the ownership is transferred.");
}

/** Past the 30 days a removed user is no more, swept up or not. @throws Problem not-found */
export async function mustUser(
  q: Reader,
  tenantId: number,
  uuid: string,
  nowMs: number,
): Promise<rows.User> {
  const user = await rows.findUser(q, tenantId, uuid);
  const goneMs = (user?.deletedAtMs ?? Number.POSITIVE_INFINITY) + membershipKeptSec * 1000;
  if (user === undefined || goneMs <= nowMs) {
    throw new Problem("not-found", "There is no such user.");
  }
  return user;
}
