/**
 * Making the tokens of an application that a person has let in.
 *
 * The id_token (OpenID Connect Core §2), ES256 by a `tok_` key: {"iss","sub","aud","iat","exp",
 * "auth_time","nonce"?,"at_hash","tenant_id"}. It lacks what an access token must have, so it is none.
 */
import { SignJWT } from "jose";
import { accessTokenLifeSec } from "../../../schema/bound.ts";
import type { AccessService, MemberAccess, TenantAccess } from "../access/service.ts";
import type { AuthService } from "../auth/service.ts";
import type { SigningService } from "../signing/service.ts";
import type { Grantor, KnownClient, Request } from "./store.ts";

export interface MintDeps {
  readonly access: Pick<AccessService, "member" | "tenant" | "user">;
  readonly auth: Pick<AuthService, "mintAccess">;
  readonly signing: Pick<SigningService, "signer">;
  readonly issuer: () => string;
}

/** For whom an application gets tokens. */
export interface Person {
  readonly uuid: string;
  readonly email: string;
  readonly tenant: TenantAccess;
  readonly member: MemberAccess;
  /** Tokens made then or before are dead. */
  readonly tokensFromMs: number;
}

export function mintPart({ access, auth, signing, issuer }: MintDeps) {
  /** Who gave consent, if they still may sign in there. */
  async function personOf(userNo: number, tenantId: number): Promise<Person | undefined> {
    const [user, tenant, member] = await Promise.all([
      access.user(userNo),
      access.tenant(tenantId),
      access.member(tenantId, userNo),
    ]);
    if (user === undefined || tenant?.status !== "active" || member?.status !== "active") {
      return undefined;
    }
    const tokensFromMs = Math.max(user.tokensFromMs, member.tokensFromMs);
    return { uuid: user.uuid, email: user.email, tenant, member, tokensFromMs };
  }

  async function mintFor(
    { uuid: clientId }: KnownClient,
    { uuid: sub, email, tenant, member, tokensFromMs: afterMs }: Person,
    sid: string,
    nowMs: number,
  ): Promise<string> {
    const of = { sub, email, tenantUuid: tenant.uuid, roles: member.roles, sid, afterMs };
    const draft = { ...of, principal: "user", aud: clientId, clientId } as const;
    return (await auth.mintAccess(draft, nowMs)).accessToken;
  }

  async function idTokenOf(
    { nonce, clientUuid: aud }: Request,
    { signedInAtMs }: Grantor,
    { uuid: sub, tenant }: Person,
    accessToken: string,
    nowMs: number,
  ): Promise<string> {
    const { kid, key } = await signing.signer("tok_");
    const iat = Math.floor(nowMs / 1000);
    const half = new Bun.CryptoHasher("sha256").update(accessToken).digest().subarray(0, 16);
    return await new SignJWT({
      ...{ iss: issuer(), sub, aud, iat, exp: iat + accessTokenLifeSec },
      auth_time: Math.floor(signedInAtMs / 1000),
      ...(nonce !== null && { nonce }),
      at_hash: half.toString("base64url"),
      tenant_id: tenant.uuid,
    })
      .setProtectedHeader({ alg: "ES256", kid, typ: "JWT" })
      .sign(key);
  }

  return { personOf, mintFor, idTokenOf };
}
