/**
 * What `bun.lock` says of the packages that Kartu is made with: exact versions, where they come from by
 * hash, and which of them come along with the program. Not what a build really takes up: `bundle.ts`.
 */
import { resolve } from "node:path";
import type { BunLockFile } from "bun";
import lockFile from "../../bun.lock";
import manifest from "../../package.json" with { type: "json" };

export const root = resolve(import.meta.dir, "../..");
const lock: BunLockFile = lockFile;

export interface Locked {
  /** Its place in node_modules: `a`, or `a/b` for a copy of `b` that only `a` sees. */
  readonly key: string;
  readonly name: string;
  readonly version: string;
  /** Subresource integrity of the archive, `sha512-…` in base64. */
  readonly integrity: string;
}

interface Needs {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalPeers?: readonly string[];
}

const entryOf = (key: string): readonly unknown[] | undefined => lock.packages[key];

/** The package at a place of node_modules. @throws it is not in the lock file, or not from a registry */
export function locked(key: string): Locked {
  const entry = entryOf(key);
  if (entry === undefined) throw new Error(`bun.lock has no ${key}`);
  const [spec, , , integrity] = entry;
  const [, name, version] = /^(@?[^@]+)@(\d+\.\d+\.\d+\S*)$/.exec(String(spec)) ?? [];
  if (name === undefined || version === undefined || typeof integrity !== "string") {
    throw new Error(`${key} comes from no registry: ${String(spec)}`);
  }
  return { key, name, version, integrity };
}

export const allKeys = (): readonly string[] => Object.keys(lock.packages);

/** The place without its last name: where the package above it stands; the top is "". */
const above = (key: string): string => key.replace(/(?:^|\/)(?:@[^/]+\/)?[^/]+$/, "");

/** Where node_modules has what a package at `from` asks for by name. */
function found(from: string, name: string): string | undefined {
  for (let at = from; ; at = above(at)) {
    const key = at === "" ? name : `${at}/${name}`;
    if (entryOf(key) !== undefined) return key;
    if (at === "") return undefined;
  }
}

/** Names that the package at `key` asks for; peers that it can do without are left out. */
export function neededBy(key: string): readonly string[] {
  const [, , needs = {}] = (entryOf(key) ?? []) as [unknown, unknown, Needs?];
  const { dependencies, optionalDependencies, peerDependencies, optionalPeers = [] } = needs;
  const peers = Object.keys(peerDependencies ?? {}).filter((name) => !optionalPeers.includes(name));
  const names = [dependencies, optionalDependencies].flatMap((list) => Object.keys(list ?? {}));
  const keys = [...names, ...peers].map((name) => found(key, name));
  return [...new Set(keys.filter((each) => each !== undefined))].sort();
}

/** Places of everything that a production install brings. */
export function production(): ReadonlySet<string> {
  const seen = new Set<string>();
  const waiting: string[] = Object.keys(manifest.dependencies);
  for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
    if (seen.has(key)) continue;
    seen.add(key);
    waiting.push(...neededBy(key));
  }
  return seen;
}
