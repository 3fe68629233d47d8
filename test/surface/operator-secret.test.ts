/**
 * After a busy day of signing in, what a thief could copy holds none of the secrets that were in play: not
 * the database, its WAL, a backup, a line of the log, a letter that it does not belong in. What is there
 * may be a hash or sealed.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { databasePath } from "../../src/app.ts";
import { backup } from "../../src/store/backup.ts";
import { Estate } from "./estate.ts";
import { appUri, claimsOf, codeAt, type House, type Pair } from "./house.ts";
import { found, type Needle } from "./needle.ts";
import { password, rootEmail } from "./served.ts";

const lines: string[] = [];
const needles: Needle[] = [];
/** In letters, where they belong; nowhere else. */
const links: Needle[] = [];
const answers: string[] = [];
const directory = mkdtempSync(join(tmpdir(), "kartu-operator-secret-"));
let estate: Estate;
let house: House;

/** A secret as text, and where that is an encoding, what it encodes. */
function remember(name: string, text: string | null | undefined, into = needles): void {
  if (text == null) throw new Error(`no ${name}`);
  into.push({ name, bytes: Buffer.from(text) });
  const tail = /^[a-z]{2}_([\w-]{43})$/.exec(text)?.[1];
  if (tail !== undefined) {
    into.push({ name: `${name}, decoded`, bytes: Buffer.from(tail, "base64url") });
  }
  const [, , mark] = text.split(".");
  if (mark !== undefined) needles.push({ name: `${name}, its mark`, bytes: Buffer.from(mark) });
}

function rememberPair(name: string, pair: Pair): void {
  remember(`access token of ${name}`, pair.accessToken);
  if (pair.refreshToken !== null) remember(`refresh token of ${name}`, pair.refreshToken);
}

async function post<T = Record<string, string>>(
  path: string,
  sent: Parameters<Estate["send"]>[2],
): Promise<T> {
  return estate.ok<T>("POST", path, sent);
}

/** Keeps what was answered to calls that went wrong. */
async function wrong(method: string, path: string, sent: Parameters<Estate["send"]>[2]) {
  const response = await estate.send(method, path, sent);
  answers.push(`${await response.text()}${JSON.stringify([...response.headers])}`);
}

async function signins(): Promise<void> {
  const own = "a pass phrase of somebody";
  remember("password", own);
  const body = { email: "dewi@example.com", password: own, name: "Dewi" };
  const registered = await post<Pair>("/auth/register", { body });
  rememberPair("who registered", registered);
  remember("link to verify", await estate.linkTo(body.email, "ev_"), links);
  const login = { email: body.email, password: own };
  const headers = { "idempotency-key": crypto.randomUUID() };
  rememberPair("who signed in", await post<Pair>("/auth/login", { body: login, headers }));
  const cookie = await estate.send("POST", "/auth/login", { body: { ...login, useCookie: true } });
  remember("cookie", /kartu_rt=([^;]+)/.exec(cookie.headers.get("set-cookie") ?? "")?.[1]);
  await cookie.body?.cancel();
  const { refreshToken } = registered;
  const again = await post<Pair>("/auth/refresh", { body: { refreshToken } });
  rememberPair("who refreshed", again);
  await post("/auth/refresh", { body: { refreshToken } });
  const other = "another pass phrase of somebody";
  remember("new password", other);
  const token = again.accessToken;
  await post("/auth/change-password", { token, body: { currentPassword: own, password: other } });
  await post("/auth/request-reset", { body: { email: body.email } });
  const link = await estate.linkTo(body.email, "pr_");
  remember("link to reset", link, links);
  const third = "a third pass phrase of somebody";
  remember("reset password", third);
  await post("/auth/reset-password", { body: { token: link, password: third } });
  for (const guess of [own, other, "a guess that nobody should read"]) {
    await wrong("POST", "/auth/login", { body: { email: body.email, password: guess } });
  }
  remember("guess", "a guess that nobody should read");
  await post("/auth/request-reset", { body: { email: "nobody@example.com" } });
}

