/** Wallets: the vectors of EIP-55 and of web3.js's documentation, and signatures of keys made here. */
import { describe, expect, test } from "bun:test";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import fc from "fast-check";
import {
  addressOf,
  personalHash,
  readAddress,
  signerOf,
  signInMessage,
} from "../../src/domain/wallet.ts";

describe("addresses", () => {
  const eip55 = [
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
  ];
  for (const address of eip55) {
    test(address, () => {
      expect(readAddress(address)).toBe(address);
      expect(readAddress(address.toLowerCase())).toBe(address);
      expect(readAddress(`0x${address.slice(2).toUpperCase()}`)).toBe(address);
    });
  }

  const bad = [
    "0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeg",
    "",
  ];
  for (const text of bad) test(`not ${text}`, () => expect(readAddress(text)).toBeUndefined());
});

const web3 = {
  key: "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318",
  address: "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23",
  message: "Some data",
  hash: "1da44b586eb0729ff70a73c326926f6ed5a25f5b056e7f47fbc6e58d86871655",
  signature:
    "0xb91467e570a6466aa9e9876cbcd013baba02900b8979d43fe208a4a4f339f5fd6007e74cd82e037b800186422fc2da167c747ef045e5d18a5f5d4300f8e1a0291c",
};

test("the signed message of web3.js's documentation", () => {
  expect(Buffer.from(personalHash(web3.message)).toString("hex")).toBe(web3.hash);
  expect(signerOf(web3.message, web3.signature)).toBe(web3.address);
  expect(signerOf(web3.message, web3.signature.slice(2))).toBe(web3.address);
  expect(signerOf(web3.message, `${web3.signature.slice(0, -2)}01`)).toBe(web3.address);
  expect(addressOf(secp256k1.getPublicKey(Buffer.from(web3.key, "hex"), false))).toBe(web3.address);
});

describe("what is no signature has no signer", () => {
  const zeros = "00".repeat(32);
  const order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
  const r = web3.signature.slice(2, 66);
  const cases: [string, string][] = [
    ["empty", ""],
    ["one byte short", web3.signature.slice(0, -2)],
    ["one byte long", `${web3.signature}00`],
    ["not hex", `${web3.signature.slice(0, -1)}g`],
    ["v of 2", `${web3.signature.slice(0, -2)}02`],
    ["v of 29", `${web3.signature.slice(0, -2)}1d`],
    ["r of 0", `0x${zeros}${zeros}1b`],
    ["s of 0", `0x${r}${zeros}1b`],
    ["s of the order", `0x${r}${order}1b`],
    ["r of the order", `0x${order}${r}1b`],
  ];
  for (const [name, text] of cases) {
    test(name, () => expect(signerOf(web3.message, text)).toBeUndefined());
  }
});

test("the message, line by line", () => {
  const message = signInMessage({
    domain: "kartu.example",
    address: web3.address,
    statement: "Sign in to Kartu.",
    uri: "https://kartu.example",
    nonce: "0123456789abcdef",
    issuedAtMs: Date.UTC(2026, 10, 21, 16, 33),
    expiresAtMs: Date.UTC(2026, 10, 21, 16, 43),
  });
  expect(message).toBe(`kartu.example wants you to sign in with your Ethereum account:
0x2c7536E3605D9C16a7a3D7b1898e529396a65c23

Sign in to Kartu.

URI: https://kartu.example
Version: 1
Chain ID: 1
Nonce: 0123456789abcdef
Issued At: 2026-11-21T16:33:00.000Z
Expiration Time: 2026-11-21T16:43:00.000Z`);
});

test("who signed, for any key and text; another text has another signer", () => {
  const keys = fc
    .uint8Array({ minLength: 32, maxLength: 32 })
    .filter((key) => secp256k1.utils.isValidSecretKey(key));
  fc.assert(
    fc.property(keys, fc.string(), fc.string(), (key, text, other) => {
      const address = addressOf(secp256k1.getPublicKey(key, false));
      const raw = secp256k1.sign(personalHash(text), key, {
        prehash: false,
        format: "recovered",
      });
      const v = 27 + (raw[0] ?? 0);
      const signature = `0x${Buffer.from(raw.subarray(1)).toString("hex")}${v.toString(16)}`;
      expect(signerOf(text, signature)).toBe(address);
      if (other !== text) expect(signerOf(other, signature)).not.toBe(address);
    }),
    { numRuns: 20 },
  );
});
