/**
 * Talking to OpenID providers elsewhere: where a browser is sent, and who came back. By the code flow with
 * PKCE, state, nonce and the issuer's name in the answer (RFC 9700 §2.1, RFC 9207); the signature of an
 * id_token is always checked. Who that is here is not decided here.
 */
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type ClientAuth,
  ClientError,
  ClientSecretBasic,
  ClientSecretPost,
  Configuration,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
  None,
  type ServerMetadata,
} from "openid-client";
import { challengeOf } from "../../domain/pkce.ts";
import { Problem } from "../../domain/problem.ts";
import type { OidcProvider } from "../../domain/provider.ts";

/** Who a provider says somebody is. */
export interface Identity {
  readonly subject: string;
  /** Lower case; undefined if the provider does not tell. */
  readonly email: string | undefined;
  /** The provider has proved that the address is theirs. */
  readonly isEmailVerified: boolean;
  readonly name: string | undefined;
}

/** What ties an answer to its question; only this server can make them. */
export interface Trip {
  readonly state: string;
  readonly nonce: string;
  /** PKCE. */
  readonly verifier: string;
}

const timeoutSec = 10;
const retryAfterSec = 5;
const scope = "openid email profile";

export interface Outside {
  /** @throws Problem `upstream-unavailable` */
  begin(provider: OidcProvider, trip: Trip): Promise<string>;
  /**
   * @param query of the address that the provider sent the browser to
   * @throws Problem `invalid-credentials`, `upstream-unavailable`
   */
  finish(provider: OidcProvider, trip: Trip, query: string): Promise<Identity>;
}

/** @param callbackOf the address that a provider leads back to */
export function outsidePart(callbackOf: (provider: OidcProvider) => string): Outside {
  /** What discovery told, kept while the server runs; a failure is not. */
  const known = new Map<string, Promise<Configuration>>();

  function configurationOf(provider: OidcProvider): Promise<Configuration> {
    const found = known.get(provider.id) ?? discover(provider);
    known.set(provider.id, found);
    found.catch(() => known.delete(provider.id));
    return found;
  }

  async function begin(provider: OidcProvider, trip: Trip): Promise<string> {
    const configuration = await reached(configurationOf(provider));
    return buildAuthorizationUrl(configuration, {
      redirect_uri: callbackOf(provider),
      scope,
      state: trip.state,
      nonce: trip.nonce,
      code_challenge: challengeOf(trip.verifier),
      code_challenge_method: "S256",
    }).href;
  }

  async function finish(provider: OidcProvider, trip: Trip, query: string): Promise<Identity> {
    const configuration = await reached(configurationOf(provider));
    const answer = new URL(callbackOf(provider));
    answer.search = query;
    const tokens = await reached(
      authorizationCodeGrant(configuration, answer, {
        expectedState: trip.state,
        expectedNonce: trip.nonce,
        pkceCodeVerifier: trip.verifier,
        idTokenExpected: true,
      }),
    );
    const claims = tokens.claims();
    if (claims === undefined) throw refused();
    if (typeof claims.email === "string") return identityOf(claims.sub, claims);
    if (configuration.serverMetadata().userinfo_endpoint === undefined) {
      return identityOf(claims.sub, claims);
    }
    const more = await reached(fetchUserInfo(configuration, tokens.access_token, claims.sub));
    return identityOf(claims.sub, { ...claims, ...more });
  }

  return { begin, finish };
}

async function discover(provider: OidcProvider): Promise<Configuration> {
  const issuer = new URL(provider.issuer);
  const insecure = issuer.protocol === "http:" ? [allowInsecureRequests] : [];
  const found = await discovery(issuer, provider.clientId, undefined, None(), {
    execute: insecure,
    timeout: timeoutSec,
  });
  const server = found.serverMetadata();
  const auth = authOf(provider, server);
  const configuration = new Configuration(server, provider.clientId, undefined, auth);
  configuration.timeout = timeoutSec;
  for (const step of insecure) step(configuration);
  enableNonRepudiationChecks(configuration);
  return configuration;
}

/** Basic unless the provider takes the secret in the body alone (OpenID Connect Discovery §3). */
function authOf({ clientSecret }: OidcProvider, server: ServerMetadata): ClientAuth {
  if (clientSecret === undefined) return None();
  const methods = server.token_endpoint_auth_methods_supported ?? ["client_secret_basic"];
  return methods.includes("client_secret_basic")
    ? ClientSecretBasic(clientSecret)
    : ClientSecretPost(clientSecret);
}

const identityOf = (subject: string, claims: Readonly<Record<string, unknown>>): Identity => {
  const { email, email_verified: isVerified, name } = claims;
  return {
    subject,
    email: typeof email === "string" ? email.trim().toLowerCase() : undefined,
    isEmailVerified: isVerified === true,
    name: typeof name === "string" && name.trim() !== "" ? name.trim() : undefined,
  };
};

const refused = (): Problem =>
  new Problem("invalid-credentials", "The provider's answer does not hold.");

/** What openid-client calls failures to get an answer at all. */
const unreachable: ReadonlySet<string> = new Set([
  ...["OAUTH_TIMEOUT", "OAUTH_ABORT", "OAUTH_RESPONSE_IS_NOT_JSON"],
  "OAUTH_RESPONSE_IS_NOT_CONFORM",
]);

/** A failure of the provider in words of ours; its own are not passed on. */
async function reached<T>(pending: Promise<T>): Promise<T> {
  try {
    return await pending;
  } catch (error) {
    const isDown = error instanceof ClientError && unreachable.has(error.code ?? "");
    if (!isDown && !isNetworkFailure(error)) throw refused();
    throw new Problem("upstream-unavailable", "The sign-in provider can't be reached.", {
      retryAfterSec,
    });
  }
}

/** `fetch` gives a system error, bare or wrapped. */
function isNetworkFailure(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = "code" in error ? String(error.code) : "";
  if (
    /^(ECONN|ENOTFOUND|EAI_|ETIMEDOUT|Connection|FailedToOpenSocket|UNABLE_|CERT_|ERR_TLS)/.test(
      code,
    )
  ) {
    return true;
  }
  return error.cause !== undefined && isNetworkFailure(error.cause);
}
