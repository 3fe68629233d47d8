/**
 * Nobody learns from a refusal what there is: an unknown device, a wrong secret and a wrong role answer
 * alike, and so do an email that nobody has and a wrong password, a key that never was and one that was
 * revoked, another tenant's id and one that is nobody's. Alike is byte for byte, and the same work.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Asked, told, Work } from "./enumerate.ts";
import { Estate } from "./estate.ts";
import type { House } from "./house.ts";
import type { Knock } from "./knock/knock.ts";
import { lost, parts } from "./knock/send.ts";
import { type Door, doorsOf } from "./knock/table.ts";
import { password } from "./served.ts";

/** A machine may have much else to do. */
const slowMs = 60_000;

let estate: Estate;
let mine: House;
let theirs: House;
let work: Work;
beforeAll(async () => {
  estate = await Estate.open({ config: { KARTU_RATE_DEVICE_TOKEN_IP_PER_MIN: "0" } });
  mine = await estate.house();
  theirs = await estate.house();
  work = new Work(estate.kartu);
});
afterAll(() => estate.close());

const ask = (asked: Asked, ...hide: string[]): Promise<string> =>
  told(estate.serving.url, asked, ...hide);

/** Every answer is the first one. */
async function expectAlike(
  status: number,
  cases: Readonly<Record<string, Asked>>,
  hide: (asked: Asked) => string[] = () => [],
): Promise<void> {
  let first: string | undefined;
  for (const [name, asked] of Object.entries(cases)) {
    const answer = await ask(asked, ...hide(asked));
    first ??= answer;
    expect(`${name}: ${answer}`).toBe(`${name}: ${first}`);
  }
  expect(Number(first?.slice(0, 3))).toBe(status);
}

const nobody = "01971d3e-7a00-7cc3-98c4-dc0c0c07398f";
const opaque = (prefix: string): string => `${prefix}_${"A".repeat(43)}`;

interface Registered {
  readonly id: string;
  readonly deviceId: string;
  readonly secret: string;
}

describe("commissioning", () => {
  const registered = (role = "gate"): Promise<Registered> =>
    mine.made("/fleet/devices", { deviceId: mine.name("dev"), role });
  const body = (deviceId: string, secret: string, role = "gate") => ({ deviceId, secret, role });
  const asking = (deviceId: string, secret: string, role?: string): Asked => ({
    path: "/api/auth/token",
    body: body(deviceId, secret, role),
  });

  /** Every way to be refused that must not be told from another. */
  async function refusals(): Promise<Record<string, Asked>> {
    const wrong = opaque("ks");
    const cases: Record<string, Asked> = { "unknown device": asking(mine.name("none"), wrong) };
    const fresh = await registered();
    cases["wrong secret"] = asking(fresh.deviceId, wrong);
    cases["wrong role"] = asking(fresh.deviceId, fresh.secret, "station");
    cases["right secret of another device"] = asking((await registered()).deviceId, fresh.secret);
    cases["name in other letters"] = asking(fresh.deviceId.toUpperCase(), fresh.secret);
    const spent = await registered();
    const { token } = await estate
      .send("POST", "/api/auth/token", { body: body(spent.deviceId, spent.secret) }, true)
      .then((response) => response.json() as Promise<{ token: string }>);
    await (await estate.send("GET", "/api/policy", { token }, true)).body?.cancel();
    cases["spent secret"] = asking(spent.deviceId, spent.secret);
    const superseded = await registered();
    await mine.made(`/fleet/devices/${superseded.id}/secret`);
    cases["secret that was replaced"] = asking(superseded.deviceId, superseded.secret);
    const revoked = await registered();
    await mine.made(`/fleet/devices/${revoked.id}/revoke-token`);
    cases["revoked device"] = asking(revoked.deviceId, revoked.secret);
    const retired = await registered();
    await estate.ok("DELETE", `/fleet/devices/${retired.id}`, { token: mine.owner });
    cases["retired device"] = asking(retired.deviceId, retired.secret);
    const suspended = await registered();
    await mine.made(`/fleet/devices/${suspended.id}/suspend`);
    cases["suspended device, wrong secret"] = asking(suspended.deviceId, wrong);
    const far = await theirs.made<Registered>("/fleet/devices", {
      ...{ deviceId: theirs.name("dev"), role: "gate" },
    });
    cases["another tenant's device"] = asking(far.deviceId, wrong);
    return cases;
  }

  test(
    "is refused in one way, and at one cost",
    async () => {
      const cases = await refusals();
      await expectAlike(401, cases);
      const costs = new Set<string>();
      for (const asked of Object.values(cases)) {
        costs.add(JSON.stringify(await work.of(() => ask(asked))));
      }
      expect([...costs]).toEqual([
        JSON.stringify({ reads: 1, writes: 0, looks: 1, verified: 0, hashed: 0 }),
      ]);
    },
    slowMs,
  );

  test(
    "too often is told in one way, whether or not there is such a device",
    async () => {
      const known = asking((await registered()).deviceId, opaque("ks"));
      const unknown = asking(mine.name("none"), opaque("ks"));
      for (const asked of [known, unknown]) for (let i = 0; i < 5; i += 1) await ask(asked);
      await expectAlike(429, { known, unknown });
    },
    slowMs,
  );

  test(
    "with a secret that lapsed is no other",
    async () => {
      const { deviceId, secret } = await registered();
      const day = estate.clock.nowSec();
      estate.clock.advance(7 * 86_400);
      const cases = {
        "unknown device": asking(mine.name("none"), secret),
        "lapsed secret": asking(deviceId, secret),
      };
      await expectAlike(401, cases).finally(() => estate.clock.set(day));
    },
    slowMs,
  );
});

