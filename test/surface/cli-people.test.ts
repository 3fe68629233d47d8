/** Users, tenants and API keys by the command line: the same through a live server and without one. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import {
  done,
  kartu,
  object,
  objects,
  post,
  type Server,
  serve,
  workspace,
} from "./cli-fixture.ts";

const work = workspace();
afterAll(work.remove);

const password = "a long enough password";
interface Made {
  readonly email: string;
  readonly status: string;
  readonly id: string;
  readonly key: string;
  readonly password: string;
}

describe.each(["by the live server", "by itself"])("%s", (how) => {
  const data = work.path(how);
  const at = (...args: string[]): string[] => [...args, "--data", data];
  let server: Server | undefined;

  beforeAll(async () => {
    await done([
      "init",
      "--data",
      data,
      "--owner-email",
      "owner@example.com",
      "--owner-password",
      password,
    ]);
    if (how === "by the live server") server = await serve(["--data", data]);
  }, 30_000);

  afterAll(async () => {
    if (server === undefined) return;
    const { code, stdout, stderr } = await server.end("SIGTERM");
    expect(code).toBe(0);
    expect(`${stdout}${stderr}`).not.toMatch(/ak_|in_[\w-]{20}|a long enough/);
  });

  test("users are added, listed, blocked, given roles and passwords", async () => {
    const siti = ["--email", "Siti@example.com", "--name", "Siti", "--password", password];
    const made = await object<Made>(at("user", "add", ...siti, "--role", "admin", "member"));
    expect(made).toMatchObject({
      ...{ email: "siti@example.com", status: "active", roles: ["admin", "member"] },
    });
    const asked = await object<Made>(at("user", "add", "--email", "budi@example.com"));
    expect(asked).toMatchObject({ status: "invited", roles: ["member"] });
    const folder = join(data, "mail");
    // A live server answers once it is recorded, and sends right after.
    while (!existsSync(folder) || !readdirSync(folder).some((name) => name.endsWith(".eml"))) {
      await Bun.sleep(20);
    }
    const [file = ""] = readdirSync(folder);
    expect(readFileSync(join(folder, file), "utf8")).toContain("To: budi@example.com");
    expect(statSync(folder).mode & 0o777).toBe(0o700);

    const listed = await objects<Made>(at("user", "list"));
    expect(listed.map(({ email, status }) => `${email} ${status}`)).toEqual([
      ...["budi@example.com invited", "siti@example.com active", "owner@example.com active"],
    ]);
    expect(await objects<Made>(at("user", "list", "--status", "invited"))).toHaveLength(1);
    expect(await objects<Made>(at("user", "list", "--q", "SITI"))).toHaveLength(1);
    expect(await object<Made>(at("user", "block", "siti@example.com"))).toMatchObject({
      status: "blocked",
    });
    await object(at("user", "unblock", "siti@example.com"));
    expect(await object(at("user", "roles", "siti@example.com", "member"))).toMatchObject({
      roles: ["member"],
    });
    const reset = await object<Made>(at("user", "reset-password", "siti@example.com"));
    expect(reset.password).toMatch(/^[\w-]{24}$/);
    const own = ["user", "reset-password", "siti@example.com", "--password", password];
    expect(await object(at(...own))).toEqual({ id: made.id, email: "siti@example.com" });
    if (server === undefined) return;
    const credentials = { email: "siti@example.com", password: reset.password };
    expect((await post(`${server.url}/api/v1/auth/login`, credentials)).status).toBe(401);
    const right = { ...credentials, password };
    expect((await post(`${server.url}/api/v1/auth/login`, right)).status).toBe(200);
  }, 30_000);

  test("tenants are added with their owner, blocked and unblocked", async () => {
    const made = await object(
      at("tenant", "add", "--name", "Kedai", "--owner-email", "boss@example.com"),
    );
    expect(made).toMatchObject({ slug: "kedai", status: "active" });
    const [boss] = await objects<Made>(at("user", "list", "--tenant", "kedai"));
    expect(boss).toMatchObject({ email: "boss@example.com", status: "invited", roles: ["owner"] });
    const blocked = await object(at("tenant", "block", "kedai", "--reason", "unpaid"));
    expect(blocked).toMatchObject({ status: "blocked" });
    expect(await object(at("tenant", "unblock", "kedai"))).toMatchObject({ status: "active" });
  }, 30_000);

  test("API keys are made, shown once, listed and revoked", async () => {
    const args = ["--name", "Export", "--role", "member", "--ip", "127.0.0.1", "::1/128"];
    const made = await object<Made>(
      at("apikey", "add", ...args, "--expires", "2099-01-01T00:00:00Z"),
    );
    expect(made.key).toMatch(/^ak_[\w-]{43}$/);
    const [listed] = await objects(at("apikey", "list"));
    const { key, ...shown } = made;
    expect(listed).toEqual(shown);
    const exchange = async () =>
      server && (await post(`${server.url}/api/v1/auth/exchange`, { apiKey: key })).status;
    expect(await exchange()).toBe(server && 200);
    expect(await object(at("apikey", "revoke", made.id))).toMatchObject({ name: "Export" });
    expect(await exchange()).toBe(server && 401);
    expect(await objects(at("apikey", "list"))).toEqual([]);
  }, 30_000);

  const refused = [
    "user add --email nobody",
    "user add --email owner@example.com",
    "user add --email x@example.com --password short",
    "user add --email x@example.com --role nope",
    "user add --email x@example.com --role owner",
    "user list --status gone",
    "user block owner@example.com",
    "user block nobody@example.com",
    "user unblock owner@example.com",
    "user roles owner@example.com member",
    "user reset-password nobody@example.com",
    "tenant block kartu",
    "tenant block nowhere",
    "apikey add --name x --role owner",
    "apikey add --name x --role member --ip 10.0.0.0/99",
    "apikey add --name x --role member --expires 2020-01-01T00:00:00Z",
    "apikey revoke 01900000-0000-7000-8000-000000000000",
  ];
  // Without a server the same code decides: a few of them show that it is asked.
  const tried = refused.filter((_, index) => how === "by the live server" || index % 6 === 0);
  test.concurrent.each(tried)(
    "%s is refused",
    async (line) => {
      const { code, stdout, stderr } = await kartu([...line.split(" "), "--data", data, "--json"]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toMatch(/^kartu: .+\n$/);
    },
    30_000,
  );
});
