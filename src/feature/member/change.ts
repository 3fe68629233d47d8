/** What an operator does to a member, each inside a transaction of the caller's. */
import { uint32Max } from "../../../schema/bound.ts";
import { type By, recordedBy } from "../../domain/by.ts";
import { OperatorRefused } from "../../domain/operator.ts";
import { checkVersion, Problem } from "../../domain/problem.ts";
import { checkEmail, checkName, mailAddress } from "../../domain/text.ts";
import type { Reader, Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import type { AuditService } from "../audit/service.ts";
import type { EventService } from "../event/service.ts";
import * as rows from "./store.ts";

export interface MemberChangeDeps {
  readonly random: Random;
  readonly audit: Pick<AuditService, "append">;
  readonly event: EventService;
}

export interface MemberDraft {
  readonly name: string;
  readonly email?: string;
  /** The number on their cards; absent: the next one. */
  readonly userId?: number;
}

export interface MemberChange {
  readonly name?: string;
  /** Null takes it away. */
  readonly email?: string | null;
  readonly status?: "active" | "suspended";
  readonly version?: number;
}

export function memberChanges({ random, audit, event }: MemberChangeDeps) {
  /**
   * One new member. @throws Problem validation-error · already-exists (userId, also of a closed one) ·
   * ids-exhausted
   */
  async function add(
    tx: Writer,
    tenantId: number,
    draft: MemberDraft,
    by: By,
    nowMs: number,
  ): Promise<rows.Member> {
    checkDraft(draft);
    const { name, email, userId: wanted } = draft;
    const userId = wanted ?? (await rows.lastUserId(tx, tenantId)) + 1;
    if (userId > uint32Max) throw new OperatorRefused("ids-exhausted", "no member number is left");
    if (wanted !== undefined && (await rows.findMember(tx, tenantId, { userId })) !== undefined) {
      throw new OperatorRefused("already-exists", "the member number is taken", "userId");
    }
    const address = email === undefined ? null : mailAddress(email);
    await rows.insertMember(tx, random.uuid(nowMs), tenantId, userId, name, address, nowMs);
    const member = await must(tx, tenantId, { userId });
    await tell(tx, "fleet.member.created", tenantId, undefined, member, by, nowMs);
    return member;
  }

  /** @throws Problem not-found · wrong-state (closed) · version-conflict · validation-error */
  async function change(
    tx: Writer,
    tenantId: number,
    ref: rows.MemberRef,
    { version, email: given, ...wanted }: MemberChange,
    by: By,
    nowMs: number,
  ): Promise<rows.Member> {
    const before = await must(tx, tenantId, ref);
    refuseClosed(before);
    checkVersion(version, before.version);
    const { name = before.name, status = before.status } = wanted;
    const email = given === undefined ? before.email : given && mailAddress(given);
    checkName("name", name);
    if (email !== null) checkEmail("email", email);
    const { memberNo } = before;
    await rows.updateMember(tx, tenantId, { memberNo, name, email, status }, nowMs);
    const after = await must(tx, tenantId, ref);
    await tell(tx, "fleet.member.updated", tenantId, before, after, by, nowMs);
    return after;
  }

  /** For good. @throws Problem not-found · wrong-state (closed) · in-use (holds an ACTIVE card) */
  async function close(
    tx: Writer,
    tenantId: number,
    ref: rows.MemberRef,
    by: By,
    nowMs: number,
  ): Promise<rows.Member> {
    const before = await must(tx, tenantId, ref);
    refuseClosed(before);
    if (await rows.hasActiveCard(tx, before.memberNo, Math.floor(nowMs / 1000))) {
      throw new OperatorRefused("in-use", "the member holds an active card");
    }
    await rows.updateMember(tx, tenantId, { ...before, status: "closed" }, nowMs);
    const after = await must(tx, tenantId, ref);
    await tell(tx, "fleet.member.closed", tenantId, before, after, by, nowMs);
    return after;
  }

  async function tell(
    tx: Writer,
    type: string,
    tenantId: number,
    before: rows.Member | undefined,
    after: rows.Member,
    by: By,
    atMs: number,
  ): Promise<void> {
    const { memberId, userId, status } = after;
    await audit.append(tx, {
      ...{ tenantId, atMs, action: type, entityType: "member", entityId: memberId },
      ...recordedBy(by),
      ...(before && { before: shown(before) }),
      after: before === undefined ? { userId, ...shown(after) } : shown(after),
    });
    await event.publish(tx, { tenantId, type, data: { memberId, userId, status }, atMs });
  }

  return { add, change, close };
}

const shown = ({ status, name, email }: rows.Member) => ({ status, name, email });

/** @throws OperatorRefused validation-error */
export function checkDraft({ name, email, userId }: MemberDraft): void {
  checkName("name", name);
  if (email !== undefined) checkEmail("email", mailAddress(email));
  if (userId === undefined) return;
  if (!Number.isInteger(userId) || userId < 1 || userId > uint32Max) {
    const message = `userId: must be a whole number from 1 to ${uint32Max}`;
    throw new OperatorRefused("validation-error", message, "userId");
  }
}

/** @throws Problem not-found */
export async function must(q: Reader, tenantId: number, ref: rows.MemberRef): Promise<rows.Member> {
  const member = await rows.findMember(q, tenantId, ref);
  if (member === undefined) throw new OperatorRefused("not-found", "there is no such member");
  return member;
}

function refuseClosed({ status: state }: rows.Member): void {
  if (state !== "closed") return;
  throw new Problem("wrong-state", "The member is closed for good.", { members: { state } });
}
