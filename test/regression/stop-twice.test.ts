/**
 * Whoever ends a group of processes signals the server and its parent, which hands the signal on. The
 * second one a moment later ended the server at once: nothing was finished, no folder cleared.
 */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const main = resolve(import.meta.dir, "../../src/main.ts");
const data = mkdtempSync(join(tmpdir(), "kartu-stop-"));
afterAll(() => rmSync(data, { recursive: true, force: true }));

test("two signals at once stop it once, in order", async () => {
  const server = Bun.spawn([process.execPath, main, "serve", "--data", data, "--port", "0"], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
  });
  const decoder = new TextDecoder();
  let said = "";
  for await (const part of server.stdout) {
    said += decoder.decode(part);
    if (said.includes("listening on")) break;
  }
  server.kill("SIGTERM");
  server.kill("SIGINT");
  expect(await server.exited).toBe(0);
});
