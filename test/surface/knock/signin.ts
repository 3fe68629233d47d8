/** Knocks at the calls of signing in and of oneself. */
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { personalHash } from "../../../src/domain/wallet.ts";
import { claimsOf, codeAt, type House } from "../house.ts";
import { password } from "../served.ts";
import type { Knocks } from "./knock.ts";

const opaque = (prefix: string): string => `${prefix}_${"A".repeat(43)}`;

/** A wallet of its own: its address, and its signature of a text. */
function walletOf(house: House) {
  const secret = Bun.SHA256.hash(house.name("wallet")) as Uint8Array;
  const point = secp256k1.getPublicKey(secret, false);
  const address = `0x${keccak_256(point.subarray(1)).subarray(-20).toHex()}`;
  const sign = (message: string): string => {
    const mark = secp256k1.sign(personalHash(message), secret, {
      ...{ prehash: false, format: "recovered" },
    });
    const [recovery = 0, ...rest] = mark;
    return `0x${Uint8Array.from(rest).toHex()}${(27 + recovery).toString(16)}`;
  };
  return { address, sign };
}

/** Somebody in two tenants who has not said which. */
async function choice(house: House): Promise<{ sessionToken: string; tenantId: string }> {
  const { estate } = house;
  const person = await house.person();
  const { root } = estate;
  await root.made("/invitations", { email: person.email });
  const token = await estate.linkTo(person.email, "in_");
  await estate.ok("POST", "/auth/accept-invite", { body: { token, password } });
  const body = { email: person.email, password };
  const { sessionToken } = await estate.ok<{ sessionToken: string }>("POST", "/auth/login", {
    body,
  });
  return { sessionToken, tenantId: house.id };
}