describe("signing in", () => {
  const login = (email: string, more: object = {}): Asked => ({
    path: "/api/v1/auth/login",
    body: { email, password: "not the password", ...more },
  });

  /** People in every state, by the state. */
  async function people(): Promise<Record<string, string>> {
    const token = mine.owner;
    const found: Record<string, string> = { nobody: `${mine.name("none")}@example.com` };
    const person = async (state: string): Promise<{ id: string }> => {
      const { id, email } = await mine.person();
      found[state] = email;
      return { id };
    };
    await person("active");
    const { id: blocked } = await person("blocked");
    await estate.ok("POST", `/users/${blocked}/block`, { token });
    const { id: deleted } = await person("deleted");
    await estate.ok("DELETE", `/users/${deleted}`, { token });
    found["without a password"] = (await mine.invitation()).email;
    const invited = `${mine.name("set")}@example.com`;
    await mine.made("/users", { email: invited, roles: ["member"] });
    found.invited = invited;
    found["with a second factor"] = (await mine.factored()).person.email;
    return found;
  }

  test(
    "with a wrong password is refused in one way, at one cost, whoever it is",
    async () => {
      const all = await people();
      const cases = Object.fromEntries(
        Object.entries(all).map(([state, email]) => [state, login(email)]),
      );
      await expectAlike(401, cases);
      await expectAlike(401, {
        nobody: login(all.nobody ?? "", { mfaCode: "000000", tenantId: nobody }),
        "a second factor": login(all["with a second factor"] ?? "", {
          ...{ mfaCode: "000000", tenantId: mine.id },
        }),
      });
      for (const [state, asked] of Object.entries(cases)) {
        const { reads, writes, verified, hashed } = await work.of(() => ask(asked));
        expect([state, reads, writes, verified, hashed]).toEqual([state, 1, 1, 1, 0]);
      }
    },
    slowMs,
  );

  test(
    "too often is told in one way, the right password too",
    async () => {
      const { email } = await mine.person();
      const none = `${mine.name("none")}@example.com`;
      for (const each of [email, none]) for (let i = 0; i < 5; i += 1) await ask(login(each));
      await expectAlike(429, {
        nobody: login(none),
        known: login(email),
        right: login(email, { password }),
      });
    },
    slowMs,
  );

  test(
    "a link to set a password is on its way to whoever asks, at one cost",
    async () => {
      const all = await people();
      const cases = Object.fromEntries(
        Object.entries(all).map(([state, email]): [string, Asked] => [
          state,
          { path: "/api/v1/auth/request-reset", body: { email } },
        ]),
      );
      await expectAlike(202, cases);
      for (const [state, asked] of Object.entries(cases)) {
        await estate.kartu.mail.idle();
        const { writes, verified, hashed } = await work.of(() => ask(asked));
        // A letter that goes out is taken out of the box afterwards.
        expect([state, Math.min(writes ?? 0, 1), verified, hashed]).toEqual([state, 1, 0, 0]);
      }
      // The third of the hour was the last.
      for (const asked of Object.values(cases)) await ask(asked);
      await expectAlike(202, { nobody: cases.nobody!, "beyond the limit": cases.active! });
    },
    slowMs,
  );
});

