/**
 * The compiled program, not its sources: it carries its own assets, obeys no stray `.env`, and serves,
 * proves and copies its data like `bun src/main.ts` does.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Chain } from "../chip.ts";

const root = resolve(import.meta.dir, "../..");
const folder = mkdtempSync(join(tmpdir(), "kartu-binary-"));
const program = join(folder, "kartu");
const data = join(folder, "data");
const server: { process?: Bun.Subprocess<"ignore", "pipe", "pipe">; url: string } = { url: "" };

/** Runs a command to its end; what it prints is one JSON object. */
function run(...args: string[]): { code: number; json: Record<string, unknown>; err: string } {
  const { exitCode, stdout, stderr } = Bun.spawnSync([program, ...args, "--data", data, "--json"], {
    cwd: folder,
    env: {},
  });
  const text = stdout.toString().trim();
  return { code: exitCode, json: text === "" ? {} : JSON.parse(text), err: stderr.toString() };
}

/** The answer's JSON, whatever it holds. */
const jsonOf = (answer: Response) => answer.json() as Promise<Record<string, unknown>>;

const post = (path: string, token: string, body: unknown): Promise<Response> =>
  fetch(`${server.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  });

async function start(): Promise<void> {
  server.process = Bun.spawn([program, "serve", "--data", data, "--port", "0", "--json"], {
    cwd: folder,
    env: { KARTU_LOG_LEVEL: "error" },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const { value } = await server.process.stdout.getReader().read();
  server.url = JSON.parse(new TextDecoder().decode(value)).url;
}

beforeAll(async () => {
  const flags = ["--compile", "--bytecode", "--no-compile-autoload-dotenv"];
  const built = Bun.spawnSync(
    [
      process.execPath,
      "build",
      join(root, "src/main.ts"),
      ...flags,
      "--no-compile-autoload-bunfig",
      "--outfile",
      program,
    ],
    { cwd: root, env: { ...process.env } },
  );
  if (built.exitCode !== 0) throw new Error(built.stderr.toString());
  // Would send the data elsewhere and forbid the pages, if it were read.
  writeFileSync(join(folder, ".env"), "KARTU_DATA=elsewhere\nKARTU_DOCS=off\nKARTU_PORT=1\n");
  expect(run("init", "--owner-email", "owner@example.com").code).toBe(0);
  await start();
}, 60_000);

afterAll(() => {
  server.process?.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

test("the pages and all they are made of come from the program", async () => {
  const page = await fetch(`${server.url}/api-docs/terminal`);
  expect(page.status).toBe(200);
  const html = await page.text();
  const assets = [...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path);
  expect(assets.length).toBeGreaterThan(1);
  for (const path of assets) {
    const asset = await fetch(`${server.url}${path}`);
    expect([path, asset.status]).toEqual([path, 200]);
    expect((await asset.arrayBuffer()).byteLength).toBeGreaterThan(0);
  }
  expect((await fetch(`${server.url}/api-docs/terminal/redoc`)).status).toBe(200);
  const document = await jsonOf(await fetch(`${server.url}/api/v1/terminal/openapi.json`));
  expect(String(document.openapi)).toStartWith("3.1");
});

test("a device is commissioned, works and hands in", async () => {
  const { json: device } = run("device", "add", "--id", "till", "--role", "terminal");
  const { deviceId, secret, role } = device;
  const answer = await post("/api/auth/token", "", { deviceId, secret, role });
  const { token, terminalId } = await jsonOf(answer);
  const headers = { authorization: `Bearer ${token}` };
  const grant = await jsonOf(await fetch(`${server.url}/api/session-grant`, { headers }));
  expect(grant.allowedOps).toEqual(["read", "debit", "checkin", "checkout"]);
  const batch = await post("/api/reconcile", String(token), { terminalId, events: [] });
  expect(await jsonOf(batch)).toMatchObject({
    accepted: 0,
    rejected: 0,
    flags: [],
    rejections: [],
  });
  const refused = await post("/api/reconcile", String(token), { terminalId, events: [{}] });
  expect([refused.status, (await jsonOf(refused)).error]).toEqual([400, "malformed_payload"]);
});

/** A commissioned device's token and number. */
async function device(role: string): Promise<{ token: string; terminalId: number }> {
  const { json } = run("device", "add", "--id", `killed-${role}`, "--role", role);
  const { deviceId, secret } = json;
  const answer = await jsonOf(await post("/api/auth/token", "", { deviceId, secret, role }));
  return { token: String(answer.token), terminalId: Number(answer.terminalId) };
}

const get = async (path: string, token: string) =>
  jsonOf(await fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${token}` } }));

test("what was answered is there after a kill, and answered alike", async () => {
  const station = await device("station");
  const till = await device("terminal");
  const { userId } = run("member", "add", "--name", "Sari").json;
  const cardId = "04a1b2c3d4e5";
  const nowSec = Math.floor(Date.now() / 1000);
  await get("/api/session-grant", station.token);
  const card = { cardId, userId, name: "Sari", createdAt: nowSec, keyVersion: 1 };
  expect((await post("/api/cards", station.token, card)).status).toBe(201);
  const topup = { amount: 50_000, operatorId: 1, timestamp: nowSec };
  expect((await post(`/api/cards/${cardId}/topup`, station.token, topup)).status).toBe(200);
  const chain = new Chain(cardId);
  const credit = { terminalId: station.terminalId, events: [chain.credit(50_000, { at: nowSec })] };
  expect((await post("/api/reconcile", station.token, credit)).status).toBe(200);

  const grant = await get("/api/session-grant", till.token);
  expect(Number(grant.expiresAt)).toBeGreaterThan(nowSec);
  const events = [
    chain.checkin({ at: nowSec + 1 }),
    chain.debit(12_000, { at: nowSec + 2 }),
    chain.checkout({ at: nowSec + 3 }),
  ];
  const batch = { terminalId: till.terminalId, events };
  const taken = await jsonOf(await post("/api/reconcile", till.token, batch));
  expect(taken).toMatchObject({ accepted: 3, rejected: 0, flags: [] });
  const before = await get(`/api/cards/${cardId}`, till.token);
  expect(before).toMatchObject({ balance: 38_000, counter: 4 });

  server.process?.kill("SIGKILL");
  await server.process?.exited;
  await start();
  expect(await get(`/api/cards/${cardId}`, till.token)).toEqual(before);
  const again = await post("/api/reconcile", till.token, batch);
  expect([again.status, (await jsonOf(again)).error]).toEqual([409, "duplicate_counter"]);
  expect(run("verify").code).toBe(0);
});

test("it proves and copies its data beside the server, and ends cleanly", async () => {
  expect(run("verify").code).toBe(0);
  expect(run("backup", join(folder, "copy.tar")).code).toBe(0);
  expect(run("version").json).toMatchObject({ bun: Bun.version });
  server.process?.kill("SIGTERM");
  expect(await server.process?.exited).toBe(0);
  expect(run("verify").code).toBe(0);
  expect(readdirSync(folder)).not.toContain("elsewhere");
});
