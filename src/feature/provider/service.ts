/**
 * Signing in with an account elsewhere, an OpenID provider's or a wallet: leaving for it, coming back. What a
 * person gets once they are known is the business of `auth`.
 */
import { hkdfSync } from "node:crypto";
import { loginCodeLifeSec, providerTripSec } from "../../../schema/bound.ts";
import type { By } from "../../domain/by.ts";
import { invalid, Problem } from "../../domain/problem.ts";
import type { OidcProvider, Provider, WalletProvider } from "../../domain/provider.ts";
import { withParams } from "../../domain/redirect.ts";
import { readAddress, signerOf, signInMessage } from "../../domain/wallet.ts";
import type { Store, Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import type { AccessService } from "../access/service.ts";
import type { AuthService, Choice, Origin, UserPair } from "../auth/service.ts";
import { outsidePart, type Trip } from "./outside.ts";
import { type PersonDeps, personPart, refused } from "./person.ts";

export interface ProviderDeps extends PersonDeps {
  readonly store: Store;
  readonly random: Pick<Random, "uuid">;
  /** 32 bytes. */
  readonly masterKey: Uint8Array;
  readonly access: Pick<AccessService, "forget" | "root">;
  readonly auth: Pick<AuthService, "signIn" | "proofs" | "revokeSessions" | "tell">;
  readonly providers: readonly Provider[];
  /** Where this server is reached; may change once a port is bound. */
  readonly publicUrl: () => string;
}

export type { Origin, UserPair } from "../auth/service.ts";

export type SignedIn = UserPair | Choice;

export interface Begin {
  readonly redirectUri?: string;
  readonly address?: string;
  /** Row of the person who asks with a token of their own: a wallet is linked to them. */
  readonly userNo: number | null;
}

/** What a wallet brings back. */
export interface SignedMessage {
  readonly state: string;
  readonly address: string;
  /** Hex. */
  readonly signature: string;
}

export interface Begun {
  /** Null for a wallet. */
  readonly redirectUrl: string | null;
  readonly state: string;
  readonly expiresAtMs: number;
  /** To be signed; null for a provider. */
  readonly message: string | null;
}

/** What a sign-in on its way keeps: made by `begin`, read back when it returns. */
interface Trail {
  readonly providerId: string;
  readonly redirectUri: string | null;
  readonly address: string | null;
  readonly message: string | null;
}

/** Signed in at once, or led back to a page that takes a code. */
export type Returned = { readonly signedIn: SignedIn } | { readonly redirectTo: string };

const info = "kartu provider 1";
const statement = "Sign in to Kartu.";

export type ProviderService = ReturnType<typeof providerService>;

export function providerService(deps: ProviderDeps) {
  const { store, random, masterKey, access, auth, publicUrl } = deps;
  const byId = new Map(deps.providers.map((provider) => [provider.id, provider]));
  const outside = outsidePart(({ id }) => `${publicUrl()}/api/v1/auth/callback/${id}`);
  const person = personPart(deps);
  const tripKey = Buffer.from(hkdfSync("sha256", masterKey, "", info, 32));

  /** Verifier and nonce follow from the state, by a key that only this server has; nothing is kept. */
  const tripOf = (state: string): Trip => ({
    state,
    verifier: derive(`verifier ${state}`),
    nonce: derive(`nonce ${state}`),
  });
  const derive = (text: string): string =>
    new Bun.CryptoHasher("sha256", tripKey).update(text).digest("base64url");

  const list = (): { id: string; name: string; type: "oauth" | "wallet" }[] =>
    deps.providers.map(({ id, name, type }) => ({
      id,
      name,
      type: type === "oidc" ? "oauth" : "wallet",
    }));

  /** @throws Problem `provider-not-found` */
  function providerOf(id: string): Provider {
    const provider = byId.get(id);
    if (provider === undefined) throw new Problem("provider-not-found");
    return provider;
  }

  /** @throws Problem `provider-not-found`, `validation-error`, `upstream-unavailable` */
  async function begin(id: string, given: Begin, nowMs: number): Promise<Begun> {
    const provider = providerOf(id);
    return provider.type === "oidc"
      ? await beginOidc(provider, given, nowMs)
      : await beginWallet(provider, given, nowMs);
  }

  async function beginOidc(
    provider: OidcProvider,
    { redirectUri, address }: Begin,
    nowMs: number,
  ): Promise<Begun> {
    if (address !== undefined) throw notAllowed("address", "Is for wallets");
    if (redirectUri !== undefined && !provider.redirectUris.includes(redirectUri)) {
      throw notAllowed("redirectUri", "Is none of the provider's addresses");
    }
    const trail = { redirectUri: redirectUri ?? null, address: null, message: null };
    const state = await issueState(provider, trail, null, nowMs);
    const redirectUrl = await outside.begin(provider, tripOf(state));
    return { redirectUrl, state, expiresAtMs: nowMs + providerTripSec * 1000, message: null };
  }

  async function beginWallet(
    provider: WalletProvider,
    { redirectUri, address: given, userNo }: Begin,
    nowMs: number,
  ): Promise<Begun> {
    if (redirectUri !== undefined) throw notAllowed("redirectUri", "Is not for wallets");
    const address = given === undefined ? undefined : readAddress(given);
    if (address === undefined) {
      const code = given === undefined ? "REQUIRED" : "INVALID_FORMAT";
      throw invalid([{ field: "address", message: "Must be an address with 0x", code }]);
    }
    const url = new URL(publicUrl());
    const expiresAtMs = nowMs + providerTripSec * 1000;
    const message = signInMessage({
      ...{ domain: url.host, address, statement, uri: url.origin },
      nonce: random.uuid(nowMs).replaceAll("-", ""),
      issuedAtMs: nowMs,
      expiresAtMs,
    });
    const trail = { redirectUri: null, address, message };
    const state = await issueState(provider, trail, userNo, nowMs);
    return { redirectUrl: null, state, expiresAtMs, message };
  }

  const issueState = (
    { id: providerId }: Provider,
    trail: Omit<Trail, "providerId">,
    userNo: number | null,
    nowMs: number,
  ): Promise<string> =>
    store.write((tx) => {
      const draft = { userNo, data: { providerId, ...trail }, ttlSec: providerTripSec };
      return auth.proofs.issue(tx, "state", draft, nowMs);
    });

  /**
   * A browser came back from a provider.
   * @param query of the address, with `?`
   * @throws Problem `provider-not-found`, `invalid-credentials`, `upstream-unavailable`, and what
   * signing in refuses
   */
  async function returnOidc(
    id: string,
    query: string,
    from: Origin,
    nowMs: number,
  ): Promise<Returned> {
    const provider = providerOf(id);
    const state = new URLSearchParams(query).get("state") ?? "";
    if (provider.type !== "oidc") throw refused();
    // Used up before the provider is asked: no second try with the same state.
    const { trail } = await store.write((tx) => useState(tx, provider, state, nowMs));
    const identity = await outside.finish(provider, tripOf(state), query);
    const userNo = await store.write((tx) => person.arrive(tx, provider, identity, from, nowMs));
    if (trail.redirectUri === null) {
      return { signedIn: await signIn(userNo, "oauth", from, nowMs) };
    }
    const data = { method: "oauth" };
    const login = await store.write((tx) =>
      auth.proofs.issue(tx, "login", { userNo, data, ttlSec: loginCodeLifeSec }, nowMs),
    );
    // With the state, by which the page that began knows that it is its own sign-in.
    return { redirectTo: withParams(trail.redirectUri, { login, state }) };
  }

  /**
   * A wallet has signed its message.
   * @param callerNo row of the person who sends it with a token of their own: it is linked to them
   * @throws Problem `provider-not-found`, `invalid-credentials`, and what signing in refuses
   */
  async function returnWallet(
    id: string,
    given: SignedMessage,
    callerNo: number | null,
    from: Origin,
    nowMs: number,
  ): Promise<SignedIn> {
    const provider = providerOf(id);
    if (provider.type !== "wallet") throw refused();
    const { trail } = await store.read((q) => findState(q, provider, given.state, nowMs));
    const address = readAddress(given.address);
    if (address === undefined || address !== trail.address || trail.message === null) {
      throw refused();
    }
    if (signerOf(trail.message, given.signature) !== address) throw refused();
    const userNo = await store.write(async (tx) => {
      const used = await useState(tx, provider, given.state, nowMs);
      return await person.arriveWallet(tx, provider, address, [used.userNo, callerNo], from, nowMs);
    });
    return await signIn(userNo, "wallet", from, nowMs);
  }

  async function useState(tx: Writer, provider: Provider, state: string, nowMs: number) {
    const found = await findState(tx, provider, state, nowMs);
    await auth.proofs.use(tx, "state", state, nowMs).catch(asRefused);
    return found;
  }

  async function findState(
    q: Parameters<typeof auth.proofs.find>[0],
    { id }: Provider,
    state: string,
    nowMs: number,
  ): Promise<{ readonly trail: Trail; readonly userNo: number | null }> {
    const { data, userNo } = await auth.proofs.find(q, "state", state, nowMs).catch(asRefused);
    const trail = data as unknown as Trail;
    if (trail.providerId !== id) throw refused();
    return { trail, userNo };
  }

  /** A sign-in that does not hold is recorded; the provider's own failures are not. */
  async function recorded<T>(
    id: string,
    from: Origin,
    nowMs: number,
    work: () => Promise<T>,
  ): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Problem) || error.slug !== "invalid-credentials") throw error;
      const tenantIds = [await access.root()];
      const by: By = { actor: { type: "system", id: "server" }, ...from };
      const told = { type: "auth.login.failed", tenantIds, userId: "", by, data: null };
      const metadata = { reason: "invalid-credentials", provider: id };
      await store.write((tx) => auth.tell(tx, { ...told, metadata }, nowMs));
      throw error;
    }
  }

  const signIn = (
    userNo: number,
    method: "oauth" | "wallet",
    from: Origin,
    nowMs: number,
  ): Promise<SignedIn> => auth.signIn(userNo, { method, ...from }, nowMs);

  return {
    ...{ list, begin },
    returnOidc: (id: string, query: string, from: Origin, nowMs: number): Promise<Returned> =>
      recorded(id, from, nowMs, () => returnOidc(id, query, from, nowMs)),
    returnWallet: (
      id: string,
      signed: SignedMessage,
      callerNo: number | null,
      from: Origin,
      nowMs: number,
    ): Promise<SignedIn> =>
      recorded(id, from, nowMs, () => returnWallet(id, signed, callerNo, from, nowMs)),
  };
}

/** A state that is unknown, used or too old tells nobody which of them it is. */
function asRefused(error: unknown): never {
  throw error instanceof Problem ? refused() : error;
}

const notAllowed = (field: string, message: string): Problem =>
  invalid([{ field, message, code: "NOT_ALLOWED" }]);
