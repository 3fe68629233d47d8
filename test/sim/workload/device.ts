/**
 * A device of a simulated venue: what it keeps across its own restart (token, queue, unsent reports), and
 * what it has in memory alone (grants, policy, blocklist, counters seen, writes that broke off).
 */

import type { Role } from "../../../src/domain/identity.ts";
import type { Chip } from "../../../src/sim/chip.ts";
import type { WireEvent } from "../../../src/sim/happened.ts";
import { type KeyCache, KeyRing } from "../../../src/sim/keyring.ts";
import { Reader, type Reading } from "../../../src/sim/reader.ts";
import type { Interrupted } from "../../../src/sim/writer.ts";

/** What `GET /api/policy` answers, as far as a device needs it. */
export interface Limits {
  readonly maxBalance: number;
  readonly singleTxLimit: number;
  readonly dailyLimit: number;
  readonly weeklyLimit: number;
  readonly hardCeiling: number;
  readonly clockDriftAllowanceSec: number;
  readonly sessionMaxSec: number;
}

export interface Report {
  readonly cardId: string | null;
  readonly eventType: string;
  readonly details: string;
  readonly counter: number | null;
  readonly timestamp: number;
}

/** A POST as it went out. */
export interface Sent {
  readonly path: string;
  readonly body: unknown;
  readonly key?: string;
}

/** A chip, and an image of it that somebody kept. */
export interface Tag {
  readonly chip: Chip;
  readonly cardId: string;
  kept?: Uint8Array;
}

/** How many things a device remembers for mischief. */
const memoryMax = 40;
/** At this time every grant that was ever held still holds: for one that minds no expiry. */
const never = 0;

export class Device {
  id = "";
  terminalId = 0;
  token = "";
  readonly oldTokens: string[] = [];
  secret = "";
  skewSec = 0;
  queue: WireEvent[] = [];
  readonly handed: WireEvent[] = [];
  reports: Report[] = [];
  readonly sent: Sent[] = [];
  ring: KeyRing;
  limits: Limits | null = null;
  policyTag: string | null = null;
  readonly blocked = new Set<string>();
  since: number | null = null;
  /** When the server issued each grant and when it ends. */
  readonly grants: { readonly from: number; readonly to: number }[] = [];
  suspendedSec: number | null = null;
  readonly seen = new Map<string, number>();
  readonly broken = new Map<string, Interrupted>();
  readonly #reader = new Reader();

  constructor(
    readonly deviceId: string,
    readonly role: Role,
    readonly cache: KeyCache,
  ) {
    this.ring = new KeyRing(cache);
  }

  /** A restart: grants live in memory only. */
  boot(): void {
    this.ring.forget();
    this.ring = new KeyRing(this.cache);
    this.limits = null;
    this.policyTag = null;
    this.blocked.clear();
    this.since = null;
    this.seen.clear();
    this.broken.clear();
  }

  read(chip: Chip, now: number, isRogue = false): Reading {
    const seen = this.seen.get(chip.read().subarray(6, 12).toHex()) ?? 0;
    return this.#reader.read(chip, {
      ring: this.ring,
      now: isRogue ? never : now,
      allowanceSec: this.limits?.clockDriftAllowanceSec ?? 0,
      seen: isRogue ? 0 : seen,
      isBlocked: (id) => this.blocked.has(id),
    });
  }

  push(event: WireEvent): void {
    this.queue.push(event);
    this.seen.set(event.cardId, event.counter);
  }

  report(eventType: string, cardId: string | null, counter: number | null, now: number): void {
    this.reports.push({ eventType, cardId, counter, details: "", timestamp: now });
  }

  /** The events are the backend's from now on. */
  settle(events: readonly WireEvent[]): void {
    const gone = new Set(events);
    this.queue = this.queue.filter((event) => !gone.has(event));
    this.handed.push(...events.filter((event) => !this.handed.includes(event)));
    this.handed.splice(0, Math.max(0, this.handed.length - memoryMax));
  }

  keep(sent: Sent): void {
    this.sent.push(sent);
    if (this.sent.length > memoryMax) this.sent.shift();
  }
}
