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
  const { url } = JSON.parse(new TextDecoder().decode(value)) as { url: string };
  return { server, url };
}

afterAll(() => {
  for (const child of running) child.kill("SIGKILL");
  rmSync(data, { recursive: true, force: true });
});

test("killed again and again, the books are the model's", async () => {
  expect(await kartu("init", "--owner-email", "owner@example.com").exited).toBe(0);
  let { server, url } = await serve(0);
  const port = Number(new URL(url).port);
  const events = String(eventsBetween * (kills + 1));
  const fleet = kartu(
    "simulate",
    ...["--url", url, "--cards", "600", "--seed", "7", "--json"],
    ...["--events", events],
  );
  const report = new Response(fleet.stdout).json();
  for (let i = 0; i < kills; i += 1) {
    await Bun.sleep(1_200);
    server.kill("SIGKILL");
    await server.exited;
    ({ server, url } = await serve(port));
  }
  const said = new Response(fleet.stderr).text();
  expect([await fleet.exited, (await said).includes("kartu:")]).toEqual([0, false]);
  expect(await report).toMatchObject({ mismatchCount: 0, mismatches: [] });
  expect(await kartu("verify").exited).toBe(0);
  server.kill("SIGTERM");
  expect(await server.exited).toBe(0);
}, 120_000);
