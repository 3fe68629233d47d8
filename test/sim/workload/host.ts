/**
 * The server of a simulation: whole, in this process, on a real file in memory, with a clock and random of
 * its seed. It can be stopped, killed, or cut off at the first commit of a call, and opened again from what
 * was durable at that instant.
 */
import { Database } from "bun:sqlite";
import { copyFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { databaseName, type Kartu, openKartu } from "../../../src/app.ts";
import { type Serving, serveKartu } from "../../../src/serve.ts";
import { openReader } from "../../../src/store/reader.ts";
import { createLog } from "../../../src/system/log.ts";
import { seededRandom } from "../../../src/system/random.ts";
import { balancesOf, proveHeads, rowsOf } from "../../books.ts";
import { type Answer, type Call, callOf, type VenueClock, venueClock } from "../../caller.ts";
import type { Ground } from "./ground.ts";
import { configs, fresh, remove, stopSec, type TenantSeat, templateOf } from "./template.ts";

interface Open {
  readonly dir: string;
  readonly clock: VenueClock;
  readonly kartu: Kartu;
  readonly serving: Serving;
  readonly call: Call;
}

export type Ending = "stop" | "kill" | "cut";

export class Host {
  /** What went wrong inside, as log lines. */
  readonly faults: string[] = [];
  /** Told once a server is open again, and what was done before is judged. */
  restarted: () => void = () => undefined;
  #open!: Open;
  #opened = 0;
  /** The next call that writes is the last of this server. */
  #isToBeCut = false;

  private constructor(
    readonly ground: Ground,
    readonly seats: readonly TenantSeat[],
  ) {}

  static async open(ground: Ground): Promise<Host> {
    const template = await templateOf(ground.place);
    const host = new Host(ground, template.seats.slice(0, ground.tenants));
    const dir = fresh();
    copyFileSync(join(template.dir, databaseName), join(dir, databaseName));
    await host.#start(dir, ground.place.startSec + ground.laterSec);
    return host;
  }

  get nowSec(): number {
    return this.#open.clock.nowSec();
  }

  get kartu(): Kartu {
    return this.#open.kartu;
  }

  async #start(dir: string, nowSec: number): Promise<void> {
    const { seed, residentMax } = this.ground;
    const clock = venueClock();
    clock.set(nowSec);
    const write = (line: string): void => void this.faults.push(line);
    this.#opened += 1;
    const kartu = await openKartu({
      ...{ dataDir: dir, clock, config: seed % 4 === 0 ? configs.staging : configs.production },
      random: seededRandom(seed * 64 + this.#opened + 1),
      log: createLog({ nowMs: clock.nowMs, level: "error", write }),
      ...(residentMax !== undefined && {
        book: { residentMax, roundEventsMin: 8, eagerHeads: 2, stretchMin: 1 },
      }),
    });
    const serving = await served(kartu);
    this.#open = { dir, clock, kartu, serving, call: callOf(serving) };
  }

  /** Lets time pass; what comes round every minute runs once at the end of it. */
  async pass(sec: number): Promise<void> {
    const { clock } = this.#open;
    clock.advance(sec);
    if (sec >= 60) await clock.minute();
  }

  /**
   * `stop`: as it is asked to. `kill`: opened again from the file and its WAL as they are now. `cut`: a
   * kill at the first commit of a call to come.
   */
  async restart(how: Ending): Promise<void> {
    if (how === "cut") {
      this.#isToBeCut = true;
      return;
    }
    const { dir } = this.#open;
    const nowSec = this.nowSec;
    const next = how === "kill" ? this.#copy() : dir;
    await this.#open.serving.stop(stopSec);
    if (next !== dir) remove(dir);
    await this.#start(next, nowSec);
    this.restarted();
  }

  #copy(): string {
    const next = fresh();
    for (const name of [databaseName, `${databaseName}-wal`]) {
      const from = join(this.#open.dir, name);
      if (existsSync(from)) copyFileSync(from, join(next, name));
    }
    return next;
  }

  async #discard(): Promise<void> {
    await this.#open.serving.stop(stopSec);
    remove(this.#open.dir);
  }

  /**
   * The answer, and whether the call took effect on what is left of the server: one that was cut off may
   * have lost its work, never a part of it. @throws Error when a part of it is left
   */
  async call(
    mayBeCut: boolean,
    method: string,
    path: string,
    options: Parameters<Call>[2],
  ): Promise<{ answer: Answer; isCut: boolean; isDone: boolean }> {
    if (!this.#isToBeCut || !mayBeCut || method === "GET") {
      const answer = await this.ask(method, path, options);
      return { answer, isCut: false, isDone: true };
    }
    return await this.#callCut(method, path, options);
  }

  /** A call that is no part of what happens. */
  ask(method: string, path: string, options: Parameters<Call>[2] = {}): Promise<Answer> {
    return this.#open.call<unknown>(method, path, options);
  }

  async #callCut(method: string, path: string, options: Parameters<Call>[2]) {
    const { dir, call } = this.#open;
    const nowSec = this.nowSec;
    const file = new Database(join(dir, databaseName), { readonly: true });
    let next: string | undefined;
    const before = contentsOf(file);
    try {
      const version = (): number =>
        file.query<{ data_version: number }, []>("PRAGMA data_version").get()?.data_version ?? 0;
      const first = version();
      const working = call<unknown>(method, path, options);
      let isOver = false;
      void working.finally(() => {
        isOver = true;
      });
      while (next === undefined && !isOver) {
        if (version() !== first) next = this.#copy();
        else await new Promise((resolve) => setImmediate(resolve));
      }
      const answer = await working;
      if (next === undefined) return { answer, isCut: false, isDone: true };
      this.#isToBeCut = false;
      const isDone = judgeCut(next, before, contentsOf(file), `${method} ${path}`);
      file.close();
      await this.#discard();
      await this.#start(next, nowSec);
      return { answer, isCut: true, isDone };
    } finally {
      file.close();
    }
  }

  rows<R>(sql: string): Promise<R[]> {
    return rowsOf<R>(this.kartu.store, sql);
  }

  /** Heads, ledgers, audit chains and the file's own proof. @throws Error the first thing that is wrong */
  async prove(): Promise<void> {
    const { kartu, dir } = this.#open;
    await proveHeads(kartu.store);
    const file = openReader(join(dir, databaseName));
    try {
      const { faults } = await file.scan((q) => kartu.verify.verify(q));
      if (faults.length > 0) throw new Error(`verify: ${JSON.stringify(faults)}`);
    } finally {
      await file.close();
    }
    for (const { tenantId } of this.seats) await balancesOf(kartu.store, tenantId);
  }

  async close(): Promise<void> {
    await this.#discard();
  }
}

