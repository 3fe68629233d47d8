/**
 * Who may read what a server writes: its owner alone, whatever umask it was started with. Every file
 * and folder that the program makes is looked at, not a list of them.
 */
import { afterAll, expect, test } from "bun:test";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { done, post, type Server, serve, workspace } from "./cli-fixture.ts";

const work = workspace();
afterAll(work.remove);

/** Children take it from us; nothing else of this process writes meanwhile. */
const umask = process.umask(0o000);
afterAll(() => {
  process.umask(umask);
});

/** Each path below, the folder itself first, with its mode where others could come in. */
function open(folder: string): { readonly seen: number; readonly others: string[] } {
  const entries = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const paths = [folder, ...entries.map((name) => join(folder, name))];
  const modes = paths.map((path) => [path, statSync(path).mode & 0o777] as const);
  const others = modes.filter(([, mode]) => (mode & 0o077) !== 0);
  return {
    seen: paths.length,
    others: others.map(([path, mode]) => `${path} ${mode.toString(8)}`),
  };
}

const data = work.path("data");
const copies = work.path("copies");

/** Rows in the WAL, a letter, a frozen document, the moved clock: all that a server writes. */
async function busy({ url }: Server, password: string): Promise<void> {
  const login = { email: "owner@localhost", password };
  const { json } = await post(`${url}/api/v1/auth/login`, login);
  const token = { authorization: `Bearer ${String(json.accessToken)}` };
  const user = { email: "new@example.com", roles: ["member"] };
  expect((await post(`${url}/api/v1/users`, user, token)).status).toBe(201);
  const clock = await post(`${url}/api/v1/gateway/clock`, { advanceSec: 60 }, token);
  expect(clock.status).toBe(200);
  const sunsetAt = new Date(Date.now() + 200 * 86_400_000).toISOString();
  const version = await post(`${url}/api/v1/gateway/versions/0/deprecate`, { sunsetAt }, token);
  expect(version.status).toBe(200);
}

test("nothing can be read by others, under umask 000", async () => {
  await done(["init", "--data", data, "--owner-password", "a long password"]);
  const server = await serve(["--data", data], { env: { KARTU_ENV: "development" } });
  await busy(server, "a long password");
  const names = readdirSync(data);
  for (const name of ["kartu.db-wal", "kartu.db-shm", "kartu.sock", "kartu.lock", "mail"]) {
    expect(names).toContain(name);
  }
  expect(open(data).others).toEqual([]);
  expect(open(data).seen).toBeGreaterThan(names.length + 2);
  await done(["backup", join(data, "venue.tar"), "--data", data]);
  const key = ["--key-file", join(data, "master.key")];
  await done(["restore", join(data, "venue.tar"), "--data", copies, ...key]);
  expect((await server.end("SIGTERM")).code).toBe(0);
  for (const folder of [data, copies]) expect(open(folder).others).toEqual([]);

  const listed = Bun.spawnSync(["tar", "-tvf", join(data, "venue.tar")]).stdout.toString();
  const members = listed.trimEnd().split("\n");
  expect(members.some((line) => line.endsWith(" kartu.db"))).toBe(true);
  for (const line of members) expect(line).toStartWith("-rw------- ");
  expect(listed).not.toContain("master.key");
}, 60_000);
