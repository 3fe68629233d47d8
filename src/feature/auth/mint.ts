/**
 * Access tokens: making one (JWS compact, ES256, RFC 7515 and 7519) and reading one back. Whether what a
 * token names still holds is asked elsewhere, on every call.
 *
 *   header   {"alg":"ES256","kid":"tok_…","typ":"JWT"}
 *   payload  {"iss","sub","aud","iat","exp","jti","email","tenantId","roles":[…],
 *             "kartu":{"principal":"user"|"apiKey"|"client"|"module"},
 *             "sid"?, "act"?:{"sub"}, "client_id"?}
 */
import { CompactSign, errors, jwtVerify } from "jose";
import { accessTokenLifeSec, accessTokenMaxChars, claimsCachedMax } from "../../../schema/bound.ts";
import { type Claims, ownAudience, type Principal, readClaims } from "../../domain/claims.ts";
import { Problem } from "../../domain/problem.ts";
import type { Random } from "../../system/random.ts";
import type { SigningService } from "../signing/service.ts";

export interface MintDeps {
  readonly random: Pick<Random, "uuid">;
  readonly signing: Pick<SigningService, "signer" | "verifier">;
  /** `iss`; may change once a port is bound. */
  readonly issuer: () => string;
}

export interface MintDraft {
  /** Uuid of the user, API key or client. */
  readonly sub: string;
  readonly email: string;
  readonly tenantUuid: string;
  readonly roles: readonly string[];
  readonly principal: Principal;
  /** Default: this server itself. */
  readonly aud?: string;
  readonly sid?: string;
  /** Uuid of the user who acts, under impersonation. */
  readonly act?: string;
  /** `client_id`, of an OAuth client's tokens. */
  readonly clientId?: string;
  /** Default and at most 15 min. */
  readonly ttlSec?: number;
  /** Tokens of then and before are dead, so it is dated later. */
  readonly afterMs?: number;
}

export interface Minted {
  readonly accessToken: string;
  readonly expiresAtSec: number;
  readonly jti: string;
}

interface Cached {
  readonly claims: Claims;
  readonly issuer: string;
}

const utf8 = new TextEncoder();

const unauthorized = (): Problem =>
  new Problem("unauthorized", "The access token is not one of this server.");

export function mintPart({ random, signing, issuer }: MintDeps) {
  /** By SHA-256 of the token, in the order of coming, which is about that of ending. */
  const cached = new Map<string, Cached>();

  /** Signs off the main thread: never inside a write. */
  async function mintAccess(draft: MintDraft, nowMs: number): Promise<Minted> {
    const { sub, email, tenantUuid, roles, principal, aud = ownAudience, afterMs = 0 } = draft;
    const { kid, key } = await signing.signer("tok_");
    const issuedAtSec = Math.floor(nowMs / 1000);
    const expiresAtSec = issuedAtSec + (draft.ttlSec ?? accessTokenLifeSec);
    const jti = random.uuid(Math.max(nowMs, afterMs + 1));
    const payload = {
      ...{ iss: issuer(), sub, aud, iat: issuedAtSec, exp: expiresAtSec, jti },
      ...{ email, tenantId: tenantUuid, roles, kartu: { principal } },
      ...(draft.sid !== undefined && { sid: draft.sid }),
      ...(draft.act !== undefined && { act: { sub: draft.act } }),
      ...(draft.clientId !== undefined && { client_id: draft.clientId }),
    };
    // Of the same library as `SignJWT`, which copies the payload first: a cost at every refresh.
    const jws = new CompactSign(utf8.encode(JSON.stringify(payload)));
    jws.setProtectedHeader({ alg: "ES256", kid, typ: "JWT" });
    return { accessToken: await jws.sign(key), expiresAtSec, jti };
  }

  /**
   * What a token says; its signature is checked once, its life on each call.
   * @throws Problem `unauthorized` `token-expired`
   */
  function verifyAccess(token: string, nowMs: number): Claims | Promise<Claims> {
    if (token.length > accessTokenMaxChars) throw unauthorized();
    const hash = Bun.SHA256.hash(token, "base64");
    const known = cached.get(hash);
    if (known === undefined || known.issuer !== issuer()) return readToken(token, hash, nowMs);
    if (known.claims.expiresAtSec * 1000 > nowMs) return known.claims;
    cached.delete(hash);
    throw new Problem("token-expired");
  }

  async function readToken(token: string, hash: string, nowMs: number): Promise<Claims> {
    const iss = issuer();
    const payload = await verified(token, iss, nowMs);
    const claims = readClaims(payload);
    if (claims === undefined) throw unauthorized();
    if (cached.size >= claimsCachedMax) {
      for (const eldest of cached.keys()) {
        cached.delete(eldest);
        break;
      }
    }
    cached.set(hash, { claims, issuer: iss });
    return claims;
  }

  async function verified(token: string, iss: string, nowMs: number) {
    try {
      // The library asks for the key before it has looked at what else the header says.
      const keyOf = async ({ kid }: { kid?: unknown }): Promise<CryptoKey> => {
        const isOurs = typeof kid === "string" && kid.startsWith("tok_");
        const key = isOurs ? await signing.verifier(kid) : undefined;
        if (key === undefined) throw unauthorized();
        return key;
      };
      const { payload } = await jwtVerify(token, keyOf, {
        algorithms: ["ES256"],
        typ: "JWT",
        issuer: iss,
        currentDate: new Date(nowMs),
      });
      return payload;
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw new Problem("token-expired");
      if (error instanceof errors.JOSEError || error instanceof Problem) throw unauthorized();
      throw error;
    }
  }

  return { mintAccess, verifyAccess };
}
