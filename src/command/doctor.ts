/**
 * `kartu doctor`: whether this machine and this data directory are fit to serve, and what to do where
 * they are not. Looks only; the proof of the data itself is `verify`.
 */
import { existsSync, readFileSync, statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { Command } from "commander";
import { schemaVersion } from "../../schema/tables.ts";
import { databasePath } from "../app.ts";
import { compose } from "../compose.ts";
import { calendar } from "../domain/calendar.ts";
import { openReader } from "../store/reader.ts";
import { masterKeyExposure, readMasterKey } from "../system/masterkey.ts";
import { kartuCommit, kartuVersion } from "../system/version.ts";
import { CommandFailed, type Context, contextOf } from "./context.ts";
import { isInitialised } from "./init.ts";
import { table } from "./output.ts";
import { reading } from "./reading.ts";
import { isListening } from "./socket.ts";
import { sqliteVersion } from "./version.ts";

type Level = "ok" | "warn" | "fail";

interface Finding {
  readonly check: string;
  readonly level: Level;
  readonly detail: string;
  /** What to do about it. */
  readonly advice?: string;
}

const MiB = 1024 * 1024;
const diskFailBytes = 64 * MiB;
const diskWarnBytes = 1024 * MiB;
const filesWarn = 4_096;
/** Before this program was written. */
const clockMinMs = Date.UTC(2026, 0, 1);
const clockSlackMs = 60_000;

const ok = (check: string, detail: string): Finding => ({ check, level: "ok", detail });
const warn = (check: string, detail: string, advice: string): Finding => ({
  check,
  level: "warn",
  detail,
  advice,
});
const fail = (check: string, detail: string, advice: string): Finding => ({
  check,
  level: "fail",
  detail,
  advice,
});

function environment({ config, warnings }: Context): Finding {
  const check = "environment";
  if (warnings.length === 0) return ok(check, `KARTU_ENV ${config.env}`);
  return warn(check, warnings.join("; "), "correct the name, or unset it");
}

function directory({ dataDir }: Context): Finding {
  const check = "data directory";
  if (!isInitialised({ dataDir })) {
    return fail(check, `${dataDir} holds no data`, `run kartu init --data ${dataDir}`);
  }
  const open = (statSync(dataDir).mode & 0o077) !== 0;
  if (open) return warn(check, `${dataDir} is open to others`, `run chmod 700 ${dataDir}`);
  return ok(check, dataDir);
}

function keyFile({ dataDir, config }: Context): Finding {
  const check = "master key";
  try {
    readMasterKey(dataDir, config.masterKey);
  } catch (error) {
    return fail(check, messageOf(error), "put master.key back, or set KARTU_MASTER_KEY");
  }
  const exposure = masterKeyExposure(dataDir);
  if (exposure !== undefined) return warn(check, exposure, "only its owner should read it");
  return ok(check, config.masterKey === undefined ? "in master.key" : "in KARTU_MASTER_KEY");
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** Whether the key opens what is sealed: the server's own key, and each tenant's in use. */
async function opens(context: Context): Promise<Finding> {
  const check = "key opens the data";
  const { dataDir, config, random } = context;
  const store = openReader(databasePath(dataDir));
  try {
    const masterKey = readMasterKey(dataDir, config.masterKey);
    const publicUrl = () => config.publicUrl;
    const { tenant, key, signing } = compose({ store, masterKey, random, config, publicUrl });
    await signing.signer("grt_");
    for (const { tenantId } of await tenant.listTenants()) await key.ring(tenantId);
    return ok(check, "grants can be signed, session keys derived");
  } catch (error) {
    return fail(check, messageOf(error), "find the key that this data was made with");
  } finally {
    await store.close();
  }
}

async function database(context: Context): Promise<Finding> {
  const { dataDir } = context;
  const check = "database";
  try {
    const tenants = await reading(context, (host) => host.tenant.listTenants());
    const size = Math.ceil(statSync(databasePath(dataDir)).size / MiB);
    if (tenants.length === 0) return fail(check, "no tenant", "restore a backup, or init anew");
    return ok(check, `schema ${schemaVersion}, ${size} MiB, ${tenants.length} tenants`);
  } catch (error) {
    return fail(check, messageOf(error), "restore a backup into an empty directory");
  }
}

/** A backup needs the database twice beside it. */
function disk({ dataDir }: Context): Finding {
  const check = "disk";
  let at = dataDir;
  while (!existsSync(at)) at = dirname(at);
  const { bavail, bsize } = statfsSync(at);
  const free = bavail * bsize;
  const path = databasePath(dataDir);
  const data = existsSync(path) ? statSync(path).size : 0;
  const detail = `${Math.floor(free / MiB)} MiB free`;
  if (free < diskFailBytes) return fail(check, detail, "make room: nothing can be recorded");
  if (free < Math.max(diskWarnBytes, 2 * data)) {
    return warn(check, detail, "make room: a backup needs the size of the data twice");
  }
  return ok(check, detail);
}

function time({ dataDir, clock }: Context): Finding {
  const check = "clock";
  const nowMs = clock.nowMs();
  const advice = "set this machine's clock by NTP";
  const now = new Date(nowMs).toISOString();
  if (nowMs < clockMinMs) return fail(check, `it says ${now}`, advice);
  const path = databasePath(dataDir);
  if (existsSync(path) && statSync(path).mtimeMs > nowMs + clockSlackMs) {
    return warn(check, `the data was written after ${now}`, advice);
  }
  try {
    calendar("Asia/Jakarta").dayOf(Math.floor(nowMs / 1000));
  } catch {
    return fail(check, "time zones are not known", "use the binary as it was built");
  }
  return ok(check, now);
}

function limits(): Finding {
  const check = "open files";
  const path = "/proc/self/limits";
  if (!existsSync(path)) return ok(check, "not known on this system");
  const [, soft = ""] = /^Max open files\s+(\S+)/m.exec(readFileSync(path, "utf8")) ?? [];
  const many = soft === "unlimited" || Number(soft) >= filesWarn;
  if (many) return ok(check, soft);
  return warn(check, soft, `allow ${filesWarn} or more: one for each connected device`);
}

async function examine(context: Context): Promise<Finding[]> {
  const { dataDir } = context;
  const findings = [environment(context), directory(context)];
  if (isInitialised(context)) {
    findings.push(keyFile(context), await opens(context), await database(context));
    const isServed = await isListening(dataDir);
    findings.push(ok("server", isServed ? "running on this data" : "not running"));
  }
  const versions = `kartu ${kartuVersion} (${kartuCommit}), Bun ${Bun.version}, SQLite ${sqliteVersion()}`;
  findings.push(disk(context), time(context), limits(), ok("versions", versions));
  return findings;
}

export function addDoctor(program: Command): void {
  program
    .command("doctor")
    .description("look at environment, key, disk, clock and limits, and say what to do")
    .action(async (_: unknown, command: Command) => {
      const context = contextOf(command);
      const findings = await examine(context);
      const failed = findings.filter(({ level }) => level === "fail").length;
      const text = table(findings, [
        { title: "", value: (f) => f.level },
        { title: "CHECK", value: (f) => f.check },
        { title: "FOUND", value: (f) => f.detail },
        { title: "TO DO", value: (f) => f.advice ?? "" },
      ]);
      context.out.result({ ok: failed === 0, checks: findings }, text);
      if (failed > 0) throw new CommandFailed(`${failed} of ${findings.length} checks failed`);
    });
}
