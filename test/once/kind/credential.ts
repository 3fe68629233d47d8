/** Calls that make, spend or end a credential: devices, keys, invitations, tokens, codes. */
import { createHash } from "node:crypto";
import { codeAt } from "../../surface/house.ts";
import { nowSec, password, type Stand } from "../stand.ts";
import { asked } from "./field.ts";
import type { Call, Kinds } from "./kind.ts";

const base = "/api/v1";
const appUri = "https://app.example/callback";
/** Numbers that are chosen count down from here; the next free one counts up. */
const numberMax = 4_000_000_000;
const verifier = "v".repeat(43);

async function asOwner(stand: Stand, path: string, body: object = {}): Promise<Call> {
  const { token } = await stand.signedIn();
  return { path: base + path, token, body };
}

const refusedAs = (...as: string[]) => ({ are: "refused", as }) as const;
const own = { are: "own" } as const;
/** After five failures of an address nothing is looked at any more. */
const triedInVain = {
  ...refusedAs("401 mfa-invalid", "429 rate-limit-exceeded"),
  each: { "401 mfa-invalid": { "audit auth.login.failed": 1 } },
} as const;
const exists = refusedAs("409 already-exists");

const madeKinds: Kinds = {
  device: {
    ...{ key: "taken", status: 201, secret: true, rivals: exists },
    effect: { "device active": 1, secret: 1, "secret live": 1, wallet: 1 },
    make: async (stand) => {
      const body = { deviceId: stand.name("gate"), role: "gate" };
      const call = await asOwner(stand, "/fleet/devices", body);
      return { calls: [call], other: { ...call, body: { ...body, name: "Gate" } } };
    },
  },
  "device secret": {
    // The unspent older secret dies.
    ...{ key: "taken", status: 201, secret: true, rivals: own },
    effect: { secret: 1, "secret live": 0 },
    make: async (stand) => {
      const { id } = await stand.made("/fleet/devices", {
        deviceId: stand.name("g"),
        role: "gate",
      });
      return { calls: [await asOwner(stand, `/fleet/devices/${id}/secret`)] };
    },
  },
  member: {
    ...{ key: "taken", status: 201, rivals: exists },
    effect: { "member active": 1 },
    make: async (stand) => {
      const body = { name: "Siti", userId: numberMax - stand.next() };
      const call = await asOwner(stand, "/fleet/members", body);
      return { calls: [call], other: { ...call, body: { ...body, name: "Budi" } } };
    },
  },
  "member with the next number": {
    ...{ key: "taken", status: 201, rivals: own },
    effect: { "member active": 1 },
    make: async (stand) => ({ calls: [await asOwner(stand, "/fleet/members", { name: "Siti" })] }),
    // One person in two tenants.
    scopes: async (stand) => {
      const email = await stand.person(["admin"]);
      const { token } = await stand.signedIn(email);
      const draft = { name: "Kantin", type: "partner", ownerEmail: email };
      await stand.made("/tenants", draft);
      const body = { token: await stand.linkTo(email, "in_"), password };
      const there = await stand.ok<{ accessToken: string }>(
        ...(["POST", `${base}/auth/accept-invite`, { body }] as const),
      );
      const call = { path: `${base}/fleet/members`, body: { name: "Siti" } };
      return [token, there.accessToken].map((own) => ({ ...call, token: own }));
    },
  },
  "card block by the operator": {
    // The card keeps its status, the request is recorded.
    ...{ key: "taken", status: 200, rivals: { are: "same", but: ["changed"], each: asked } },
    effect: { "card 0": -1, "card 4": 1 },
    make: async (stand) => {
      const { cardId } = await stand.card();
      const body = { reason: "lost" };
      return { calls: [await asOwner(stand, `/fleet/cards/${cardId}/block`, body)] };
    },
  },
  "card listed by hand": {
    ...{ key: "taken", status: 201, rivals: exists },
    effect: { listing: 1 },
    make: async (stand) => {
      const body = { cardId: stand.cardId(), reason: "stolen elsewhere" };
      return { calls: [await asOwner(stand, "/fleet/blocklist", body)] };
    },
  },
  "API key": {
    ...{ key: "taken", status: 201, secret: true, rivals: own },
    effect: { "api key live": 1 },
    make: async (stand) => {
      const body = { name: stand.name("key"), roles: ["member"] };
      const call = await asOwner(stand, "/api-keys", body);
      return { calls: [call], other: { ...call, body: { ...body, roles: ["admin"] } } };
    },
  },
  user: {
    ...{ key: "taken", status: 201, rivals: refusedAs("409 already-member") },
    effect: { user: 1, "membership active": 1 },
    make: async (stand) => {
      const email = `${stand.name("user")}@example.com`;
      const body = { email, roles: ["member"], password };
      return { calls: [await asOwner(stand, "/users", body)] };
    },
  },
  tenant: {
    ...{ key: "taken", status: 201, rivals: exists },
    effect: { tenant: 1 },
    make: async (stand) => {
      const slug = stand.name("kantin");
      const body = { name: "Kantin", slug, type: "partner", ownerEmail: `${slug}@example.com` };
      return { calls: [await asOwner(stand, "/tenants", body)] };
    },
  },
  "client secret": {
    ...{ key: "taken", status: 200, secret: true, rivals: own },
    effect: { "client versions": 1 },
    make: async (stand) => {
      const { id } = await client(stand);
      return { calls: [await asOwner(stand, `/oauth/clients/${id}/rotate-secret`)] };
    },
  },
};

const client = (stand: Stand) =>
  stand.made<{ id: string; clientSecret: string }>("/oauth/clients", {
    ...{ name: stand.name("app"), type: "confidential", redirectUris: [appUri] },
    ...{ grantTypes: ["authorization_code", "refresh_token"], scopes: ["users.list"] },
  });

