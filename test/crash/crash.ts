/**
 * Crashing a server again and again: under load, while it starts, while it recovers, while a backup is
 * made of it, when it has nothing else to do and while it stops; and stopping it under load. After each, the file and then the server must say all that was
 * acknowledged, once, and the books must be what the tills know.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BookOptions } from "../../src/feature/card/service.ts";
import { restore } from "../../src/store/restore.ts";
import { type Child, command, serve } from "./process.ts";
import { copyOf, faultsIn, lacked, prove, proveCopy } from "./proof.ts";
import { type CrashVenue, dice, openCrashVenue, type VenueSize } from "./venue.ts";

export interface CrashOptions {
  readonly kills: number;
  readonly seed: number;
  /** Told after each round how many kills it had. */
  readonly onKill?: (more: number) => void;
  /** Ends it between two rounds. */
  readonly isOver?: () => boolean;
}

export interface CrashTally {
  kills: number;
  startKills: number;
  backupKills: number;
  stops: number;
  calls: number;
  events: number;
  /** Starts that found rows of heads behind. */
  recoveries: number;
}

/** A file lives this long: proving it takes longer the larger it is. */
const roundsOfVenue = 25;
const size: Omit<VenueSize, "seed"> = { tills: 10, cards: 4 };

/** Undefined: the program itself. */
const books: readonly (BookOptions | undefined)[] = [
  undefined,
  { roundEventsMin: 50, stretchMin: 1, eagerHeads: 2 },
  undefined,
  { residentMax: 9, roundEventsMin: 200, stretchMin: 1, eagerHeads: 1 },
  { roundEventsMin: 3_000, stretchMin: 2, eagerHeads: 4 },
];

class Run {
  readonly tally: CrashTally = {
    ...{ kills: 0, startKills: 0, backupKills: 0, stops: 0, calls: 0, events: 0, recoveries: 0 },
  };
  readonly #roll: (max: number) => number;
  #startMs = 400;
  #rounds = 0;

  constructor(
    readonly options: CrashOptions,
    private readonly venue: CrashVenue,
    seed: number,
  ) {
    this.#roll = dice(seed);
  }

  get isEnough(): boolean {
    const { kills, isOver } = this.options;
    return this.tally.kills >= kills || this.#rounds >= roundsOfVenue || isOver?.() === true;
  }

  #serve(): Child {
    return serve(this.venue.dataDir, books[this.#rounds % books.length]);
  }

  /** One server's life, and what it leaves. */
  async round(): Promise<void> {
    const { dataDir } = this.venue;
    this.#rounds += 1;
    const before = this.tally.kills;
    if (lackedIn(dataDir) > 0) this.tally.recoveries += 1;
    if (this.#roll(4) === 0) await this.#killStarting();
    const end = this.#roll(100);
    const server = this.#serve();
    try {
      const startedMs = performance.now();
      const url = await server.url();
      if (url === undefined) throw new Error(`a server ended at once: ${await server.ended()}`);
      this.#startMs = (this.#startMs + performance.now() - startedMs) / 2;
      // While it reads ahead and is told again what had no answer, too.
      const isEarly = end < 20;
      const killMs = isEarly ? this.#roll(80) : 60 + this.#roll(450);
      const isSound = isEarly ? undefined : await this.#check(url);
      if (isSound === false) throw new Error("a server that nobody killed did not answer");
      if (end < 62) await this.#killWorking(server, url, killMs);
      else if (end < 68) await this.#killIdle(server, url, killMs);
      else if (end < 76) await this.#killStopping(server, url, killMs);
      else if (end < 88) await this.#stopWorking(server, url, killMs);
      else await this.#killBackingUp(server, url, killMs);
    } catch (error) {
      server.signal("SIGKILL");
      throw error;
    }
    this.options.onKill?.(this.tally.kills - before);
  }

  /** All that is unsure made sure, then every card. False: no answer. */
  async #check(url: string): Promise<boolean> {
    const { tills } = this.venue;
    const answered = await Promise.all(tills.map((till) => till.settle(url)));
    if (answered.includes(false)) return false;
    const lists = [...new Set(tills.map(({ tenantId }) => tenantId))].map((tenantId) => {
      const own = tills.filter((till) => till.tenantId === tenantId);
      const blocked = own.flatMap((till) => till.blocked);
      return own[0]?.checkBlocklist(url, blocked) ?? true;
    });
    const sound = await Promise.all([...lists, ...tills.map((till) => till.check(url))]);
    return !sound.includes(false);
  }

  /** Keeps all tills busy until they get no more answers, or it is over. */
  async #work(url: string, isOver = (): boolean => false): Promise<void> {
    const before = this.venue.tills.map(({ calls }) => calls);
    await Promise.all(
      this.venue.tills.map(async (till) => {
        while (!isOver() && (await till.step(url)));
      }),
    );
    for (const [at, { calls }] of this.venue.tills.entries()) {
      this.tally.calls += calls - (before[at] ?? 0);
    }
  }

