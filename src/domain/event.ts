/**
 * An event of a card: as a terminal hands it in, and as it is recorded. Hashes are 48-bit integers,
 * times UTC seconds, amounts minor units. What two events must share to be the same one stands here.
 */
import { type ChainEvent, EVENT_CODE, type EventType } from "./chain.ts";
import { type CardState, IDLE } from "./state.ts";

/** One event of a batch, well-formed but not judged. */
export interface IncomingEvent extends ChainEvent {
  readonly cardId: string;
  readonly counter: number;
}

/** An accepted event. `start` and `state` are null while nothing known leads to them. */
export interface Recorded extends ChainEvent {
  readonly id: number;
  readonly counter: number;
  /** Mask of `flag.ts`. */
  readonly flags: number;
  /** The predecessor is known. */
  readonly linked: boolean;
  readonly start: number | null;
  readonly state: CardState | null;
}

/** What stands below counter 1: the registration or reissue. Its hash is what a first entry names. */
export const registration = (openingBalance: number): Recorded => ({
  id: 0,
  counter: 0,
  type: "admin",
  amount: 0,
  balanceAfter: openingBalance,
  timestamp: 0,
  hash: 0,
  flags: 0,
  linked: true,
  start: 0,
  state: IDLE,
});

export const sameContent = (a: ChainEvent, b: ChainEvent): boolean =>
  a.hash === b.hash &&
  a.amount === b.amount &&
  a.balanceAfter === b.balanceAfter &&
  a.timestamp === b.timestamp &&
  a.type === b.type;

/** One string for card, counter and content: the identity of an event in quarantine. */
export const contentKey = (e: IncomingEvent): string =>
  `${e.cardId} ${e.counter} ${EVENT_CODE[e.type]} ${e.amount} ${e.balanceAfter} ${e.timestamp} ${e.hash}`;

/** One string for card and counter. */
export const placeKey = ({ cardId, counter }: Pick<IncomingEvent, "cardId" | "counter">): string =>
  `${cardId} ${counter}`;

const typeWords = new Map<number, EventType>(
  (Object.keys(EVENT_CODE) as EventType[]).map((word) => [EVENT_CODE[word], word]),
);

/** The word for a stored type code. @throws on a code that the table's CHECK forbids. */
export function eventType(code: number): EventType {
  const word = typeWords.get(code);
  if (word === undefined) throw new RangeError(`event type ${code}`);
  return word;
}