describe("what proves something once", () => {
  test(
    "and never did, or did before, is refused in one way",
    async () => {
      const person = await mine.person();
      const reset = (token: string): Asked => ({
        ...{ path: "/api/v1/auth/reset-password", body: { token, password } },
      });
      await ask({ path: "/api/v1/auth/request-reset", body: { email: person.email } });
      const used = await estate.linkTo(person.email, "pr_");
      await ask(reset(used));
      const { id, email } = await mine.invitation();
      const revoked = await estate.linkTo(email, "in_");
      await estate.ok("DELETE", `/invitations/${id}`, { token: mine.owner });
      const guest = await mine.invitation();
      const open = await estate.linkTo(guest.email, "in_");
      await expectAlike(401, {
        unknown: reset(opaque("pr")),
        used: reset(used),
        "an invitation": reset(open),
        "no token at all": reset("x"),
      });
      const accept = (token: string): Asked => ({
        ...{ path: "/api/v1/auth/accept-invite", body: { token, password } },
      });
      await expectAlike(401, {
        unknown: accept(opaque("in")),
        revoked: accept(revoked),
        "a link to a password": accept(used),
        "no token at all": accept("x"),
      });
      const verify = (token: string): Asked => ({
        ...{ path: "/api/v1/auth/verify-email", body: { token } },
      });
      await expectAlike(401, { unknown: verify(opaque("ev")), "another kind": verify(open) });
    },
    slowMs,
  );

  test(
    "a choice of a tenant, a refresh token",
    async () => {
      const pair = await mine.pairOf(await mine.person());
      const { accessToken: token, refreshToken } = pair;
      await estate.ok("POST", "/auth/logout", { token });
      const refresh = (each: string): Asked => ({
        ...{ path: "/api/v1/auth/refresh", body: { refreshToken: each } },
      });
      await expectAlike(401, {
        unknown: refresh(opaque("rt")),
        "logged out": refresh(refreshToken),
        "of another kind": refresh(opaque("st")),
      });
      const select = (sessionToken: string, tenantId: string): Asked => ({
        ...{ path: "/api/v1/auth/select-tenant", body: { sessionToken, tenantId } },
      });
      await expectAlike(401, {
        "an unknown tenant": select(opaque("st"), nobody),
        "a tenant that is there": select(opaque("st"), mine.id),
      });
    },
    slowMs,
  );
});

