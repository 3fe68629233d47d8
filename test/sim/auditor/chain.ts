/**
 * The chain of one card, judged as a whole: of each event its predecessor, what is known of the session it
 * is in, and what does not fit. Nothing is remembered but which hashes were tried.
 *
 * hash = first 6 of SHA-256(deltaTime u16 ‖ amount u24 ‖ balanceAfter u32 ‖ flags u8 ‖ previous 6), little-endian;
 * deltaTime = (timestamp − startTime) mod 65536; `previous` of a checkin and of a card's first entry is
 * startTime u32 ‖ 00 00. Flags: the type's code in bits 0–3, offline bit 4, suspect bit 5.
 */
import type { Card, EventType, Recorded, WireEvent } from "./thing.ts";

const codes: Readonly<Record<EventType, number>> = {
  debit: 0,
  credit: 1,
  checkin: 2,
  checkout: 3,
  admin: 15,
};
const sessionMaxSec = 86_400;

export type State = "IDLE" | "CHECKED_IN" | "CHECKED_OUT";

export interface Link {
  readonly counter: number;
  readonly hash: string | undefined;
  readonly balance: number;
  /** Undefined: not known. */
  readonly startTime: number | undefined;
  readonly state: State | undefined;
  /** Undefined: its predecessor is missing. */
  readonly predecessor: Link | undefined;
  readonly faults: readonly string[];
}

function marker(startTime: number): Uint8Array {
  const bytes = new Uint8Array(6);
  new DataView(bytes.buffer).setUint32(0, startTime, true);
  return bytes;
}

function entryHash(event: WireEvent, startTime: number, flags: number, previous: Uint8Array) {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  const delta = (event.timestamp - startTime) % 65_536;
  view.setUint16(0, delta < 0 ? delta + 65_536 : delta, true);
  view.setUint16(2, event.amount & 0xffff, true);
  view.setUint8(4, event.amount >>> 16);
  view.setUint32(5, event.balanceAfter, true);
  view.setUint8(9, flags);
  bytes.set(previous, 10);
  return new Bun.CryptoHasher("sha256").update(bytes).digest().subarray(0, 6).toHex();
}

/** Whether the event's hash is one of the four that it can be after `previous`. */
function fits(event: Recorded, startTime: number, previous: Uint8Array): boolean {
  const key = `${startTime} ${previous.toHex()}`;
  let found = event.tried.get(key);
  if (found === undefined) {
    const code = codes[event.type];
    found = [0, 16, 32, 48].some(
      (bits) => entryHash(event, startTime, code | bits, previous) === event.hash,
    );
    event.tried.set(key, found);
  }
  return found;
}

/** Of what follows the link, where that can be said. */
function fitsOn(link: Link, event: Recorded): boolean | undefined {
  if (event.type === "checkin") return fits(event, event.timestamp, marker(event.timestamp));
  if (link.startTime === undefined) return undefined;
  const previous = link.hash === undefined ? marker(0) : Uint8Array.fromHex(link.hash);
  return fits(event, link.startTime, previous);
}

/** Undefined: not known. */
function isLawful({ state, startTime }: Link, { type, timestamp }: WireEvent): boolean | undefined {
  if (type === "credit" || type === "admin") return true;
  if (state === undefined) return undefined;
  if (type === "checkin") return state !== "CHECKED_IN";
  if (state !== "CHECKED_IN") return false;
  return type === "checkout" || timestamp - (startTime ?? timestamp) <= sessionMaxSec;
}

function stateAfter(type: EventType, before: State | undefined): State | undefined {
  if (type === "checkin") return "CHECKED_IN";
  if (type === "checkout") return "CHECKED_OUT";
  return type === "admin" && before === "CHECKED_OUT" ? "IDLE" : before;
}

const signs: Readonly<Record<EventType, number>> = {
  ...{ debit: -1, credit: 1, checkin: 0, checkout: 0, admin: 0 },
};

function linkOf(below: Link, event: Recorded): Link {
  const isCheckin = event.type === "checkin";
  const isUnmoved =
    !isCheckin || (event.balanceAfter === below.balance && isLawful(below, event) === true);
  const isNext = event.counter === below.counter + 1;
  const follows = isNext || (fitsOn(below, event) === true && isUnmoved);
  const predecessor = follows ? below : undefined;

  const faults: string[] = [];
  if (predecessor) {
    const due = predecessor.balance + signs[event.type] * event.amount;
    if (event.balanceAfter !== due) faults.push("balance_mismatch");
  }
  const hashFits = isCheckin || predecessor ? fitsOn(below, event) : undefined;
  if (hashFits === false) faults.push("chain_mismatch");
  if (predecessor && isLawful(predecessor, event) === false) faults.push("invalid_transition");

  return {
    ...{ counter: event.counter, hash: event.hash, balance: event.balanceAfter },
    startTime: isCheckin ? event.timestamp : predecessor?.startTime,
    state: stateAfter(event.type, predecessor?.state),
    ...{ predecessor, faults },
  };
}

/** The links of all events of the card, by counter, lowest first. */
export function linksOf(card: Card): Map<Recorded, Link> {
  const links = new Map<Recorded, Link>();
  let below: Link = {
    ...{ counter: 0, hash: undefined, balance: card.opening, startTime: 0, state: "IDLE" },
    ...{ predecessor: undefined, faults: [] },
  };
  for (const event of card.events.toSorted((a, b) => a.counter - b.counter)) {
    below = linkOf(below, event);
    links.set(event, below);
  }
  return links;
}

/** State of the highest event whose state is known. */
export function stateOf(card: Card): State {
  let state: State = "IDLE";
  for (const link of linksOf(card).values()) state = link.state ?? state;
  return state;
}