/** Every server that listens waits for the end of the process, and would stay in memory until then. */
async function served(kartu: Kartu): Promise<Serving> {
  const others = new Set(process.listeners("beforeExit"));
  const serving = await serveKartu(kartu, { host: "127.0.0.1", port: 0 });
  for (const listener of process.listeners("beforeExit")) {
    if (!others.has(listener)) process.off("beforeExit", listener);
  }
  return serving;
}

/** Days are closed in one turn of the writer and their files made after it: what is left is completed. */
const inTwoTurns = /\/settlement\/runs$/;

/** Whether a call took effect on what is left of a server. @throws Error when a part of it did */
function judgeCut(dir: string, before: string, after: string, what: string): boolean {
  const file = new Database(join(dir, databaseName));
  try {
    const left = contentsOf(file);
    if (left === before) return false;
    if (left === after || inTwoTurns.test(what)) return true;
    throw new Error(`cut off at a commit, ${what} is half done: ${before} ${left} ${after}`);
  } finally {
    file.close();
  }
}

/** How many rows each table of the venue's own has. */
function contentsOf(file: Database): string {
  const tables = file
    .query<{ name: string }, []>(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name",
    )
    .all();
  const counts = tables.map(({ name }) => {
    const row = file.query<{ n: number }, []>(`SELECT count(*) AS n FROM ${name}`).get();
    return `${name} ${row?.n}`;
  });
  return counts.join(", ");
}