export const signinKnocks: Knocks = {
  "POST /auth/register": {
    ...{ may: "public", answers: "201", audit: "auth.user.created" },
    make: (house) => ({
      path: "/auth/register",
      body: { email: `${house.name("new")}@example.com`, password, name: "Dewi" },
    }),
  },
  "POST /auth/login": {
    ...{ may: "public", answers: "200", audit: "auth.user.logged_in" },
    make: async (house) => {
      const { email } = await house.person();
      return { path: "/auth/login", body: { email, password, useCookie: true } };
    },
  },
  "POST /auth/exchange": {
    may: "public",
    answers: "200",
    unrecorded: "a key is used all day; its last use stands with it",
    make: async (house) => ({
      path: "/auth/exchange",
      body: { apiKey: (await house.apiKey()).key },
    }),
  },
  "POST /auth/select-tenant": {
    ...{ may: "public", answers: "200", audit: "auth.user.logged_in" },
    make: async (house) => ({ path: "/auth/select-tenant", body: await choice(house) }),
  },
  "POST /auth/accept-invite": {
    ...{ may: "public", answers: "200", audit: "auth.invitation.accepted" },
    make: async (house) => {
      const { email } = await house.invitation();
      const token = await house.estate.linkTo(email, "in_");
      return { path: "/auth/accept-invite", body: { token, password } };
    },
  },
  "POST /auth/refresh": {
    may: "public",
    answers: "200",
    unrecorded: "it goes on where signing in was recorded",
    make: async (house) => {
      const { refreshToken } = await house.pairOf(await house.person());
      return { path: "/auth/refresh", body: { refreshToken } };
    },
  },
  "POST /auth/switch-tenant": {
    ...{ may: "own", answers: "200", audit: "auth.user.logged_in" },
    make: async (house) => ({
      path: "/auth/switch-tenant",
      body: { tenantId: house.id },
      token: await house.token(),
    }),
  },
  "POST /auth/logout": {
    ...{ may: "self", answers: "204", audit: "auth.session.revoked", last: true },
    make: async (house) => ({ path: "/auth/logout", body: {}, token: await house.token() }),
  },
  "POST /auth/logout-all": {
    ...{ may: "own", answers: "204", audit: "auth.session.revoked", last: true },
    make: async (house) => ({ path: "/auth/logout-all", token: await house.token() }),
  },
  "POST /auth/stream-ticket": {
    may: "own",
    answers: "201",
    unrecorded: "a ticket is kept in memory alone",
    make: () => ({ path: "/auth/stream-ticket" }),
  },
  "POST /auth/impersonate": {
    ...{ may: "platform", answers: "200", audit: "auth.impersonation.started" },
    make: (house) => ({
      path: "/auth/impersonate",
      body: { tenantId: house.id, reason: "support_request" },
      token: house.estate.root.owner,
    }),
  },
  "GET /auth/providers": {
    ...{ may: "public", answers: "200" },
    make: () => ({ path: "/auth/providers" }),
  },
  "POST /auth/login/:id": {
    may: "public",
    shared: true,
    answers: "200",
    unrecorded: "nobody has signed in yet",
    make: (house) => ({ path: "/auth/login/wallet", body: { address: walletOf(house).address } }),
  },
  "GET /auth/callback/:id": {
    ...{ may: "public", answers: "401 invalid-credentials", shared: true, anyQuery: true },
    ...{ audit: "auth.login.failed", event: null },
    make: () => ({ path: "/auth/callback/away?code=x&state=y" }),
  },
  "POST /auth/callback/:id": {
    ...{ may: "public", answers: "200", audit: "auth.user.logged_in", shared: true },
    make: async (house) => {
      const { estate } = house;
      const { address, sign } = walletOf(house);
      const begun = { token: await house.token(), body: { address } };
      const { message, state } = await estate.ok<{ message: string; state: string }>(
        ...(["POST", "/auth/login/wallet", begun] as const),
      );
      const body = { state, address, signature: sign(message) };
      return { path: "/auth/callback/wallet", body, token: begun.token };
    },
  },
  "GET /auth/me": { ...{ may: "self", answers: "200" }, make: () => ({ path: "/auth/me" }) },
  "PATCH /auth/me": {
    ...{ may: "own", answers: "200", audit: "auth.user.updated" },
    make: async (house) => ({
      path: "/auth/me",
      body: { name: house.name("Dewi"), locale: "id-ID" },
      token: await house.token(),
    }),
  },
  "POST /auth/change-password": {
    ...{ may: "own", answers: "204", audit: "auth.password.changed", last: true },
    make: async (house) => ({
      path: "/auth/change-password",
      body: { currentPassword: password, password: "another long password" },
      token: await house.token(),
    }),
  },
  "GET /auth/sessions": {
    ...{ may: "self", answers: "200" },
    make: () => ({ path: "/auth/sessions" }),
  },
  "DELETE /auth/sessions/:id": {
    ...{ may: "own", answers: "204", audit: "auth.session.revoked" },
    make: async (house) => {
      const person = await house.person();
      const other = await house.tokenOf(person);
      const path = `/auth/sessions/${String(claimsOf(other).sid)}`;
      return { path, token: await house.tokenOf(person) };
    },
  },
  "POST /auth/mfa/enable": {
    ...{ may: "own", answers: "200", audit: "auth.mfa.started", event: null },
    make: async (house) => ({ path: "/auth/mfa/enable", token: await house.token() }),
  },
  "POST /auth/mfa/verify": {
    ...{ may: "own", answers: "200", audit: "auth.mfa.enabled" },
    make: async (house) => {
      const { estate } = house;
      const token = await house.token();
      const { secret } = await estate.ok<{ secret: string }>("POST", "/auth/mfa/enable", { token });
      const code = codeAt(secret, estate.clock.nowSec());
      return { path: "/auth/mfa/verify", body: { code }, token };
    },
  },
  "POST /auth/mfa/disable": {
    ...{ may: "own", answers: "204", audit: "auth.mfa.disabled" },
    make: async (house) => {
      const { token, code } = await house.factored();
      return { path: "/auth/mfa/disable", body: { password, code }, token };
    },
  },
  "POST /auth/mfa/recovery-codes": {
    ...{ may: "own", answers: "200", audit: "auth.mfa.codes_renewed", event: null },
    make: async (house) => {
      const { token, code } = await house.factored();
      return { path: "/auth/mfa/recovery-codes", body: { code }, token };
    },
  },
  "POST /auth/request-verify-email": {
    ...{ may: "own", answers: "202", audit: "auth.email.verification_requested", event: null },
    make: async (house) => ({ path: "/auth/request-verify-email", token: await house.token() }),
  },
  "POST /auth/verify-email": {
    ...{ may: "public", answers: "200", audit: "auth.email.verified" },
    make: async (house) => {
      const person = await house.person();
      const token = await house.tokenOf(person);
      await house.estate.ok("POST", "/auth/request-verify-email", { token });
      const link = await house.estate.linkTo(person.email, "ev_");
      return { path: "/auth/verify-email", body: { token: link } };
    },
  },
  "POST /auth/request-reset": {
    ...{ may: "public", answers: "202", audit: "auth.password.reset_requested", event: null },
    make: async (house) => {
      const { email } = await house.person();
      return { path: "/auth/request-reset", body: { email } };
    },
  },
  "POST /auth/reset-password": {
    ...{ may: "public", answers: "204", audit: "auth.password.changed" },
    make: async (house) => {
      const { email } = await house.person();
      await house.estate.ok("POST", "/auth/request-reset", { body: { email } });
      const token = await house.estate.linkTo(email, "pr_");
      return { path: "/auth/reset-password", body: { token, password } };
    },
  },
  "GET /verify-email": {
    ...{ may: "public", root: true, answers: "200" },
    make: () => ({ path: `/verify-email?token=${opaque("ev")}` }),
  },
  "GET /reset-password": {
    ...{ may: "public", root: true, answers: "200" },
    make: () => ({ path: `/reset-password?token=${opaque("pr")}` }),
  },
  "GET /accept-invite": {
    ...{ may: "public", root: true, answers: "200" },
    make: () => ({ path: `/accept-invite?token=${opaque("in")}` }),
  },
};
