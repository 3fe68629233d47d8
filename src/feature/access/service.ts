/**
 * What somebody may do now: tenants, users, memberships with their roles, API keys, OAuth clients and
 * refresh families, kept in memory. Every write that changes one of them drops it with its COMMIT, so
 * that the very next call sees the change. Signing in and checking tokens are not here.
 */
import { accessCachedMax } from "../../../schema/bound.ts";
import type { Store, Writer } from "../../store/seam.ts";
import { type Epoch, Shelf } from "./shelf.ts";
import * as rows from "./store.ts";

export type {
  ClientAccess,
  KeyAccess,
  MemberAccess,
  SessionAccess,
  TenantAccess,
  UserAccess,
} from "./store.ts";

/** What a write changes; each member by itself, two together are two. */
export interface Forgotten {
  /** Row of the user: also drops the memberships. */
  readonly userNo?: number;
  /** Also drops its roles and the memberships in it. */
  readonly tenantId?: number;
  /** Uuids. */
  readonly apiKey?: string;
  readonly client?: string;
  readonly session?: string;
}

export type AccessService = ReturnType<typeof accessService>;

export function accessService({ store }: { readonly store: Store }) {
  const epoch: Epoch = { count: 0 };
  const shelf = <K, V>(read: ConstructorParameters<typeof Shelf<K, V>>[3]): Shelf<K, V> =>
    new Shelf<K, V>(store, epoch, accessCachedMax, read);

  const tenants = shelf<number | string, rows.TenantAccess>(rows.readTenant);
  const users = shelf<number | string, rows.UserAccess>(rows.readUser);
  const roles = shelf<number, ReadonlyMap<string, readonly string[]>>(rows.readRoles);
  const keys = shelf<string, rows.KeyAccess>(rows.readKey);
  const clients = shelf<string, rows.ClientAccess>(rows.readClient);
  const sessions = shelf<string, rows.SessionAccess>(rows.readSession);
  let rootId: number | undefined;
  /** By user, then by tenant: a person is in few. */
  const members = new Map<number, Shelf<number, rows.MemberAccess>>();

  function membersOf(userNo: number): Shelf<number, rows.MemberAccess> {
    const known = members.get(userNo);
    if (known !== undefined) return known;
    if (members.size >= accessCachedMax) members.clear();
    const made = shelf<number, rows.MemberAccess>((q, tenantId) =>
      rows.readMember(q, tenantId, userNo),
    );
    members.set(userNo, made);
    return made;
  }

  /** The tenant that all others hang below; there is one once the server is initialised. */
  async function root(): Promise<number> {
    rootId ??= await store.read(rows.readRoot);
    if (rootId === undefined) throw new Error("this server is not initialised");
    return rootId;
  }

  /** Union of what roles of these names grant in the tenant. */
  async function grantedBy(
    tenantId: number,
    roleNames: readonly string[],
  ): Promise<readonly string[]> {
    const known = await roles.find(tenantId);
    return [...new Set(roleNames.flatMap((name) => known?.get(name) ?? []))];
  }

  /**
   * Inside the write that changes something: drops what is kept of it with the COMMIT, before the
   * write's promise resolves.
   */
  function forget(tx: Writer, what: Forgotten): void {
    tx.onCommit(() => {
      epoch.count++;
      if (what.userNo !== undefined) dropUser(what.userNo);
      if (what.tenantId !== undefined) dropTenant(what.tenantId);
      if (what.apiKey !== undefined) keys.drop(what.apiKey);
      if (what.client !== undefined) clients.drop(what.client);
      if (what.session !== undefined) sessions.drop(what.session);
    });
  }

  function dropUser(userNo: number): void {
    members.delete(userNo);
    users.drop(userNo);
    for (const user of users.values()) if (user.userNo === userNo) users.drop(user.uuid);
  }

  function dropTenant(tenantId: number): void {
    const uuid = tenants.peek(tenantId)?.uuid;
    tenants.drop(tenantId);
    roles.drop(tenantId);
    for (const tenant of tenants.values()) {
      if (tenant.tenantId === tenantId) tenants.drop(tenant.uuid);
    }
    if (uuid !== undefined) tenants.drop(uuid);
    for (const ofUser of members.values()) ofUser.drop(tenantId);
  }

  return {
    /** Membership of a user in a tenant, with roles, permissions and status. */
    member: (tenantId: number, userNo: number) => membersOf(userNo).find(tenantId),
    tenant: (tenantId: number) => tenants.find(tenantId),
    tenantByUuid: (uuid: string) => tenants.find(uuid),
    root,
    /** Permissions of each role of the tenant, by its name. */
    roles: (tenantId: number) => roles.find(tenantId),
    user: (userNo: number) => users.find(userNo),
    userByUuid: (uuid: string) => users.find(uuid),
    apiKey: (uuid: string) => keys.find(uuid),
    client: (uuid: string) => clients.find(uuid),
    session: (uuid: string) => sessions.find(uuid),
    grantedBy,
    forget,
    /** Of the above, what is kept; undefined also when it is only not known yet. */
    peek: {
      member: (tenantId: number, userNo: number) => members.get(userNo)?.peek(tenantId),
      tenantByUuid: (uuid: string) => tenants.peek(uuid),
      root: () => rootId,
      userByUuid: (uuid: string) => users.peek(uuid),
      roles: (tenantId: number) => roles.peek(tenantId),
      apiKey: (uuid: string) => keys.peek(uuid),
      client: (uuid: string) => clients.peek(uuid),
      session: (uuid: string) => sessions.peek(uuid),
    },
  };
}
