/**
 * The rules of predecessor, session start, state and chain, told once more straight from their
 * definition: every event asks the whole set, nothing is remembered, hashing is spelt anew.
 */
import { createHash } from "node:crypto";
import type { EventType } from "../../src/domain/chain.ts";

export interface Entry {
  readonly counter: number;
  readonly type: EventType;
  readonly amount: number;
  readonly balanceAfter: number;
  readonly timestamp: number;
  readonly hash: number;
}

export interface Derived {
  readonly linked: boolean;
  readonly start: number | null;
  readonly state: number | null;
  readonly flags: readonly string[];
}

const codes = { debit: 0, credit: 1, checkin: 2, checkout: 3, admin: 15 };
const root: Derived = { linked: true, start: 0, state: 0, flags: [] };

function hashes(e: Entry, start: number, previous: number): number[] {
  const bytes = Buffer.alloc(16);
  const delta = (((e.timestamp - start) % 65_536) + 65_536) % 65_536;
  bytes.writeUInt16LE(delta, 0);
  bytes.writeUIntLE(e.amount, 2, 3);
  bytes.writeUInt32LE(e.balanceAfter, 5);
  if (e.type === "checkin") bytes.writeUInt32LE(start, 10);
  else bytes.writeUIntBE(previous, 10, 6);
  return [0, 16, 32, 48].map((bits) => {
    bytes[9] = codes[e.type] | bits;
    return createHash("sha256").update(bytes).digest().readUIntBE(0, 6);
  });
}

export class Model {
  private readonly told = new Map<number, Derived>();
  private readonly entries: readonly Entry[];

  constructor(
    opening: number,
    entries: Iterable<Entry>,
    private readonly sessionMaxSec: number,
  ) {
    const first: Entry = {
      counter: 0,
      type: "admin",
      amount: 0,
      balanceAfter: opening,
      timestamp: 0,
      hash: 0,
    };
    this.entries = [first, ...[...entries].sort((a, b) => a.counter - b.counter)];
  }

  of(entry: Entry): Derived {
    const known = this.told.get(entry.counter);
    if (known !== undefined) return known;
    const derived = entry.counter === 0 ? root : this.derive(entry);
    this.told.set(entry.counter, derived);
    return derived;
  }

  /** State of the highest event whose state is known; the registration is IDLE. */
  shownState(): number | null {
    return this.entries.map((e) => this.of(e).state).findLast((state) => state !== null) ?? null;
  }

  private lawful(e: Entry, below: Derived): boolean | null {
    if (below.state === null) return null;
    if (e.type === "checkin") return below.state === 0 || below.state === 3;
    if (e.type === "checkout") return below.state === 1;
    if (e.type !== "debit") return true;
    if (below.state !== 1) return false;
    return below.start === null || e.timestamp - below.start <= this.sessionMaxSec;
  }

  /** Does the hash fit on `below`; null where nobody can tell. */
  private fits(e: Entry, below: Entry): boolean | null {
    if (e.type === "checkin") return hashes(e, e.timestamp, 0).includes(e.hash);
    const { start } = this.of(below);
    return start === null ? null : hashes(e, start, below.hash).includes(e.hash);
  }

  private predecessor(e: Entry): Entry | null {
    const adjacent = this.entries.find((other) => other.counter === e.counter - 1);
    if (adjacent !== undefined) return adjacent;
    const nearest = this.entries.findLast((other) => other.counter < e.counter) as Entry;
    if (this.fits(e, nearest) !== true) return null;
    if (e.type !== "checkin") return nearest;
    const same = e.balanceAfter === nearest.balanceAfter;
    return same && this.lawful(e, this.of(nearest)) === true ? nearest : null;
  }

  private derive(e: Entry): Derived {
    const before = this.predecessor(e);
    const below = before === null ? null : this.of(before);
    const flags: string[] = [];
    if (before !== null) {
      const sign = e.type === "debit" ? -1 : e.type === "credit" ? 1 : 0;
      if (e.balanceAfter !== before.balanceAfter + sign * e.amount) flags.push("balance_mismatch");
    }
    const fits = e.type === "checkin" ? this.fits(e, e) : before && this.fits(e, before);
    if (fits === false) flags.push("chain_mismatch");
    if (below !== null && this.lawful(e, below) === false) flags.push("invalid_transition");

    let state = below?.state ?? null;
    if (e.type === "admin" && state === 3) state = 0;
    if (e.type === "checkin") state = 1;
    if (e.type === "checkout") state = 3;
    const start = e.type === "checkin" ? e.timestamp : (below?.start ?? null);
    return { linked: before !== null, start, state, flags };
  }
}
