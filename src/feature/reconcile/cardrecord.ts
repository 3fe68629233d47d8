/**
 * The events of one card as operators see them, newest first: three lists in one. Those on its chain are
 * found by back pointers, those that came late by their places, those in quarantine by the card's id.
 *
 * A place is [seq, chain, late, batch, row]: where the page ends, then where each list goes on: the
 * chain with this event, late ones below that one, quarantine below this batch or that row of it.
 */
import {
  eventCountLate,
  eventCountOfChain,
  eventsLate,
  eventsOfChain,
  type HandedRow,
  quarantineCountOfCard,
  quarantinedOfCard,
} from "../../../schema/query/record.ts";
import type { CardRecord } from "../../domain/cardrecord.ts";
import { EVENT_CODE } from "../../domain/chain.ts";
import { type HandedFilter, seqOf } from "../../domain/handed.ts";
import type { Reader } from "../../store/seam.ts";

const none = Number.MAX_SAFE_INTEGER;

/** As far as the feature of cards is asked. */
export interface RecordedCard {
  readonly book: {
    read(q: Reader, tenantId: number, cardId: string): Promise<CardRecord | undefined>;
  };
}

interface Filter extends HandedFilter {
  readonly terminalId: number | null;
}

export interface RowPlaced {
  readonly row: HandedRow;
  readonly place: readonly number[];
}

export class CardRecordOf {
  constructor(private readonly card: RecordedCard) {}

  async page(
    q: Reader,
    tenantId: number,
    cardId: string,
    filter: Filter,
    after: readonly number[] | undefined,
    limit: number,
  ): Promise<RowPlaced[]> {
    const card = await this.card.book.read(q, tenantId, cardId);
    const { outcome, fromSec, toSec, terminalId } = filter;
    const type = filter.type === null ? null : EVENT_CODE[filter.type];
    const [, chainId = card?.head.top.id ?? 0, lateBelow = none, batchNo = none, rowBelow = none] =
      after ?? [];
    const rows: HandedRow[] = [];
    const chained = new Set<HandedRow>();
    if (card !== undefined && outcome !== "rejected") {
      const flagged = outcome === null ? null : Number(outcome === "flagged");
      const of = [type, fromSec, toSec, flagged, terminalId, limit] as const;
      for (const row of await q.all(eventsOfChain, tenantId, card.cardNo, chainId, ...of)) {
        chained.add(row);
        rows.push(row);
      }
      if (card.head.late > 0) {
        rows.push(...(await q.all(eventsLate, tenantId, card.cardNo, lateBelow, ...of)));
      }
    }
    if (outcome === null || outcome === "rejected") {
      const of = [type, fromSec, toSec, terminalId, limit] as const;
      rows.push(...(await q.all(quarantinedOfCard, tenantId, cardId, batchNo, rowBelow, ...of)));
    }
    rows.sort((a, b) => seqOf(b.batch_no, b.place) - seqOf(a.batch_no, a.place));
    const next = { chainId, lateBelow };
    return rows.slice(0, limit).map((row) => {
      const isRefused = row.reason !== null;
      if (chained.has(row)) next.chainId = row.prev;
      next.lateBelow = Math.min(next.lateBelow, isRefused ? row.end_id : row.no);
      const rest = isRefused ? row.no : 0;
      const seq = seqOf(row.batch_no, row.place);
      return { row, place: [seq, next.chainId, next.lateBelow, row.batch_no, rest] };
    });
  }

  /** Counted no further than `limit`. */
  async count(
    q: Reader,
    tenantId: number,
    cardId: string,
    filter: Filter,
    limit: number,
  ): Promise<number> {
    const card = await this.card.book.read(q, tenantId, cardId);
    const { outcome, fromSec, toSec, terminalId } = filter;
    const type = filter.type === null ? null : EVENT_CODE[filter.type];
    const isPlain = type === null && fromSec === 0 && toSec === none && terminalId === null;
    let total = 0;
    if (card !== undefined && outcome !== "rejected") {
      const { cardNo, head } = card;
      const flagged = outcome === null ? null : Number(outcome === "flagged");
      const of = [type, fromSec, toSec, flagged, terminalId, limit] as const;
      if (isPlain && flagged === null) total += head.depth + head.late;
      else {
        total += (await q.get(eventCountOfChain, tenantId, cardNo, head.top.id, ...of))?.count ?? 0;
        total += (await q.get(eventCountLate, tenantId, cardNo, ...of))?.count ?? 0;
      }
    }
    if (outcome === null || outcome === "rejected") {
      const of = [type, fromSec, toSec, terminalId, limit] as const;
      total += (await q.get(quarantineCountOfCard, tenantId, cardId, ...of))?.count ?? 0;
    }
    return total;
  }
}
