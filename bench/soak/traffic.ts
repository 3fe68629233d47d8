/** Traffic that only a soak has, with the judges of its answers: card reads beside writes, and replays. */
import { checkResent } from "../check.ts";
import { cardIdOf } from "../domain/card.ts";
import { Random } from "../domain/random.ts";
import { type Answer, bearer, requestBytes } from "../http/wire.ts";
import type { Site } from "../workload.ts";

/** Batches that are kept to be sent again. */
export const keptBatches = 64;

/** Random cards, read by random devices: what a card has counted never goes back. */
export class Reads {
  readonly #requests: readonly Uint8Array[];
  readonly #seen: Float64Array;
  readonly #asked: { readonly card: number; readonly seen: number }[] = [];
  readonly #random: Random;

  constructor({ venue, seed }: Site, url: URL) {
    this.#random = new Random(seed);
    this.#seen = new Float64Array(venue.cards);
    this.#requests = Array.from({ length: venue.cards }, (_, card) => {
      const device = venue.devices[this.#random.below(venue.devices.length)];
      const path = `/api/cards/${cardIdOf(card)}`;
      return requestBytes(url, "GET", path, bearer(device?.token ?? ""));
    });
  }

  next(connection: number): Uint8Array {
    const card = this.#random.below(this.#requests.length);
    this.#asked[connection] = { card, seen: this.#seen[card] ?? 0 };
    return this.#requests[card] ?? new Uint8Array(0);
  }

  check({ status, body }: Answer, connection: number): void {
    const { card = 0, seen = 0 } = this.#asked[connection] ?? {};
    const answer = JSON.parse(body) as { cardId?: string; counter?: number };
    const counter = answer.counter ?? -1;
    if (status !== 200 || answer.cardId !== cardIdOf(card) || counter < seen) {
      throw new Error(`card ${cardIdOf(card)}, seen at ${seen}: ${status} ${body}`);
    }
    if (counter > (this.#seen[card] ?? 0)) this.#seen[card] = counter;
  }
}

/** Batches that were taken, sent again as after a lost reply. */
export class Replays {
  readonly #kept: { readonly request: Uint8Array; readonly events: number }[] = [];
  readonly #sent: number[] = [];
  #at = 0;

  keep(request: Uint8Array, events: number): void {
    if (this.#kept.length < keptBatches) this.#kept.push({ request, events });
  }

  next(connection: number): Uint8Array {
    const kept = this.#kept[this.#at % this.#kept.length];
    if (kept === undefined) throw new RangeError("nothing to send again");
    this.#at += 1;
    this.#sent[connection] = kept.events;
    return kept.request;
  }

  check(answer: Answer, connection: number): void {
    checkResent(answer, this.#sent[connection] ?? 0);
  }
}
