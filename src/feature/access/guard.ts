/**
 * The way in to the operator surface: an access token becomes a caller, joined with what holds now, or
 * a 401. What was worked out for a token is kept while nothing that it rests on has changed. Limits,
 * blocked tenants and permissions are asked further down the pipeline.
 */
import { isAllowed } from "../../domain/cidr.ts";
import { type Claims, ownAudience } from "../../domain/claims.ts";
import { covers } from "../../domain/permission.ts";
import { Problem } from "../../domain/problem.ts";
import { meet } from "../../domain/scope.ts";
import type { Caller } from "../../http/platform/caller.ts";
import type { AdmitCaller, Knock } from "../../http/platform/surface.ts";
import type {
  AccessService,
  ClientAccess,
  KeyAccess,
  MemberAccess,
  SessionAccess,
  TenantAccess,
  UserAccess,
} from "./service.ts";

export interface GuardDeps {
  readonly access: AccessService;
  /** @throws Problem `unauthorized` `token-expired` */
  verifyAccess(token: string, nowMs: number): Claims | Promise<Claims>;
}

/** What a caller rests on; absent: not needed for this kind of token, or not there. */
interface Parts {
  readonly tenant: TenantAccess | undefined;
  readonly session?: SessionAccess | undefined;
  readonly user?: UserAccess | undefined;
  /** Under impersonation: of the one who acts, in the root tenant. */
  readonly member?: MemberAccess | undefined;
  readonly client?: ClientAccess | undefined;
  readonly key?: KeyAccess | undefined;
  readonly roles?: ReadonlyMap<string, readonly string[]> | undefined;
}

interface Kept {
  readonly parts: Parts;
  readonly caller: Caller;
}

/** Routes ask for fewer; a name that a caller makes up must not fill memory. */
const permissionsKnownMax = 256;

const revoked = (): Problem => new Problem("token-revoked");
const unauthorized = (detail: string): Problem => new Problem("unauthorized", detail);

/** Whose token it is: 401 `unauthorized` `token-expired` `token-revoked`. */
export function platformGuard({ access, verifyAccess }: GuardDeps): AdmitCaller {
  const kept = new WeakMap<Claims, Kept>();

  function admitClaims(claims: Claims, knock: Knock): Caller | Promise<Caller> {
    const parts = peekParts(access, claims);
    return parts === undefined
      ? loadParts(access, claims).then((loaded) => callerFrom(claims, loaded, knock))
      : callerFrom(claims, parts, knock);
  }

  function callerFrom(claims: Claims, parts: Parts, knock: Knock): Caller {
    if (parts.key !== undefined && !isAllowed(knock.address, parts.key.allowedIps)) {
      throw unauthorized("The key is not to be used from this address.");
    }
    const known = kept.get(claims);
    if (known !== undefined && isSame(known.parts, parts)) return known.caller;
    const caller = callerOf(claims, parts);
    kept.set(claims, { parts, caller });
    return caller;
  }

  return (knock, nowMs) => {
    const claims = verifyAccess(knock.token, nowMs);
    return claims instanceof Promise
      ? claims.then((read) => admitClaims(read, knock))
      : admitClaims(claims, knock);
  };
}

const isSame = (a: Parts, b: Parts): boolean =>
  a.tenant === b.tenant &&
  a.session === b.session &&
  a.user === b.user &&
  a.member === b.member &&
  a.client === b.client &&
  a.key === b.key &&
  a.roles === b.roles;

/** From memory alone; undefined unless all that is needed is there. */
function peekParts({ peek }: AccessService, claims: Claims): Parts | undefined {
  const { principal, sid, audience, actorId } = claims;
  const tenant = peek.tenantByUuid(claims.tenantId);
  const session = sid === null ? undefined : peek.session(sid);
  if (tenant === undefined || (sid !== null && session === undefined)) return undefined;
  if (principal === "apiKey") {
    const key = peek.apiKey(claims.sub);
    const roles = peek.roles(tenant.tenantId);
    return key === undefined || roles === undefined ? undefined : { tenant, key, roles };
  }
  const clientId = principal === "client" ? claims.sub : audience;
  const client = clientId === ownAudience ? undefined : peek.client(clientId);
  if (clientId !== ownAudience && client === undefined) return undefined;
  if (principal === "client") return { tenant, session, client };
  const user = peek.userByUuid(claims.sub);
  if (user === undefined) return undefined;
  const rootId = actorId === null ? tenant.tenantId : peek.root();
  const member = rootId === undefined ? undefined : peek.member(rootId, user.userNo);
  if (member === undefined) return undefined;
  if (actorId === null) return { tenant, session, user, member, client };
  const roles = peek.roles(tenant.tenantId);
  return roles && { tenant, session, user, member, client, roles };
}

async function loadParts(access: AccessService, claims: Claims): Promise<Parts> {
  const { principal, sid, audience, actorId } = claims;
  const [tenant, session] = await Promise.all([
    access.tenantByUuid(claims.tenantId),
    sid === null ? undefined : access.session(sid),
  ]);
  if (tenant === undefined || (sid !== null && session === undefined)) throw revoked();
  if (principal === "apiKey") {
    const [key, roles] = await Promise.all([
      access.apiKey(claims.sub),
      access.roles(tenant.tenantId),
    ]);
    return { tenant, key, roles };
  }
  const clientId = principal === "client" ? claims.sub : audience;
  const client = clientId === ownAudience ? undefined : await access.client(clientId);
  if (principal === "client") return { tenant, session, client };
  const user = await access.userByUuid(claims.sub);
  if (user === undefined) throw revoked();
  const rootId = actorId === null ? tenant.tenantId : await access.root();
  const member = await access.member(rootId, user.userNo);
  if (actorId === null) return { tenant, session, user, member, client };
  return { tenant, session, user, member, client, roles: await access.roles(tenant.tenantId) };
}

