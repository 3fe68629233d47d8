/**
 * What the program's own source never does, so that no input can lead it there: running text or other
 * programs, guessable numbers where secrets are made, unchecked certificates, weak ciphers, pages that put
 * text in as markup or keep anything in the browser. Each exception stands here with its reason.
 */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { consentResponse } from "../../src/http/platform/consent.ts";
import { type LinkPage, linkPageResponse } from "../../src/http/platform/linkpage.ts";
import { root } from "./lock.ts";

const files = ["src", "schema"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `${folder}/${name}`),
);
const sources = files.map((path) => [path, readFileSync(join(root, path), "utf8")] as const);

/** What is not there, and where it is all the same, for which reason. */
const never: readonly (readonly [what: string, RegExp, Readonly<Record<string, string>>?])[] = [
  ["runs text as a program", /\beval\(|\bnew Function\b|\bsetTimeout\(\s*["'`]/],
  ["starts other programs", /child_process|Bun\.spawn|Bun\.\$|\bexecSync\b|\bBun\.which\b/],
  ["makes numbers that can be guessed", /Math\.random/],
  ["lets certificates be anybody's", /rejectUnauthorized|NODE_TLS_|checkServerIdentity/],
  [
    "talks to a provider without TLS",
    /allowInsecureRequests/,
    { "src/feature/provider/outside.ts": "on the machine itself, where settings allow no other" },
  ],
  [
    "uses broken hashes",
    /["'`](?:md4|md5|sha1|sha-1|ripemd160|rmd160)["'`]|\bBun\.(?:MD4|MD5|SHA1)\b/i,
    {
      "src/domain/totp.ts": "RFC 6238 by HMAC, which authenticator apps expect",
      "src/system/valkey.ts": "the name by which Valkey finds a script",
    },
  ],
  [
    "uses ciphers without authentication",
    /-(?:ecb|cbc|cfb|ofb|ctr)["'`]|["'`](?:rc4|des|des3|des-\w+)["'`]/i,
  ],
  ["asks for keys of less than 256 bits", /modulusLength|secp192|P-192|["'`]aes-128/i],
  ["puts text into a page as markup", /innerHTML|outerHTML|insertAdjacentHTML|document\.write/],
  ["keeps anything in a browser", /localStorage|sessionStorage|indexedDB|document\.cookie/],
  ["talks from page to page", /window\.(?:open|parent|opener)|\.postMessage\([^{]/],
];

describe("no file of the program", () => {
  test.each(never.map(([what, pattern, but = {}]) => [what, pattern, but] as const))(
    "%s",
    (_, pattern, but) => {
      const found = sources.filter(([, text]) => pattern.test(text)).map(([path]) => path);
      expect(found.sort()).toEqual(Object.keys(but).sort());
    },
  );

  test("holds a private key or a token", () => {
    const secret = /-----BEGIN [A-Z ]*PRIVATE KEY-----|\beyJ[\w-]{20,}\.[\w-]{20,}\.[\w-]{43,}/;
    expect(sources.filter(([, text]) => secret.test(text)).map(([path]) => path)).toEqual([]);
  });

  test("is left out of this", () => {
    expect(files.length).toBeGreaterThan(300);
    expect(files).toContain("src/main.ts");
  });
});

describe("a page that asks for a password", () => {
  const request = "018f9d2e-1111-7222-8333-444455556666";
  const links: readonly LinkPage[] = ["reset", "invite"];
  const pages: [string, () => Response][] = links.map((page) => [
    page,
    () => linkPageResponse(page, request),
  ]);
  const asked = { requestId: "or_x", clientName: "App", lines: [], base: "/api/v1" };
  const cancelTo = "https://app.example/in";
  pages.push(["consent", () => consentResponse({ ...asked, cancelTo }, request)]);

  test.each(pages)("%s: masks it, and lets managers and the clipboard fill it", async (_, page) => {
    const html = await page().text();
    const fields = html.match(/<input[^>]*id="password"[^>]*>/g) ?? [];
    expect(fields.length).toBe(1);
    expect(fields[0]).toContain('type="password"');
    expect(fields[0]).toMatch(/autocomplete="(?:current|new)-password"/);
    expect(html).not.toMatch(/onpaste|"paste"|oncopy|autocomplete="off"/);
  });
});
