/**
 * Members of a venue: the people who hold its cards. Their cards and money are not here. A closed
 * member stays closed, and its number is never given again.
 */
import { uint32Max } from "../../../schema/bound.ts";
import type { Actor } from "../../domain/audit.ts";
import { OperatorRefused } from "../../domain/operator.ts";
import { checkEmail, checkName } from "../../domain/text.ts";
import type { Reader, Store, Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import type { AuditService } from "../audit/service.ts";
import type { EventService } from "../event/service.ts";
import {
  findMember,
  hasActiveCard,
  insertMember,
  lastUserId,
  type Member,
  type MemberStatus,
  pageMembers,
  setStatus,
} from "./store.ts";

export type { Member, MemberStatus } from "./store.ts";

export interface MemberDeps {
  readonly store: Store;
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

/** Members made in one transaction; a longer list goes in several. */
const addedAtOnce = 500;
export const membersAddedMax = 100_000;

export type MemberService = ReturnType<typeof memberService>;

export function memberService({ store, random, audit, event }: MemberDeps) {
  /** The member with this number, or undefined. Reads through `q`, inside or outside a transaction. */
  const find: (q: Reader, tenantId: number, userId: number) => Promise<Member | undefined> =
    findMember;

  /**
   * One new member. @throws OperatorRefused `validation-error`, `already-exists` (userId, also of a
   * closed one), `ids-exhausted`
   */
  async function add(
    tenantId: number,
    draft: MemberDraft,
    actor: Actor,
    nowMs: number,
  ): Promise<Member> {
    check(draft);
    return await store.write((tx) => insert(tx, tenantId, draft, actor, nowMs));
  }

  /**
   * `count` members named `name 1` … `name count` with the next numbers. `onProgress` is told how many
   * there are so far. @throws OperatorRefused as `add`
   */
  async function addMany(
    tenantId: number,
    draft: Omit<MemberDraft, "userId">,
    count: number,
    actor: Actor,
    nowMs: number,
    onProgress?: (done: number) => void,
  ): Promise<Member[]> {
    if (!Number.isInteger(count) || count < 1 || count > membersAddedMax) {
      const message = `count: must be a whole number from 1 to ${membersAddedMax}`;
      throw new OperatorRefused("validation-error", message, "count");
    }
    const nameOf = (index: number): string => (count === 1 ? draft.name : `${draft.name} ${index}`);
    check({ ...draft, name: nameOf(count) });
    const added: Member[] = [];
    while (added.length < count) {
      const from = added.length;
      const to = Math.min(count, from + addedAtOnce);
      const some = await store.write(
        async (tx) => {
          const made: Member[] = [];
          for (let i = from + 1; i <= to; i++) {
            made.push(await insert(tx, tenantId, { ...draft, name: nameOf(i) }, actor, nowMs));
          }
          return made;
        },
        { weight: 4 * (to - from) },
      );
      added.push(...some);
      onProgress?.(added.length);
    }
    return added;
  }

  async function insert(
    tx: Writer,
    tenantId: number,
    { name, email, userId: wanted }: MemberDraft,
    actor: Actor,
    nowMs: number,
  ): Promise<Member> {
    const userId = wanted ?? (await lastUserId(tx, tenantId)) + 1;
    if (userId > uint32Max) throw new OperatorRefused("ids-exhausted", "no member number is left");
    if (wanted !== undefined && (await findMember(tx, tenantId, wanted)) !== undefined) {
      throw new OperatorRefused("already-exists", "the member number is taken", "userId");
    }
    await insertMember(tx, random.uuid(nowMs), tenantId, userId, name, email ?? null, nowMs);
    const member = await must(tx, tenantId, userId);
    await tell(tx, "fleet.member.created", tenantId, undefined, member, actor, nowMs);
    return member;
  }

  /**
   * @throws OperatorRefused `not-found`; `wrong-state` (closed); `in-use` (closing who holds an ACTIVE
   * card). A repeat changes nothing.
   */
  const change = (
    tenantId: number,
    userId: number,
    status: MemberStatus,
    actor: Actor,
    nowMs: number,
  ): Promise<Member> =>
    store.write(async (tx) => {
      const before = await must(tx, tenantId, userId);
      if (before.status === status) return before;
      if (before.status === "closed") {
        throw new OperatorRefused("wrong-state", "the member is closed for good");
      }
      const closing = status === "closed";
      if (closing && (await hasActiveCard(tx, before.memberNo, Math.floor(nowMs / 1000)))) {
        throw new OperatorRefused("in-use", "the member holds an active card");
      }
      await setStatus(tx, before.memberNo, status, nowMs);
      const after = await must(tx, tenantId, userId);
      const type = closing ? "fleet.member.closed" : "fleet.member.updated";
      await tell(tx, type, tenantId, before, after, actor, nowMs);
      return after;
    });

  const suspend = (tenantId: number, userId: number, actor: Actor, nowMs: number) =>
    change(tenantId, userId, "suspended", actor, nowMs);
  const resume = (tenantId: number, userId: number, actor: Actor, nowMs: number) =>
    change(tenantId, userId, "active", actor, nowMs);
  const close = (tenantId: number, userId: number, actor: Actor, nowMs: number) =>
    change(tenantId, userId, "closed", actor, nowMs);

  /** Members by number, from the one after `afterUserId`. */
  const list = (tenantId: number, afterUserId: number, limit: number): Promise<Member[]> =>
    store.read((q) => pageMembers(q, tenantId, afterUserId, limit));

  async function tell(
    tx: Writer,
    type: string,
    tenantId: number,
    before: Member | undefined,
    { memberId, userId, status, name, email }: Member,
    actor: Actor,
    atMs: number,
  ): Promise<void> {
    await audit.append(tx, {
      tenantId,
      atMs,
      action: type,
      entityType: "member",
      entityId: memberId,
      actor,
      ...(before && { before: { status: before.status } }),
      after: before === undefined ? { userId, status, name, email } : { status },
    });
    await event.publish(tx, { tenantId, type, data: { memberId, userId, status }, atMs });
  }

  return { find, add, addMany, suspend, resume, close, list };
}

function check({ name, email, userId }: MemberDraft): void {
  checkName("name", name);
  if (email !== undefined) checkEmail("email", email);
  if (userId === undefined) return;
  if (!Number.isInteger(userId) || userId < 1 || userId > uint32Max) {
    const message = `userId: must be a whole number from 1 to ${uint32Max}`;
    throw new OperatorRefused("validation-error", message, "userId");
  }
}

async function must(q: Reader, tenantId: number, userId: number): Promise<Member> {
  const member = await findMember(q, tenantId, userId);
  if (member === undefined) throw new OperatorRefused("not-found", "there is no such member");
  return member;
}
