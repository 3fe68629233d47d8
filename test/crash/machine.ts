/**
 * What a machine does to a server: calls of the system that fail or take long (strace), a disk without
 * room (a small tmpfs, or a limit on the size of files), a clock that is moved (libfaketime). Each says
 * why it cannot be had here. Knows no server.
 */
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ChildOptions } from "./process.ts";

/** Undefined: it can be had. */
export type Lack = string | undefined;

const once = (look: () => Lack): (() => Lack) => {
  let found: { readonly lack: Lack } | undefined;
  return () => {
    found ??= { lack: look() };
    return found.lack;
  };
};

const succeeds = (...args: string[]): boolean =>
  Bun.spawnSync(args, { stdin: "ignore", stdout: "ignore", stderr: "ignore" }).exitCode === 0;

const lackOf = (program: string): Lack =>
  Bun.which(program) === null ? `no ${program}` : undefined;

/** The tracer is a grandchild: the process that is started, and killed, is the server itself. */
const tracing = ["strace", "-D", "-f", "--seccomp-bpf", "-e", "signal=none"] as const;

export const straceLack = once(
  () =>
    lackOf("strace") ??
    (succeeds(...tracing, "-e", "trace=fsync", "-o", "/dev/null", "true")
      ? undefined
      : "strace may not trace here"),
);

export interface Injection {
  /** As strace has them: `fsync,fdatasync`. */
  readonly calls: string;
  /** What becomes of them: `error=EIO:when=60+7`, `delay_enter=200000`; undefined: they are only told of. */
  readonly what?: string;
  /** Takes a line a call, with the path of its file and without what is written. */
  readonly log?: string;
}

/** A process whose calls of the system fare so. */
export const injected = ({ calls, what, log = "/dev/null" }: Injection): readonly string[] => [
  ...tracing,
  ...["-o", log, "-y", "-s", "0", "-e", `trace=${calls}`],
  ...(what === undefined ? [] : ["-e", `inject=${calls}:${what}`]),
];

export interface SmallDisk {
  /** Where data directories lie. */
  readonly directory: string;
  /** How a server is started on it. */
  readonly under: readonly string[];
  /** Leaves next to no room, or all of it. */
  fill(pid: number): void;
  empty(pid: number): void;
  remove(): void;
}

function ran(...args: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(args, { stdin: "ignore", stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`${args.join(" ")}: ${stderr}`);
}

const mib = 2 ** 20;
const wholeMib = 256;

const mounted = (at: string): boolean =>
  succeeds("mount", "-t", "tmpfs", "-o", `size=${wholeMib}m`, "none", at);

export const mountLack = once(() => {
  const at = mkdtempSync(join(tmpdir(), "kartu-mount-"));
  try {
    if (!mounted(at)) return "mounting is not allowed here";
    ran("umount", at);
    return undefined;
  } finally {
    rmSync(at, { recursive: true, force: true });
  }
});

/** A file system of its own, as small as it is told to be: nothing on it can grow, nor be made. */
export function tmpfsDisk(): SmallDisk {
  const directory = mkdtempSync(join(tmpdir(), "kartu-disk-"));
  if (!mounted(directory)) throw new Error(`nothing can be mounted at ${directory}`);
  const resize = (bytes: number): void => {
    const whole = Math.ceil(bytes / 4096) * 4096;
    ran("mount", "-o", `remount,size=${whole}`, directory);
  };
  return {
    ...{ directory, under: [] },
    fill: () => {
      const { blocks, bfree, bsize } = statfsSync(directory);
      resize((blocks - bfree) * bsize + mib / 2);
    },
    empty: () => resize(wholeMib * mib),
    remove: () => {
      ran("umount", "--lazy", directory);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export const limitLack = once(() => lackOf("prlimit"));

/** Files of one process that cannot grow past what they are: what they have can still be written anew. */
export function limitedDisk(): SmallDisk {
  const directory = mkdtempSync(join(tmpdir(), "kartu-disk-"));
  const limit = (pid: number, soft: string): void =>
    ran("prlimit", "--pid", String(pid), `--fsize=${soft}:`);
  return {
    directory,
    // Else the first write too many would end it.
    under: ["sh", "-c", `trap "" XFSZ; exec "$0" "$@"`],
    fill: (pid) => limit(pid, String(64 * 1024)),
    empty: (pid) => limit(pid, "unlimited"),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

const faketimeLibrary = (): string | undefined => {
  for (const folder of ["lib/*", "lib*", "local/lib"]) {
    const glob = new Bun.Glob(`${folder}/faketime/libfaketimeMT.so.1`);
    for (const found of glob.scanSync({ cwd: "/usr", onlyFiles: false }))
      return join("/usr", found);
  }
  return undefined;
};

export const faketimeLack = once(() =>
  faketimeLibrary() === undefined ? "no libfaketime" : undefined,
);

export interface MovedClock {
  readonly options: ChildOptions;
  /** From now on, from the machine's: `+1h`, `-10y`. */
  move(by: string): void;
  remove(): void;
}

/** What the calendar says can be moved; what timers wait by cannot, as on a machine whose clock is set. */
export function movedClock(): MovedClock {
  const directory = mkdtempSync(join(tmpdir(), "kartu-clock-"));
  const file = join(directory, "offset");
  const move = (by: string): void => writeFileSync(file, by);
  move("+0");
  const env = {
    LD_PRELOAD: faketimeLibrary() ?? "",
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
  };
  return {
    ...{ options: { env }, move },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
