/**
 * Kartu as a provider of sign-ins (OAuth 2, OpenID Connect): applications, what they ask for, tokens, and
 * what they may read about a person. The parts do the work; here they are put together.
 */
import { oauthRequestKeptSec } from "../../../schema/bound.ts";
import { Problem } from "../../domain/problem.ts";
import { personalScopes } from "../../domain/scope.ts";
import type { Store } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import type { AccessService } from "../access/service.ts";
import type { AccountService } from "../account/service.ts";
import type { AuditService } from "../audit/service.ts";
import type { AuthService } from "../auth/service.ts";
import type { EventService } from "../event/service.ts";
import type { SigningService } from "../signing/service.ts";
import { clientPart } from "./client.ts";
import { mintPart } from "./mint.ts";
import { requestPart } from "./request.ts";
import { revokePart } from "./revoke.ts";
import { grantTypes } from "./store.ts";
import { tokenPart } from "./token.ts";

export type { Origin } from "../auth/service.ts";
export { type Author, clientFaults } from "./client.ts";
export type { Answerer } from "./request.ts";
export type { Client, ClientDraft } from "./store.ts";

export interface OAuthDeps {
  readonly store: Store;
  readonly random: Random;
  readonly audit: Pick<AuditService, "append">;
  readonly event: EventService;
  readonly access: AccessService;
  readonly account: Pick<AccountService, "byUuid">;
  readonly auth: Pick<
    AuthService,
    "mintAccess" | "verifyAccess" | "openSession" | "rotate" | "endFamily"
  >;
  readonly signing: Pick<SigningService, "signer">;
  /** `iss`, and where this server is reached, without a trailing slash; may follow the port. */
  readonly issuer: () => string;
  readonly publicUrl: () => string;
}

export interface Userinfo {
  readonly sub: string;
  readonly email?: string;
  readonly email_verified?: boolean;
  readonly name?: string | null;
  readonly tenant_id: string;
}

export type OAuthService = ReturnType<typeof oauthService>;

export function oauthService(deps: OAuthDeps) {
  const { store, access, account, issuer, publicUrl } = deps;
  const client = clientPart({ ...deps, forget: (tx, uuid) => access.forget(tx, { client: uuid }) });
  const request = requestPart(deps);
  const { end, revoke } = revokePart(deps);
  const { token } = tokenPart({ ...deps, mint: mintPart(deps), end });

  /**
   * What an application may know of the person whose token it sends, by its scopes.
   * @throws Problem `forbidden` the token is none with `openid`
   */
  async function userinfo(caller: {
    readonly id: string;
    readonly userNo: number | null;
    readonly sid: string | null;
    readonly tenantUuid: string;
  }): Promise<Userinfo> {
    const { id: sub, userNo, sid, tenantUuid } = caller;
    const session = sid === null ? undefined : await access.session(sid);
    const scopes = session?.scopes ?? [];
    if (userNo === null || !scopes.includes("openid")) {
      throw new Problem("forbidden", "The token has no scope openid.");
    }
    const user = await store.read((q) => account.byUuid(q, sub));
    if (user === undefined) throw new Error("the person of a checked token is not there");
    return {
      sub,
      ...(scopes.includes("email") && {
        email: user.email,
        email_verified: user.emailVerifiedAtMs !== null,
      }),
      ...(scopes.includes("profile") && { name: user.name }),
      tenant_id: tenantUuid,
    };
  }

  const discovery = () => discoveryOf(issuer(), publicUrl());

  /** Forgets requests whose codes are long spent or lapsed; tells how many. */
  const purge = (nowMs: number, limit: number): Promise<number> =>
    store.write((tx) => request.purge(tx, nowMs - oauthRequestKeptSec * 1000, limit));

  return { client, ...request, token, revoke, userinfo, discovery, purge };
}

const authMethods = ["client_secret_basic", "client_secret_post", "none"] as const;

/** OpenID Connect Discovery §3, RFC 8414. */
export function discoveryOf(issuer: string, publicUrl: string) {
  const at = (path: string): string => `${publicUrl}/api/v1/oauth/${path}`;
  return {
    issuer,
    authorization_endpoint: at("authorize"),
    token_endpoint: at("token"),
    userinfo_endpoint: at("userinfo"),
    revocation_endpoint: at("revoke"),
    jwks_uri: `${publicUrl}/.well-known/jwks.json`,
    response_types_supported: ["code"],
    response_modes_supported: ["query"],
    grant_types_supported: [...grantTypes],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["ES256"],
    code_challenge_methods_supported: ["S256"],
    token_endpoint_auth_methods_supported: [...authMethods],
    revocation_endpoint_auth_methods_supported: [...authMethods],
    scopes_supported: [...personalScopes],
    claims_supported: [
      ...["sub", "iss", "aud", "exp", "iat", "auth_time", "nonce"],
      ...["email", "email_verified", "name", "tenant_id"],
    ],
    prompt_values_supported: ["none", "login", "consent"],
    authorization_response_iss_parameter_supported: true,
    claims_parameter_supported: false,
    request_parameter_supported: false,
    request_uri_parameter_supported: false,
  };
}
