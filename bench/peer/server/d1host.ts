/**
 * Starts workerd with the worker of `d1.ts` through miniflare, its D1 on the disk. D1's file is replaced
 * by the venue's before anything is asked, and can be found in its place when all is over. Arguments:
 * the setting's path, the worker's.
 */
import { readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { Miniflare } from "miniflare";
import { announce, type Setting } from "./setting.ts";

const [settingPath = "", scriptPath = ""] = process.argv.slice(2);
const setting = JSON.parse(readFileSync(settingPath, "utf8")) as Setting;
const persist = join(dirname(setting.store), "d1");
const options = {
  modules: true,
  script: readFileSync(scriptPath, "utf8"),
  compatibilityDate: "2026-04-01",
  compatibilityFlags: ["nodejs_compat"],
  host: "127.0.0.1",
  port: 0,
  d1Databases: ["DB"],
  d1Persist: persist,
  bindings: { SETTING: setting as unknown as Record<string, string> },
};

/** D1 names its file by a digest of its own: let it make one, then put the venue there. */
async function placeVenue(): Promise<void> {
  const first = new Miniflare(options);
  await (await first.getD1Database("DB")).prepare("SELECT 1").run();
  await first.dispose();
  const found = readdirSync(persist, { recursive: true, encoding: "utf8" });
  const own = found.find((name) => name.endsWith(".sqlite") && !name.includes("metadata"));
  if (own === undefined) throw new Error(`miniflare made no database: ${found.join(", ")}`);
  const path = join(persist, own);
  for (const suffix of ["-wal", "-shm"]) rmSync(path + suffix, { force: true });
  renameSync(setting.store, path);
  symlinkSync(path, setting.store);
}

await placeVenue();
const served = new Miniflare(options);
const url = await served.ready;
announce(Number(url.port));
// Miniflare's own listener would end this process before its database is closed.
process.removeAllListeners("SIGTERM");
process.once("SIGTERM", () => {
  served.dispose().then(
    () => process.exit(0),
    () => process.exit(1),
  );
});
