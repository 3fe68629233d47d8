/**
 * Whether the server can take calls, and how each of its parts is. Parts are asked side by side, and one
 * that does not answer in time is said to be in error. Who may see it is not decided here.
 */
import { readyDiskMinBytes, writeQueueMax } from "../../../schema/bound.ts";
import { type ComponentHealth, type HealthStatus, healthOf } from "../../domain/health.ts";
import type { Store } from "../../store/seam.ts";
import * as rows from "./store.ts";

/** What a part says of itself; throwing is an error in the words of what was thrown. */
export interface PartState {
  readonly status: HealthStatus;
  readonly detail: string | null;
}

export interface HealthDeps {
  readonly store: Store;
  /** Writes that wait. */
  readonly queue: { readonly depth: number };
  /** Free bytes where the data lies. @throws when it can't be written to */
  readonly disk: () => Promise<number>;
  /** Parts beside database, queue and disk, in the order in which they are shown. */
  readonly parts: Readonly<Record<string, () => PartState | Promise<PartState>>>;
  readonly isStopping: () => boolean;
  /** How long a part may take to answer. Default 2000. */
  readonly answerMsMax?: number;
}

export interface Health {
  readonly status: HealthStatus;
  readonly components: readonly ComponentHealth[];
}

const answerMsDefault = 2_000;
const readyKeptMs = 1_000;
const mib = 2 ** 20;

export function healthBook(deps: HealthDeps) {
  const { store, queue, disk, parts, isStopping, answerMsMax = answerMsDefault } = deps;
  let kept: { readonly atMs: number; readonly reason: Promise<string | null> } | undefined;

  const isFull = (): boolean => queue.depth >= writeQueueMax;

  const own: HealthDeps["parts"] = {
    database: async () => {
      await store.read((q) => rows.rootTenantId(q));
      await store.write(async () => undefined);
      return { status: "ok", detail: null };
    },
    writeQueue: () => ({
      status: isFull() ? "error" : "ok",
      detail: `${queue.depth} waiting`,
    }),
    disk: async () => {
      const bytes = await disk();
      const status = bytes < readyDiskMinBytes ? "error" : "ok";
      return { status, detail: `${Math.floor(bytes / mib)} MiB free` };
    },
  };

  async function ask(name: string, part: () => PartState | Promise<PartState>) {
    const startedMs = performance.now();
    const state = await inTime(part, answerMsMax).catch(
      (error): PartState => ({ status: "error", detail: messageOf(error) }),
    );
    const latencyMs = Math.round((performance.now() - startedMs) * 1000) / 1000;
    return { name, status: state.status, latencyMs, detail: state.detail };
  }

  async function health(): Promise<Health> {
    const all = Object.entries({ ...own, ...parts });
    const components = await Promise.all(all.map(([name, part]) => ask(name, part)));
    return { status: healthOf(components), components };
  }

  /** Why calls can't be taken; null: they can. Looked at once a second at most. */
  async function unreadiness(nowMs: number): Promise<string | null> {
    if (isStopping()) return "shutting down";
    if (isFull()) return "write queue full";
    if (kept === undefined || Math.abs(nowMs - kept.atMs) >= readyKeptMs) {
      kept = { atMs: nowMs, reason: look() };
    }
    return await kept.reason;
  }

  async function look(): Promise<string | null> {
    try {
      const bytes = await inTime(disk, answerMsMax);
      if (bytes < readyDiskMinBytes) return "less than 64 MiB of disk";
      // Takes the writer's turn and its lock, and a write of its own where the last one failed.
      await inTime(() => store.write(async () => undefined), answerMsMax);
      return null;
    } catch {
      return "store not writable";
    }
  }

  return { health, unreadiness };
}

/** @throws Error no answer in time, or what `part` throws */
async function inTime<T>(part: () => T | Promise<T>, msMax: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${msMax} ms`)), msMax);
  });
  try {
    return await Promise.race([(async () => await part())(), silence]);
  } finally {
    clearTimeout(timer);
  }
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
