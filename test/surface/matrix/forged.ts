/**
 * Access tokens that were never issued (RFC 8725 tells most of the ways): without a signature, with one by
 * a key that the header brings or that is no secret, by a key of another use, and with claims that no
 * token of this server has. Each claims to be the Platform Owner's.
 */
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import {
  byHmac,
  byKey,
  der,
  encoded,
  jws,
  type Mark,
  partsOf,
  remarked,
  unsigned,
} from "./forge.ts";
import type { Grounds } from "./grounds.ts";
import { bearing, type Stranger } from "./stranger.ts";

type Json = Readonly<Record<string, unknown>>;

/** Not signed by the key that signs access tokens now, or with what no token has. */
export const forged = async (grounds: Grounds): Promise<Stranger[]> => [
  ...(await unissued(grounds)),
  ...(await misfits(grounds)),
];

async function unissued(grounds: Grounds): Promise<Stranger[]> {
  const token = await grounds.platformOwner();
  return [
    ...Object.entries(reshaped(grounds, token)),
    ...Object.entries(await unsignedTokens(token)),
    ...Object.entries(await confused(grounds, token)),
    ...Object.entries(await borne(token)),
    ...Object.entries(await otherKeys(grounds, token)),
  ].map(([name, text]) => bearing(`forged: ${name}`, text));
}

type Tokens = Record<string, string>;

/** The Platform Owner's token, taken apart. */
function reshaped({ theirs, mine }: Grounds, token: string): Tokens {
  const [head = "", body = "", mark = ""] = token.split(".");
  const { header, claims } = partsOf(token);
  const flipped = (at: number) => remarked(token, (bytes) => bytes.with(at, (bytes[at] ?? 0) ^ 1));
  const saying = (change: Json): string => `${head}.${encoded({ ...claims, ...change })}.${mark}`;
  const flattened = { protected: head, payload: body, signature: mark };
  return {
    "two parts": `${head}.${body}`,
    "no signature": `${head}.${body}.`,
    "no payload": `${head}..${mark}`,
    "no header": `.${body}.${mark}`,
    "four parts": `${token}.${mark}`,
    "five parts": `${head}.${mark}.${mark}.${body}.${mark}`,
    "dots alone": "..",
    "flattened JSON": JSON.stringify(flattened),
    "first bit of the signature turned": flipped(0),
    "last bit of the signature turned": flipped(63),
    "signature cut": remarked(token, (bytes) => bytes.subarray(0, 63)),
    "signature and a byte": remarked(token, (bytes) => Uint8Array.from([...bytes, 0])),
    "signature in DER": remarked(token, der),
    "signature of zeros": remarked(token, () => new Uint8Array(64)),
    "signature of r = 0, s = 1": remarked(token, () => new Uint8Array(64).with(63, 1)),
    "signature of the group's order": remarked(token, () => orderTwice),
    "another tenant": saying({ tenantId: theirs.id }),
    "another person": saying({ sub: mine.ownerId }),
    "another role": saying({ roles: ["owner", "admin"] }),
    "a longer life": saying({ exp: Number(claims.exp) + 3_600 }),
    "a header more": `${encoded({ ...header, x: 1 })}.${body}.${mark}`,
  };
}

const orderHex = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
const orderTwice = Uint8Array.fromHex(orderHex + orderHex);

async function unsignedTokens(token: string): Promise<Tokens> {
  const { header, claims, mark } = partsOf(token);
  const algorithms = ["none", "None", "NONE", "nOnE", "none ", "", "null", "HS256 ", "es256"];
  const tokens: Tokens = {};
  for (const alg of algorithms) {
    tokens[`alg ${JSON.stringify(alg)}, no signature`] = await jws(
      { ...header, alg },
      claims,
      unsigned,
    );
    tokens[`alg ${JSON.stringify(alg)}, the old one`] = await jws(
      { ...header, alg },
      claims,
      () => mark,
    );
  }
  const { alg: _alg, ...without } = header;
  const odd: Readonly<Record<string, Json>> = {
    "no alg": without,
    "alg null": { ...header, alg: null },
    "alg in a list": { ...header, alg: ["none", "ES256"] },
    "alg true": { ...header, alg: true },
    "alg none, no kid": { alg: "none", typ: "JWT" },
  };
  for (const [name, head] of Object.entries(odd)) tokens[name] = await jws(head, claims, unsigned);
  return tokens;
}

