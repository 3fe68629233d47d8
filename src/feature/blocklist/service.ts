/**
 * The cards that an offline terminal must refuse, kept as the last word on each card in the order in
 * which the words were spoken, so that a delta is a range. Whether a card is blocked is decided
 * elsewhere; here it is only told on.
 */
import { blocklistPageMax } from "../../../schema/bound.ts";
import { type By, recordedBy } from "../../domain/by.ts";
import { STATUS_NAME, type StatusCode, type StatusName } from "../../domain/cardrecord.ts";
import { OperatorRefused } from "../../domain/operator.ts";
import { Problem } from "../../domain/problem.ts";
import type { Store, Writer } from "../../store/seam.ts";
import type { AuditService } from "../audit/service.ts";
import type { EventService } from "../event/service.ts";
import type { PolicyService } from "../policy/service.ts";
import {
  countListed,
  isRegistered,
  type ListingRow,
  putWord,
  readListed,
  readListing,
  readPage,
  readSince,
  readVersion,
} from "./store.ts";

export interface Delta {
  version: number;
  /** The client replaces its list with this page and those that follow. */
  full: boolean;
  add: { cardId: string; status: StatusName }[];
  remove: string[];
  /** There is more: ask again with this. */
  nextSince?: number;
}

export interface BlocklistDeps {
  readonly store: Store;
  readonly audit: Pick<AuditService, "append">;
  readonly event: EventService;
  readonly policy: Pick<PolicyService, "effective">;
}

export type BlocklistService = ReturnType<typeof blocklistService>;

/** A card on the list, as operators see it. */
export interface Listed {
  readonly version: number;
  readonly cardId: string;
  readonly status: StatusName;
  readonly statusCode: number;
  /** False: an id that was listed by hand. */
  readonly registered: boolean;
  readonly blockedAtSec: number;
  readonly reason: string | null;
}

const listedOf = (row: ListingRow): Listed => ({
  version: row.version,
  cardId: row.card_id,
  status: statusName(row.status),
  statusCode: row.status,
  registered: row.by_hand === 0,
  blockedAtSec: row.at_sec,
  reason: row.reason,
});

const statusName = (code: number): StatusName => STATUS_NAME[code as StatusCode];

