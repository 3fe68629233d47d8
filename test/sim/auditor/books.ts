/** What the auditor believes there is: one tenant's things, its money and its review queue. */
import type { Start } from "./call.ts";
import { Ledger } from "./ledger.ts";
import { Policies } from "./policy.ts";
import {
  ACTIVE,
  type Card,
  type Device,
  type Flag,
  type Member,
  type Quarantined,
  type Report,
  statusAt,
} from "./thing.ts";

/** Days of a terminal, or of all, that are closed. */
export interface Run {
  readonly from: string;
  readonly to: string;
  readonly terminalId: number | undefined;
}

export interface Books {
  readonly start: Start;
  readonly devices: Device[];
  readonly members: Member[];
  readonly cards: Map<string, Card>;
  readonly keys: Map<number, { status: "created" | "active" | "retired"; sessionKey?: string }>;
  primaryKey: number;
  readonly policies: Policies;
  readonly zones: Set<string>;
  readonly ledger: Ledger;
  readonly listing: {
    /** Ids that operators listed. */
    readonly byHand: Set<string>;
    /** By the version that it had: status names by card id. */
    readonly seen: Map<number, ReadonlyMap<string, string>>;
  };
  readonly runs: {
    readonly all: Run[];
    /** What is in a run. */
    readonly held: Set<object>;
  };
  readonly flags: Flag[];
  readonly quarantine: Quarantined[];
  readonly reports: Report[];
  /** Alerts that are due: `reason cardId`. */
  readonly alerts: Set<string>;
  /** Those that may be told, or not. */
  readonly alertsOpen: Set<string>;
  batches: number;
}

export const openBooks = (start: Start): Books => ({
  start,
  ...{ devices: [], members: [], cards: new Map(), primaryKey: 1 },
  keys: new Map([[1, { status: "active" }]]),
  ...{ policies: new Policies(), zones: new Set(), ledger: new Ledger() },
  ...{ listing: { byHand: new Set(), seen: new Map() }, runs: { all: [], held: new Set() } },
  ...{ flags: [], quarantine: [], reports: [], batches: 0 },
  ...{ alerts: new Set(), alertsOpen: new Set() },
});

export function activeCardOf(books: Books, member: Member, nowSec: number): Card | undefined {
  for (const card of books.cards.values()) {
    if (card.member === member && statusAt(card, nowSec) === ACTIVE) return card;
  }
  return undefined;
}

export const memberOf = (books: Books, userId: number): Member | undefined =>
  books.members.find((member) => member.userId === userId);

/** Until when debits of a card that was blocked at a second may still come in. */
export function unseenUntil(books: Books, blockedSec: number): number {
  let until = blockedSec;
  for (const { grants } of books.devices) {
    for (const { issuedSec, expiresSec } of grants) {
      if (issuedSec <= blockedSec && expiresSec > until) until = expiresSec;
    }
  }
  return until;
}
