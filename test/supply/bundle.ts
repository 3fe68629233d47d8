/**
 * What a build takes up from node_modules, asked of the bundler itself: the entry point and target of
 * the program that is shipped, without compiling it.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Locked, locked, root } from "./lock.ts";

export interface Bundled extends Locked {
  /** Licence as its own package.json names it: an SPDX expression, or words. */
  readonly licence: string;
  /** Where its sources are, if it says so. */
  readonly repository: string | undefined;
}

/** A package's place in the lock file, of a file's path: the folder below the last node_modules. */
const keyOf = (path: string): string | undefined => {
  const names = path.match(/(?<=node_modules\/)(?:@[^/]+\/)?[^/]+/g);
  return names === null ? undefined : names.join("/");
};

/** Every package of which a file is in the program, by place in node_modules. */
export async function bundled(): Promise<readonly Bundled[]> {
  const outdir = mkdtempSync(join(tmpdir(), "kartu-bundle-"));
  try {
    const entrypoints = [join(root, "src/main.ts")];
    const built = await Bun.build({ entrypoints, outdir, target: "bun", metafile: true, root });
    const inputs = Object.keys(built.metafile?.inputs ?? {});
    const keys = new Set(inputs.map(keyOf).filter((key) => key !== undefined));
    return [...keys].sort().map(withManifest);
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly license?: string;
  readonly repository?: string | { readonly url?: string };
}

/** What a package says of itself. */
export const manifestOf = (key: string): Manifest => {
  const folder = key.replaceAll(/(@[^/]+\/[^/]+|[^/]+)/g, "node_modules/$1");
  return JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as Manifest;
};

function withManifest(key: string): Bundled {
  const { license, repository, name, version } = manifestOf(key);
  const known = locked(key);
  if (name !== known.name || version !== known.version) {
    throw new Error(`node_modules has ${name}@${version} where bun.lock has ${known.version}`);
  }
  const url = typeof repository === "string" ? repository : repository?.url;
  return { ...known, licence: license ?? "", repository: url };
}
