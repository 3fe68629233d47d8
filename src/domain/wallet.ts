/**
 * Signing in with a wallet of Ethereum's kind: addresses (EIP-55), the message that its holder signs
 * (EIP-4361), and who signed one (EIP-191, secp256k1). Accounts that are contracts are not here.
 *
 * The message, lines ended by LF, the last one not:
 *
 *     ${domain} wants you to sign in with your Ethereum account:
 *     ${address}
 *
 *     ${statement}
 *
 *     URI: ${uri}
 *     Version: 1
 *     Chain ID: 1
 *     Nonce: ${nonce}
 *     Issued At: ${time}
 *     Expiration Time: ${time}
 *
 * What is hashed (Keccak-256) and signed: 0x19 | "Ethereum Signed Message:" | LF | length of the message
 * in bytes, decimal | message. The signature: r (32) | s (32) | v (1: 0, 1, 27 or 28), in hex.
 */
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { keccak_256 } from "@noble/hashes/sha3.js";

const addressBytes = 20;

/** The address with the capitals of its checksum (EIP-55); undefined if it is none, or has a wrong one. */
export function readAddress(text: string): string | undefined {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) return undefined;
  const digits = text.slice(2);
  const checked = checksummed(digits.toLowerCase());
  const isPlain = digits === digits.toLowerCase() || digits === digits.toUpperCase();
  return isPlain || checked === text ? checked : undefined;
}

function checksummed(digits: string): string {
  const hash = keccak_256(Buffer.from(digits, "ascii"));
  let address = "0x";
  for (let at = 0; at < digits.length; at++) {
    const nibble = (hash[at >> 1] ?? 0) >> (at % 2 === 0 ? 4 : 0);
    const digit = digits.charAt(at);
    address += (nibble & 8) === 0 ? digit : digit.toUpperCase();
  }
  return address;
}

export interface SignInRequest {
  /** Host and port that ask. */
  readonly domain: string;
  /** Checksummed. */
  readonly address: string;
  /** One line of plain ASCII. */
  readonly statement: string;
  readonly uri: string;
  /** At least 8 letters and digits. */
  readonly nonce: string;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

/** The message to sign. */
export const signInMessage = (request: SignInRequest): string =>
  [
    `${request.domain} wants you to sign in with your Ethereum account:`,
    request.address,
    "",
    request.statement,
    "",
    `URI: ${request.uri}`,
    "Version: 1",
    "Chain ID: 1",
    `Nonce: ${request.nonce}`,
    `Issued At: ${new Date(request.issuedAtMs).toISOString()}`,
    `Expiration Time: ${new Date(request.expiresAtMs).toISOString()}`,
  ].join("\n");

const prefix = "\x19Ethereum Signed Message:\n";

/** What a wallet hashes before it signs a text (EIP-191, version 0x45). */
export const personalHash = (message: string): Uint8Array => {
  const text = Buffer.from(message, "utf8");
  return keccak_256(Buffer.concat([Buffer.from(`${prefix}${text.length}`, "latin1"), text]));
};

/** The checksummed address whose key signed the message; undefined if the signature is none. */
export function signerOf(message: string, signature: string): string | undefined {
  const hex = /^(?:0x)?([0-9a-fA-F]{130})$/.exec(signature)?.[1];
  if (hex === undefined) return undefined;
  const bytes = Buffer.from(hex, "hex");
  const v = bytes[64] ?? 0;
  const recovery = v >= 27 ? v - 27 : v;
  if (recovery > 1) return undefined;
  try {
    const key = secp256k1.Signature.fromBytes(bytes.subarray(0, 64), "compact")
      .addRecoveryBit(recovery)
      .recoverPublicKey(personalHash(message));
    return addressOf(key.toBytes(false));
  } catch {
    // r or s outside of the curve's order, or no point for r: no key made this.
    return undefined;
  }
}

/** Checksummed address of an uncompressed public key: the last 20 bytes of the hash of x and y. */
export const addressOf = (publicKey: Uint8Array): string => {
  const hash = keccak_256(publicKey.subarray(1));
  return checksummed(Buffer.from(hash.subarray(hash.length - addressBytes)).toString("hex"));
};