async function factors(): Promise<void> {
  const person = await house.person();
  const token = await house.tokenOf(person);
  const headers = { "idempotency-key": crypto.randomUUID() };
  interface Begun {
    secret: string;
    otpauthUri: string;
    recoveryCodes: string[];
  }
  const begun = await post<Begun>("/auth/mfa/enable", { token, headers });
  expect(await post<Begun>("/auth/mfa/enable", { token, headers })).toEqual(begun);
  remember("TOTP secret", begun.secret);
  for (const code of begun.recoveryCodes) remember("recovery code", code);
  const nowSec = estate.clock.nowSec();
  await post("/auth/mfa/verify", { token, body: { code: codeAt(begun.secret, nowSec) } });
  const code = codeAt(begun.secret, nowSec + 30);
  const renewed = await post<Begun>("/auth/mfa/recovery-codes", { token, body: { code } });
  for (const each of renewed.recoveryCodes) remember("recovery code", each);
  const recoveryCode = renewed.recoveryCodes[0] ?? "";
  const body = { email: person.email, password };
  rememberPair(
    "who recovered",
    await post<Pair>("/auth/login", { body: { ...body, recoveryCode } }),
  );
  await wrong("POST", "/auth/login", { body: { ...body, recoveryCode } });
}

async function tenants(): Promise<void> {
  const { email } = await house.person();
  await estate.root.made("/invitations", { email });
  const link = await estate.linkTo(email, "in_");
  remember("invitation", link, links);
  rememberPair(
    "who was invited",
    await post<Pair>("/auth/accept-invite", { body: { token: link, password } }),
  );
  const { sessionToken } = await post("/auth/login", { body: { email, password } });
  remember("tenant choice", sessionToken);
  const body = { sessionToken, tenantId: house.id };
  const pair = await post<Pair>("/auth/select-tenant", { body });
  rememberPair("who chose", pair);
  const headers = { "idempotency-key": crypto.randomUUID() };
  const sent = { token: pair.accessToken, body: { tenantId: estate.root.id }, headers };
  rememberPair("who switched", await post<Pair>("/auth/switch-tenant", sent));
  const acting = {
    token: estate.root.owner,
    body: { tenantId: house.id, reason: "support_request" },
  };
  const { accessToken } = await post("/auth/impersonate", { ...acting, headers });
  remember("token of who acts", accessToken);
  await estate.ok("GET", "/users", { ...(accessToken && { token: accessToken }) });
  const { ticket } = await post("/auth/stream-ticket", { token: house.owner, headers });
  remember("ticket", ticket);
}

async function machines(): Promise<void> {
  const headers = { "idempotency-key": crypto.randomUUID() };
  const token = house.owner;
  const draft = { name: "Nightly", roles: ["admin"] };
  const key = await post("/api-keys", { token, body: draft, headers });
  remember("API key", key.key);
  const { accessToken } = await post("/auth/exchange", { body: { apiKey: key.key } });
  remember("token of a key", accessToken);
  const client = await house.client();
  remember("client secret", client.clientSecret);
  const path = `/oauth/clients/${client.id}/rotate-secret`;
  remember("rotated secret", (await post(path, { token, headers })).clientSecret);
  const form = await house.codeForm();
  remember("secret of another client", form.client_secret);
  remember("code", form.code);
  const tokens = await post("/oauth/token", { form });
  for (const [name, text] of Object.entries(tokens)) {
    if (/token$/.test(name)) remember(name, text);
  }
  await wrong("POST", "/oauth/token", { form });
  const basic = Buffer.from(`${form.client_id}:${form.client_secret}`).toString("base64");
  needles.push({ name: "Basic", bytes: Buffer.from(basic) });
  await wrong("POST", "/oauth/token", {
    form: { grant_type: "client_credentials", redirect_uri: appUri },
    headers: { authorization: `Basic ${basic}` },
  });
}