/** What is public taken for a secret, and other algorithms (RFC 8725 §2.1). */
async function confused({ estate }: Grounds, token: string): Promise<Tokens> {
  const { header, claims, mark } = partsOf(token);
  const jwks = await estate.kartu.signing.publicKeys();
  const jwk = jwks.find(({ kid }) => kid === header.kid);
  if (jwk === undefined) throw new Error("its key is not published");
  const key = createPublicKey({ key: { ...jwk }, format: "jwk" });
  const point = Buffer.concat([jwk.x, jwk.y].map((part) => Buffer.from(part, "base64url")));
  const pem = key.export({ type: "spki", format: "pem" }).toString();
  const secrets: Readonly<Record<string, string | Uint8Array>> = {
    "the PEM": pem,
    "the PEM without its last line's end": pem.trimEnd(),
    "the DER": key.export({ type: "spki", format: "der" }),
    "the JWK": JSON.stringify(jwk),
    "the JWK set": JSON.stringify({ keys: jwks }),
    "the point": Buffer.concat([Buffer.from([4]), point]),
    "x and y": point,
    "x alone": jwk.x,
    "the kid": jwk.kid,
    nothing: "",
    "a word": "secret",
  };
  const tokens: Tokens = {};
  for (const [name, secret] of Object.entries(secrets)) {
    const of = byHmac(secret);
    tokens[`HS256 by ${name}`] = await jws({ ...header, alg: "HS256" }, claims, of);
    tokens[`ES256 that is HS256 by ${name}`] = await jws(header, claims, of);
  }
  tokens["HS384 by the PEM"] = await jws(
    { ...header, alg: "HS384" },
    claims,
    byHmac(pem, "sha384"),
  );
  tokens["HS512 by the PEM"] = await jws(
    { ...header, alg: "HS512" },
    claims,
    byHmac(pem, "sha512"),
  );
  for (const alg of [
    "ES384",
    "ES512",
    "ES256K",
    "RS256",
    "PS256",
    "EdDSA",
    "Ed25519",
    "ML-DSA-44",
  ]) {
    tokens[`alg ${alg}`] = await jws({ ...header, alg }, claims, () => mark);
  }
  return tokens;
}

/** Keys that the header brings or points to. */
async function borne(token: string): Promise<Tokens> {
  const { header, claims } = partsOf(token);
  const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const usages = { name: "ECDSA", namedCurve: "P-256" };
  const secret = pair.privateKey.export({ format: "jwk" });
  const mark: Mark = byKey(await crypto.subtle.importKey("jwk", secret, usages, false, ["sign"]));
  const jwk = pair.publicKey.export({ format: "jwk" });
  const own = { ...header, kid: "tok_own" };
  const heads: Readonly<Record<string, Json>> = {
    "own key under our kid": header,
    "own key, jwk": { ...header, jwk },
    "own key, jwk and own kid": { ...own, jwk: { ...jwk, kid: "tok_own", alg: "ES256" } },
    "own key, jwk without a kid": { alg: "ES256", typ: "JWT", jwk },
    "own key, jku": { ...own, jku: "http://127.0.0.1:9/jwks.json" },
    "own key, x5u": { ...own, x5u: "http://127.0.0.1:9/key.pem" },
    "own key, x5c": { ...own, x5c: [Buffer.from(jwk.x ?? "").toString("base64")] },
    "own key, x5t": { ...own, x5t: "A".repeat(27) },
    "kid that leads to a file": { ...header, kid: "tok_/../../../../../../dev/null" },
    "kid with a NUL": { ...header, kid: `${String(header.kid)}\0` },
    "kid of SQL": { ...header, kid: "tok_' OR '1'='1" },
    "kid of LIKE": { ...header, kid: "tok_%" },
    "kid of a prefix": { ...header, kid: "tok_" },
    "kid that is empty": { ...header, kid: "" },
    "kid that is a number": { ...header, kid: 0 },
    "kid that is null": { ...header, kid: null },
    "kid that is a list": { ...header, kid: [header.kid] },
    "kid of Object": { ...header, kid: "__proto__" },
    "no kid": { alg: "ES256", typ: "JWT" },
  };
  const tokens: Tokens = {};
  for (const [name, head] of Object.entries(heads)) tokens[name] = await jws(head, claims, mark);
  const emptyFile = { ...header, alg: "HS256", kid: "tok_/../../../../../../dev/null" };
  tokens["kid that leads to an empty file, HS256"] = await jws(emptyFile, claims, byHmac(""));
  return tokens;
}

/** Keys of this server that do not sign access tokens, or no longer. */
async function otherKeys({ estate, lapsed }: Grounds, token: string): Promise<Tokens> {
  const { signing, store } = estate.kartu;
  const { header, claims } = partsOf(token);
  await store.write((tx) => signing.create(tx, "aud_", estate.clock.nowMs()));
  const grants = await signing.signer("grt_");
  const audits = await signing.signer("aud_");
  const { signer } = lapsed;
  return {
    "by the key of grants": await jws({ ...header, kid: grants.kid }, claims, byKey(grants.key)),
    "by the key of grants, under our kid": await jws(header, claims, byKey(grants.key)),
    "by the key of checkpoints": await jws(
      { ...header, kid: audits.kid },
      claims,
      byKey(audits.key),
    ),
    "by the key of checkpoints, under our kid": await jws(header, claims, byKey(audits.key)),
    "by a key that was replaced": await jws(
      { ...header, kid: signer.kid },
      claims,
      byKey(signer.key),
    ),
    "by a key that was replaced, under our kid": await jws(header, claims, byKey(signer.key)),
  };
}

const revoked = "401 token-revoked" as const;
const misfit = "401 unauthorized" as const;

