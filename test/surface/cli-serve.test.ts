/** Serving: when it is ready, how it ends, and what a killed one leaves behind. */
import { afterAll, expect, test } from "bun:test";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { kartu, object, post, serve, workspace } from "./cli-fixture.ts";

const work = workspace();
afterAll(work.remove);

const answers = async (url: string): Promise<number> => (await fetch(`${url}/api/policy`)).status;

test.concurrent("an empty directory is initialised first; it is ready when it says so", async () => {
  const data = work.path("first");
  const server = await serve(["--data", data]);
  expect(server.line).toMatch(/^listening on http:\/\/127\.0\.0\.1:\d+$/);
  expect(await answers(server.url)).toBe(401);
  expect((statSync(join(data, "kartu.sock")).mode & 0o777).toString(8)).toBe("600");
  const { code, stdout } = await server.end("SIGTERM");
  expect(code).toBe(0);
  expect(stdout).toMatch(/^password {2}\S{24}/m);
  expect(readdirSync(data).sort()).toEqual(["kartu.db", "kartu.lock", "master.key"]);
});

test.concurrent("with --json one object tells the address, and the login when it was made", async () => {
  const data = work.path("json");
  const server = await serve(["--data", data, "--json"]);
  expect(JSON.parse(server.line)).toEqual({
    url: server.url,
    initialised: expect.objectContaining({ ownerPassword: expect.any(String) }),
  });
  expect((await server.end("SIGINT")).code).toBe(0);
  const again = await serve(["--data", data, "--json"]);
  expect(JSON.parse(again.line)).toEqual({ url: again.url });
  const { code, stdout, stderr } = await again.end("SIGTERM");
  expect({ code, lines: stdout.trim().split("\n").length }).toEqual({ code: 0, lines: 1 });
  for (const line of stderr.trim().split("\n")) if (line !== "") JSON.parse(line);
});

test.concurrent("kill -9: the next one starts, commands are not confused by what is left", async () => {
  const data = work.path("killed");
  const env = { KARTU_LOG_LEVEL: "error" };
  const server = await serve(["--data", data], { env });
  const add = (id: string) => ["device", "add", "--id", id, "--role", "gate", "--data", data];
  await object(add("before"));
  await server.end("SIGKILL");
  expect(existsSync(join(data, "kartu.sock"))).toBe(true);
  expect(await object(["device", "list", "--data", data])).toMatchObject({ deviceId: "before" });
  expect(await object(add("between"))).toMatchObject({ terminalId: 2 });
  const next = await serve(["--data", data], { env });
  expect(await object(add("after"))).toMatchObject({ terminalId: 3 });
  expect((await next.end("SIGTERM")).code).toBe(0);
  expect((await object<{ ok: boolean }>(["verify", "--data", data])).ok).toBe(true);
});

test.concurrent("a directory has one server at a time", async () => {
  const data = work.path("one");
  const server = await serve(["--data", data]);
  const second = await kartu(["serve", "--port", "0", "--data", data]);
  expect(second).toMatchObject({ code: 1, stdout: "" });
  expect(second.stderr).toContain(data);
  expect(await answers(server.url)).toBe(401);
  const port = new URL(server.url).port;
  const other = await kartu(["serve", "--port", port, "--data", work.path("other")]);
  expect(other.code).toBe(1);
  expect(other.stderr).toContain(port);
  expect((await server.end("SIGTERM")).code).toBe(0);
});

test.concurrent("stopping finishes what runs and takes no more", async () => {
  const data = work.path("stopping");
  const server = await serve(["--data", data]);
  const add = ["member", "add", "--name", "Siti", "--count", "20000", "--data", data];
  const lines = kartu([...add, "--json"]);
  while ((await kartu(["member", "list", "--data", data])).stdout.length < 1_000)
    await Bun.sleep(20);
  const ended = await server.end("SIGTERM");
  expect(ended.code).toBe(0);
  const { code, stdout } = await lines;
  expect({ code, members: stdout.trim().split("\n").length }).toEqual({ code: 0, members: 20_000 });
});

test.concurrent("the clock moves in development, for the owner of the server alone", async () => {
  const data = work.path("clock");
  const email = "owner@example.com";
  const password = "a long password";
  const owner = ["--owner-email", email, "--owner-password", password];
  expect((await kartu(["init", "--data", data, ...owner])).code).toBe(0);
  const env = { KARTU_ENV: "development", KARTU_LOG_LEVEL: "error" };
  const server = await serve(["--data", data, "--clock-offset", "86400"], { env });
  const clock = `${server.url}/api/v1/gateway/clock`;
  const stranger = await post(clock, { advanceSec: 1 });
  expect(stranger).toMatchObject({ status: 401, type: "application/problem+json" });
  const signedIn = await post(`${server.url}/api/v1/auth/login`, { email, password });
  const authorization = `Bearer ${signedIn.json.accessToken}`;
  const aheadSec = async (): Promise<number> => {
    const { status, json } = await post(clock, { advanceSec: 300 }, { authorization });
    expect(status).toBe(200);
    return (Date.parse(String(json.now)) - Date.now()) / 1_000;
  };
  expect(await aheadSec()).toBeCloseTo(86_700, -2);
  expect(await aheadSec()).toBeCloseTo(87_000, -2);
  for (const advanceSec of [0, -1, 1.5, "5", 31_622_401, null]) {
    expect(await post(clock, { advanceSec }, { authorization })).toMatchObject({
      status: 400,
      type: "application/problem+json",
    });
  }
  await server.end("SIGTERM");
  const production = await serve(["--data", data], { env: { KARTU_LOG_LEVEL: "error" } });
  const missing = await post(`${production.url}/api/v1/gateway/clock`, { advanceSec: 1 });
  expect(missing).toMatchObject({ status: 404, type: "application/problem+json" });
  await production.end("SIGTERM");
});
