/**
 * A provider that sends us elsewhere: whoever answers at its address must not make the server ask another
 * one in its name, nor pass for another issuer.
 */
import { afterAll, describe, expect, test } from "bun:test";
import type { OidcProvider } from "../../src/domain/provider.ts";
import { type Outside, outsidePart, type Trip } from "../../src/feature/provider/outside.ts";

const asked: string[] = [];
/** What must not be asked: it would do for a service behind the firewall. */
const inside = Bun.serve({
  ...{ port: 0, hostname: "127.0.0.1" },
  fetch: ({ url }) => {
    asked.push(url);
    return Response.json({});
  },
});
let isMoved = false;
const provider = Bun.serve({
  ...{ port: 0, hostname: "127.0.0.1" },
  fetch: ({ url }) => {
    const { origin, pathname } = new URL(url);
    const isTold = pathname.startsWith("/.well-known/");
    if (isMoved || !isTold) return Response.redirect(`${inside.url.origin}/token`, 307);
    return Response.json({
      issuer: origin,
      authorization_endpoint: `${origin}/auth`,
      token_endpoint: `${origin}/token`,
      jwks_uri: `${origin}/jwks`,
      response_types_supported: ["code"],
      authorization_response_iss_parameter_supported: true,
    });
  },
});
const liar = Bun.serve({
  ...{ port: 0, hostname: "127.0.0.1" },
  fetch: () =>
    Response.json({
      issuer: provider.url.origin,
      authorization_endpoint: `${provider.url.origin}/auth`,
      token_endpoint: `${provider.url.origin}/token`,
      response_types_supported: ["code"],
    }),
});
afterAll(async () => {
  for (const server of [inside, provider, liar]) await server.stop(true);
});

const trip: Trip = { state: "state", nonce: "nonce", verifier: "v".repeat(43) };
const fresh = (): Outside => outsidePart(() => "https://kartu.example/back");
const of = (issuer: string): OidcProvider => ({
  ...{ id: "out", name: "Out", type: "oidc", issuer },
  ...{ clientId: "kartu", clientSecret: "s".repeat(43), redirectUris: [] },
});

describe("a redirect is not followed", () => {
  test("from where the provider describes itself", async () => {
    isMoved = true;
    const begun = await fresh()
      .begin(of(provider.url.origin), trip)
      .catch(() => "refused");
    expect(begun).toBe("refused");
    expect(asked).toEqual([]);
    isMoved = false;
  });

  test("from where it gives tokens: code and client secret stay with it", async () => {
    const outside = fresh();
    const { origin } = provider.url;
    expect(await outside.begin(of(origin), trip)).toStartWith(`${origin}/auth?`);
    const query = new URLSearchParams({ code: "c", state: trip.state, iss: origin });
    const finished = await outside.finish(of(origin), trip, `?${query}`).catch(() => "refused");
    expect(finished).toBe("refused");
    expect(asked).toEqual([]);
  });
});

test("a discovery document that names another issuer is not taken", async () => {
  const begun = await fresh()
    .begin(of(liar.url.origin), trip)
    .catch(() => "refused");
  expect(begun).toBe("refused");
});
