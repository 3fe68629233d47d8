/** Masks, the signed text, and grants whose fields try to spell another grant's bytes. */
import { expect, test } from "bun:test";
import { generateKeyPairSync, sign } from "node:crypto";
import fc from "fast-check";
import {
  type Grant,
  type GrantJwk,
  grantBytes,
  grantKey,
  grantText,
  OPS,
  type Op,
  opsMask,
  opsOf,
  verifyGrant,
} from "../../src/domain/grant.ts";

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const jwk = publicKey.export({ format: "jwk" }) as unknown as GrantJwk;
const key = grantKey(jwk);
const sessionKey = new Uint8Array(32).fill(5).toBase64();
const grant: Grant = { allowedOps: ["read", "debit"], expiresAt: 2, keyVersion: 1, sessionKey };
const signatureOf = (g: Grant): string =>
  sign("sha256", grantBytes(g), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64");

test("a mask and its list are one thing, in the order of OPS", () => {
  fc.assert(
    fc.property(fc.shuffledSubarray([...OPS]), (ops: Op[]) => {
      expect(opsOf(opsMask(ops))).toEqual(OPS.filter((op) => ops.includes(op)));
    }),
  );
});

test("the text is JSON with sorted names", () => {
  for (const ops of [[], ["read"], [...OPS]] as Op[][]) {
    const one = { ...grant, allowedOps: ops };
    expect(grantText(one)).toBe(JSON.stringify(one, Object.keys(one).sort()));
  }
});

test("signed here, verified here; another key or one changed field is not", () => {
  const signature = signatureOf(grant);
  expect(verifyGrant({ ...grant, signature }, key)).toBe(true);
  expect(verifyGrant({ ...grant, expiresAt: 3, signature }, key)).toBe(false);
  const other = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey;
  expect(verifyGrant({ ...grant, signature }, other)).toBe(false);
});

test.each([
  { ...grant, allowedOps: ['read","debit'] },
  { ...grant, sessionKey: `${sessionKey}","x":"` },
  { ...grant, sessionKey: sessionKey.slice(4) },
  { ...grant, expiresAt: 2.5 },
])("a malformed grant is refused though its signature holds", (malformed) => {
  const odd = malformed as Grant;
  expect(verifyGrant({ ...odd, signature: signatureOf(odd) }, key)).toBe(false);
});

test.each(["", "AAAA", "not base64", `${"A".repeat(86)}`])(
  "signature %p is refused",
  (signature) => {
    expect(verifyGrant({ ...grant, signature }, key)).toBe(false);
  },
);

test("a key of another curve is no grant key", () => {
  expect(() => grantKey({ ...jwk, crv: "P-384" })).toThrow(TypeError);
});
