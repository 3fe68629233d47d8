/**
 * What the auditor is told and what it says: calls with their answers, a look into the server's file, and
 * the one error it throws. No rule is here.
 */

/** A request that reached the server. */
export interface Call {
  /** A deviceId, `operator` (holds every permission), or `nobody`. */
  readonly by: string;
  readonly method: string;
  /** With query. */
  readonly path: string;
  readonly body?: unknown;
  /** Idempotency-Key. */
  readonly key?: string;
  /** The bearer token that was sent, empty for none; absent: the newest that the device was given. */
  readonly token?: string;
  /** Content-Type of a body that was sent as text, not as JSON. */
  readonly type?: string;
  /** If-None-Match. */
  readonly etag?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The body as JSON; undefined when there was none. */
  readonly json: unknown;
}

/** A look into the server's file, heads as memory knows them. */
export interface View {
  rows<R>(sql: string): Promise<R[]>;
}

/** What holds before the first call: one tenant with the defaults of a new one and key version 1. */
export interface Start {
  readonly nowSec: number;
  /** The tenant's number in the file. */
  readonly tenantId: number;
  readonly timezone: string;
  readonly currency: string;
}

export type Role = "station" | "gate" | "terminal" | "scout";

/** The server did not do what the rules say. */
export class Divergence extends Error {
  override name = "Divergence";
}

const shown = (value: unknown): string => JSON.stringify(value) ?? String(value);

/** @throws Divergence with what was due, what was met, and why */
export function diverge(where: string, due: unknown, met: unknown, why: string): never {
  throw new Divergence(`${where}\n  due: ${shown(due)}\n  met: ${shown(met)}\n  why: ${why}`);
}
