/** A typed client of each document, as integrators make it, and what the compiler has to say of it. */
import { join } from "node:path";

async function run(command: string[], cwd: string): Promise<string> {
  const child = Bun.spawn(command, { cwd, stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return child.exitCode === 0 ? "" : `${out}${err}`;
}

/**
 * Makes the types of every document and compiles them, strictly; empty when nothing is wrong.
 * @param documents by name.
 * @param directory for the files.
 * @param use further TypeScript to compile with them; `./<name>.ts` is a document's module.
 */
export async function clientFaults(
  documents: Readonly<Record<string, unknown>>,
  directory: string,
  use = "",
): Promise<string> {
  const names = Object.keys(documents);
  for (const name of names) {
    await Bun.write(join(directory, `${name}.json`), JSON.stringify(documents[name]));
  }
  const pairs = names.flatMap((name) => [`${name}.json`, `${name}.ts`]);
  const child = join(import.meta.dir, "child-client.ts");
  const made = await run(
    [process.execPath, child, ...pairs.map((file) => join(directory, file))],
    join(import.meta.dir, "../.."),
  );
  if (made !== "") return made;
  const lines = names.map((name, at) => `import type { paths as P${at} } from "./${name}.ts";`);
  const keys = names.map((_, at) => `export type K${at} = keyof P${at};`);
  await Bun.write(join(directory, "use.ts"), [...lines, ...keys, use].join("\n"));
  const flags = ["--noEmit", "--strict", "--allowImportingTsExtensions", "--module", "preserve"];
  const compiler = join(import.meta.dir, "../../node_modules/typescript/bin/tsc");
  return run([process.execPath, compiler, ...flags, "--types", "", "use.ts"], directory);
}