describe("machines and applications", () => {
  test(
    "a key that never was, was revoked, ended, or comes from elsewhere",
    async () => {
      const exchange = (apiKey: string): Asked => ({
        ...{ path: "/api/v1/auth/exchange", body: { apiKey } },
      });
      const key = (more: object = {}): Promise<{ id: string; key: string }> =>
        mine.made("/api-keys", { name: mine.name("key"), roles: ["member"], ...more });
      const good = await key();
      const revoked = await key();
      await estate.ok("DELETE", `/api-keys/${revoked.id}`, { token: mine.owner });
      const ending = await key({ expiresAt: new Date(estate.clock.nowMs() + 1_000).toISOString() });
      estate.clock.advance(2);
      await expectAlike(401, {
        unknown: exchange(opaque("ak")),
        // What lists show of a key is its beginning.
        "a known beginning": exchange(`${good.key.slice(0, 20)}${"A".repeat(26)}`),
        revoked: exchange(revoked.key),
        ended: exchange(ending.key),
        "from elsewhere": exchange((await key({ allowedIps: ["192.0.2.0/24"] })).key),
      });
      await expectAlike(401, {
        unknown: { path: "/api/v1/auth/exchange", body: { code: opaque("lc") } },
        "of another kind": { path: "/api/v1/auth/exchange", body: { code: opaque("st") } },
      });
    },
    slowMs,
  );

  test(
    "an application that never was, was removed, or has another secret",
    async () => {
      const form = (client_id: string, client_secret: string | null): Record<string, string> => ({
        ...{ grant_type: "client_credentials", client_id },
        ...(client_secret !== null && { client_secret }),
      });
      const good = await mine.client();
      const removed = await mine.client();
      await estate.ok("DELETE", `/oauth/clients/${removed.id}`, { token: mine.owner });
      const open = await mine.client({
        ...{ type: "public", grantTypes: ["authorization_code"], scopes: ["users.list"] },
      });
      const wrong = good.clientSecret.replace(/.{8}$/, "AAAAAAAA");
      const forms = {
        unknown: form(nobody, wrong),
        "no id at all": form("x", wrong),
        "another secret": form(good.id, wrong),
        "no secret": form(good.id, null),
        removed: form(removed.id, removed.clientSecret),
        "public, with a secret": form(open.id, wrong),
      };
      for (const path of ["/api/v1/oauth/token", "/v1/oauth/token", "/api/v1/oauth/revoke"]) {
        const token = opaque("rt");
        const cases = Object.entries(forms).map(([name, each]): [string, Asked] => [
          name,
          { path, form: path.endsWith("revoke") ? { ...each, token } : each },
        ]);
        await expectAlike(401, Object.fromEntries(cases));
      }
      const basic = (id: string, secret: string): Asked => ({
        ...{ path: "/api/v1/oauth/token", form: { grant_type: "client_credentials" } },
        headers: { authorization: `Basic ${btoa(`${id}:${secret}`)}` },
      });
      await expectAlike(401, {
        unknown: basic(nobody, wrong),
        "another secret": basic(good.id, wrong),
        removed: basic(removed.id, removed.clientSecret),
      });
      const page = (id: string): Asked => {
        const query = new URLSearchParams({
          ...{ response_type: "code", client_id: id, redirect_uri: "https://app.example/callback" },
          ...{ code_challenge: "A".repeat(43), code_challenge_method: "S256" },
        });
        return { method: "GET", path: `/api/v1/oauth/authorize?${query}` };
      };
      await expectAlike(400, { unknown: page(nobody), removed: page(removed.id) });
    },
    slowMs,
  );
});

const uuids = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const idOf = (path: string): string =>
  path.match(uuids)?.[0] ?? path.match(/[0-9a-f]{12}/)?.[0] ?? "";

/** What a knock is on the wire, in the hands of my owner. */
function askedOf(door: Door, knock: Knock): Asked {
  const [method, path, sent] = parts(door, knock, mine);
  const { token, body, form, headers } = sent;
  return {
    ...{ method, path, token: token ?? mine.owner },
    ...(body !== undefined && { body }),
    ...(form !== undefined && { form }),
    ...(headers !== undefined && { headers }),
  };
}

