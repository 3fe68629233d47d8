/** What devices report, and what follows: blocks, cards under review, alerts. */
import { type Due, type Heard, ok } from "./due.ts";
import { flagCard, openFlagsOf } from "./flag.ts";
import { block, daySec, FRAUD, type Report, TAMPER, weekSec } from "./thing.ts";

const blocksMax = 20;

const isRepeat = (a: Report, b: Report): boolean =>
  a.terminalId === b.terminalId &&
  a.cardId === b.cardId &&
  a.eventType === b.eventType &&
  a.counter === b.counter &&
  a.timestamp === b.timestamp;

/** `POST /api/terminal-report`. */
export function report(heard: Heard): Due {
  const { books, device, nowSec } = heard;
  const { terminalId } = device;
  const body = heard.body as unknown as Omit<Report, "receivedSec" | "terminalId">;
  const { cardId, eventType, counter, timestamp } = body;
  const made: Report = {
    ...{ terminalId, cardId, eventType, counter, timestamp },
    receivedSec: nowSec,
  };
  const done = ok(undefined, 204);
  if (books.reports.some((each) => isRepeat(each, made))) return done;
  books.reports.push(made);
  const card = cardId === null ? undefined : books.cards.get(cardId);
  if (card === undefined) {
    // It is recorded; whether anybody is told of a card that is not known is not said.
    books.alertsOpen.add(`${eventType} ${cardId}`);
    return done;
  }
  if (eventType === "write_failure") {
    card.needsValidation = true;
    if (isSecondFailure(books.reports, made)) books.alerts.add(`${eventType} ${cardId}`);
  }
  if (eventType !== "tamper" && eventType !== "replay") return done;

  books.alerts.add(`${eventType} ${card.cardId}`);
  const recent = device.blocksSec.filter((sec) => sec > nowSec - daySec);
  const mayBlock = device.status === "active" && recent.length < blocksMax;
  if (mayBlock && block(card, eventType === "tamper" ? TAMPER : FRAUD, nowSec)) {
    device.blocksSec.push(nowSec);
  }
  if (eventType === "replay") {
    const isOpen = openFlagsOf(
      books,
      (flag) => flag.reason === "under_review" && flag.cardId === card.cardId,
    );
    const reason = "under_review";
    if (isOpen.length === 0) flagCard(books, card.cardId, { reason, terminalId, nowSec });
  }
  return done;
}

/** Whether a write of the card failed before, so shortly that an operator is told. */
const isSecondFailure = (reports: readonly Report[], { cardId, receivedSec }: Report): boolean =>
  reports.filter(
    (each) =>
      each.cardId === cardId &&
      each.eventType === "write_failure" &&
      each.receivedSec > receivedSec - weekSec,
  ).length > 1;
