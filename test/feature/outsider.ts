/**
 * OpenID providers for tests: a real one (oidc-provider) on loopback that signs in whoever a test names, and
 * a browser of the kind that only follows redirects; and one of our own that lies as a test wants.
 */
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import Provider, { type Configuration } from "oidc-provider";

export interface OutsideAccount {
  readonly sub: string;
  readonly email?: string;
  readonly email_verified?: boolean;
  readonly name?: string;
}

export const outsideClient = { clientId: "kartu", clientSecret: "s".repeat(43) };

export interface RealProvider {
  readonly issuer: string;
  /** Signs in whoever comes as this account. */
  signInAs(account: OutsideAccount): void;
  /** Goes where a browser would, up to the address that starts with `until`. */
  walk(start: string, until: string): Promise<URL>;
  close(): Promise<void>;
}

const listen = async (server: Server): Promise<string> => {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

const closing = (server: Server): Promise<void> =>
  new Promise((done) => {
    server.closeAllConnections();
    server.close(() => done());
  });

/** @param callback where it leads back to */
export async function realProvider(callback: string): Promise<RealProvider> {
  let account: OutsideAccount = { sub: "nobody" };
  const keys = await generateKeyPair("RS256", { extractable: true });
  const jwk = { ...(await exportJWK(keys.privateKey)), alg: "RS256", use: "sig" };
  const server = createServer((request, response) => handle(request, response));
  const issuer = await listen(server);
  const configuration: Configuration = {
    clients: [
      {
        client_id: outsideClient.clientId,
        client_secret: outsideClient.clientSecret,
        redirect_uris: [callback],
        grant_types: ["authorization_code"],
        response_types: ["code"],
      },
    ],
    jwks: { keys: [jwk as never] },
    cookies: { keys: ["a cookie key of a test"] },
    features: { devInteractions: { enabled: false } },
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    findAccount: async (_context, id) => ({ accountId: id, claims: async () => ({ ...account }) }),
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    ttl: { Interaction: 600, Session: 600, Grant: 600, AccessToken: 600, IdToken: 600 },
  };
  const provider = new Provider(issuer, configuration);
  const callProvider = provider.callback();
  const handle: RequestListener = async (request, response) => {
    if (!request.url?.startsWith("/interaction/")) return callProvider(request, response);
    const details = await provider.interactionDetails(request, response);
    if (details.prompt.name === "login") {
      const login = { accountId: account.sub, remember: false };
      return provider.interactionFinished(request, response, { login });
    }
    const grant = new provider.Grant({
      accountId: account.sub,
      clientId: String(details.params.client_id),
    });
    grant.addOIDCScope(String(details.params.scope));
    const consent = { grantId: await grant.save() };
    return provider.interactionFinished(
      request,
      response,
      { consent },
      { mergeWithLastSubmission: true },
    );
  };
  return {
    issuer,
    signInAs: (next) => {
      account = next;
    },
    walk,
    close: () => closing(server),
  };
}

async function walk(start: string, until: string): Promise<URL> {
  const jar = new Map<string, string>();
  let at = start;
  for (let step = 0; step < 12; step++) {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await fetch(at, { redirect: "manual", headers: { cookie } });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      jar.set(name, value);
    }
    const location = answer.headers.get("location");
    if (location === null) throw new Error(`${answer.status} at ${at}: ${await answer.text()}`);
    at = new URL(location, at).href;
    if (at.startsWith(until)) return new URL(at);
  }
  throw new Error("too many redirects");
}

/** What a lying provider says; the rest is as it should be. */
export interface Lie {
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Signs with a key that it does not publish. */
  readonly foreignKey?: true;
  readonly tokenStatus?: number;
}

export interface LyingProvider {
  readonly issuer: string;
  lie(lie: Lie): void;
  close(): Promise<void>;
}

/** Answers any code with an id_token for the `nonce` of the last address that `begun` was told. */
export async function lyingProvider(nonceOf: () => string): Promise<LyingProvider> {
  let lie: Lie = {};
  const key = await generateKeyPair("ES256");
  const foreign = await generateKeyPair("ES256");
  const jwk = { ...(await exportJWK(key.publicKey)), kid: "one", alg: "ES256", use: "sig" };
  const server = createServer(async (request, response) => {
    const path = request.url?.split("?")[0];
    const bodies: Record<string, () => unknown> = {
      "/.well-known/openid-configuration": () => ({
        issuer,
        authorization_endpoint: `${issuer}/auth`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
        response_types_supported: ["code"],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["ES256"],
        authorization_response_iss_parameter_supported: true,
      }),
      "/jwks": () => ({ keys: [jwk] }),
      "/token": async () => ({
        access_token: "x",
        token_type: "Bearer",
        id_token: await new SignJWT({
          ...{ iss: issuer, sub: "mallory", aud: outsideClient.clientId, nonce: nonceOf() },
          ...{ email: "mallory@example.com", email_verified: true },
          iat: Math.floor(Date.now() / 1000),
          exp: Math.floor(Date.now() / 1000) + 60,
          ...lie.claims,
        })
          .setProtectedHeader({ alg: "ES256", kid: "one" })
          .sign(lie.foreignKey ? foreign.privateKey : key.privateKey),
      }),
    };
    const body = bodies[path ?? ""];
    const status = body === undefined ? 404 : path === "/token" ? (lie.tokenStatus ?? 200) : 200;
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify((await body?.()) ?? {}));
  });
  const issuer = await listen(server);
  return {
    issuer,
    lie: (next) => {
      lie = next;
    },
    close: () => closing(server),
  };
}
