/** Keeping data: backup and restore, doctor, verify, and the virtual fleet that tries it all. */
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { done, kartu, object, objects, type Server, serve, workspace } from "./cli-fixture.ts";

const work = workspace();
afterAll(work.remove);

const unlimited = {
  KARTU_ENV: "development",
  KARTU_LOG_LEVEL: "error",
  KARTU_RATE_IP_PER_MIN: "0",
  KARTU_RATE_DEVICE_TOKEN_IP_PER_MIN: "0",
};

const data = work.path("venue");
const copy = work.path("copy.tar");
const keyFile = work.path("key");
let server: Server;

beforeAll(async () => {
  server = await serve(["--data", data], { env: unlimited });
  writeFileSync(keyFile, readFileSync(join(data, "master.key")));
});

afterAll(async () => {
  expect(await server.end("SIGTERM")).toMatchObject({ code: 0, stderr: "" });
});

interface Result {
  accepted: number;
  mismatchCount: number;
  mismatches: unknown[];
  calls: { kind: string; statuses: Record<string, number> }[];
}

test("a virtual fleet finds every answer as it must be", async () => {
  const url = ["--url", server.url, "--seed", "t1"];
  const args = ["simulate", ...url, "--cards", "20", "--events", "600", "--data", data];
  const result = await object<Result>(args);
  expect(result.mismatches).toEqual([]);
  expect(result.accepted).toBeGreaterThan(500);
  expect(result.calls.map(({ kind }) => kind)).toContain("reconcile");
}, 30_000);

test("a fleet of given devices, for members that exist", async () => {
  const lines: string[] = [];
  for (const role of ["station", "terminal"]) {
    lines.push(
      await done([
        "device",
        "add",
        "--id",
        `own-${role}`,
        "--role",
        role,
        "--json",
        "--data",
        data,
      ]),
    );
  }
  const file = work.path("devices.jsonl");
  writeFileSync(file, lines.join(""));
  const [first] = await objects([
    "member",
    "add",
    "--name",
    "Guest",
    "--count",
    "5",
    "--data",
    data,
  ]);
  const from = Number(first?.userId);
  const args = [
    "--devices",
    file,
    "--users",
    `${from}-${from + 4}`,
    "--cards",
    "5",
    "--events",
    "60",
  ];
  const text = await done(["simulate", "--url", server.url, ...args, "--real-time"]);
  expect(text).toMatch(/mismatches +0/);
}, 30_000);

test.concurrent("a fleet that finds nobody fails", async () => {
  const { code, stdout } = await kartu(["simulate", "--url", "http://127.0.0.1:9", "--data", data]);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
});

describe("beside the live server", () => {
  test("verify and doctor find everything in order", async () => {
    expect(await object(["verify", "--data", data])).toEqual({ ok: true, count: 0, faults: [] });
    const doctor = await object<{ ok: boolean; checks: { check: string; level: string }[] }>([
      "doctor",
      "--data",
      data,
    ]);
    expect(doctor.checks.filter(({ level }) => level === "fail")).toEqual([]);
  });

  test("the review queue is listed and decided", async () => {
    const flags = await objects<{ id: string; reason: string }>(["flag", "list", "--data", data]);
    const [flag] = flags;
    if (flag === undefined) throw new Error("a fleet with frauds in it raises flags");
    const approve = ["flag", "approve", flag.id, "--note", "seen", "--data", data];
    expect(await object(approve)).toMatchObject({
      status: "approved",
      decidedBy: "cli",
      note: "seen",
    });
    expect(await kartu(approve)).toMatchObject({ code: 2, stdout: "" });
    expect(await objects(["flag", "list", "--data", data])).toHaveLength(flags.length - 1);
  });

  test("a card is shown with its timeline, and blocked", async () => {
    const [flag] = await objects<{ cardId: string }>(["flag", "list", "--data", data]);
    const cardId = String(flag?.cardId);
    const show = ["card", "show", cardId, "--data", data];
    const card = await object<{ timeline: { at: string; kind: string }[] }>(show);
    expect(card).toMatchObject({ cardId, userId: expect.any(Number) });
    const kinds = new Set(card.timeline.map(({ kind }) => kind));
    expect([...kinds]).toEqual(expect.arrayContaining(["event", "flag"]));
    const times = card.timeline.map(({ at }) => at);
    expect(times).toEqual(times.toSorted().reverse());
    expect((await done(show)).split("\n").length).toBeGreaterThan(card.timeline.length);
    const block = ["card", "block", cardId, "--reason", "lost", "--data", data];
    expect(await object(block)).toMatchObject({ cardId, registered: true });
    expect(await object(show)).toMatchObject({ status: expect.stringMatching(/^BLOCKED_/) });
  });

  test("a backup is one file without the key", async () => {
    const made = await object(["backup", copy, "--data", data]);
    expect(made).toMatchObject({ file: copy, schemaVersion: 1, files: 1 });
    expect((statSync(copy).mode & 0o777).toString(8)).toBe("600");
    const key = readFileSync(keyFile, "utf8").trim();
    const bytes = readFileSync(copy, "latin1");
    expect(bytes).not.toContain(key);
    expect(bytes).not.toContain(Buffer.from(key, "base64").toString("latin1"));
    expect(await kartu(["backup", copy, "--data", data])).toMatchObject({ code: 2 });
  });
});

