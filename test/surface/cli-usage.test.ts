/** What every command owes: exit codes, help, and a stdout that programs can read. */
import { afterAll, describe, expect, test } from "bun:test";
import { kartu, object, workspace } from "./cli-fixture.ts";

const work = workspace();
afterAll(work.remove);
const nowhere = work.path("nowhere");

const wrong: readonly (readonly string[])[] = [
  [],
  ["unheard"],
  ["--unheard"],
  ["device"],
  ["device", "unheard"],
  ["device", "add", "--id", "x"],
  ["device", "add", "--id", "x", "--role", "king", "--data", nowhere],
  ["device", "suspend"],
  ["member", "add", "--name", "x", "--count", "many", "--data", nowhere],
  ["member", "close", "x", "--data", nowhere],
  ["flag", "approve", "x", "--data", nowhere],
  ["flag", "list", "--status", "odd", "--data", nowhere],
  ["keys", "activate", "256", "--data", nowhere],
  ["policy", "set", "dailyLimit", "--data", nowhere],
  ["card", "block", "a1b2c3d4e5f6", "--data", nowhere],
  ["openapi", "unheard"],
  ["simulate", "--events", "0"],
  ["serve", "--port", "65536", "--data", nowhere],
  ["serve", "--clock-offset", "5", "--data", nowhere],
  ["restore", work.path("no-file"), "--data", nowhere],
];

describe("wrong usage ends with 2 and says why on stderr alone", () => {
  test.concurrent.each(wrong.map((args) => [args.join(" ") || "no command", args] as const))(
    "%s",
    async (_, args) => {
      const { code, stdout, stderr } = await kartu(args);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).not.toBe("");
      expect(stderr).not.toContain("    at ");
    },
  );
});

const reading = ["device list", "member list", "keys list", "tenant list", "flag list", "verify"];
const writing = ["device suspend x", "keys create", "tenant add --name x", "backup b.tar"];

test.concurrent.each([...reading, ...writing])(
  "%s needs an initialised directory",
  async (line) => {
    const { code, stdout, stderr } = await kartu([...line.split(" "), "--data", nowhere]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("kartu init");
  },
);

test.concurrent("all faults of the environment are told at once, secrets never", async () => {
  const env = {
    KARTU_PORT: "x",
    KARTU_ENV: "play",
    KARTU_MASTER_KEY: "tr0ub4dor",
  };
  const { code, stdout, stderr } = await kartu(["serve", "--data", nowhere], { env });
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  for (const name of Object.keys(env)) expect(stderr).toContain(name);
  expect(stderr).not.toContain("tr0ub4dor");
});

test.concurrent.each(["--help", "device --help", "device add --help"])("%s", async (line) => {
  const { code, stdout, stderr } = await kartu(line.split(" "));
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain("--data");
  expect(stdout).toContain("--json");
});

test.concurrent("version", async () => {
  const versions = await object(["version"]);
  expect(versions).toMatchObject({ bun: Bun.version, commit: expect.any(String) });
});

test.concurrent("openapi prints a document and needs no data", async () => {
  const { code, stdout } = await kartu(["openapi", "terminal"], { cwd: work.path(".") });
  expect(code).toBe(0);
  const document = JSON.parse(stdout) as { openapi: string; paths: Record<string, unknown> };
  expect(document.openapi).toStartWith("3.1");
  expect(Object.keys(document.paths)).toContain("/api/reconcile");
});
