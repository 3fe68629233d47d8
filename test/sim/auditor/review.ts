/** The review queue as operators see it, and what their decisions move. */

import type { Books } from "./books.ts";
import type { Calendar } from "./day.ts";
import {
  type Asked,
  type Due,
  iso,
  mismatch,
  objectOf,
  ok,
  type Part,
  type Parts,
  refuse,
  textOf,
} from "./due.ts";
import { closeRow } from "./flag.ts";
import { accept, countHoles, rejectionOf } from "./ingest.ts";
import { unknown, wrongState } from "./operator.ts";
import { block, type Card, type Flag, FRAUD, type Quarantined, type WireEvent } from "./thing.ts";

const stillRejected = refuse(409, "still-rejected");
/** Debits that fail for one of these alone are booked as they stand. */
const bookable = ["counter_conflict", "counter_leap", "invalid_amount"];

/** An event as evidence shows it. */
const seenAs = (event: WireEvent | undefined): Part =>
  event === undefined
    ? null
    : {
        ...{ counter: event.counter, type: event.type, amount: event.amount, hash: event.hash },
        ...{ balanceAfter: event.balanceAfter, timestamp: iso(event.timestamp) },
      };

/** What a flag is from the first, as operators see it. */
function shown(books: Books, flag: Flag): Parts {
  const { reason, severity, cardId, counter, amount, raisedSec, terminalId, row } = flag;
  const card = books.cards.get(cardId);
  const isConflict = row !== undefined && reason === "counter_conflict";
  const recorded = card?.events.find((each) => isConflict && each.counter === counter);
  return {
    ...{ reason, severity, cardId, counter, amount, raisedAt: iso(raisedSec) },
    kind: row ? "quarantine" : "flag",
    terminalId,
    evidence: {
      ...{ event: seenAs(flag.event ?? row?.event), ...flag.evidence },
      ...(isConflict && { conflict: seenAs(recorded) }),
    },
  };
}

/** As it is now; what it says after a decision is what was decided. */
function present(books: Books, flag: Flag): Parts {
  const { status, decided } = flag;
  return { ...shown(books, flag), id: flag.id, status, ...decided };
}

/** The flag that was met, which has its id from now on. */
function known({ books }: Asked, met: unknown): Flag | undefined {
  const { id } = objectOf(met);
  const byId = books.flags.find((flag) => flag.id === id);
  const flag =
    byId ??
    books.flags.find(
      (each) => each.id === undefined && mismatch(shown(books, each), met) === undefined,
    );
  if (flag) flag.id ??= String(id);
  return flag;
}

const isFlag =
  (asked: Asked): Part =>
  (met) => {
    const flag = known(asked, met);
    return flag !== undefined && mismatch(present(asked.books, flag), met) === undefined;
  };

/** `GET /fleet/flags`: as many as there are, each of them one that there is. */
export function listFlags(asked: Asked): Due {
  const { books, query, answer } = asked;
  const wanted = (name: string, value: unknown): boolean =>
    query.get(name) === null || query.get(name) === String(value);
  const status = query.get("status") ?? "open";
  if (query.has("from") || query.has("to") || query.has("terminalId")) return { status: 200 };
  const matching = books.flags.filter(
    (flag) =>
      flag.status === status &&
      wanted("kind", flag.row ? "quarantine" : "flag") &&
      wanted("reason", flag.reason) &&
      wanted("severity", flag.severity) &&
      wanted("cardId", flag.cardId),
  );
  const data = objectOf(answer.json).data as readonly unknown[] | undefined;
  const limit = Number(query.get("limit") ?? 20);
  const total = matching.length;
  const isFirst = !query.has("cursor");
  const due = isFirst ? Math.min(limit, total) : (data?.length ?? 0);
  return ok({
    meta: { total, ...(isFirst && { hasMore: total > limit }) },
    data: Array.from({ length: due }, () => isFlag(asked)),
  });
}

export function showFlag(asked: Asked): Due {
  const flag = asked.books.flags.find(({ id }) => id === asked.ids[0]);
  return flag ? ok(isFlag(asked)) : unknown;
}

/** An event that was kept out is let in, or stays out. */
function approveRow(asked: Asked, calendar: Calendar, row: Quarantined): boolean {
  const { books, nowSec } = asked;
  const { event, device } = row;
  const reason = rejectionOf(books, event);
  const card = books.cards.get(event.cardId);
  if (card === undefined) return false;
  if (reason === undefined) {
    accept(books, calendar, { card, event, device, nowSec });
    countHoles(card, nowSec);
    // It comes in as a batch of its own.
    books.batches += 1;
  } else if (event.type === "debit" && bookable.includes(reason)) {
    books.ledger.move([card, "available"], device, event.amount);
    row.side = true;
  } else return false;
  closeRow(books, row, "approved");
  return true;
}

function decide(
  asked: Asked,
  calendar: Calendar,
  { id, isApproval, block: mayBlock }: { id: string; isApproval: boolean; block: boolean },
): Due {
  const { books, nowSec } = asked;
  const flag = books.flags.find((each) => each.id === id);
  if (flag === undefined) return unknown;
  if (flag.status !== "open") return wrongState;
  const { row, event } = flag;
  if (row) {
    if (!isApproval) closeRow(books, row, "dismissed");
    else if (!approveRow(asked, calendar, row)) return stillRejected;
  }
  flag.status = isApproval ? "approved" : "dismissed";
  flag.decided = { decidedAt: iso(nowSec), note: textOf(asked.body.note) };
  if (event?.parked === "waiting" && flag.reason === "unauthorised_credit") {
    const card = books.cards.get(event.cardId) as Card;
    books.ledger.move("suspense", isApproval ? [card, "available"] : "cash", event.amount);
    event.parked = isApproval ? "approved" : "dismissed";
    if (!isApproval && mayBlock) block(card, FRAUD, nowSec);
  }
  return ok(present(books, flag));
}

export const approveFlag =
  (calendar: Calendar) =>
  (asked: Asked): Due =>
    decide(asked, calendar, { id: asked.ids[0] ?? "", isApproval: true, block: false });

export const dismissFlag =
  (calendar: Calendar) =>
  (asked: Asked): Due => {
    const mayBlock = asked.body.block !== false;
    return decide(asked, calendar, { id: asked.ids[0] ?? "", isApproval: false, block: mayBlock });
  };

/** `POST /fleet/flags/decide`: each item stands alone. */
export const decideFlags =
  (calendar: Calendar) =>
  (asked: Asked): Due => {
    const ids = asked.body.ids as readonly string[];
    const isApproval = asked.body.decision === "approve";
    const dues = ids.map((id) => decide(asked, calendar, { id, isApproval, block: true }));
    const isWhole = dues.every(({ status }) => status < 300);
    const data = dues.map(({ status, body }, index) => ({
      ...{ index, status },
      ...(status < 300 && body !== undefined && { result: body }),
    }));
    return ok({ data }, isWhole ? 200 : 207);
  };
