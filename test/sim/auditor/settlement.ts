/**
 * What terminals took, by the day of the event in the tenant's time zone, and the runs that close days: a
 * run holds what is in its days and in no run yet, and what came late for days that were closed before.
 */

import type { Books, Run } from "./books.ts";
import type { Calendar } from "./day.ts";
import { type Asked, type Due, type Fit, mismatch, objectOf, ok, refuse, textOf } from "./due.ts";
import type { EventType } from "./thing.ts";

/** A device's event, or one that was approved beside its chain. */
interface Item {
  readonly type: EventType;
  readonly amount: number;
  readonly date: string;
  readonly terminalId: number;
  /** The thing itself, by which it is known again. */
  readonly of: object;
}

function itemsOf(books: Books, calendar: Calendar): Item[] {
  const recorded = [...books.cards.values()].flatMap(({ events }) =>
    events.map((event) => ({ event, device: event.device, of: event as object })),
  );
  const beside = books.quarantine
    .filter(({ side }) => side)
    .map((row) => ({ event: row.event, device: row.device, of: row as object }));
  return [...recorded, ...beside].map(({ event: { type, amount, timestamp }, device, of }) => {
    return { type, amount, date: calendar.date(timestamp), terminalId: device.terminalId, of };
  });
}

function totalsOf(items: readonly Item[]) {
  const of = (type: EventType) => items.filter((item) => item.type === type);
  const sum = (type: EventType) => of(type).reduce((total, { amount }) => total + amount, 0);
  return {
    ...{ checkins: of("checkin").length, checkouts: of("checkout").length },
    ...{ debits: of("debit").length, debitAmount: sum("debit") },
    ...{ credits: of("credit").length, creditAmount: sum("credit") },
  };
}

/**
 * The rows of a list that holds them all: each terminal's day as it should be, and none that is missing.
 * Days of which only top-ups, refunds or what was kept out is told are free.
 */
const areRows =
  (items: readonly Item[], limit: number): Fit =>
  (met) => {
    if (!Array.isArray(met)) return false;
    const keyOf = (date: unknown, terminalId: unknown): string => `${date} ${terminalId}`;
    // Of an admin event nothing is told.
    const told = items.filter(({ type }) => type !== "admin");
    const days = Map.groupBy(told, ({ date, terminalId }) => keyOf(date, terminalId));
    const keys = met.map((row) => keyOf(objectOf(row).date, objectOf(row).terminalId));
    const isWhole = met.length < limit;
    return (
      (!isWhole || [...days.keys()].every((key) => keys.includes(key))) &&
      met.every((row, at) => mismatch(totalsOf(days.get(keys[at] ?? "") ?? []), row) === undefined)
    );
  };

const isIn = ({ from, to, terminalId }: Run, item: Pick<Item, "date" | "terminalId">): boolean =>
  item.date >= from &&
  item.date <= to &&
  (terminalId === undefined || terminalId === item.terminalId);

/** `GET /fleet/settlement`. */
export const show =
  (calendar: Calendar) =>
  ({ books, query }: Asked): Due => {
    const [from = "", to = ""] = [query.get("from") ?? "", query.get("to") ?? ""];
    const asked = query.get("terminalId");
    const run: Run = { from, to, terminalId: asked === null ? undefined : Number(asked) };
    const items = itemsOf(books, calendar).filter((item) => isIn(run, item));
    return (query.get("format") ?? "json") === "json"
      ? ok({
          totals: totalsOf(items),
          ...(!query.has("cursor") && { data: areRows(items, Number(query.get("limit") ?? 20)) }),
        })
      : { status: 200 };
  };

const overlaps = (a: Run, b: Run): boolean => {
  const isShared =
    a.terminalId === undefined || b.terminalId === undefined || a.terminalId === b.terminalId;
  return isShared && a.from <= b.to && b.from <= a.to;
};

/** `POST /fleet/settlement/runs`. */
export const close =
  (calendar: Calendar) =>
  ({ books, body, nowSec }: Asked): Due => {
    const [from, to] = [textOf(body.from), textOf(body.to)];
    const { runs } = books;
    const terminalId = typeof body.terminalId === "number" ? body.terminalId : undefined;
    const run: Run = { from, to, terminalId };
    const codes = [
      ...(to >= calendar.date(nowSec) ? ["wrong-state"] : []),
      ...(runs.all.some((each) => overlaps(each, run)) ? ["already-exists"] : []),
    ];
    if (codes.length > 0) return refuse(409, ...codes);
    const items = itemsOf(books, calendar).filter((item) => {
      const isOurs = terminalId === undefined || terminalId === item.terminalId;
      const isLate = runs.all.some((each) => isIn(each, item));
      return isOurs && !runs.held.has(item.of) && (isIn(run, item) || isLate);
    });
    for (const { of } of items) runs.held.add(of);
    runs.all.push(run);
    const number = runs.all.length;
    const whose = terminalId ?? null;
    return ok({ from, to, number, terminalId: whose, totals: totalsOf(items) }, 201);
  };
