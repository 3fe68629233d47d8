/**
 * Everything that the decision on a batch could need, read by key in the writer's transaction: cards
 * and heads, the parts of their histories that late events touch, weeks, top-ups, quarantine.
 */
import { placeEvery } from "../../../schema/bound.ts";
import type { ReviewStatus } from "../../domain/batch.ts";
import { type Calendar, weekOf } from "../../domain/calendar.ts";
import type { CardRecord } from "../../domain/cardrecord.ts";
import type { CardView, Need } from "../../domain/cardwork.ts";
import { contentKey, type IncomingEvent, placeKey } from "../../domain/event.ts";
import type { Run } from "../../domain/history.ts";
import type { Topup } from "../../domain/topup.ts";
import type { Writer } from "../../store/seam.ts";
import type { CardService } from "../card/service.ts";
import type { FlagService } from "../flag/service.ts";
import type { TopupService } from "../topup/service.ts";
import { readWeek } from "./store.ts";

export interface PrefetchDeps {
  readonly card: CardService;
  readonly topup: TopupService;
  readonly flag: FlagService;
}

/** A card's view while it is being read. */
interface Gathering extends CardView {
  readonly runs: Run[];
  weeks: Map<number, readonly number[]>;
  awaiting: readonly Topup[];
}

export interface Prefetched {
  readonly cards: Map<string, Gathering>;
  readonly quarantined: Map<
    string,
    { readonly quarantineNo: number; readonly status: ReviewStatus }
  >;
  readonly beside: Map<string, IncomingEvent>;
}

/** Shared by cards without any; never put into. */
const noWeeks = new Map<number, readonly number[]>();

const covered = (view: Gathering, counter: number): boolean =>
  view.runs.some((run) => run.lo <= counter && counter <= run.hi);

async function gather(
  tx: Writer,
  deps: PrefetchDeps,
  card: CardRecord,
  events: readonly IncomingEvent[],
  calendar: Calendar,
): Promise<Gathering> {
  const view: Gathering = { card, runs: [], weeks: noWeeks, awaiting: [] };
  const { head } = card;
  let credit = false;
  for (const event of events) {
    if (event.counter <= head.top.counter && !covered(view, event.counter)) {
      view.runs.push(await deps.card.readRun(tx, card, event.counter, placeEvery));
    }
    if (event.type === "credit") credit = true;
    if (event.type !== "debit") continue;
    const week = weekOf(calendar.dayOf(event.timestamp));
    if (week >= head.week || view.weeks.has(week)) continue;
    const days = await readWeek(tx, card, week);
    if (days === undefined) continue;
    if (view.weeks === noWeeks) view.weeks = new Map();
    view.weeks.set(week, days);
  }
  if (credit) view.awaiting = await deps.topup.readAwaiting(tx, card.tenantId, card.cardNo);
  return view;
}

/** Reads for the first try at a decision. */
export async function prefetch(
  tx: Writer,
  deps: PrefetchDeps,
  tenantId: number,
  events: readonly IncomingEvent[],
  calendar: Calendar,
): Promise<Prefetched> {
  const byCard = new Map<string, IncomingEvent[]>();
  for (const event of events) {
    const own = byCard.get(event.cardId);
    if (own === undefined) byCard.set(event.cardId, [event]);
    else own.push(event);
  }
  const result: Prefetched = { cards: new Map(), quarantined: new Map(), beside: new Map() };
  for (const [cardId, own] of byCard) {
    const card = await deps.card.book.find(tx, tenantId, cardId);
    if (card !== undefined) result.cards.set(cardId, await gather(tx, deps, card, own, calendar));
    // An unknown card may have been refused before; a known one says whether it has rows there.
    if (card !== undefined && !card.head.quarantined) continue;
    for (const event of own) {
      const kept = await deps.flag.readQuarantined(tx, tenantId, event);
      if (kept !== undefined) result.quarantined.set(contentKey(event), kept);
      const other = await deps.flag.readBeside(tx, tenantId, event);
      if (other !== undefined) result.beside.set(placeKey(event), other);
    }
  }
  return result;
}

/** Reads more of the histories that a decision asked for; `round` makes each time reach further. */
export async function fetchMore(
  tx: Writer,
  deps: PrefetchDeps,
  known: Prefetched,
  needs: readonly Need[],
  round: number,
): Promise<void> {
  for (const { cardId, counter } of needs) {
    const view = known.cards.get(cardId);
    if (view === undefined) throw new RangeError("a card that was not read has no history");
    view.runs.push(await deps.card.readRun(tx, view.card, counter, placeEvery * 4 ** round));
  }
}
