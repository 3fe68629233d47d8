/**
 * A PostgreSQL cluster of the benchmark's own: made in a folder, reached by a socket within it, filled
 * with the venue, ended with the run. Durable as it comes (fsync, synchronous_commit, full_page_writes);
 * memory as its documentation advises. Its server refuses root, so root runs it as `postgres`.
 */
import { Database } from "bun:sqlite";
import { chmodSync, chownSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { totalmem } from "node:os";
import { dirname, join } from "node:path";
import { tables } from "../../schema/tables.ts";
import { spawn } from "../http/process.ts";
import { postgresSchema } from "./schema.ts";

const debianDir = "/usr/lib/postgresql";

/** The folder of its programs: Debian's newest, else where the path says; undefined = not installed. */
export function postgresBin(): string | undefined {
  let versions: string[] = [];
  try {
    versions = readdirSync(debianDir).sort((a, b) => Number(b) - Number(a));
  } catch {
    // Not Debian.
  }
  const found = versions.map((version) => join(debianDir, version, "bin"));
  const onPath = Bun.which("initdb");
  if (onPath !== null) found.push(dirname(onPath));
  return found.find((bin) => Bun.which("postgres", { PATH: bin }) !== null);
}

const isRoot = process.getuid?.() === 0;
const user = "postgres";
/** The words before a command that must not be run by root. */
const asUser = isRoot ? ["setpriv", `--reuid=${user}`, `--regid=${user}`, "--clear-groups"] : [];

const idOf = (flag: "-u" | "-g"): number =>
  Number(Bun.spawnSync(["id", flag, user]).stdout.toString());

const settings = (socketDir: string): string => {
  const quarterMb = Math.floor(totalmem() / 4 / 2 ** 20);
  return [
    "listen_addresses = ''",
    `unix_socket_directories = '${socketDir}'`,
    "fsync = on",
    "synchronous_commit = on",
    "full_page_writes = on",
    `shared_buffers = ${Math.min(quarterMb, 1024)}MB`,
    "max_wal_size = 4GB",
    "jit = off",
    "",
  ].join("\n");
};

export class Cluster {
  private constructor(
    readonly bin: string,
    readonly socketDir: string,
    readonly server: ReturnType<typeof spawn>,
  ) {}

  static async start(folder: string, cores: string | undefined): Promise<Cluster> {
    const bin = postgresBin();
    if (bin === undefined) throw new Error("no postgresql");
    mkdirSync(folder, { mode: 0o700 });
    // Its user has to get through to it.
    if (isRoot) chmodSync(dirname(folder), 0o711);
    if (isRoot) chownSync(folder, idOf("-u"), idOf("-g"));
    const data = join(folder, "data");
    const auth = ["-A", "trust", "-U", user, "--locale=C", "-E", "UTF8"];
    const made = Bun.spawnSync([...asUser, join(bin, "initdb"), "-D", data, ...auth]);
    if (made.exitCode !== 0) throw new Error(`initdb failed:\n${made.stderr}`);
    writeFileSync(join(data, "postgresql.auto.conf"), settings(folder));
    const log = ["-c", "logging_collector=on", "-c", `log_directory=${folder}`];
    const command = [...asUser, join(bin, "postgres"), "-D", data, ...log];
    const cluster = new Cluster(bin, folder, spawn(command, cores));
    const ready = [join(bin, "pg_isready"), "-q", "-h", folder];
    while (Bun.spawnSync(ready).exitCode !== 0) {
      if (cluster.server.exitCode !== null) throw new Error("postgres ended");
      await Bun.sleep(50);
    }
    return cluster;
  }

  /** Runs psql on what it gets as input. @throws with what it said */
  sql(input: string): string {
    const command = [join(this.bin, "psql"), "-h", this.socketDir, "-U", user, "-d", user];
    const { exitCode, stdout, stderr } = Bun.spawnSync(
      [...command, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"],
      { stdin: Buffer.from(input) },
    );
    if (exitCode !== 0) throw new Error(`psql: ${stderr}`);
    return stdout.toString();
  }

  /** The rows of a query. */
  ask(query: string): Readonly<Record<string, unknown>>[] {
    const text = this.sql(`SELECT coalesce(json_agg(q), '[]') FROM (${query}) AS q;`);
    return JSON.parse(text) as Record<string, unknown>[];
  }

  /** Makes Kartu's tables and copies every row of a SQLite file into them. */
  load(path: string): void {
    this.sql(postgresSchema(tables));
    const db = new Database(path, { readonly: true });
    const names = this.ask(
      "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'",
    ).map(({ name }) => String(name));
    for (const name of names) {
      const rows = db.query(`SELECT * FROM ${name}`).values() as Cell[][];
      if (rows.length === 0) continue;
      const columns = db.query(`SELECT * FROM ${name} LIMIT 1`).columnNames.join();
      const text = rows.map((row) => row.map(copied).join("\t")).join("\n");
      // Rows come in no order of their references.
      const off = "SET session_replication_role = replica;";
      this.sql(`${off}\nCOPY ${name} (${columns}) FROM STDIN;\n${text}\n\\.\n`);
    }
    db.close();
    this.sql(`${sequences}\nVACUUM ANALYZE;\nCHECKPOINT;`);
  }

  async stop(): Promise<void> {
    this.server.kill("SIGINT");
    await this.server.exited;
  }
}

type Cell = string | number | bigint | null | Uint8Array;

/** A value in the text format of COPY. */
function copied(cell: Cell): string {
  if (cell === null) return "\\N";
  if (cell instanceof Uint8Array) return `\\\\x${cell.toHex()}`;
  return String(cell).replace(/[\\\t\n\r]/g, (char) => `\\${char}`);
}

/** Ids go on behind those that were copied; an event id opens a block as long as the longest batch. */
const sequences = `
SELECT setval('event_block', (SELECT (coalesce(max(event_id), 0) / 1000 + 1) * 1000 + 1 FROM event));
SELECT setval('batch_number', (SELECT coalesce(max(batch_no), 0) + 1 FROM batch));
SELECT setval(pg_get_serial_sequence('session_grant', 'grant_no'), (SELECT coalesce(max(grant_no), 0) + 1 FROM session_grant));
SELECT setval(pg_get_serial_sequence('flag', 'flag_no'), (SELECT coalesce(max(flag_no), 0) + 1 FROM flag));
SELECT setval(pg_get_serial_sequence('published_event', 'event_no'), (SELECT coalesce(max(event_no), 0) + 1 FROM published_event));
`;
