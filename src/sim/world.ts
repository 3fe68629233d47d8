/**
 * What all devices of a run share, and what a device is told at its start. No behaviour.
 */
import type { KeyObject } from "node:crypto";
import type { CardLocks } from "./cardlock.ts";
import type { Client } from "./client.ts";
import type { Findings } from "./finding.ts";
import type { KeyCache } from "./keyring.ts";
import type { Model } from "./model.ts";
import type { ModelDesk } from "./modeldesk.ts";
import type { Reader } from "./reader.ts";

/** How simulated time relates to the server's. */
export interface SimClock {
  /** The server's time, UTC seconds. */
  now(): number;
  /** Moves the server's clock on. Without it the run is squeezed into what real grants cover. */
  advance?(sec: number): Promise<void>;
}

export type Role = "station" | "gate" | "terminal" | "scout";

export interface DeviceSpec {
  readonly deviceId: string;
  readonly role: Role;
  readonly terminalId: number;
  /** Either one; a secret is spent on a token at the start. */
  readonly secret?: string;
  readonly token?: string;
}

/** How often a device's radio and memory fail, each from 0 to 1. */
export interface Trouble {
  readonly loseRequest: number;
  readonly loseReply: number;
  /** A batch that was acknowledged goes out again. */
  readonly resend: number;
  /** After a lost reply the batch is cut anew, instead of the same bytes. */
  readonly recut: number;
  /** A batch is cut short. */
  readonly split: number;
}

export interface World {
  readonly clock: SimClock;
  readonly client: Client;
  readonly model: Model;
  readonly desk: ModelDesk;
  readonly findings: Findings;
  readonly locks: CardLocks;
  readonly reader: Reader;
  readonly cache: KeyCache;
  readonly trouble: Trouble;
  /** Public keys of grants by kid; fetched anew when one is missing. */
  signer(kid: string): Promise<KeyObject | null>;
}
