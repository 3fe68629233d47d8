/** The second factor: setting it up, signing in with it, each code once, and taking it away. */
import { describe, expect, test } from "bun:test";
import { statement } from "../../schema/query/statement.ts";
import { stepOf, totpCode } from "../../src/domain/totp.ts";
import { type Entrance, entrances, phrase, post, refusal, register } from "./entrance.ts";

const open = entrances();
const email = "dewi@example.com";
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

function fromBase32(text: string): Uint8Array {
  let bits = "";
  for (const letter of text) bits += alphabet.indexOf(letter).toString(2).padStart(5, "0");
  return Uint8Array.from(bits.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
}

/** The code of now, or of so many steps away. */
const codeAt = (world: Entrance, secret: string, steps = 0): string =>
  totpCode(fromBase32(secret), stepOf(Math.floor(world.clock.nowMs() / 1000)) + steps);

const login = (more: Readonly<Record<string, unknown>> = {}) => ({
  json: { email, password: phrase, ...more },
});

async function enrolled(world: Entrance) {
  const { accessToken: token, user } = await register(world, { email });
  const enrolment = await post(world, "/auth/mfa/enable", 200, { token });
  const { secret, recoveryCodes } = enrolment as { secret: string; recoveryCodes: string[] };
  const json = { code: codeAt(world, secret) };
  const verified = await post(world, "/auth/mfa/verify", 200, { token, json });
  expect(verified).toEqual({ mfaEnabled: true, recoveryCodesRemaining: 10 });
  world.clock.advance(60);
  return { token, userId: user.id as string, secret, recoveryCodes };
}

describe("setting it up", () => {
  test("secret, URI, QR code and ten codes; in force only after the first right code", async () => {
    const world = await open();
    const { accessToken: token, user } = await register(world, { email });
    const shown = await post(world, "/auth/mfa/enable", 200, { token });
    expect(shown.secret).toMatch(/^[A-Z2-7]{32}$/);
    expect(shown.otpauthUri).toBe(
      `otpauth://totp/Kartu:dewi%40example.com?secret=${shown.secret}&issuer=Kartu&algorithm=SHA1&digits=6&period=30`,
    );
    expect(shown.qrCodeSvg).toStartWith("<svg");
    expect(new Set(shown.recoveryCodes).size).toBe(10);
    for (const code of shown.recoveryCodes) {
      expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}$/);
    }
    await post(world, "/auth/login", 200, login());
    const wrong = { token, json: { code: "000000" } };
    expect(await refusal(world, "POST", "/auth/mfa/verify", wrong)).toBe("401 mfa-invalid");
    const json = { code: codeAt(world, shown.secret) };
    await post(world, "/auth/mfa/verify", 200, { token, json });
    expect(await world.eventsOf("userId", user.id)).toContain("auth.mfa.enabled");
    expect(await refusal(world, "POST", "/auth/mfa/enable", { token })).toBe("409 wrong-state");
    expect(await refusal(world, "POST", "/auth/mfa/verify", { token, json })).toBe(
      "409 wrong-state",
    );
  });

  test("a second beginning replaces the first; none begun is 409", async () => {
    const world = await open();
    const { accessToken: token } = await register(world, { email });
    const none = { token, json: { code: "123456" } };
    expect(await refusal(world, "POST", "/auth/mfa/verify", none)).toBe("409 wrong-state");
    const first = await post(world, "/auth/mfa/enable", 200, { token });
    await post(world, "/auth/mfa/enable", 200, { token });
    const json = { code: codeAt(world, first.secret) };
    expect(await refusal(world, "POST", "/auth/mfa/verify", { token, json })).toBe(
      "401 mfa-invalid",
    );
  });

  test("neither the secret nor a code is in the file in clear", async () => {
    const world = await open();
    const { secret, recoveryCodes } = await enrolled(world);
    const row = await world.store.read((q) =>
      q.get(
        statement<[], { sealed: Uint8Array; hashes: string }>(
          "test.factor",
          `SELECT mfa_sealed AS sealed, (SELECT group_concat(hash) FROM recovery_code) AS hashes
           FROM user_account WHERE mfa_enabled = 1`,
        ),
      ),
    );
    expect(Buffer.from(row?.sealed ?? []).includes(Buffer.from(fromBase32(secret)))).toBe(false);
    expect(row?.sealed).toHaveLength(24 + 20 + 16);
    expect(row?.hashes).toStartWith("$argon2id$");
    expect(row?.hashes).not.toContain(recoveryCodes[0] ?? "none");
  });
});

