/**
 * The compiled program as a thing to hand on: whoever builds the same tree with the same Bun gets the same
 * bytes, so that a release can be checked by building it; and nothing of the builder's machine is in it.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./lock.ts";

const folder = mkdtempSync(join(tmpdir(), "kartu-build-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Builds as `npm run build` does. Returns the program's bytes. */
async function build(name: string): Promise<Buffer> {
  const outfile = join(folder, name, "kartu");
  const flags = ["--compile", "--bytecode", "--no-compile-autoload-dotenv"];
  const child = Bun.spawn(
    [
      ...[process.execPath, "build", "src/main.ts", ...flags, "--no-compile-autoload-bunfig"],
      ...["--define", 'KARTU_COMMIT="0123456789ab"', "--outfile", outfile],
    ],
    { cwd: root, stdin: "ignore", stdout: "ignore", stderr: "pipe" },
  );
  const told = await child.stderr.text();
  if ((await child.exited) !== 0) throw new Error(told);
  return readFileSync(outfile);
}

let first: Buffer;
let second: Buffer;
beforeAll(async () => {
  [first, second] = await Promise.all([build("one"), build("another")]);
}, 60_000);

const sum = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

test("the same tree gives the same bytes", () => {
  expect(first.length).toBeGreaterThan(1 << 20);
  expect(sum(second)).toBe(sum(first));
});

test("no path of the machine that built it is in it", () => {
  for (const path of [join(root, "src"), join(root, "node_modules"), folder]) {
    expect([path, first.includes(path)]).toEqual([path, false]);
  }
});
