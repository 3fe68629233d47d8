/**
 * `topup`: stations take money for cards, one durable ledger transaction each. The cards are dealt out
 * among the connections, so the balance that each answer must name is known.
 */
import { checkMoney, rowsOf } from "../check.ts";
import { Cards, cardIdOf, hasExtra } from "../domain/card.ts";
import { Random } from "../domain/random.ts";
import { copyVenue, type Site, type Workload } from "../workload.ts";
import { closedLoop } from "./load.ts";
import { serveKartu } from "./process.ts";
import { leadMs, smallConnections, warmUpMs } from "./read.ts";
import { type Answer, bearer, requestBytes } from "./wire.ts";

const amountMaxMinor = 200;

interface Asked {
  readonly card: number;
  readonly amount: number;
}

/** Makes top-ups and knows what must be answered. */
export class Topups {
  readonly #stations: readonly string[];
  readonly #cards: Cards;
  readonly #added: Float64Array;
  readonly #random: Random;
  readonly #asked: Asked[] = [];
  readonly #times: Uint32Array;
  count = 0;

  /** For the cards from number `first` on. */
  constructor(
    { venue, seed }: Site,
    readonly first = 0,
  ) {
    this.#random = new Random(seed);
    this.#cards = Cards.opened(venue.cards, venue.openSec, this.#random);
    this.#added = new Float64Array(venue.cards);
    this.#times = new Uint32Array(venue.cards).fill(venue.openSec + 3_600);
    this.#stations = venue.devices
      .filter((device) => device.role === "station")
      .map((device) => device.token);
  }

  next(url: URL, connection: number): Uint8Array {
    const random = this.#random;
    const from = this.first + connection;
    const own = Math.floor((this.#cards.count - 1 - from) / smallConnections) + 1;
    const card = from + smallConnections * random.below(own);
    const amount = 1 + random.below(amountMaxMinor);
    // A time of its own makes each a new top-up and not a repeat of an equal one.
    const timestamp = (this.#times[card] ?? 0) + 1;
    this.#times[card] = timestamp;
    const body = JSON.stringify({ amount, operatorId: 7, timestamp });
    const token = this.#stations[random.below(this.#stations.length)] ?? "";
    this.#asked[connection] = { card, amount };
    const path = `/api/cards/${cardIdOf(card)}/topup`;
    return requestBytes(url, "POST", path, bearer(token), body);
  }

  check({ status, body }: Answer, connection: number): void {
    const asked = this.#asked[connection];
    if (status !== 200 || asked === undefined) throw new Error(`topup: ${status} ${body}`);
    const { card, amount } = asked;
    this.#added[card] = (this.#added[card] ?? 0) + amount;
    const answer = JSON.parse(body) as Record<string, unknown>;
    const balance = this.#cards.facts(card).balance + (this.#added[card] ?? 0);
    const right =
      answer.cardId === cardIdOf(card) &&
      answer.amount === amount &&
      answer.balance === balance &&
      answer.status === "PENDING";
    if (!right) throw new Error(`topup: expected ${amount} and ${balance}, got ${body}`);
    this.count += 1;
  }
}

/** Those that the venue was made with. */
export function topupsBefore(cards: number): number {
  let count = cards;
  for (let index = 0; index < cards; index++) if (hasExtra(index)) count += 1;
  return count;
}

export const topupWorkload: Workload = {
  name: "topup",
  unit: "top-ups/s",
  about: "POST /api/cards/:cardId/topup by stations: durable, double entry",
  start: async (site) => {
    const dataDir = copyVenue(site, "topup");
    const served = await serveKartu(dataDir, site.pins.server);
    const topups = new Topups(site);
    const connections = Math.min(smallConnections, site.venue.cards);
    const sample = (windowMs: number) =>
      closedLoop({
        url: served.url,
        connections,
        leadMs,
        windowMs,
        next: (connection) => topups.next(served.url, connection),
        check: (answer, connection) => {
          topups.check(answer, connection);
          return 1;
        },
      });
    return {
      warmUp: async () => {
        await sample(warmUpMs);
      },
      sample,
      finish: async () => {
        await served.stop();
        const expected = topupsBefore(site.venue.cards) + topups.count;
        const rows = rowsOf(dataDir, "topup");
        if (rows !== expected) throw new Error(`topup: ${rows} rows for ${expected} top-ups`);
        checkMoney(dataDir);
      },
    };
  },
};
