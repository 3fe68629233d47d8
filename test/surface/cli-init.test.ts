/** Making a data directory: what is in it, who may read it, and what is never touched. */
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { kartu, object, workspace } from "./cli-fixture.ts";

const work = workspace();
afterAll(work.remove);

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);
const contents = (dir: string): [string, string][] =>
  readdirSync(dir)
    .sort()
    .map((name) => [name, Bun.SHA256.hash(readFileSync(join(dir, name)), "hex")]);

describe("a fresh directory", () => {
  const data = work.path("fresh");

  test("has a database, a key for its owner alone, a tenant and an owner", async () => {
    const made = await object(["init", "--data", data, "--tenant", "Kantin Utama"]);
    expect(made).toEqual({
      tenantId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      ownerEmail: "owner@localhost",
      ownerPassword: expect.stringMatching(/^.{24}$/),
    });
    expect(modeOf(data)).toBe("700");
    expect(readdirSync(data).sort()).toEqual(["kartu.db", "kartu.lock", "master.key"]);
    for (const name of readdirSync(data)) expect(modeOf(join(data, name))).toBe("600");
    const files = readdirSync(data).map((name) => readFileSync(join(data, name), "latin1"));
    for (const file of files) expect(file).not.toContain(String(made.ownerPassword));
    const tenant = await object(["tenant", "list", "--data", data]);
    expect(tenant).toMatchObject({ slug: "kantin-utama", tenantId: made.tenantId });
    expect(await object(["keys", "list", "--data", data])).toMatchObject({
      keyVersion: 1,
      primary: true,
    });
  });

  test("is not initialised twice, and nothing in it changes", async () => {
    const before = contents(data);
    const { code, stdout } = await kartu(["init", "--data", data, "--json"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(contents(data)).toEqual(before);
  });
});

test.concurrent("a password that is given is not told again", async () => {
  const data = work.path("given");
  const password = "correct horse battery";
  const args = ["init", "--data", data, "--owner-email", "Ana@Example.com"];
  const made = await object([...args, "--owner-password", password]);
  expect(made).toEqual({ tenantId: expect.any(String), ownerEmail: "ana@example.com" });
});

test.concurrent.each([
  ["a short password", ["--owner-password", "short"]],
  ["a bad address", ["--owner-email", "nobody"]],
  ["an empty name", ["--tenant", ""]],
])("%s is refused before anything is made", async (what, options) => {
  const data = work.path(`refused ${what}`);
  const { code } = await kartu(["init", "--data", data, ...options]);
  expect(code).toBe(2);
  expect(existsSync(data)).toBe(false);
});

test.concurrent("a directory of somebody else is left alone", async () => {
  const data = work.path("foreign");
  mkdirSync(data);
  writeFileSync(join(data, "thesis.txt"), "years of work");
  for (const command of ["init", "serve"]) {
    expect(await kartu([command, "--data", data])).toMatchObject({ code: 2, stdout: "" });
  }
  expect(readdirSync(data)).toEqual(["thesis.txt"]);
});

test.concurrent("a start that was cut off is taken up again, with its key", async () => {
  const data = work.path("cut");
  mkdirSync(join(data, ".init"), { recursive: true });
  const key = new Uint8Array(32).fill(9).toBase64();
  writeFileSync(join(data, "master.key"), `${key}\n`, { mode: 0o600 });
  writeFileSync(join(data, ".init", "kartu.db"), "half a database");
  await object(["init", "--data", data]);
  expect(readFileSync(join(data, "master.key"), "utf8").trim()).toBe(key);
  expect(readdirSync(data).sort()).toEqual(["kartu.db", "kartu.lock", "master.key"]);
});

test.concurrent("a key in the environment is not written down, and is asked for ever after", async () => {
  const data = work.path("environment");
  const env = { KARTU_MASTER_KEY: new Uint8Array(32).fill(3).toBase64() };
  await object(["init", "--data", data], { env });
  expect(existsSync(join(data, "master.key"))).toBe(false);
  const add = ["device", "add", "--id", "a", "--role", "gate", "--data", data];
  expect(await kartu(add)).toMatchObject({ code: 1, stdout: "" });
  const other = { KARTU_MASTER_KEY: new Uint8Array(32).fill(4).toBase64() };
  expect(await kartu(add, { env: other })).toMatchObject({ code: 1, stdout: "" });
  expect(await object(add, { env })).toMatchObject({ deviceId: "a" });
});
