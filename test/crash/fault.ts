/**
 * Rounds of a server's life on a machine that fails it: a disk that cannot sync or write, or only slowly,
 * or has no room, and a clock that is moved. In each the tills go on asking; whatever was acknowledged is
 * in the file afterwards, once, and a server on a sound machine agrees with every till.
 *
 * A call that writes half of its bytes cannot be injected truly: strace would say so and write none.
 * A disk that fills up writes such halves.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { databasePath } from "../../src/app.ts";
import { Desk } from "./desk.ts";
import { Load } from "./load.ts";
import {
  faketimeLack,
  injected,
  type Lack,
  limitedDisk,
  limitLack,
  mountLack,
  movedClock,
  type SmallDisk,
  straceLack,
  tmpfsDisk,
} from "./machine.ts";
import { cutPower } from "./power.ts";
import { type Child, type ChildOptions, command, serve } from "./process.ts";
import { proveCopy } from "./proof.ts";
import type { Till } from "./till.ts";
import { type CrashVenue, openCrashVenue } from "./venue.ts";

type Roll = (max: number) => number;

export interface FaultRound {
  readonly name: string;
  readonly lack: () => Lack;
  readonly run: (venue: CrashVenue, roll: Roll) => Promise<void>;
}

/** Calls that bring what was written to the disk. */
const syncs = "fsync,fdatasync";

async function started(venue: CrashVenue, options?: ChildOptions): Promise<[Child, string]> {
  const server = serve(venue.dataDir, undefined, options);
  const url = await server.url();
  if (url === undefined) throw new Error(`a server ended at once: ${server.told}`);
  return [server, url];
}

async function killed(server: Child): Promise<void> {
  server.signal("SIGKILL");
  await server.ended();
}

/** Stops it; it has to end by itself. @returns its code */
async function stopped(server: Child): Promise<number> {
  server.signal("SIGTERM");
  const code = await Promise.race([server.ended(), Bun.sleep(45_000)]);
  if (code === undefined) throw new Error("a server does not stop");
  return code;
}

function expectCode(found: number, due: number, when: string): void {
  if (found !== due) throw new Error(`${when}, it ended with ${found} and not ${due}`);
}

/** All that is unsure made sure, then each card. @throws Error no answer, or a wrong one */
async function checkTills(tills: readonly Till[], url: string): Promise<void> {
  for (const till of tills) {
    if (!(await till.settle(url)) || !(await till.check(url))) throw new Error("no answer");
  }
}

/** The file as it was left, and what a server on a sound machine makes of it. */
async function proveAfter(venue: CrashVenue): Promise<void> {
  await proveCopy(venue.dataDir, venue.journal);
  const [server, url] = await started(venue);
  try {
    await checkTills(venue.tills, url);
    expectCode(await stopped(server), 0, "stopped on a sound machine");
  } finally {
    server.signal("SIGKILL");
  }
  await proveCopy(venue.dataDir, venue.journal);
}

async function get(url: string, path: string, { token }: { readonly token: string }) {
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(url + path, { headers });
  return { status: response.status, text: await response.text() };
}

/** Whoever only asks is answered. */
async function checkReads({ tills }: CrashVenue, url: string): Promise<void> {
  for (const till of tills.slice(0, 2)) {
    const [card] = till.cards;
    for (const path of [`/api/cards/${card?.cardId}`, "/api/policy", "/api/blocklist"]) {
      const { status, text } = await get(url, path, till.terminal);
      if (status !== 200) throw new Error(`GET ${path}: ${status} ${text}`);
    }
  }
}

/** What `/ready` comes to say; it may look once a second only. */
async function becomes(url: string, ready: number): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const { status } = await fetch(`${url}/ready`);
    if (status === ready) return;
    await Bun.sleep(100);
  }
  throw new Error(`/ready never says ${ready}`);
}

/** Of a failing storage it was told once, and when it begins, not with each call that was refused. */
function checkTold(server: Child): void {
  const lines = server.told.split("\n").filter((line) => line.includes('"level":"error"'));
  const outages = lines.filter((line) => line.includes("the storage fails"));
  if (outages.length !== 1) throw new Error(`the log tells ${outages.length} times: ${lines[0]}`);
  if (lines.length > 20) throw new Error(`the log has ${lines.length} errors`);
}

