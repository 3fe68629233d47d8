// Runs a task of package.json on a machine that has only Node and npm, or only Bun: finds or
// installs the pinned Bun, installs what bun.lock names, then hands over to it. Plain JavaScript
// without imports from node_modules, because it is what fills node_modules. No registry is named
// here: npm's own settings decide, and are handed on to Bun.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, "node_modules");
const own = join(modules, ".tool");
const stampFile = join(own, "stamp");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const bunVersion = manifest.devDependencies.bun;

const run = (program, args, options = {}) =>
  spawnSync(program, args, { cwd: root, encoding: "utf8", ...options });

const die = (message) => {
  process.stderr.write(`kartu: ${message}\n`);
  process.exit(1);
};

/** npm as [program, ...first arguments], or undefined where there is none. */
const findNpm = () => {
  const script = process.env.npm_execpath ?? "";
  if (script.endsWith("npm-cli.js")) return [process.execPath, script];
  const name = process.platform === "win32" ? "npm.cmd" : "npm";
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    if (folder !== "" && existsSync(join(folder, name))) return [join(folder, name)];
  }
  return undefined;
};

const runNpm = (npm, args, options) =>
  run(npm[0], [...npm.slice(1), ...args], {
    shell: process.platform === "win32" && npm[0].endsWith(".cmd"),
    ...options,
  });

/** The binaries that a node_modules folder may hold; `bun` itself is a placeholder until its
 * install script has run, which npm may refuse, so the platform package comes as well. */
const binariesIn = (folder) => {
  const found = [join(folder, "bun", "bin", "bun.exe")];
  const platforms = join(folder, "@oven");
  if (!existsSync(platforms)) return found;
  for (const name of readdirSync(platforms)) {
    found.push(join(platforms, name, "bin", process.platform === "win32" ? "bun.exe" : "bun"));
  }
  return found;
};

const isPinned = (program) => run(program, ["--version"]).stdout?.trim() === bunVersion;

const findBun = () => {
  if (process.versions.bun === bunVersion) return process.execPath;
  const local = [...binariesIn(modules), ...binariesIn(join(own, "node_modules"))];
  return [...local.filter(existsSync), "bun"].find(isPinned);
};

/** Puts the pinned Bun into node_modules/.tool, with npm or with a Bun of another version. */
const installBun = (npm) => {
  process.stderr.write(`kartu: installing Bun ${bunVersion}\n`);
  mkdirSync(own, { recursive: true });
  writeFileSync(join(own, "package.json"), '{ "name": "kartu-tool", "private": true }\n');
  const stdio = ["ignore", 2, 2];
  const wanted = `bun@${bunVersion}`;
  if (npm) {
    const quiet = ["--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"];
    const args = ["install", "--prefix", own, "--include=optional", "--ignore-scripts"];
    runNpm(npm, [...args, ...quiet, wanted], { stdio });
  } else {
    run("bun", ["add", "--exact", wanted], { cwd: own, stdio });
  }
  return findBun() ?? die(`needs Bun ${bunVersion}; installing it failed`);
};

/** Bun reads .npmrc of the checkout and of the home folder, but none of npm's other places. */
const registrySettings = (npm) => {
  if (!npm) return {};
  let settings = {};
  try {
    settings = JSON.parse(runNpm(npm, ["config", "list", "--json"]).stdout);
  } catch {
    return {};
  }
  const names = {
    NPM_CONFIG_REGISTRY: settings.registry,
    HTTPS_PROXY: settings["https-proxy"],
    HTTP_PROXY: settings.proxy,
    NODE_EXTRA_CA_CERTS: settings.cafile,
  };
  const unset = ([name, value]) =>
    typeof value === "string" && !process.env[name] && !process.env[name.toLowerCase()];
  return Object.fromEntries(Object.entries(names).filter(unset));
};

/** What node_modules was filled from, so that a second run starts at once. */
const stamp = () => {
  const hash = createHash("sha256").update(`${bunVersion} ${process.platform} ${process.arch}\n`);
  for (const name of ["package.json", "bun.lock"]) hash.update(readFileSync(join(root, name)));
  return hash.digest("hex");
};

