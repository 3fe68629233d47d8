/**
 * Members of a venue: the people who hold its cards. Their cards and money are not here. A closed
 * member stays closed, and its number is never given again.
 */
import type { Actor } from "../../domain/audit.ts";
import type { By } from "../../domain/by.ts";
import { OperatorRefused } from "../../domain/operator.ts";
import { globOf } from "../../domain/search.ts";
import type { Reader, Store, Writer } from "../../store/seam.ts";
import { nextTurn } from "../../system/turn.ts";
import {
  checkDraft,
  type MemberChange,
  type MemberChangeDeps,
  type MemberDraft,
  memberChanges,
  must,
} from "./change.ts";
import type { Member, MemberRef, MemberStatus } from "./store.ts";
import * as rows from "./store.ts";

export type { MemberChange, MemberDraft } from "./change.ts";
export type { Member, MemberRef, MemberStatus } from "./store.ts";

export interface MemberDeps extends MemberChangeDeps {
  readonly store: Store;
}

export interface MemberFilter {
  readonly status?: MemberStatus;
  readonly userId?: number;
  /** Part of name or address, capitals not minded. */
  readonly q?: string;
}

/** Members made in one transaction; a longer list goes in several. */
const addedAtOnce = 500;
export const membersAddedMax = 100_000;
/** Members that a search looks at before others have their turn. */
const searchedAtOnce = 2_000;

export type MemberService = ReturnType<typeof memberService>;

export function memberService(deps: MemberDeps) {
  const { store } = deps;
  const within = memberChanges(deps);

  /** The member with this number, or undefined. Reads through `q`, inside or outside a transaction. */
  const find = (q: Reader, tenantId: number, userId: number): Promise<Member | undefined> =>
    rows.findMember(q, tenantId, { userId });

  /** As `within.add`, by itself. */
  const add = (
    tenantId: number,
    draft: MemberDraft,
    actor: Actor,
    nowMs: number,
  ): Promise<Member> => store.write((tx) => within.add(tx, tenantId, draft, { actor }, nowMs));

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
    checkDraft({ ...draft, name: nameOf(count) });
    const added: Member[] = [];
    while (added.length < count) {
      const from = added.length;
      const to = Math.min(count, from + addedAtOnce);
      const some = await store.write(
        async (tx) => {
          const made: Member[] = [];
          for (let i = from + 1; i <= to; i++) {
            const each = { ...draft, name: nameOf(i) };
            made.push(await within.add(tx, tenantId, each, { actor }, nowMs));
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

  /** A step by itself, unless it is done already; of a member by number. */
  const alone =
    (
      status: MemberStatus,
      step: (
        tx: Writer,
        tenantId: number,
        ref: MemberRef,
        by: By,
        nowMs: number,
      ) => Promise<Member>,
    ) =>
    (tenantId: number, userId: number, actor: Actor, nowMs: number): Promise<Member> =>
      store.write(async (tx) => {
        const before = await must(tx, tenantId, { userId });
        return before.status === status
          ? before
          : await step(tx, tenantId, { userId }, { actor }, nowMs);
      });

  /** As `within.change`, by itself. */
  const change = (
    tenantId: number,
    userId: number,
    wanted: MemberChange,
    actor: Actor,
    nowMs: number,
  ): Promise<Member> =>
    store.write((tx) => within.change(tx, tenantId, { userId }, wanted, { actor }, nowMs));

  const suspend = alone("suspended", (tx, tenantId, ref, by, nowMs) =>
    within.change(tx, tenantId, ref, { status: "suspended" }, by, nowMs),
  );
  const resume = alone("active", (tx, tenantId, ref, by, nowMs) =>
    within.change(tx, tenantId, ref, { status: "active" }, by, nowMs),
  );
  const close = alone("closed", within.close);

  /** @throws Problem not-found */
  const get = (tenantId: number, ref: MemberRef): Promise<Member> =>
    store.read((q) => must(q, tenantId, ref));

  /** Members by number, from the one after `afterUserId`. */
  const list = (tenantId: number, afterUserId: number, limit: number): Promise<Member[]> =>
    store.read((q) => rows.pageMembers(q, tenantId, afterUserId, limit));

  /** Newest first, below the place of another. */
  const search = (
    tenantId: number,
    { status, userId, q: part }: MemberFilter,
    belowNo: number,
    limit: number,
  ): Promise<Member[]> =>
    store.read(async (q) => {
      if (userId !== undefined) {
        const only = await one(q, tenantId, { userId, status, part });
        return only !== undefined && only.memberNo < belowNo ? [only] : [];
      }
      if (part === undefined) return await rows.newestMembers(q, tenantId, status, belowNo, limit);
      const found: number[] = [];
      const wanted = { glob: globOf(part), ...(status !== undefined && { status }) };
      for await (const fits of stretches(q, tenantId, wanted, belowNo)) {
        found.push(...fits);
        if (found.length >= limit) break;
      }
      const members: Member[] = [];
      for (const no of found.slice(0, limit)) members.push(await rows.getMember(q, tenantId, no));
      return members;
    });

  const count = (tenantId: number, { status, userId, q: part }: MemberFilter): Promise<number> =>
    store.read(async (q) => {
      if (userId !== undefined) {
        return (await one(q, tenantId, { userId, status, part })) === undefined ? 0 : 1;
      }
      if (part === undefined) return await rows.countMembers(q, tenantId, status);
      let total = 0;
      const wanted = { glob: globOf(part), ...(status !== undefined && { status }) };
      const all = stretches(q, tenantId, wanted, Number.MAX_SAFE_INTEGER);
      for await (const fits of all) total += fits.length;
      return total;
    });

  return {
    ...{ within, find, add, addMany, change, suspend, resume, close },
    ...{ get, list, search, count },
  };
}

/** The member of a number, if the rest of a filter lets it through. */
async function one(
  q: Reader,
  tenantId: number,
  wanted: {
    readonly userId: number;
    readonly status: MemberStatus | undefined;
    readonly part: string | undefined;
  },
): Promise<Member | undefined> {
  const member = await rows.findMember(q, tenantId, { userId: wanted.userId });
  if (member === undefined) return undefined;
  const { name, email, status } = member;
  if (wanted.status !== undefined && status !== wanted.status) return undefined;
  const part = wanted.part?.toLowerCase() ?? "";
  const fits = [name, email ?? ""].some((text) => text.toLowerCase().includes(part));
  return fits ? member : undefined;
}

/** Who fits, newest first, a stretch at a time; others have their turn between two. */
async function* stretches(
  q: Reader,
  tenantId: number,
  wanted: { readonly glob: string; readonly status?: MemberStatus },
  belowNo: number,
): AsyncGenerator<readonly number[]> {
  for (let below = belowNo; below > 0; ) {
    const { fits, next } = await rows.lookAtMembers(q, tenantId, wanted, below, searchedAtOnce);
    yield fits;
    below = next;
    if (below > 0) await nextTurn();
  }
}
