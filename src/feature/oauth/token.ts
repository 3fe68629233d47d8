/**
 * The token endpoint: a code, a refresh token or an application's own secret against tokens (RFC 6749
 * §4.1.3, §6, §4.4). Tokens are signed before the write that makes them hold. Ending them is not here.
 */
import { accessTokenLifeSec, oauthCodeLifeSec } from "../../../schema/bound.ts";
import { type By, recordedBy } from "../../domain/by.ts";
import { hashOf, opaqueBytes, opaqueToken } from "../../domain/opaque.ts";
import { provesChallenge } from "../../domain/pkce.ts";
import { Problem } from "../../domain/problem.ts";
import { beyond, given, isPersonal, isScope, readScope } from "../../domain/scope.ts";
import type { Store, Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import type { AuditService } from "../audit/service.ts";
import type { AuthService, Origin } from "../auth/service.ts";
import { authenticate } from "./authenticate.ts";
import { due, fault } from "./fault.ts";
import type { mintPart } from "./mint.ts";
import type { Params } from "./request.ts";
import type { revokePart } from "./revoke.ts";
import type { GrantType, KnownClient, Request } from "./store.ts";
import * as rows from "./store.ts";

export interface TokenDeps {
  readonly store: Store;
  readonly random: Random;
  readonly audit: Pick<AuditService, "append">;
  readonly auth: Pick<AuthService, "mintAccess" | "openSession" | "rotate">;
  readonly mint: ReturnType<typeof mintPart>;
  readonly end: ReturnType<typeof revokePart>["end"];
}

/** As RFC 6749 §5.1 names them. */
export interface TokenAnswer {
  readonly access_token: string;
  readonly token_type: "Bearer";
  /** Seconds. */
  readonly expires_in: number;
  readonly refresh_token?: string;
  readonly id_token?: string;
  readonly scope: string;
}

const known: readonly GrantType[] = rows.grantTypes;
const isGrantType = (text: string): text is GrantType => known.includes(text as GrantType);

export function tokenPart({ store, random, audit, auth, mint, end }: TokenDeps) {
  /** @throws Problem with `error` and `error_description` */
  async function token(
    params: Params,
    authorization: string | null,
    from: Origin,
    nowMs: number,
  ): Promise<TokenAnswer> {
    const client = await store.read((q) => authenticate(q, params, authorization, nowMs));
    const grant = due("grant_type", params.grant_type);
    if (!isGrantType(grant)) {
      throw fault("unsupported_grant_type", "grant_type", "Is none of this server's");
    }
    if (!client.grantTypes.includes(grant)) {
      throw fault("unauthorized_client", "grant_type", "Is not one that the application may use");
    }
    if (grant === "authorization_code") return await exchange(client, params, from, nowMs);
    if (grant === "refresh_token") return await refresh(client, params, from, nowMs);
    return await ownToken(client, params, from, nowMs);
  }

  async function exchange(
    client: KnownClient,
    params: Params,
    from: Origin,
    nowMs: number,
  ): Promise<TokenAnswer> {
    const code = due("code", params.code);
    const verifier = due("code_verifier", params.code_verifier);
    const request = await store.read((q) => rows.requestOfCode(q, hashOf(code)));
    if (request?.grantor === undefined || request.clientNo !== client.clientNo) throw badCode();
    if (request.spentSid !== undefined) return await reused(request, from, nowMs);
    if (nowMs >= request.expiresAtMs) throw badCode();
    if (params.redirect_uri !== request.redirectUri) {
      throw fault("invalid_grant", "redirect_uri", "Is not the one that the code was asked with");
    }
    if (!provesChallenge(verifier, request.codeChallenge)) {
      throw fault("invalid_grant", "code_verifier", "Does not fit the code_challenge");
    }
    const { grantor } = request;
    const person = await mint.personOf(grantor.userNo, grantor.tenantId);
    if (person === undefined) throw badCode();
    // What ended the person's sessions since then ends the code too.
    if (person.tokensFromMs >= request.expiresAtMs - oauthCodeLifeSec * 1000) throw badCode();
    const scopes = given(request.scopes, person.member.permissions);
    const sid = random.uuid(nowMs);
    const refreshToken = opaqueToken("rt_", random.bytes(opaqueBytes));
    const accessToken = await mint.mintFor(client, person, sid, nowMs);
    const idToken = scopes.includes("openid")
      ? await mint.idTokenOf(request, grantor, person, accessToken, nowMs)
      : undefined;
    const isSpent = await store.write(async (tx) => {
      if (!(await rows.spendCode(tx, request.requestNo, sid, nowMs))) return false;
      const of = { userNo: grantor.userNo, tenantId: grantor.tenantId, clientNo: client.clientNo };
      const { ip, userAgent } = from;
      const session = { ...of, scopes, cookie: false, ip, userAgent, sid, refreshToken };
      await auth.openSession(tx, session, nowMs);
      const by: By = { actor: { type: "user", id: person.uuid }, ...from };
      await tell(
        tx,
        grantor.tenantId,
        client,
        by,
        { grant: "authorization_code", scopes, sid },
        nowMs,
      );
      return true;
    });
    // Somebody was faster with the same code.
    if (!isSpent) return await reused(request, from, nowMs);
    return {
      access_token: accessToken,
      token_type: "Bearer",
      expires_in: accessTokenLifeSec,
      ...(client.grantTypes.includes("refresh_token") && { refresh_token: refreshToken }),
      ...(idToken !== undefined && { id_token: idToken }),
      scope: scopes.join(" "),
    };
  }

  /** A code that comes back was stolen by one of the two who had it: what it gave ends (§4.1.2). */
  async function reused(request: Request, from: Origin, nowMs: number): Promise<never> {
    await store.write(async (tx) => {
      const sid = (await rows.findRequest(tx, request.uuid))?.spentSid ?? "";
      await end(tx, await rows.findSession(tx, sid, request.clientNo), from, nowMs);
    });
    throw badCode();
  }

  async function refresh(
    client: KnownClient,
    params: Params,
    from: Origin,
    nowMs: number,
  ): Promise<TokenAnswer> {
    const old = due("refresh_token", params.refresh_token);
    const asked = readAsked(params);
    try {
      const { body } = await auth.rotate(
        old,
        client.clientNo,
        from,
        async ({ userNo, tenantId, sid, scopes }, refreshToken) => {
          const person = userNo === null ? undefined : await mint.personOf(userNo, tenantId);
          if (person === undefined) throw badRefresh();
          const may = given(scopes ?? [], client.scopes);
          const now = given(may, person.member.permissions);
          if (asked.some((scope) => !now.includes(scope))) {
            throw fault("invalid_scope", "scope", "Is more than was given");
          }
          const answer: TokenAnswer = {
            access_token: await mint.mintFor(client, person, sid, nowMs),
            token_type: "Bearer",
            expires_in: accessTokenLifeSec,
            refresh_token: refreshToken,
            scope: now.join(" "),
          };
          return JSON.stringify(answer);
        },
        nowMs,
      );
      return JSON.parse(body) as TokenAnswer;
    } catch (error) {
      if (error instanceof Problem && error.slug.startsWith("refresh-token-")) throw badRefresh();
      throw error;
    }
  }

  /** The application for itself (§4.4): the scopes are its permissions. */
  async function ownToken(
    client: KnownClient,
    params: Params,
    from: Origin,
    nowMs: number,
  ): Promise<TokenAnswer> {
    const { clientNo, uuid, tenantId, tenantUuid } = client;
    if ((params.tenant_id ?? tenantUuid) !== tenantUuid) {
      throw fault("invalid_request", "tenant_id", "Is not the application's own");
    }
    const own = client.scopes.filter((scope) => !isPersonal(scope));
    const asked = readAsked(params);
    if (asked.some(isPersonal) || beyond(asked, own).length > 0) {
      throw fault("invalid_scope", "scope", "Is more than the application may ask for");
    }
    const scopes = asked.length === 0 ? own : asked;
    const sid = random.uuid(nowMs);
    const { accessToken } = await auth.mintAccess(
      {
        sub: uuid,
        email: `client+${uuid}@kartu.invalid`,
        ...{ tenantUuid, roles: [], principal: "client", aud: uuid, clientId: uuid, sid },
      },
      nowMs,
    );
    await store.write(async (tx) => {
      const { ip, userAgent } = from;
      const of = { userNo: null, tenantId, clientNo, scopes, cookie: false, ip, userAgent, sid };
      await auth.openSession(tx, of, nowMs);
      const by: By = { actor: { type: "module", id: uuid }, ...from };
      await tell(tx, tenantId, client, by, { grant: "client_credentials", scopes, sid }, nowMs);
    });
    return {
      access_token: accessToken,
      token_type: "Bearer",
      expires_in: accessTokenLifeSec,
      scope: scopes.join(" "),
    };
  }

  async function tell(
    tx: Writer,
    tenantId: number,
    { uuid: entityId }: KnownClient,
    by: By,
    metadata: Readonly<Record<string, unknown>>,
    atMs: number,
  ): Promise<void> {
    const action = "auth.client.token_issued";
    const entity = { entityType: "client", entityId };
    await audit.append(tx, { tenantId, atMs, action, ...entity, ...recordedBy(by), metadata });
  }

  return { token };
}

const badCode = (): Problem =>
  fault("invalid_grant", "code", "Is unknown, used or too old, or its giver may no longer sign in");
const badRefresh = (): Problem =>
  fault("invalid_grant", "refresh_token", "Is unknown, used, too old or ended");

/** @throws Problem `invalid_scope` */
function readAsked({ scope }: Params): readonly string[] {
  const asked = readScope(scope);
  if (asked?.every(isScope)) return asked;
  throw fault("invalid_scope", "scope", "Has a faulty form");
}