/** Whoever gets it wrong sends secrets along: in the wrong field, header or query. */
async function refusals(): Promise<void> {
  const { accessToken: token, refreshToken } = await house.pairOf(await house.person());
  rememberPair("who gets it wrong", await house.pairOf(await house.person()));
  remember("token in the wrong place", token);
  remember("refresh token in the wrong place", refreshToken);
  for (const secret of [token, refreshToken, password]) {
    const headers = { "x-request-id": secret, "idempotency-key": secret, traceparent: secret };
    await wrong("POST", "/users", { token: house.owner, body: { [secret]: secret }, headers });
    await wrong("POST", "/users", { token: secret, body: { email: secret, roles: [secret] } });
    await wrong("GET", `/users?q=${encodeURIComponent(secret)}&x=${encodeURIComponent(secret)}`, {
      token: house.owner,
    });
    await wrong("POST", "/auth/login", { body: `{"email":"x@y.z","password":"${secret}` });
    await wrong("POST", "/auth/refresh", { body: { refreshToken: `${secret}x` } });
    await wrong("POST", "/auth/verify-email", { body: { token: secret } });
    await wrong("GET", `/auth/callback/away?code=${encodeURIComponent(secret)}&state=x`, {});
    await wrong("GET", "/auth/me", { headers: { cookie: `kartu_rt=${secret}` } });
  }
  await estate.ok("POST", "/auth/logout", { token });
  await wrong("GET", "/auth/me", { token });
  expect(claimsOf(token).sid).toBeString();
}

beforeAll(async () => {
  estate = await Estate.open({ lines, config: { KARTU_LOG_LEVEL: "debug" } });
  house = await estate.house();
  remember("the password of everybody", password);
  remember("the owner's token", house.owner);
  remember("the root's token", estate.root.owner);
  await signins();
  await factors();
  await tenants();
  await machines();
  await refusals();
  await estate.kartu.mail.idle();
  estate.clock.advance(60);
  await estate.clock.minute();
});
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await estate.close();
});

const all = (): Needle[] => [...needles, ...links];

async function allRows(): Promise<string> {
  const tables = await estate.tables();
  const rows = await Promise.all(tables.map((name) => estate.rows(`SELECT * FROM ${name}`)));
  return JSON.stringify(rows, (_, value) =>
    value instanceof Uint8Array ? value.toHex() : (value as unknown),
  );
}

describe("no secret of a busy day is", () => {
  test("left out of the search: there is something of every kind", () => {
    for (const kind of [
      "password",
      "refresh",
      "recovery",
      "TOTP",
      "ticket",
      "API",
      "client",
      "code",
    ]) {
      expect([kind, needles.some(({ name }) => name.includes(kind))]).toEqual([kind, true]);
    }
    expect(links.length).toBe(6);
    for (const { name, bytes } of all()) expect([name, bytes.length >= 14]).toEqual([name, true]);
  });

  test("in a row of any table", async () => {
    const rows = await allRows();
    expect(rows).toContain(rootEmail);
    expect(found(rows, all())).toEqual([]);
  });

  test("in the database, its WAL, or any other file of the server's", () => {
    const files = readdirSync(estate.dataDir, { recursive: true, withFileTypes: true });
    const plain = files.filter((entry) => entry.isFile() && entry.name !== "master.key");
    expect(plain.map(({ name }) => name)).toContain("kartu.db-wal");
    let letters = 0;
    for (const { parentPath, name } of plain) {
      const bytes = readFileSync(join(parentPath, name));
      const isLetter = name.endsWith(".eml");
      if (isLetter) letters += 1;
      const text = isLetter ? bytes.toString().replaceAll(/=\r?\n/g, "") : bytes;
      // A link stands in its letter; nothing else does.
      expect([name, ...found(text, isLetter ? needles : all())]).toEqual([name]);
    }
    expect(letters).toBeGreaterThan(4);
  });

  test("in a backup", async () => {
    const file = join(directory, "backup.tar");
    const nowMs = estate.clock.nowMs();
    await backup({ database: databasePath(estate.dataDir), kartuVersion: "0", nowMs }, file);
    const bytes = readFileSync(file);
    expect(bytes.includes("SQLite format 3")).toBe(true);
    expect(found(bytes, all())).toEqual([]);
  });

  test("in an answer to a call that went wrong", () => {
    expect(answers.length).toBeGreaterThan(20);
    for (const answer of answers) expect(found(answer, all())).toEqual([]);
  });

  test("in a line of the log", () => {
    const log = lines.join("");
    expect(log).toContain('"message":"served"');
    expect(found(log, all())).toEqual([]);
  });
});