type Form = Readonly<Record<string, string>>;

/** What spends the code of a consent that the owner gave. */
async function codeForm(stand: Stand): Promise<Form> {
  const { id, clientSecret } = await client(stand);
  const challenge = createHash("sha256").update(verifier).digest("base64url");
  const query = new URLSearchParams({
    ...{ response_type: "code", client_id: id, redirect_uri: appUri, scope: "openid", state: "s" },
    ...{ code_challenge: challenge, code_challenge_method: "S256" },
  });
  const page = await stand.ok<string>("GET", `${base}/oauth/authorize?${query}`);
  const uuid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;
  const request = uuid.exec(page.slice(page.indexOf("requestId")))?.[0];
  const answer = await stand.made<{ redirectTo: string }>(`/oauth/requests/${request}/approve`);
  return {
    ...{ grant_type: "authorization_code", client_id: id, client_secret: clientSecret },
    ...{ redirect_uri: appUri, code_verifier: verifier },
    code: new URL(answer.redirectTo).searchParams.get("code") ?? "",
  };
}

/** What the next rotation of an application's tokens is asked with. */
async function refreshForm(stand: Stand): Promise<Form> {
  const { client_id = "", client_secret = "", ...rest } = await codeForm(stand);
  const form = { client_id, client_secret, ...rest };
  const path = `${base}/oauth/token`;
  const pair = await stand.ok<{ refresh_token: string }>("POST", path, { form });
  const { refresh_token } = pair;
  return { grant_type: "refresh_token", client_id, client_secret, refresh_token };
}

/** Somebody with a second factor: what they sign in with. */
async function factored(stand: Stand) {
  const email = await stand.person();
  const { token } = await stand.signedIn(email);
  const ask = { token };
  const made = await stand.ok<{ secret: string; recoveryCodes: string[] }>(
    ...(["POST", `${base}/auth/mfa/enable`, ask] as const),
  );
  const now = nowSec();
  const code = codeAt(made.secret, now);
  await stand.ok("POST", `${base}/auth/mfa/verify`, { token, body: { code } });
  // Of the next step, which is good already.
  return { email, mfaCode: codeAt(made.secret, now + 30), recoveryCode: made.recoveryCodes[0] };
}

const spentKinds: Kinds = {
  invitation: {
    ...{ key: "ignored", status: 200, rivals: refusedAs("401 token-invalid") },
    effect: { "invitation accepted": 1, "membership active": 1, session: 1 },
    behind: [
      ...["audit auth.user.logged_in", "event auth.user.logged_in"],
      ...["session", "session live", "refresh", "refresh unused"],
    ],
    make: async (stand) => {
      const email = `${stand.name("guest")}@example.com`;
      await stand.made("/invitations", { email });
      const token = await stand.linkTo(email, "in_");
      return { calls: [{ path: `${base}/auth/accept-invite`, body: { token, password } }] };
    },
  },
  "new password by mail": {
    ...{ key: "ignored", status: 204, rivals: refusedAs("401 token-invalid") },
    effect: { "session live": -1 },
    make: async (stand) => {
      const email = await stand.person();
      await stand.signedIn(email);
      await stand.ok("POST", `${base}/auth/request-reset`, { body: { email } });
      const token = await stand.linkTo(email, "pr_");
      const body = { token, password: "another long password" };
      return { calls: [{ path: `${base}/auth/reset-password`, body }] };
    },
  },
  refresh: {
    ...{ key: "ignored", status: 200, rivals: { are: "same" }, graceSec: 10 },
    effect: { refresh: 1, "refresh unused": 0, session: 0 },
    make: async (stand) => {
      const body = { email: await stand.person(), password };
      const path = `${base}/auth/login`;
      const { refreshToken } = await stand.ok<{ refreshToken: string }>("POST", path, { body });
      return { calls: [{ path: `${base}/auth/refresh`, body: { refreshToken } }] };
    },
  },
  "refresh of an application": {
    ...{ key: "ignored", status: 200, rivals: { are: "same" }, graceSec: 10 },
    effect: { refresh: 1, "refresh unused": 0, session: 0 },
    make: async (stand) => ({
      calls: [{ path: `${base}/oauth/token`, form: await refreshForm(stand) }],
    }),
  },
  "code of an application": {
    ...{ key: "ignored", status: 200, graceSec: 60 },
    // Whoever comes second may have stolen it: what it gave ends.
    rivals: {
      ...{ are: "refused", as: ["400 invalid_grant"] },
      more: {
        "session live": -1,
        "audit auth.session.revoked": 1,
        "event auth.session.revoked": 1,
      },
    },
    effect: { "code spent": 1, session: 1, refresh: 1 },
    make: async (stand) => ({
      calls: [{ path: `${base}/oauth/token`, form: await codeForm(stand) }],
    }),
  },
  "recovery code": {
    ...{ key: "ignored", status: 200 },
    rivals: triedInVain,
    effect: { "recovery code spent": 1, session: 1 },
    make: async (stand) => {
      const { email, recoveryCode } = await factored(stand);
      return { calls: [{ path: `${base}/auth/login`, body: { email, password, recoveryCode } }] };
    },
  },
  "code of a second factor": {
    ...{ key: "ignored", status: 200, graceSec: 30 },
    rivals: triedInVain,
    effect: { session: 1 },
    make: async (stand) => {
      const { email, mfaCode } = await factored(stand);
      const body = { email, password, mfaCode };
      return { calls: [{ path: `${base}/auth/login`, body }] };
    },
  },
};

export const credentialKinds: Kinds = { ...madeKinds, ...spentKinds };
