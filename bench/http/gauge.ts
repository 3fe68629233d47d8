/** What the system knows of a process that serves. Linux alone tells; elsewhere all is undefined. */
import { readdirSync, readFileSync } from "node:fs";

/** Ticks of the process clock a second: fixed at 100 for programs on Linux. */
const ticksPerSec = 100;

const read = (path: string): string | undefined => {
  if (process.platform !== "linux") return undefined;
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
};

/** Seconds that all threads of a process have spent, in the program and in the system for it. */
export function cpuSecOf(pid: number): number | undefined {
  const stat = read(`/proc/${pid}/stat`);
  // The name, in brackets, may hold blanks; utime and stime are the 12th and 13th field behind it.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields === undefined) return undefined;
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSec;
}

export function rssMbOf(pid: number): number | undefined {
  const kb = /^VmRSS:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`) ?? "")?.[1];
  return kb === undefined ? undefined : Number(kb) / 1024;
}

export function openFilesOf(pid: number): number | undefined {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return undefined;
  }
}
