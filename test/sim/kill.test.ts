/**
 * The command line's own simulation against a server that is killed, without warning, again and again:
 * every answer as modelled, every balance equal, and the file proved at the end. Days pass by the
 * server's clock, which must not turn back with a restart.
 */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const main = resolve(import.meta.dir, "../../src/main.ts");
const data = mkdtempSync(join(tmpdir(), "kartu-kill-"));
const env = {
  ...process.env,
  KARTU_DATA: data,
  KARTU_ENV: "development",
  KARTU_LOG_LEVEL: "error",
  KARTU_RATE_IP_PER_MIN: "0",
  KARTU_RATE_DEVICE_TOKEN_PER_MIN: "0",
  KARTU_RATE_DEVICE_TOKEN_IP_PER_MIN: "0",
  KARTU_RATE_GRANT_PER_MIN: "0",
  KARTU_RATE_DEVICE_PER_MIN: "0",
  KARTU_RATE_REPORT_PER_MIN: "0",
};
const kills = 3;
const eventsBetween = 4_000;
const running = new Set<Bun.Subprocess>();

function kartu(...args: string[]) {
  const child = Bun.spawn([process.execPath, main, ...args], {
    env,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  running.add(child);
  void child.exited.then(() => running.delete(child));
  return child;
}

/** A server that listens, and where. */
async function serve(port: number) {
  const server = kartu("serve", "--port", String(port), "--json");
  const { value } = await server.stdout.getReader().read();
  if (value === undefined) throw new Error(await new Response(server.stderr).text());
  const { url } = JSON.parse(new TextDecoder().decode(value)) as { url: string };
  return { server, url };
}

/**
 * A free port below those that outgoing connections get. While the server is down, a client that calls
 * one of those may be given the very same port, and then talks to itself and keeps it.
 */
function ownPort(): number {
  for (let tries = 0; tries < 50; tries += 1) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    try {
      Bun.serve({ port, fetch: () => new Response() }).stop(true);
      return port;
    } catch {
      // Taken: another one.
    }
  }
  throw new Error("no port is free");
}

afterAll(() => {
  for (const child of running) child.kill("SIGKILL");
  rmSync(data, { recursive: true, force: true });
});

test("killed again and again, the books are the model's", async () => {
  expect(await kartu("init", "--owner-email", "owner@example.com").exited).toBe(0);
  const port = ownPort();
  let { server, url } = await serve(port);
  const events = String(eventsBetween * (kills + 1));
  const fleet = kartu(
    "simulate",
    ...["--url", url, "--cards", "600", "--seed", "7", "--json"],
    ...["--events", events],
  );
  const report = new Response(fleet.stdout).text();
  const words = { said: "" };
  const listening = (async () => {
    const decoder = new TextDecoder();
    for await (const part of fleet.stderr) words.said += decoder.decode(part);
  })();
  // Devices and members are made by an operator, who would look before doing it again.
  while (!words.said.includes("cards:") && fleet.exitCode === null) await Bun.sleep(20);
  for (let i = 0; i < kills; i += 1) {
    await Bun.sleep(1_200);
    server.kill("SIGKILL");
    await server.exited;
    ({ server, url } = await serve(port));
  }
  await listening;
  const failure = words.said.split("\n").filter((line) => line.startsWith("kartu:"));
  expect([await fleet.exited, ...failure]).toEqual([0]);
  expect(JSON.parse(await report)).toMatchObject({ mismatchCount: 0, mismatches: [] });
  expect(await kartu("verify").exited).toBe(0);
  server.kill("SIGTERM");
  expect(await server.exited).toBe(0);
}, 120_000);