describe("a restored directory", () => {
  test.concurrent("holds what was there, and its key", async () => {
    const to = work.path("restored");
    await object(["restore", copy, "--key-file", keyFile, "--data", to]);
    expect(readdirSync(to).sort()).toEqual(["kartu.db", "kartu.lock", "master.key"]);
    expect((statSync(join(to, "master.key")).mode & 0o777).toString(8)).toBe("600");
    expect((await object<{ ok: boolean }>(["verify", "--data", to])).ok).toBe(true);
    const before = await objects(["device", "list", "--data", data]);
    expect((await objects(["device", "list", "--data", to])).length).toBe(before.length);
    await object(["device", "add", "--id", "after", "--role", "gate", "--data", to]);
    const again = ["restore", copy, "--key-file", keyFile, "--data", to];
    expect(await kartu(again)).toMatchObject({ code: 2, stdout: "" });
  });

  test.concurrent("has no key file where the key is in the environment", async () => {
    const to = work.path("restored by environment");
    const env = { KARTU_MASTER_KEY: readFileSync(keyFile, "utf8").trim() };
    await object(["restore", copy, "--data", to], { env });
    expect(existsSync(join(to, "master.key"))).toBe(false);
    expect(await kartu(["keys", "create", "--data", to], { env })).toMatchObject({ code: 0 });
  });

  test.concurrent.each([
    ["the wrong key", new Uint8Array(32).fill(1).toBase64(), 2],
    ["no key at all", "", 2],
    ["half a key", new Uint8Array(16).toBase64(), 2],
  ])("is not there after %s", async (what, key, expected) => {
    const to = work.path(`not restored: ${what}`);
    const file = work.path(`key: ${what}`);
    writeFileSync(file, key);
    const args = ["restore", copy, "--data", to, ...(key === "" ? [] : ["--key-file", file])];
    const { code, stdout, stderr } = await kartu(args);
    expect({ code, stdout }).toEqual({ code: expected, stdout: "" });
    if (key !== "") expect(stderr).not.toContain(key);
    expect(existsSync(join(to, "kartu.db"))).toBe(false);
    expect(existsSync(join(to, "master.key"))).toBe(false);
  });

  test.concurrent("is not there after a damaged backup", async () => {
    const to = work.path("not restored: damaged");
    const bytes = readFileSync(copy);
    const at = Math.floor(bytes.length / 2);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    const damaged = work.path("damaged.tar");
    writeFileSync(damaged, bytes);
    const args = ["restore", damaged, "--key-file", keyFile, "--data", to];
    expect(await kartu(args)).toMatchObject({ code: 1, stdout: "" });
    expect(existsSync(join(to, "kartu.db"))).toBe(false);
  });
});

describe("what is wrong is named, with exit 1", () => {
  test("by verify", async () => {
    const to = work.path("faulty");
    await done(["restore", copy, "--key-file", keyFile, "--data", to]);
    const db = new Database(join(to, "kartu.db"));
    db.run("UPDATE head SET available = available + 1 WHERE card_no = 1");
    db.close(true);
    const { code, stdout } = await kartu(["verify", "--data", to, "--json"]);
    expect(code).toBe(1);
    const { ok, count, faults } = JSON.parse(stdout) as {
      ok: boolean;
      count: number;
      faults: object[];
    };
    expect({ ok, count }).toEqual({ ok: false, count: 2 });
    expect(faults[0]).toMatchObject({ check: "balance", table: "head", key: "1" });
    const words = await kartu(["verify", "--data", to]);
    expect(words).toMatchObject({ code: 1 });
    expect(words.stdout).toContain("balance");
  });

  test("by doctor", async () => {
    const to = work.path("sick");
    await done(["restore", copy, "--key-file", keyFile, "--data", to]);
    const key = join(to, "master.key");
    writeFileSync(key, new Uint8Array(32).fill(1).toBase64());
    chmodSync(key, 0o644);
    const { code, stdout } = await kartu(["doctor", "--data", to, "--json"]);
    expect(code).toBe(1);
    const { checks } = JSON.parse(stdout) as { checks: { check: string; level: string }[] };
    const levels = Object.fromEntries(checks.map(({ check, level }) => [check, level]));
    expect(levels).toMatchObject({
      "master key": "warn",
      "key opens the data": "fail",
      database: "ok",
    });
  });
});

test("a demo lives in a directory of its own and leaves nothing", async () => {
  const to = work.path("demo");
  const child = Bun.spawn(
    [
      process.execPath,
      join(import.meta.dir, "../../src/main.ts"),
      "demo",
      "--port",
      "0",
      "--json",
      "--data",
      to,
    ],
    { env: { PATH: process.env.PATH ?? "" }, stdout: "pipe", stderr: "pipe" },
  );
  const { value } = await child.stdout.getReader().read();
  const demo = JSON.parse(new TextDecoder().decode(value)) as Record<string, string>;
  expect(demo).toMatchObject({ dataDir: to, ownerPassword: expect.any(String) });
  for (const path of ["/", "/api-docs/terminal", "/api/v1/terminal/openapi.json"]) {
    expect((await fetch(`${demo.url}${path}`)).status).toBe(200);
  }
  const found = async (): Promise<number> =>
    (await objects(["member", "list", "--data", to])).length;
  while ((await found()) === 0) await Bun.sleep(50);
  child.kill("SIGINT");
  expect(await child.exited).toBe(0);
  expect((await object<{ ok: boolean }>(["verify", "--data", to])).ok).toBe(true);
}, 30_000);
