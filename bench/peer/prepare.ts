/**
 * Makes the peers ready to run: their packages by `npm ci`, once a lock, and their servers bundled with
 * Kartu's rules. Says of each that cannot run here why not; nothing of this is needed without `--peers`.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { postgresBin } from "./cluster.ts";

export const peerNames = ["hono-better-sqlite3", "workerd-d1", "fastify-postgres"] as const;
export type PeerName = (typeof peerNames)[number];

const peerDir = import.meta.dir;
export const builtPath = (server: string): string => join(peerDir, "dist", `${server}.js`);

const nodeVersionMin = 20.12;

/** Node's version as a number of major and minor, or 0. */
function nodeVersion(): number {
  if (Bun.which("node") === null) return 0;
  const said = Bun.spawnSync(["node", "--version"]).stdout.toString();
  const [, major, minor] = /^v(\d+)\.(\d+)/.exec(said) ?? [];
  return Number(`${major ?? 0}.${(minor ?? "0").padStart(2, "0")}`);
}

/** Why this peer cannot run here, or undefined. */
export function whyNot(peer: PeerName): string | undefined {
  if (nodeVersion() < nodeVersionMin) return `no Node ${nodeVersionMin} or newer`;
  if (Bun.which("npm") === null) return "no npm";
  return peer === "fastify-postgres" && postgresBin() === undefined ? "no postgresql" : undefined;
}

const durable = {
  "hono-better-sqlite3": "WAL, synchronous=FULL, a transaction a request",
  "workerd-d1": "WAL, an fsync of it at every commit, one batch() a request",
  "fastify-postgres": "fsync, synchronous_commit and full_page_writes on, a process for two cores",
} as const;

const packagesOf = {
  "hono-better-sqlite3": ["hono", "better-sqlite3"],
  "workerd-d1": ["hono", "miniflare"],
  "fastify-postgres": ["fastify", "postgres"],
} as const;

/** What a peer is made of, with versions, and when its answers are durable. */
export function standsOn(peer: PeerName): string {
  const text = readFileSync(join(peerDir, "package.json"), "utf8");
  const { dependencies } = JSON.parse(text) as { dependencies: Record<string, string> };
  const said = (command: string): string =>
    Bun.spawnSync([command, "--version"]).stdout.toString().trim();
  const parts: string[] = packagesOf[peer].map((name) => `${name} ${dependencies[name]}`);
  parts.push(`Node ${said("node")}`);
  const bin = postgresBin();
  if (peer === "fastify-postgres" && bin !== undefined) parts.push(said(join(bin, "postgres")));
  return `${parts.join(", ")}; ${durable[peer]}`;
}

function install(): void {
  const lock = readFileSync(join(peerDir, "package-lock.json"), "utf8");
  const stamp = join(peerDir, "node_modules", ".kartu-stamp");
  const wanted = `${process.platform} ${process.arch} ${Bun.hash(lock)}`;
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  process.stderr.write("bench: installing the peers; a driver may have to be compiled\n");
  const args = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
  const { exitCode } = Bun.spawnSync(["npm", ...args], {
    cwd: peerDir,
    stdout: "ignore",
    stderr: "inherit",
  });
  if (exitCode !== 0) throw new Error("the peers could not be installed");
  writeFileSync(stamp, wanted);
}

/** @throws when a package cannot be had, or a server cannot be bundled */
export async function preparePeers(): Promise<void> {
  install();
  const entry = (name: string): string => join(peerDir, "server", `${name}.ts`);
  const common = { outdir: join(peerDir, "dist"), target: "node", format: "esm" } as const;
  const onNode = ["better-sqlite3", "d1host", "postgres"].map(entry);
  await Bun.build({ ...common, entrypoints: onNode, packages: "external", splitting: false });
  // workerd has no packages: everything is in the one file.
  await Bun.build({ ...common, entrypoints: [entry("d1")] });
}
