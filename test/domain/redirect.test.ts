/** Addresses that a sign-in may lead back to. */
import { describe, expect, test } from "bun:test";
import { isRedirectUri, withParams } from "../../src/domain/redirect.ts";

describe("an address to lead back to", () => {
  const good = [
    "https://app.example/callback",
    "https://app.example/callback?tenant=1",
    "http://localhost:3000/cb",
    "http://127.0.0.1/cb",
    "http://[::1]:8080/cb",
    "com.example.app:/oauth",
  ];
  const bad = [
    "",
    "/callback",
    "app.example/callback",
    "http://app.example/callback",
    "https://app.example/callback#part",
    "https://user@app.example/callback",
    "https://app.example/ callback",
    "https://app.example/cb\n",
    "javascript:alert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "http://localhost.evil.example/cb",
  ];
  for (const text of good) test(text, () => expect(isRedirectUri(text)).toBe(true));
  for (const text of bad) test(`not ${text}`, () => expect(isRedirectUri(text)).toBe(false));
});

describe("an answer written into an address", () => {
  const cases: [string, Record<string, string | null>, string][] = [
    ["https://a.example/cb", { code: "x" }, "https://a.example/cb?code=x"],
    ["https://a.example/cb?t=1", { code: "x" }, "https://a.example/cb?t=1&code=x"],
    ["https://a.example/cb?", { code: "x" }, "https://a.example/cb?code=x"],
    ["app.example:/cb", { code: "x", state: null }, "app.example:/cb?code=x"],
    ["https://a.example/cb", { state: "a b&c=d" }, "https://a.example/cb?state=a+b%26c%3Dd"],
  ];
  for (const [address, params, whole] of cases) {
    test(whole, () => expect(withParams(address, params)).toBe(whole));
  }
});