/** Some calls of the system fail, and the next ones do not; then the server is killed. */
const failing = (calls: string, errors: readonly string[], first: number, step: number) =>
  async function run(venue: CrashVenue, roll: Roll): Promise<void> {
    const error = errors[roll(errors.length)];
    const what = `error=${error}:when=${first + roll(first)}+${step + roll(step)}`;
    const under = injected({ calls, what });
    const [server, url] = await started(venue, { under, isTelling: true });
    const load = new Load(venue.tills, url);
    try {
      await load.moreRefusals(1 + roll(40));
      await load.more(roll(200));
      await killed(server);
    } finally {
      server.signal("SIGKILL");
      await load.stop();
    }
    await proveAfter(venue);
  };

/** From some moment on nothing can be written: it goes on answering who asks, and stops when told. */
const dead = (calls: string, error: string, first: number) =>
  async function run(venue: CrashVenue, roll: Roll): Promise<void> {
    const under = injected({ calls, what: `error=${error}:when=${first + roll(first)}+1` });
    const [server, url] = await started(venue, { under, isTelling: true });
    const load = new Load(venue.tills, url);
    try {
      await load.moreRefusals(50);
      await checkReads(venue, url);
      await becomes(url, 503);
      expectCode(await stopped(server), 1, "stopped on a dead disk");
      checkTold(server);
    } finally {
      server.signal("SIGKILL");
      await load.stop();
    }
    await proveAfter(venue);
  };

/** Killed, and what was not synced by then is lost in part: nothing was acknowledged before its sync. */
async function powerless(venue: CrashVenue, roll: Roll): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "kartu-trace-"));
  const log = join(directory, "calls");
  const under = injected({ calls: `pwrite64,${syncs}`, log });
  const [server, url] = await started(venue, { under });
  const load = new Load(venue.tills, url);
  try {
    await load.more(40 + roll(200));
    await Bun.sleep(roll(30));
    await killed(server);
    await load.stop();
    cutPower(log, `${databasePath(venue.dataDir)}-wal`, roll);
  } finally {
    server.signal("SIGKILL");
    await load.stop();
    rmSync(directory, { recursive: true, force: true });
  }
  await proveAfter(venue);
}

/** Each sync takes long: calls share it, nobody is refused, and it stops in time. */
async function slow(venue: CrashVenue, roll: Roll): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "kartu-trace-"));
  const log = join(directory, "calls");
  const syncCount = (): number =>
    existsSync(log) ? readFileSync(log, "utf8").split(/sync\(/).length - 1 : 0;
  const delayMs = 60 + roll(80);
  const under = injected({ calls: syncs, what: `delay_enter=${delayMs * 1000}`, log });
  const [server, url] = await started(venue, { under });
  const load = new Load(venue.tills, url);
  try {
    const [before, callsBefore, refusalsBefore] = [syncCount(), load.calls, load.refusals];
    await load.more(6 * venue.tills.length);
    const [count, calls] = [syncCount() - before, load.calls - callsBefore];
    if (calls < count * 1.5) throw new Error(`${calls} calls took ${count} syncs`);
    const { terminal } = venue.tills[0] as Till;
    const grant = await get(url, "/api/session-grant", terminal);
    if (grant.status !== 200) throw new Error(`a grant: ${grant.status} ${grant.text}`);
    await checkReads(venue, url);
    const refusals = load.refusals - refusalsBefore;
    if (refusals > 0) throw new Error(`${refusals} calls were refused`);
    expectCode(await stopped(server), 0, "stopped on a slow disk");
  } finally {
    server.signal("SIGKILL");
    await load.stop();
    rmSync(directory, { recursive: true, force: true });
  }
  await proveAfter(venue);
}

/** No room, and then room again: what cannot be recorded is refused, and no restart is due. */
const full = (open: () => SmallDisk) =>
  async function run({ tills: { length } }: CrashVenue, roll: Roll): Promise<void> {
    const disk = open();
    const { directory: within, under } = disk;
    const venue = await openCrashVenue({ seed: roll(1_000_000), tills: length, cards: 3, within });
    const [server, url] = await started(venue, { under, isTelling: true });
    const load = new Load(venue.tills, url);
    try {
      const desk = new Desk(url);
      await desk.signIn();
      await load.more(roll(200));
      await desk.makeZone();
      disk.fill(server.pid);
      await load.moreRefusals(50);
      for (let tries = 0; desk.refusals === 0 && tries < 50; tries += 1) await desk.makeZone();
      await becomes(url, 503);
      await checkReads(venue, url);
      await checkBackup(venue, within, disk);
      disk.empty(server.pid);
      await load.more(100);
      await becomes(url, 200);
      await desk.repeatAll();
      await desk.checkZones();
      checkTold(server);
      if (roll(2) === 0) await killed(server);
      else expectCode(await stopped(server), 0, "stopped when there was room again");
      await load.stop();
      await proveAfter(venue);
    } finally {
      server.signal("SIGKILL");
      await load.stop().catch(() => undefined);
      await server.ended();
      venue.remove();
      disk.remove();
    }
  };