/** Signed by the right key, with a header or claims that this server never writes. */
async function misfits(grounds: Grounds): Promise<Stranger[]> {
  const { estate, mine, theirs } = grounds;
  const token = await grounds.platformOwner();
  const { header, claims } = partsOf(token);
  const { key } = await estate.kartu.signing.signer("tok_");
  const nowSec = estate.clock.nowSec();
  const { id: apiKey } = await mine.apiKey();
  const { id: client } = await mine.client();
  const unknown = crypto.randomUUID();
  const heads: Readonly<Record<string, Json>> = {
    "typ at+jwt": { ...header, typ: "at+jwt" },
    "typ id": { ...header, typ: "id_token" },
    "no typ": { alg: "ES256", kid: header.kid },
    "crit of exp": { ...header, crit: ["exp"], exp: claims.exp },
    "crit of what it lacks": { ...header, crit: ["b64"] },
    "crit that is empty": { ...header, crit: [] },
    "payload not encoded": { ...header, b64: false, crit: ["b64"] },
    "crit of nobody's": { ...header, crit: ["kartu"], kartu: 1 },
  };
  const changes: Readonly<Record<string, readonly [Json, Stranger["answers"]?]>> = {
    "aud of nobody": [{ aud: "other" }],
    "aud of a list": [{ aud: ["platform-kernel"] }],
    "aud of an unknown application": [{ aud: unknown }],
    "aud of an application that was not let in": [{ aud: client }],
    "no aud": [{ aud: undefined }],
    "iss of somebody else": [{ iss: "https://evil.example" }],
    "iss with a slash": [{ iss: `${String(claims.iss)}/` }],
    "no iss": [{ iss: undefined }],
    "nbf to come": [{ nbf: nowSec + 3_600 }],
    "nbf of text": [{ nbf: "0" }],
    "exp that is past": [{ exp: nowSec - 1 }, "401 token-expired"],
    "exp that is now": [{ exp: nowSec }, "401 token-expired"],
    "exp of text": [{ exp: String(nowSec + 900) }],
    "exp of null": [{ exp: null }],
    "no exp": [{ exp: undefined }],
    "iat of text": [{ iat: String(nowSec) }],
    "no iat": [{ iat: undefined }],
    "no jti": [{ jti: undefined }],
    "jti that is no uuid": [{ jti: "1" }],
    "no sub": [{ sub: undefined }],
    "sub that is no uuid": [{ sub: "1 OR 1=1" }],
    "sub of nobody": [{ sub: unknown }, revoked],
    "sub of another tenant's": [{ sub: theirs.ownerId }, revoked],
    "no tenant": [{ tenantId: undefined }],
    "tenant of nobody": [{ tenantId: unknown }, revoked],
    "tenant that the person is not in": [{ tenantId: theirs.id }, revoked],
    "tenant in a list": [{ tenantId: [mine.id] }],
    "no roles": [{ roles: undefined }],
    "roles of text": [{ roles: "owner" }],
    "no email": [{ email: undefined }],
    "no principal": [{ kartu: undefined }],
    "a principal of nobody": [{ kartu: { principal: "god" } }],
    "a module": [{ kartu: { principal: "module" } }],
    "an API key's principal for a person": [{ kartu: { principal: "apiKey" } }, revoked],
    "an application's principal for a person": [{ kartu: { principal: "client" } }, revoked],
    "another tenant's API key": [
      { sub: apiKey, kartu: { principal: "apiKey" }, tenantId: theirs.id },
      revoked,
    ],
    "another tenant's application": [
      { sub: client, kartu: { principal: "client" }, tenantId: theirs.id },
      revoked,
    ],
    "a session of nobody": [{ sid: unknown }, revoked],
    "a session that is no uuid": [{ sid: "1" }],
    "acting as somebody else": [{ act: { sub: mine.ownerId } }, revoked],
    "acting as nobody": [{ act: {} }],
  };
  const rows: Stranger[] = [];
  for (const [name, head] of Object.entries(heads)) {
    rows.push(bearing(`signed: ${name}`, await jws(head, claims, byKey(key))));
  }
  for (const [name, [change, answers = misfit]] of Object.entries(changes)) {
    const text = await jws(header, { ...claims, ...change }, byKey(key));
    rows.push(bearing(`signed: ${name}`, text, answers));
  }
  const own = partsOf(await clientToken(grounds));
  const moved = await jws(own.header, { ...own.claims, tenantId: theirs.id }, byKey(key));
  rows.push(bearing("signed: an application's own, in another tenant", moved, revoked));
  for (const [name, text] of Object.entries(oddTexts)) {
    rows.push(bearing(`signed: ${name}`, await jws(header, text, byKey(key))));
  }
  return rows;
}

/** An application's token of its own. */
async function clientToken({ estate, mine }: Grounds): Promise<string> {
  const { id, clientSecret } = await mine.client();
  const form = { grant_type: "client_credentials", client_id: id, client_secret: clientSecret };
  return (await estate.ok<{ access_token: string }>("POST", "/oauth/token", { form })).access_token;
}

const oddTexts: Readonly<Record<string, string>> = {
  "no JSON": "owner",
  "an empty object": "{}",
  "a list": "[]",
  null: "null",
};
