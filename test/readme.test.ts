/**
 * The README's chapters that can be run, run as they are written, in an empty folder against a server of
 * their own. What they promise in their comments must be what comes out.
 */
import { afterAll, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { configRows } from "../src/config.ts";

const root = resolve(import.meta.dir, "..");
const readme = readFileSync(join(root, "README.md"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "kartu-readme-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const chapters = [
  ...["The first five minutes", "Operators and integrators", "A venue's day"],
  "Keys and backups",
];

/** The shell blocks of a section, one after the other. */
function blocksOf(heading: string): string {
  const section = readme.split(/^## /m).find((part) => part.startsWith(heading)) ?? "";
  return [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block).join("\n");
}

function freePort(): number {
  const server = Bun.serve({ port: 0, fetch: () => new Response() });
  const { port = 0 } = server;
  server.stop(true);
  return port;
}

/** The same words, but for what can't be in a test: the build, the fixed port, and no wait to listen. */
function script(port: number): string {
  const build = /^npm run build .*\nPATH=.*$/m;
  const serve = /^(.*)kartu serve &.*$/gm;
  const text = chapters.map(blocksOf).join("\n");
  expect(text).toMatch(build);
  expect(text.match(serve)?.length).toBe(2);
  const ready = "until grep -qs listening serve.out; do sleep 0.05; done";
  const written = ">serve.out 2>>serve.err";
  return text
    .replace(build, "")
    .replace(
      serve,
      `rm -f serve.out\n$1kartu serve --port ${port} ${written} & SERVER=$!\n${ready}`,
    )
    .replace(/^hledger .*$/gm, Bun.which("hledger") === null ? "" : "$&")
    .replaceAll("8080", String(port));
}

test("the first five minutes", async () => {
  const kartu = join(folder, "kartu");
  writeFileSync(kartu, `#!/bin/sh\nexec "${process.execPath}" "${root}/src/main.ts" "$@"\n`);
  const node = join(folder, "node");
  writeFileSync(node, `#!/bin/sh\nexec "${process.execPath}" "$@"\n`);
  for (const program of [kartu, node]) chmodSync(program, 0o755);
  const body = `set -eu\n${script(freePort())}\nkill $SERVER; wait $SERVER; echo "ended $?"\n`;
  const child = Bun.spawn(["bash", "-c", body], {
    cwd: folder,
    env: { ...process.env, PATH: `${folder}:${process.env.PATH}` },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  const code = await child.exited;
  if (code !== 0) throw new Error(`the README's words ended with ${code}:\n${out}\n${err}`);
  expect(out).toContain('"accepted":4,"rejected":0,"flags":[]');
  expect(out).toContain('"accepted":2,"rejected":0,"flags":[]');
  expect(out).toContain('"error":"duplicate_counter"');
  expect(out).toMatch(/"balance":65000,.*"chipBalance":65000/);
  expect(out).toMatch(/"email":"you@example.com".*"permissions":\["\*"\]/);
  expect(out).toMatch(/"email":"cashier@example.com".*"status":"invited"/);
  expect(out).toMatch(/"key":"ak_[\w-]{43}"/);
  expect(out).toMatch(/^mismatches +0$/m);
  expect(out).toMatch(/"reason":"counter_conflict","severity":"high".*"evidence":/);
  expect(out).toContain('{"data":[],"meta":{"cursor":null,"hasMore":false,"total":0}}');
  expect(out).toMatch(/"type":"refund".*"amount":65000/);
  expect(out).toMatch(/"number":1,.*"refunds":1,"refundAmount":65000.*"sha256"/);
  expect(out).toMatch(/"currency":"IDR","sum":0,"accounts"/);
  expect(out.match(/^everything holds$/gm)?.length).toBe(2);
  expect(readFileSync(join(folder, "decided.json"), "utf8")).toContain('"failed":0');
  const { sha256 } = JSON.parse(readFileSync(join(folder, "run.json"), "utf8"));
  const csv = readFileSync(join(folder, "settlement.csv"));
  expect(new Bun.CryptoHasher("sha256").update(csv).digest("hex")).toBe(sha256);
  expect(out).toContain("ended 0");
}, 60_000);

test("the table of settings is the one that the program has", () => {
  for (const row of configRows()) expect(readme).toContain(row);
});