/** A backup beside a server on a disk without room says that it failed, and leaves nothing. */
async function checkBackup(venue: CrashVenue, within: string, disk: SmallDisk): Promise<void> {
  // A limit is one process's; the backup has another.
  if (disk.under.length > 0) return;
  const file = join(within, "backup");
  const backup = command(venue.dataDir, "backup", file);
  const code = await backup.ended().catch(() => 1);
  if (code === 0 || existsSync(file)) throw new Error("a backup on a full disk is not one");
}

/** Within a day of the right time every call is judged as ever; far off, tokens may have lapsed. */
const moves = [
  { by: "+1h", bySec: 3_600 },
  { by: "-1h", bySec: -3_600 },
  { by: "+400d", bySec: 400 * 86_400 },
  { by: "-10y", bySec: -10 * 365 * 86_400 },
  { by: "+0", bySec: 0 },
] as const;
const isFar = (bySec: number): boolean => Math.abs(bySec) > 86_400;

/** A grant lasts for hours from now, whenever that is. */
async function checkGrant(url: string, till: Till, bySec: number): Promise<void> {
  const { status, text } = await get(url, "/api/session-grant", till.terminal);
  if (status === 401 && isFar(bySec)) return;
  if (status !== 200) throw new Error(`a grant, ${bySec} s off: ${status} ${text}`);
  const { expiresAt } = JSON.parse(text) as { expiresAt: number };
  const lastsSec = expiresAt - bySec - Math.floor(Date.now() / 1000);
  if (lastsSec < 60 || lastsSec > 86_460) throw new Error(`a grant lasts for ${lastsSec} s`);
}

async function jumping(venue: CrashVenue, roll: Roll): Promise<void> {
  const clock = movedClock();
  const { options } = clock;
  const env = { ...options.env, KARTU_LOG_LEVEL: "warn" };
  const [server, url] = await started(venue, { env, isTelling: true });
  const load = new Load(venue.tills, url);
  try {
    const desk = new Desk(url);
    await desk.signIn();
    await desk.makeZone();
    for (const { by, bySec } of moves) {
      const isNear = !isFar(bySec);
      if (!isNear) for (const till of venue.tills) till.isTimeless = true;
      clock.move(by);
      if (isNear) await load.more(30 + roll(50));
      else await Bun.sleep(100 + roll(100));
      await checkGrant(url, venue.tills[0] as Till, bySec);
      await desk.signIn();
      await desk.makeZone(isNear);
      if (isNear) await desk.repeatAll();
      const { status } = await fetch(`${url}/ready`);
      if (status !== 200) throw new Error(`at ${by} it is not ready`);
    }
    for (const till of venue.tills) till.isTimeless = false;
    await load.more(100);
    await desk.checkZones();
    await load.until(() => server.told.includes("the machine's clock was moved"));
    if (/"level":"error"/.test(server.told)) throw new Error(`it told of errors: ${server.told}`);
    if (roll(2) === 0) await killed(server);
    else expectCode(await stopped(server), 0, "stopped after its clock was moved");
  } finally {
    server.signal("SIGKILL");
    clock.remove();
    await load.stop();
  }
  await proveAfter(venue);
}

export const faultRounds: readonly FaultRound[] = [
  { name: "now and then a sync fails", lack: straceLack, run: failing(syncs, ["EIO"], 40, 12) },
  {
    name: "now and then a write fails",
    lack: straceLack,
    run: failing("pwrite64", ["EIO", "ENOSPC", "EDQUOT"], 600, 400),
  },
  { name: "no sync succeeds any more", lack: straceLack, run: dead(syncs, "EIO", 40) },
  { name: "no write succeeds any more", lack: straceLack, run: dead("pwrite64", "EIO", 600) },
  { name: "the power is cut", lack: straceLack, run: powerless },
  { name: "each sync is slow", lack: straceLack, run: slow },
  { name: "the disk is full, and has room again", lack: mountLack, run: full(tmpfsDisk) },
  { name: "files cannot grow, and can again", lack: limitLack, run: full(limitedDisk) },
  { name: "the clock is moved", lack: faketimeLack, run: jumping },
];