describe("signing in", () => {
  test("the code is due only once the password was right", async () => {
    const world = await open();
    const { secret } = await enrolled(world);
    const wrong = login({ password: "wrong", mfaCode: codeAt(world, secret) });
    expect(await refusal(world, "POST", "/auth/login", wrong)).toBe("401 invalid-credentials");
    expect(await refusal(world, "POST", "/auth/login", login())).toBe("401 mfa-required");
    const bad = login({ mfaCode: "000000" });
    expect(await refusal(world, "POST", "/auth/login", bad)).toBe("401 mfa-invalid");
    await post(world, "/auth/login", 200, login({ mfaCode: codeAt(world, secret) }));
  });

  test("one step either side, in any order, each once", async () => {
    const world = await open();
    const { secret } = await enrolled(world);
    for (const steps of [0, -1, 1]) {
      const code = login({ mfaCode: codeAt(world, secret, steps) });
      await post(world, "/auth/login", 200, code);
      expect(await refusal(world, "POST", "/auth/login", code)).toBe("401 mfa-invalid");
    }
    for (const steps of [-2, 2]) {
      const code = login({ mfaCode: codeAt(world, secret, steps) });
      expect(await refusal(world, "POST", "/auth/login", code)).toBe("401 mfa-invalid");
    }
  });

  test("the code that put it in force is spent, too", async () => {
    const world = await open();
    const { accessToken: token } = await register(world, { email });
    const { secret } = await post(world, "/auth/mfa/enable", 200, { token });
    const code = codeAt(world, secret);
    await post(world, "/auth/mfa/verify", 200, { token, json: { code } });
    expect(await refusal(world, "POST", "/auth/login", login({ mfaCode: code }))).toBe(
      "401 mfa-invalid",
    );
  });

  test("of two at once with one code one is let in", async () => {
    const world = await open();
    const { secret } = await enrolled(world);
    const sent = login({ mfaCode: codeAt(world, secret) });
    const answers = await Promise.all([
      refusal(world, "POST", "/auth/login", sent),
      refusal(world, "POST", "/auth/login", sent),
    ]);
    expect(answers.sort()).toEqual(["200 ", "401 mfa-invalid"]);
  });

  test("a recovery code works once, in small letters too", async () => {
    const world = await open();
    const { recoveryCodes } = await enrolled(world);
    const [first = "", second = ""] = recoveryCodes;
    await post(world, "/auth/login", 200, login({ recoveryCode: first }));
    const again = login({ recoveryCode: first });
    expect(await refusal(world, "POST", "/auth/login", again)).toBe("401 mfa-invalid");
    await post(world, "/auth/login", 200, login({ recoveryCode: second.toLowerCase() }));
  });

  test("five wrong codes are 429, like five wrong passwords", async () => {
    const world = await open();
    const { secret, userId } = await enrolled(world);
    for (let at = 0; at < 5; at++) {
      const bad = login({ mfaCode: "000000" });
      expect(await refusal(world, "POST", "/auth/login", bad)).toBe("401 mfa-invalid");
    }
    const right = login({ mfaCode: codeAt(world, secret) });
    expect(await refusal(world, "POST", "/auth/login", right)).toBe("429 rate-limit-exceeded");
    const failed = (await world.recordsOf(userId)).filter((one) => one === "auth.login.failed");
    expect(failed).toHaveLength(5);
  });
});

describe("taking it away, and new codes", () => {
  test("disable needs password and code", async () => {
    const world = await open();
    const { token: old, secret, userId } = await enrolled(world);
    expect(await refusal(world, "GET", "/auth/me", { token: old })).toBe("200 ");
    const token = old;
    const code = codeAt(world, secret);
    const disable = (json: Readonly<Record<string, string>>) =>
      refusal(world, "POST", "/auth/mfa/disable", { token, json });
    expect(await disable({ password: "wrong", code })).toBe("401 invalid-credentials");
    expect(await disable({ password: phrase, code: "000000" })).toBe("401 mfa-invalid");
    expect(await disable({ password: phrase, code })).toBe("204 ");
    expect(await disable({ password: phrase, code })).toBe("409 wrong-state");
    await post(world, "/auth/login", 200, login());
    expect(await world.eventsOf("userId", userId)).toContain("auth.mfa.disabled");
  });

  test("new recovery codes: the old ones are dead", async () => {
    const world = await open();
    const { token, secret, recoveryCodes } = await enrolled(world);
    const wrong = { token, json: { code: "000000" } };
    const path = "/auth/mfa/recovery-codes";
    expect(await refusal(world, "POST", path, wrong)).toBe("401 mfa-invalid");
    const json = { code: codeAt(world, secret) };
    const renewed = await post(world, path, 200, { token, json });
    expect(renewed.recoveryCodes).toHaveLength(10);
    const old = login({ recoveryCode: recoveryCodes[0] });
    expect(await refusal(world, "POST", "/auth/login", old)).toBe("401 mfa-invalid");
    await post(world, "/auth/login", 200, login({ recoveryCode: renewed.recoveryCodes[9] }));
    const other = await register(world, { email: "eka@example.com" });
    const none = { token: other.accessToken, json };
    expect(await refusal(world, "POST", path, none)).toBe("409 wrong-state");
  });

  const bad: [string, string, Record<string, unknown>][] = [
    ["five digits", "/auth/mfa/verify", { code: "12345" }],
    ["letters", "/auth/mfa/recovery-codes", { code: "abcdef" }],
    ["a number", "/auth/mfa/verify", { code: 123456 }],
    ["no password", "/auth/mfa/disable", { code: "123456" }],
    [
      "a recovery code of another form",
      "/auth/login",
      { email, password: "x", recoveryCode: "AAAA" },
    ],
  ];
  for (const [what, path, json] of bad) {
    test(`${what}: 400`, async () => {
      const world = await open();
      const { accessToken: token } = await register(world, { email });
      expect(await refusal(world, "POST", path, { token, json })).toBe("400 validation-error");
    });
  }
});