export function blocklistService({ store, audit, event, policy }: BlocklistDeps) {
  /** Tells of a card's new status: on the list if the tenant refuses that status offline. */
  async function note(
    tx: Writer,
    card: { readonly tenantId: number; readonly cardId: string },
    status: StatusCode,
    reason: string | null,
    atSec: number,
  ): Promise<void> {
    const { blockedMask } = await policy.effective(card.tenantId, null, 0, tx);
    const listed = (blockedMask & (1 << status)) !== 0;
    await putWord(tx, card.tenantId, {
      cardId: card.cardId,
      listed,
      status,
      byHand: false,
      reason,
      atSec,
    });
  }

  /** Puts the tenant's list right after its refused statuses became `mask`. */
  async function relist(tx: Writer, tenantId: number, mask: number): Promise<void> {
    for (let after = 0; ; ) {
      const rows = await readSince(tx, tenantId, after, blocklistPageMax);
      const newest = await readVersion(tx, tenantId);
      for (const row of rows) {
        const listed = (mask & (1 << row.status)) !== 0;
        if (row.by_hand === 1 || listed === (row.listed === 1)) continue;
        await putWord(tx, tenantId, {
          cardId: row.card_id,
          listed,
          status: row.status,
          byHand: false,
          reason: row.reason,
          atSec: row.at_sec,
        });
      }
      const last = rows.at(-1);
      // Words spoken just now have versions above `newest`: they are right already.
      if (last === undefined || rows.length < blocklistPageMax || last.version >= newest) return;
      after = last.version;
    }
  }

  /** The id is on the list by an operator's hand. */
  async function isListedByHand(tx: Writer, tenantId: number, cardId: string): Promise<boolean> {
    const row = await readListing(tx, tenantId, cardId);
    return row !== undefined && row.by_hand === 1 && row.listed === 1;
  }

  /** Tells of what an operator did to the list, in the transaction of it. */
  async function tell(
    tx: Writer,
    action: "fleet.card.listed" | "fleet.card.unlisted",
    listing: { readonly tenantId: number; readonly cardId: string; readonly reason: string | null },
    by: By,
    nowMs: number,
  ): Promise<void> {
    const { tenantId, cardId, reason } = listing;
    const recorded = recordedBy(by);
    await audit.append(tx, {
      ...{ tenantId, atMs: nowMs, action, entityType: "card", entityId: cardId },
      ...recorded,
      metadata: { reason, ...recorded.metadata },
    });
    const { type, id } = by.actor;
    const data = { cardId, actor: { type, id } };
    await event.publish(tx, { tenantId, type: action, data, atMs: nowMs });
  }

  /**
   * Lists an id that is not registered here.
   * @throws OperatorRefused `already-exists`: it is registered, or listed by hand
   */
  async function list(
    tx: Writer,
    tenantId: number,
    cardId: string,
    reason: string,
    by: By,
    nowMs: number,
  ): Promise<Listed> {
    if (await isRegistered(tx, tenantId, cardId)) {
      throw new OperatorRefused("already-exists", "The card is registered: block it.", "cardId");
    }
    if (await isListedByHand(tx, tenantId, cardId)) {
      throw new OperatorRefused("already-exists", "The card is on the blocklist.", "cardId");
    }
    const atSec = Math.floor(nowMs / 1000);
    await putWord(tx, tenantId, { cardId, listed: true, status: 4, byHand: true, reason, atSec });
    await tell(tx, "fleet.card.listed", { tenantId, cardId, reason }, by, nowMs);
    const row = await readListing(tx, tenantId, cardId);
    if (row === undefined) throw new RangeError("a word that was spoken is not there");
    return listedOf(row);
  }

  /**
   * Takes an id off that was listed by hand.
   * @throws Problem not-found · unblock-by-reissue (a registered card)
   */
  async function unlist(
    tx: Writer,
    tenantId: number,
    cardId: string,
    by: By,
    nowMs: number,
  ): Promise<void> {
    const row = await readListing(tx, tenantId, cardId);
    if (row?.listed !== 1) throw new Problem("not-found", "The card is not on the blocklist.");
    if (row.by_hand !== 1) throw new Problem("unblock-by-reissue");
    const { reason, status } = row;
    const atSec = Math.floor(nowMs / 1000);
    await putWord(tx, tenantId, { cardId, listed: false, status, byHand: true, reason, atSec });
    await tell(tx, "fleet.card.unlisted", { tenantId, cardId, reason }, by, nowMs);
  }

  /** Cards on the list below a version, newest first. */
  const page = (tenantId: number, below: number, limit: number): Promise<Listed[]> =>
    store.read(async (q) => (await readPage(q, tenantId, below, limit)).map(listedOf));

  /** How many are listed, and the list's version. */
  const summary = (tenantId: number): Promise<{ count: number; version: number }> =>
    store.read(async (q) => ({
      count: await countListed(q, tenantId),
      version: await readVersion(q, tenantId),
    }));

  /** What changed since `since`; everything where that is absent or not one of ours. */
  const delta = (tenantId: number, since: number | undefined): Promise<Delta> =>
    store.read(async (q) => {
      const version = await readVersion(q, tenantId);
      const full = since === undefined || since > version;
      const rows: ListingRow[] = full
        ? await readListed(q, tenantId, 0, blocklistPageMax + 1)
        : await readSince(q, tenantId, since, blocklistPageMax + 1);
      const page = rows.slice(0, blocklistPageMax);
      const answer: Delta = { version, full, add: [], remove: [] };
      for (const row of page) {
        if (row.listed === 1)
          answer.add.push({ cardId: row.card_id, status: statusName(row.status) });
        else answer.remove.push(row.card_id);
      }
      const last = page.at(-1);
      if (rows.length > page.length && last !== undefined) answer.nextSince = last.version;
      return answer;
    });

  const version = (tenantId: number): Promise<number> =>
    store.read((q) => readVersion(q, tenantId));

  return { note, relist, isListedByHand, list, unlist, page, summary, delta, version };
}
