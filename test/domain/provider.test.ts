/** The providers of the environment: what is good, and that every fault is told at once, never a value. */
import { describe, expect, test } from "bun:test";
import { readProviders } from "../../src/domain/provider.ts";

const google = {
  id: "google",
  name: "Google",
  type: "oidc",
  issuer: "https://accounts.google.com",
  clientId: "kartu",
  clientSecret: "top-secret",
  redirectUris: ["https://app.example/done"],
};
const read = (value: unknown) => readProviders(JSON.stringify(value));

test("good ones", () => {
  expect(read([])).toEqual({ providers: [] });
  const wallet = { id: "wallet", name: "Wallet", type: "wallet" };
  expect(read([google, wallet])).toEqual({ providers: [google, wallet] } as never);
  const { clientSecret: _, redirectUris: __, ...open } = google;
  expect(read([open])).toEqual({
    providers: [{ ...open, clientSecret: undefined, redirectUris: [] }],
  } as never);
  expect(read([{ ...google, issuer: "http://127.0.0.1:9000/op" }])).toHaveProperty("providers");
});

describe("faults", () => {
  const cases: [string, unknown, string][] = [
    ["no list", {}, "must be a list of at most 20 providers"],
    ["21 of them", Array(21).fill(google), "must be a list of at most 20 providers"],
    ["no object", ["google"], "provider 1: must be an object"],
    ["no type", [{ ...google, type: "saml" }], "provider 1: type must be oidc or wallet"],
    ["id", [{ ...google, id: "Goo gle" }], "provider 1: id must be 1 to 32 of a-z, 0-9 and -"],
    ["name", [{ ...google, name: "" }], "provider 1: name must have 1 to 100 characters"],
    [
      "issuer over plain http",
      [{ ...google, issuer: "http://accounts.google.com" }],
      "provider 1: issuer must be an https address without query or fragment",
    ],
    ["client", [{ ...google, clientId: 7 }], "provider 1: clientId must be text"],
    ["secret", [{ ...google, clientSecret: 7 }], "provider 1: clientSecret must be text"],
    [
      "redirects",
      [{ ...google, redirectUris: ["http://app.example/"] }],
      "provider 1: redirectUris must be a list of https addresses",
    ],
    [
      "typo",
      [{ ...google, redirectUrl: "x" }],
      "provider 1: it has a member that is none of a provider",
    ],
    ["twice", [google, google], "provider 2: its id is taken by one before"],
  ];
  for (const [name, value, fault] of cases) {
    test(name, () => expect(read(value)).toEqual({ faults: [fault] }));
  }

  test("not JSON", () => expect(readProviders("[")).toEqual({ faults: ["must be JSON"] }));

  test("all of them, without a value", () => {
    const bad = { ...google, id: "A", name: "", issuer: "top-secret", clientId: "" };
    const result = read([bad, 1]);
    expect(result).toHaveProperty("faults.length", 5);
    expect(JSON.stringify(result)).not.toContain("top-secret");
  });
});