/** @throws Problem `token-revoked` `unauthorized` */
function callerOf(claims: Claims, parts: Parts): Caller {
  const { tenant, session } = parts;
  if (tenant === undefined || tenant.status === "deleted") throw revoked();
  if (session?.isRevoked === true) throw revoked();
  const held = heldBy(claims, parts, tenant);
  const { permissions, isPlatformOwner } = held;
  return {
    kind: claims.principal,
    id: claims.sub,
    tenantId: tenant.tenantId,
    tenantUuid: tenant.uuid,
    tenant: { type: tenant.type, status: tenant.status, slug: tenant.slug },
    sid: claims.sid,
    jti: claims.jti,
    audience: claims.audience,
    actorId: claims.actorId,
    issuedAtSec: claims.issuedAtSec,
    expiresAtSec: claims.expiresAtSec,
    ...held,
    can: canOf(permissions, isPlatformOwner),
  };
}

/** Each permission is looked up once: what is held does not change, since a change makes another caller. */
function canOf(held: readonly string[], isPlatformOwner: boolean): Caller["can"] {
  const known = new Map<string, boolean>();
  return (permission) => {
    let can = known.get(permission);
    if (can === undefined) {
      can = covers(held, permission, isPlatformOwner);
      if (known.size < permissionsKnownMax) known.set(permission, can);
    }
    return can;
  };
}

type Held = Pick<
  Caller,
  | "email"
  | "userNo"
  | "roles"
  | "permissions"
  | "isAdmin"
  | "isOwner"
  | "isPlatformOwner"
  | "emailVerified"
>;

function heldBy(claims: Claims, parts: Parts, tenant: TenantAccess): Held {
  if (claims.principal === "apiKey") return heldByKey(claims, parts, tenant);
  if (claims.principal === "client") return heldByClient(claims, parts, tenant);
  if (claims.principal !== "user") throw unauthorized("No such principal calls here.");
  const { user, member } = parts;
  if (user === undefined || claims.issuedAtMs <= user.tokensFromMs) throw revoked();
  if (member === undefined || member.status !== "active") throw revoked();
  if (claims.issuedAtMs <= member.tokensFromMs) throw revoked();
  const person = { email: user.email, userNo: user.userNo, emailVerified: user.emailVerified };
  if (claims.actorId !== null) {
    if (claims.actorId !== claims.sub || !member.isOwner) throw revoked();
    const permissions = claims.roles.flatMap((name) => parts.roles?.get(name) ?? []);
    const isAdmin = claims.roles.includes("admin");
    const held = { permissions, isAdmin, isOwner: false, isPlatformOwner: false };
    return { ...person, roles: claims.roles, ...held };
  }
  const { roles, permissions, isAdmin, isOwner } = member;
  const scopes = scopesOf(claims, parts);
  if (scopes === null) {
    const isPlatformOwner = isOwner && tenant.isRoot;
    return { ...person, roles, permissions, isAdmin, isOwner, isPlatformOwner };
  }
  const narrow = { isOwner: false, isPlatformOwner: false };
  // Of what was given, what the application may still ask for.
  const asked = meet(scopes, parts.client?.scopes ?? []);
  return { ...person, roles, permissions: meet(asked, permissions), isAdmin, ...narrow };
}

/** Null for a token of the person's own; else what the application was given. */
function scopesOf({ audience }: Claims, { session, client }: Parts): readonly string[] | null {
  if (audience === ownAudience) {
    if ((session?.clientNo ?? null) !== null)
      throw unauthorized("The token is for another audience.");
    return null;
  }
  if (client === undefined || session?.clientNo !== client.clientNo) {
    throw unauthorized("The token is for another audience.");
  }
  if (client.isDeleted) throw revoked();
  return session.scopes ?? [];
}

function heldByKey(claims: Claims, { key, roles }: Parts, tenant: TenantAccess): Held {
  if (claims.audience !== ownAudience) throw unauthorized("The token is for another audience.");
  if (key === undefined || key.isRevoked || key.tenantId !== tenant.tenantId) throw revoked();
  return {
    email: claims.email,
    userNo: null,
    roles: key.roles,
    permissions: [...new Set(key.roles.flatMap((name) => roles?.get(name) ?? []))],
    isAdmin: key.roles.some((name) => name === "admin" || name === "owner"),
    isOwner: false,
    isPlatformOwner: false,
    emailVerified: true,
  };
}

function heldByClient(claims: Claims, { client, session }: Parts, tenant: TenantAccess): Held {
  if (client === undefined || client.isDeleted) throw revoked();
  if (client.tenantId !== tenant.tenantId) throw revoked();
  if (session !== undefined && session.clientNo !== client.clientNo) throw revoked();
  const permissions = session?.scopes == null ? client.scopes : meet(session.scopes, client.scopes);
  return {
    email: claims.email,
    userNo: null,
    roles: [],
    permissions,
    isAdmin: false,
    isOwner: false,
    isPlatformOwner: false,
    emailVerified: true,
  };
}
