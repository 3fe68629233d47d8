/**
 * Providers elsewhere: the whole way with a real one, and every answer that is not the one to our question
 * refused: state, nonce, audience, issuer (mix-up), replay, signature, life.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { Problem } from "../../src/domain/problem.ts";
import type { OidcProvider } from "../../src/domain/provider.ts";
import { type Outside, outsidePart, type Trip } from "../../src/feature/provider/outside.ts";
import { rejection } from "./foundation.ts";
import {
  type LyingProvider,
  lyingProvider,
  outsideClient,
  type RealProvider,
  realProvider,
} from "./outsider.ts";

const callback = "https://kartu.example/api/v1/auth/callback/out";
const trip = (name: string): Trip => ({
  state: `state-${name}`,
  nonce: `nonce-${name}`,
  verifier: `verifier-${name}`.padEnd(43, "x"),
});
const providerOf = (issuer: string, id = "out"): OidcProvider => ({
  ...outsideClient,
  ...{ id, name: "Outside", type: "oidc", issuer, redirectUris: [] },
});

const slugOf = async (pending: Promise<unknown>): Promise<string> => {
  const error = await rejection(pending);
  if (error instanceof Problem) return error.slug;
  throw error;
};

describe("a real provider", () => {
  let real: RealProvider;
  let other: RealProvider;
  let outside: Outside;
  let provider: OidcProvider;
  beforeAll(async () => {
    [real, other] = await Promise.all([realProvider(callback), realProvider(callback)]);
    provider = providerOf(real.issuer);
  });
  beforeEach(() => {
    outside = outsidePart(() => callback);
  });
  afterAll(async () => {
    await Promise.all([real.close(), other.close()]);
  });

  const goTo = async (name: string, at = real, of = provider): Promise<URL> =>
    at.walk(await outside.begin(of, trip(name)), callback);

  test("says who came", async () => {
    real.signInAs({ sub: "a1", email: "Siti@Example.com", email_verified: true, name: "Siti" });
    const back = await goTo("a");
    expect(await outside.finish(provider, trip("a"), back.search)).toEqual({
      subject: "a1",
      email: "siti@example.com",
      isEmailVerified: true,
      name: "Siti",
    });
  });

  test("asks with PKCE, state and nonce", async () => {
    const asked = new URL(await outside.begin(provider, trip("b"))).searchParams;
    expect(Object.fromEntries(asked)).toMatchObject({
      response_type: "code",
      client_id: "kartu",
      redirect_uri: callback,
      scope: "openid email profile",
      state: "state-b",
      nonce: "nonce-b",
      code_challenge_method: "S256",
      code_challenge: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
    });
  });

  test("an unverified address is told as such", async () => {
    real.signInAs({ sub: "a2", email: "x@example.com", email_verified: false });
    const back = await goTo("c");
    const identity = await outside.finish(provider, trip("c"), back.search);
    expect(identity).toMatchObject({ email: "x@example.com", isEmailVerified: false });
  });

  test("attack: another sign-in's state", async () => {
    const back = await goTo("d");
    expect(await slugOf(outside.finish(provider, trip("e"), back.search))).toBe(
      "invalid-credentials",
    );
  });

  test("attack: a code of another sign-in under this one's state", async () => {
    const back = await goTo("f");
    back.searchParams.set("state", "state-g");
    expect(await slugOf(outside.finish(provider, trip("g"), back.search))).toBe(
      "invalid-credentials",
    );
  });

  test("attack: a code that was used before", async () => {
    const back = await goTo("h");
    await outside.finish(provider, trip("h"), back.search);
    expect(await slugOf(outside.finish(provider, trip("h"), back.search))).toBe(
      "invalid-credentials",
    );
  });

  test("attack: mix-up, an answer of one provider at another's address", async () => {
    const second = providerOf(other.issuer, "second");
    const back = await goTo("i", other, second);
    expect(back.searchParams.get("iss")).toBe(other.issuer);
    expect(await slugOf(outside.finish(provider, trip("i"), back.search))).toBe(
      "invalid-credentials",
    );
  });

  test("the person declined there", async () => {
    const query = `?error=access_denied&state=state-j&iss=${encodeURIComponent(real.issuer)}`;
    expect(await slugOf(outside.finish(provider, trip("j"), query))).toBe("invalid-credentials");
  });
});

describe("a provider that lies", () => {
  let nonce = "";
  let liar: LyingProvider;
  let outside: Outside;
  let provider: OidcProvider;
  beforeAll(async () => {
    liar = await lyingProvider(() => nonce);
    provider = providerOf(liar.issuer);
    outside = outsidePart(() => callback);
  });
  afterAll(() => liar.close());

  const come = (name: string, iss = liar.issuer): Promise<unknown> => {
    nonce = trip(name).nonce;
    const query = new URLSearchParams({ code: "c", state: trip(name).state, iss });
    return outside.finish(provider, trip(name), `?${query}`);
  };

  test("is believed while it tells the truth", async () => {
    liar.lie({});
    expect(await come("a")).toMatchObject({ subject: "mallory", isEmailVerified: true });
  });

  const past = Math.floor(Date.now() / 1000) - 3_600;
  const lies: [string, Parameters<LyingProvider["lie"]>[0]][] = [
    ["attack: another nonce", { claims: { nonce: "another" } }],
    ["attack: no nonce", { claims: { nonce: undefined } }],
    ["attack: another audience", { claims: { aud: "another-client" } }],
    ["attack: several audiences without azp", { claims: { aud: ["kartu", "another-client"] } }],
    ["attack: another issuer", { claims: { iss: "https://another.example" } }],
    ["attack: a key that is not published", { foreignKey: true }],
    ["an id_token past its life", { claims: { iat: past - 60, exp: past } }],
    ["an id_token without a subject", { claims: { sub: undefined } }],
  ];
  for (const [name, lie] of lies) {
    test(name, async () => {
      liar.lie(lie);
      expect(await slugOf(come("b"))).toBe("invalid-credentials");
    });
  }

  test("attack: an answer without the issuer's name where it is due, or with another", async () => {
    liar.lie({});
    expect(await slugOf(come("c", "https://another.example"))).toBe("invalid-credentials");
    const query = "?code=c&state=state-c";
    expect(await slugOf(outside.finish(provider, trip("c"), query))).toBe("invalid-credentials");
  });

  test("down for a while: the failure is not remembered", async () => {
    const gone = await lyingProvider(() => nonce);
    await gone.close();
    const fresh = outsidePart(() => callback);
    const down = providerOf(gone.issuer, "down");
    expect(await slugOf(fresh.begin(down, trip("d")))).toBe("upstream-unavailable");
    const up = { ...down, issuer: liar.issuer };
    expect(await fresh.begin(up, trip("d"))).toStartWith(`${liar.issuer}/auth?`);
  });

  test("its token endpoint fails", async () => {
    liar.lie({ tokenStatus: 500 });
    expect(await slugOf(come("e"))).toBe("upstream-unavailable");
  });
});