  async #killed(child: Child): Promise<void> {
    child.signal("SIGKILL");
    await child.ended();
    this.tally.kills += 1;
  }

  async #killWorking(server: Child, url: string, afterMs: number): Promise<void> {
    const working = this.#work(url);
    await Promise.race([working, Bun.sleep(afterMs)]);
    await this.#killed(server);
    await working;
    await proveCopy(this.venue.dataDir, this.venue.journal);
  }

  /** Killed about when it writes, after a second without calls, what it had put off. */
  async #killIdle(server: Child, url: string, afterMs: number): Promise<void> {
    const overMs = performance.now() + afterMs;
    await this.#work(url, () => performance.now() > overMs);
    await Bun.sleep(950 + this.#roll(200));
    await this.#killed(server);
    await proveCopy(this.venue.dataDir, this.venue.journal);
  }

  async #killStopping(server: Child, url: string, afterMs: number): Promise<void> {
    const working = this.#work(url);
    await Promise.race([working, Bun.sleep(afterMs)]);
    server.signal("SIGTERM");
    await Bun.sleep(this.#roll(120));
    await this.#killed(server);
    await working;
    await proveCopy(this.venue.dataDir, this.venue.journal);
  }

  async #killStarting(): Promise<void> {
    for (let times = 1 + this.#roll(2); times > 0; times -= 1) {
      const server = this.#serve();
      await Bun.sleep(this.#roll(Math.ceil(this.#startMs * 1.2)));
      await this.#killed(server);
      this.tally.startKills += 1;
    }
    await proveCopy(this.venue.dataDir, this.venue.journal);
  }

  /** A stop that is asked for loses nothing, leaves nothing behind, and ends well. */
  async #stopWorking(server: Child, url: string, afterMs: number): Promise<void> {
    const { dataDir, journal } = this.venue;
    const working = this.#work(url);
    await Promise.race([working, Bun.sleep(afterMs)]);
    server.signal("SIGTERM");
    const code = await server.ended();
    await working;
    this.tally.stops += 1;
    if (code !== 0) throw new Error(`stopped under load, it ended with ${code}`);
    if (existsSync(join(dataDir, "kartu.db-wal"))) throw new Error("a stopped server left a WAL");
    const behind = lacked(dataDir);
    if (behind > 0) throw new Error(`a stopped server left heads ${behind} events behind`);
    await proveCopy(dataDir, journal);
  }

  /** A backup beside the load; the server or the backup is killed. What a backup leaves is whole. */
  async #killBackingUp(server: Child, url: string, afterMs: number): Promise<void> {
    const { dataDir, journal } = this.venue;
    const scratch = mkdtempSync(join(tmpdir(), "kartu-backup-"));
    try {
      const file = join(scratch, "backup");
      const working = this.#work(url);
      await Promise.race([working, Bun.sleep(afterMs / 2)]);
      const backup = command(dataDir, "backup", file, "--json");
      await Promise.race([backup.ended(), Bun.sleep(this.#roll(2 * Math.ceil(this.#startMs)))]);
      const isBackupKilled = this.#roll(2) === 0 && !backup.isOver;
      if (isBackupKilled) backup.signal("SIGKILL");
      await this.#killed(server);
      this.tally.backupKills += 1;
      await working;
      const code = await backup.ended();
      if (!isBackupKilled && code !== 0) throw new Error(`a backup ended with ${code}`);
      await proveCopy(dataDir, journal);
      if (existsSync(file)) await this.#proveBackup(file, join(scratch, "restored"));
      else if (code === 0) throw new Error("a backup that ended well is not there");
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  }

  async #proveBackup(file: string, directory: string): Promise<void> {
    await restore(file, directory, () => undefined);
    const faults = await faultsIn(directory);
    if (faults.length > 0) throw new Error(`a restored backup: ${faults.join("\n")}`);
  }

  /** The end of a file: what `kartu verify` says beside a live server, and after it. */
  async finish(): Promise<void> {
    const { dataDir, journal } = this.venue;
    const server = this.#serve();
    const url = await server.url();
    if (url === undefined || !(await this.#check(url))) throw new Error("no answer at the end");
    const verify = command(dataDir, "verify");
    if ((await verify.ended()) !== 0) throw new Error("kartu verify beside a server");
    await this.#killed(server);
    const directory = copyOf(dataDir);
    try {
      await prove(directory, journal);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
    if ((await command(dataDir, "verify").ended()) !== 0) throw new Error("kartu verify at rest");
    this.tally.events += journal.recorded;
  }
}

/** Rows of heads behind in the file as it was left, whoever reads it. */
function lackedIn(dataDir: string): number {
  const directory = copyOf(dataDir);
  try {
    return lacked(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * Crashes until there were `kills`, on a fresh file every now and then.
 * @throws Error the first thing that is wrong; its message names the directory, which stays
 */
export async function crash(options: CrashOptions): Promise<CrashTally> {
  const total: CrashTally = {
    ...{ kills: 0, startKills: 0, backupKills: 0, stops: 0, calls: 0, events: 0, recoveries: 0 },
  };
  for (let { seed } = options; total.kills < options.kills; seed += 1) {
    if (options.isOver?.() === true) break;
    const venue = await openCrashVenue({ ...size, seed });
    const run = new Run({ ...options, kills: options.kills - total.kills }, venue, seed);
    try {
      while (!run.isEnough) await run.round();
      await run.finish();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`${venue.dataDir}, seed ${seed}: ${why}`, { cause: error });
    }
    venue.remove();
    for (const key of Object.keys(total) as (keyof CrashTally)[]) total[key] += run.tally[key];
  }
  return total;
}
