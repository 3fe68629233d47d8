/**
 * Making tokens that look like those of the server: JWS compact (RFC 7515 §7.1) with any header, any
 * claims and any signature. What becomes of them is the tests' matter.
 *
 *   base64url(header) "." base64url(claims) "." base64url(signature)
 */
import { createHmac } from "node:crypto";

type Json = Readonly<Record<string, unknown>>;

/** From what is signed to a signature. */
export type Mark = (input: Buffer) => Uint8Array | Promise<Uint8Array>;

const ecdsa = { name: "ECDSA", hash: "SHA-256" } as const;

export const encoded = (value: Json | string | Uint8Array): string =>
  Buffer.from(
    typeof value === "string" || value instanceof Uint8Array ? value : JSON.stringify(value),
  ).toString("base64url");

export async function jws(
  header: Json | string,
  claims: Json | string,
  mark: Mark,
): Promise<string> {
  const input = `${encoded(header)}.${encoded(claims)}`;
  return `${input}.${encoded(await mark(Buffer.from(input)))}`;
}

/** ES256, as the server signs. */
export const byKey =
  (key: CryptoKey): Mark =>
  async (input) =>
    new Uint8Array(await crypto.subtle.sign(ecdsa, key, new Uint8Array(input)));

export const byHmac =
  (secret: string | Uint8Array, hash = "sha256"): Mark =>
  (input) =>
    createHmac(hash, secret).update(input).digest();

export const unsigned: Mark = () => new Uint8Array();

export interface Parts {
  readonly header: Json;
  readonly claims: Json;
  /** r‖s. */
  readonly mark: Uint8Array;
}

export function partsOf(token: string): Parts {
  const [header = "", claims = "", mark = ""] = token.split(".");
  const json = (text: string): Json =>
    JSON.parse(Buffer.from(text, "base64url").toString()) as Json;
  return { header: json(header), claims: json(claims), mark: Buffer.from(mark, "base64url") };
}

/** The token with other bytes for its signature. */
export const remarked = (token: string, change: (mark: Uint8Array) => Uint8Array): string =>
  `${token.slice(0, token.lastIndexOf("."))}.${encoded(change(partsOf(token).mark))}`;

const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** r‖(n − s), which verifies as well: who ends a token must not go by its text (SEC 1 §4.1.3). */
export function mirrored(mark: Uint8Array): Uint8Array {
  const s = BigInt(`0x${mark.subarray(32).toHex()}`);
  const other = (order - s).toString(16).padStart(64, "0");
  return Uint8Array.from([...mark.subarray(0, 32), ...Uint8Array.fromHex(other)]);
}

/** A signature in DER (SEQUENCE of two INTEGERs), as most libraries but those for JWS make it. */
export function der(mark: Uint8Array): Uint8Array {
  const integer = (bytes: Uint8Array): number[] => {
    const first = bytes.findIndex((byte) => byte !== 0);
    const short = [...bytes.subarray(first)];
    const body = (short[0] ?? 0) > 0x7f ? [0, ...short] : short;
    return [2, body.length, ...body];
  };
  const body = [...integer(mark.subarray(0, 32)), ...integer(mark.subarray(32))];
  return Uint8Array.from([0x30, body.length, ...body]);
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** The same bytes in another spelling: 64 bytes leave four bits of the last letter without a meaning. */
export function respelled(token: string): string {
  const last = alphabet.indexOf(token.at(-1) ?? "");
  return token.slice(0, -1) + alphabet[last ^ 1];
}
