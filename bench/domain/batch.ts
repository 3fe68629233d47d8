/**
 * Batches as terminals hand them in: ready requests, each with what must be answered. The cards are
 * dealt out among the connections, so that a card's events arrive in their order although many batches
 * are under way; each batch draws different cards at random from its connection's share.
 */
import type { CardFacts, Cards } from "./card.ts";
import type { Random } from "./random.ts";

export interface Uploader {
  readonly token: string;
  readonly terminalId: number;
}

export interface Batch {
  /** The request's body. */
  readonly body: string;
  readonly token: string;
  readonly events: number;
  /** Flags that the answer must hold, in its order: `cardId counter`. */
  readonly overLimit: readonly string[];
  /** The card of its last event. */
  readonly after: CardFacts;
}

interface Share {
  /** Card numbers, shuffled as they are drawn. */
  readonly cards: Uint32Array;
}

export class BatchMaker {
  readonly #shares: Share[];

  constructor(
    readonly cards: Cards,
    readonly uploaders: readonly Uploader[],
    readonly random: Random,
    connections: number,
  ) {
    this.#shares = Array.from({ length: connections }, (_, connection) => {
      const own: number[] = [];
      for (let index = connection; index < cards.count; index += connections) own.push(index);
      return { cards: Uint32Array.from(own) };
    });
  }

  make(connection: number, events: number): Batch {
    const { cards, random, uploaders } = this;
    const share = this.#shares[connection]?.cards ?? new Uint32Array(0);
    const uploader = uploaders[random.below(uploaders.length)];
    if (uploader === undefined || share.length === 0) throw new RangeError("nothing to draw from");
    const overLimit: string[] = [];
    let last = 0;
    let body = `{"terminalId":${uploader.terminalId},"events":[`;
    for (let i = 0; i < events; i++) {
      const index = draw(share, i % share.length, random);
      if (i > 0) body += ",";
      body += cards.next(index);
      last = index;
      if (cards.lastIsOverLimit) overLimit.push(flagOf(cards.facts(index)));
    }
    return {
      body: `${body}]}`,
      token: uploader.token,
      events,
      overLimit,
      after: cards.facts(last),
    };
  }
}

const flagOf = ({ cardId, counter }: CardFacts): string => `${cardId} ${counter}`;

/** Puts a random one of those from `at` on in place `at`: no card twice in one round. */
function draw(share: Uint32Array, at: number, random: Random): number {
  const other = at + random.below(share.length - at);
  const drawn = share[other] ?? 0;
  share[other] = share[at] ?? 0;
  share[at] = drawn;
  return drawn;
}