describe("another tenant's", () => {
  test(
    "id in a path is nobody's, byte for byte",
    async () => {
      const complaints: string[] = [];
      let compared = 0;
      for (const door of doorsOf(estate)) {
        const { name, row, route } = door;
        if (!route.path.includes(":") || row.shared === true || row.may === "public") continue;
        // Its own token would be theirs.
        const { token: _theirs, ...knock } = await row.make(theirs);
        const id = idOf(knock.path);
        if (id === "") continue;
        const other = id.length === 12 ? "0123456789ab" : nobody;
        const foreign = await ask(askedOf(door, knock), id);
        const unknown = await ask(askedOf(door, lost(knock, other)), other);
        compared += 1;
        if (!foreign.startsWith("404")) complaints.push(`${name}: ${foreign.slice(0, 300)}`);
        else if (foreign !== unknown) complaints.push(`${name}: ${foreign}, but ${unknown}`);
      }
      expect(complaints).toEqual([]);
      expect(compared).toBeGreaterThan(60);
    },
    slowMs,
  );

  test(
    "id in a body is nobody's, byte for byte",
    async () => {
      const complaints: string[] = [];
      let compared = 0;
      for (const door of doorsOf(estate)) {
        const { name, row } = door;
        // The platform's owner acts in every tenant.
        if (row.may === "public" || row.may === "platform") continue;
        const { token: _theirs, ...far } = await row.make(theirs);
        const { body } = far;
        const borrowed = [...new Set(JSON.stringify(body ?? {}).match(uuids) ?? [])];
        if (borrowed.length === 0) continue;
        const near = await row.make(mine);
        const unknown = JSON.parse(JSON.stringify(body).replaceAll(uuids, nobody)) as typeof body;
        if (body === undefined || unknown === undefined) continue;
        // Several that are one and the same would be refused for that.
        if (borrowed.length > 1) {
          borrowed.forEach((id, at) => {
            const text = JSON.stringify(body).replace(id, `${nobody.slice(0, -1)}${at}`);
            Object.assign(unknown, JSON.parse(text));
          });
        }
        compared += 1;
        const foreignAnswer = await ask(askedOf(door, { ...near, body }), ...borrowed);
        const hidden = JSON.stringify(unknown).match(uuids) ?? [];
        const unknownAnswer = await ask(askedOf(door, { ...near, body: unknown }), ...hidden);
        if (foreignAnswer !== unknownAnswer) {
          complaints.push(`${name}: ${foreignAnswer}, but ${unknownAnswer}`);
        }
      }
      expect(complaints).toEqual([]);
      expect(compared).toBeGreaterThan(5);
    },
    slowMs,
  );

  test(
    "id in a filter finds as much as nobody's",
    async () => {
      const { cardId, memberId } = await (await theirs.desk()).card();
      const walletId = await theirs.wallet(5);
      const { id: userId } = await theirs.person();
      const card = "0123456789ab";
      const filters: [path: string, foreign: string, unknown: string][] = [
        ["/transactions?walletId=", walletId, nobody],
        ["/wallets?userId=", userId, nobody],
        ["/wallets?cardId=", cardId, card],
        ["/fleet/cards?memberId=", memberId, nobody],
        ["/fleet/flags?cardId=", cardId, card],
        ["/fleet/events?cardId=", cardId, card],
        ["/fleet/reports?cardId=", cardId, card],
      ];
      for (const [path, foreign, unknown] of filters) {
        const of = (id: string): Promise<string> =>
          ask({ method: "GET", path: `/api/v1${path}${id}`, token: mine.owner }, id);
        const found = await of(foreign);
        expect(`${path}: ${found}`).toBe(`${path}: ${await of(unknown)}`);
      }
    },
    slowMs,
  );

  test(
    "card is nobody's, for every call of a device",
    async () => {
      const [here, there] = [await mine.desk(), await theirs.desk()];
      const { cardId } = await there.card();
      const { token } = here.station;
      const unknown = "0123456789ab";
      const timestamp = estate.clock.nowSec();
      const by = { operatorId: 1, timestamp };
      const calls: [method: string, rest: string, body?: object][] = [
        ["GET", ""],
        ["GET", "/events"],
        ["POST", "/topup", { ...by, amount: 1 }],
        ["POST", `/topup/${nobody}/cancel`],
        ["POST", "/block", { ...by, reason: "Lost" }],
        ["POST", "/rekey", { ...by, keyVersion: 1 }],
        ["POST", "/reissue", { ...by, keyVersion: 1, newCardId: "0123456789ac" }],
      ];
      await here.station.grant();
      for (const [method, rest, body] of calls) {
        const of = (id: string): Asked => ({
          ...{ method, path: `/api/cards/${id}${rest}`, token },
          ...(body !== undefined && { body }),
        });
        const foreign = await ask(of(cardId), cardId);
        expect(`${rest}: ${foreign}`).toStartWith(`${rest}: 404`);
        expect(`${rest}: ${foreign}`).toBe(`${rest}: ${await ask(of(unknown), unknown)}`);
      }
      const { terminalId } = here.station;
      const event = (id: string) => ({
        ...{ cardId: id, counter: 1, type: "debit", amount: 1, balanceAfter: 1, timestamp },
        hash: "0f1e2d3c4b5a",
      });
      const batch = (id: string): Asked => ({
        ...{ path: "/api/reconcile", token, body: { terminalId, events: [event(id)] } },
      });
      const batchId = /"batchId":"[^"]+"/;
      const foreign = (await ask(batch(cardId), cardId)).replace(batchId, "");
      expect(foreign).toContain("unknown_card");
      expect(foreign).toBe((await ask(batch(unknown), unknown)).replace(batchId, ""));
      const report = (id: string): Asked => ({
        path: "/api/terminal-report",
        token,
        body: {
          ...{ terminalId, cardId: id, eventType: "tamper", details: "", counter: null, timestamp },
        },
      });
      expect(await ask(report(cardId))).toBe(await ask(report(unknown)));
    },
    slowMs,
  );
});
