/**
 * People, known once to the whole server, and what each is in which tenant: the one writer of accounts,
 * memberships, their roles and owners. Rules about who may change them stand with those who ask; signing
 * in is not here.
 */
import { membershipKeptSec } from "../../../schema/bound.ts";
import type { Reader, Store, Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import * as rows from "./store.ts";

export type { Account, Membership } from "./store.ts";

export interface AccountDeps {
  readonly store: Store;
  readonly random: Random;
}

export interface AccountDraft {
  /** Trimmed and in lower case. */
  readonly email: string;
  readonly name: string | null;
  /** Argon2id; null: none is set yet. */
  readonly passwordHash: string | null;
  /** BCP 47; default `en`. */
  readonly locale?: string;
  readonly emailVerifiedAtMs?: number;
}

export interface JoinDraft {
  readonly tenantId: number;
  readonly userNo: number;
  readonly status: "active" | "invited";
  /** Names of roles of the tenant. */
  readonly roles: readonly string[];
  /** Makes them the tenant's one owner. */
  readonly isOwner?: true;
}

export interface AccountChange {
  readonly name?: string;
  /** Unverified from then on. */
  readonly email?: string;
}

export type AccountService = ReturnType<typeof accountService>;

const purgeRows = 200;

export function accountService({ store, random }: AccountDeps) {
  /** Who has this address; undefined if nobody. */
  const byEmail: (q: Reader, email: string) => Promise<rows.Account | undefined> =
    rows.accountWithEmail;
  const byUuid: (q: Reader, uuid: string) => Promise<rows.Account | undefined> =
    rows.accountWithUuid;
  const byNo: (q: Reader, userNo: number) => Promise<rows.Account | undefined> = rows.accountWithNo;

  /** What a person is in a tenant, a removed one included for as long as it can be taken back. */
  const membership: (
    q: Reader,
    tenantId: number,
    userNo: number,
  ) => Promise<rows.Membership | undefined> = rows.findMembership;

  /** A new person; the address must not be taken. */
  async function create(tx: Writer, draft: AccountDraft, nowMs: number): Promise<rows.Account> {
    const { email, name, passwordHash, locale = "en", emailVerifiedAtMs = null } = draft;
    const uuid = random.uuid(nowMs);
    const row = { uuid, email, name, locale, passwordHash, emailVerifiedAtMs };
    const userNo = await rows.insertAccount(tx, row, nowMs);
    return { userNo, uuid, email, name, passwordHash, emailVerifiedAtMs, version: 1 };
  }

  /** Name and address; the version goes up by one. */
  async function change(
    tx: Writer,
    account: rows.Account,
    { name = account.name ?? "", email }: AccountChange,
    nowMs: number,
  ): Promise<rows.Account> {
    const isMoved = email !== undefined && email !== account.email;
    const after = {
      ...account,
      name: name === "" ? null : name,
      ...(isMoved && { email, emailVerifiedAtMs: null }),
    };
    await rows.updateAccount(tx, after, nowMs);
    return { ...after, version: account.version + 1 };
  }

  /** A mailed link was followed: the address is proved, and a first password may be set. */
  const prove: (
    tx: Writer,
    userNo: number,
    passwordHash: string | null,
    nowMs: number,
  ) => Promise<void> = rows.proveAccount;

  /** Argon2id of a new password; who has signed in with the old one is not signed out here. */
  const setPassword: (
    tx: Writer,
    userNo: number,
    passwordHash: string,
    nowMs: number,
  ) => Promise<void> = rows.setAccountPassword;

  /** Makes a person part of a tenant; one that was removed starts anew. */
  async function join(
    tx: Writer,
    { tenantId, userNo, status, roles, isOwner }: JoinDraft,
    nowMs: number,
  ): Promise<rows.Membership> {
    const membershipNo = await rows.putMembership(tx, tenantId, userNo, status, nowMs);
    await rows.putRoles(tx, tenantId, membershipNo, roles, nowMs);
    if (isOwner) await rows.putOwner(tx, tenantId, membershipNo);
    const joinedAtMs = status === "active" ? nowMs : null;
    const is = { status, roles, isOwner: isOwner === true };
    return { membershipNo, ...is, deletedAtMs: null, joinedAtMs };
  }

  const setStatus: (
    tx: Writer,
    tenantId: number,
    membershipNo: number,
    status: rows.MembershipStatus,
    nowMs: number,
  ) => Promise<void> = rows.setMembershipStatus;

  /** Replaces the set; each name must be a role of the tenant. */
  const setRoles: (
    tx: Writer,
    tenantId: number,
    membershipNo: number,
    roles: readonly string[],
    nowMs: number,
  ) => Promise<void> = rows.putRoles;

  const setOwner: (tx: Writer, tenantId: number, membershipNo: number) => Promise<void> =
    rows.putOwner;

  /** In how many tenants the person is, removed memberships left out. */
  const tenantsOf: (q: Reader, userNo: number) => Promise<number> = rows.countMemberships;

  /** Forgets memberships removed for longer than they can be taken back; tells how many. */
  const purge = (nowMs: number): Promise<number> =>
    store.write(async (tx) => {
      const until = nowMs - membershipKeptSec * 1000;
      const lapsed = await rows.lapsedMemberships(tx, until, purgeRows);
      for (const { tenant_id, membership_no } of lapsed) {
        await rows.deleteMembership(tx, tenant_id, membership_no);
      }
      return lapsed.length;
    });

  return {
    ...{ byEmail, byUuid, byNo, membership, create, change, prove, setPassword },
    ...{ join, setStatus, setRoles, setOwner, tenantsOf, purge },
  };
}