const prepare = () => {
  const wanted = stamp();
  const filled = existsSync(stampFile) && readFileSync(stampFile, "utf8") === wanted;
  let bun = findBun();
  if (filled && bun) return bun;
  const npm = findNpm();
  bun ??= installBun(npm);
  process.stderr.write("kartu: installing dependencies\n");
  const { status } = run(bun, ["install", "--frozen-lockfile"], {
    stdio: ["ignore", 2, 2],
    env: { ...process.env, ...registrySettings(npm) },
  });
  if (status !== 0) die("installing dependencies failed");
  mkdirSync(own, { recursive: true });
  writeFileSync(stampFile, wanted);
  return bun;
};

const commit = () => {
  const { status, stdout } = run("git", ["rev-parse", "--short=12", "HEAD"]);
  return status === 0 ? stdout.trim() : "unknown";
};

const inModules = (...path) => join(modules, ...path);
const parts = {
  types: [inModules("typescript", "bin", "tsc")],
  lint: [inModules("@biomejs", "biome", "bin", "biome"), "check", "--error-on-warnings"],
  unused: [inModules("knip", "bin", "knip.js"), "--no-progress"],
};

/** Each task as the arguments that Bun gets. */
const tasks = {
  up: () => ["src/main.ts", "demo"],
  kartu: () => ["src/main.ts"],
  start: () => ["src/main.ts", "serve"],
  dev: () => ["--watch", "src/main.ts", "serve"],
  // As many files at once as there are cores, the longest first: the suite takes a third of the time.
  test: () => ["test", "--timeout", "60000", "--parallel", "--timings=test/timings.json"],
  bench: () => ["bench/canonical.ts"],
  sim: () => ["test/sim/run.ts"],
  crash: () => ["test/crash/run.ts"],
  once: () => ["test/once/run.ts"],
  fuzz: () => ["test/fuzz/run.ts"],
  wire: () => ["test/wire/run.ts"],
  sbom: () => ["test/supply/run.ts"],
  fix: () => [inModules("@biomejs", "biome", "bin", "biome"), "check", "--write"],
  build: () => [
    ...["build", "src/main.ts", "--compile", "--bytecode", "--outfile", "dist/kartu"],
    // A binary must not obey a stray .env or bunfig.toml. Never --minify: it breaks Elysia.
    ...["--no-compile-autoload-dotenv", "--no-compile-autoload-bunfig"],
    ...["--define", `KARTU_COMMIT=${JSON.stringify(commit())}`],
  ],
};

/** Runs the named parts of `check` (all without a name), each to its end. */
const check = (bun, names) => {
  const wanted = names.length > 0 ? names : Object.keys(parts);
  let failed = 0;
  for (const name of wanted) {
    const args = parts[name] ?? die(`check knows ${Object.keys(parts).join(", ")}`);
    const { status } = run(bun, args, { stdio: "inherit" });
    process.stdout.write(`check ${name}: ${status === 0 ? "ok" : "FAILED"}\n`);
    if (status !== 0) failed++;
  }
  process.exit(failed > 0 ? 1 : 0);
};

/** Stands in for the program: signals go to it, its end is ours. */
const become = (bun, args, env) => {
  const child = spawn(bun, args, { cwd: root, stdio: "inherit", env });
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  // A terminal sends ^C to the child by itself; a second one would cut its shutdown short.
  process.on("SIGINT", () => process.stdin.isTTY || child.kill("SIGINT"));
  child.on("error", (error) => die(error.message));
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
};

const [task = "", ...rest] = process.argv.slice(2);
if (task !== "check" && !Object.hasOwn(tasks, task)) {
  die(`tasks: ${[...Object.keys(tasks), "check"].join(", ")}`);
}
const bun = prepare();
const path = `${inModules(".bin")}${delimiter}${process.env.PATH ?? ""}`;
const env = { ...process.env, PATH: path };
if (task === "dev") env.KARTU_ENV ??= "development";
if (task === "check") check(bun, rest);
else become(bun, [...tasks[task](), ...rest], env);
