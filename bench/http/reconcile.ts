/**
 * `reconcile-50`, `-500`, `-1000`: terminals hand in chained events of random cards, limits on, over
 * connections that always have one batch under way. `reconcile-replay`: the same batches again, as
 * after lost replies. Batches are made before the clock starts; each answer is compared with what the
 * cards know, and in the end so is the file.
 */
import { checkCard, checkFile, checkResent, checkTaken } from "../check.ts";
import { BatchMaker } from "../domain/batch.ts";
import { type CardFacts, Cards } from "../domain/card.ts";
import { Random } from "../domain/random.ts";
import type { Sample } from "../stat.ts";
import { copyVenue, type Site, type Workload } from "../workload.ts";
import { closedLoop } from "./load.ts";
import { type Served, serveKartu } from "./process.ts";
import { leadMs, warmUpMs } from "./read.ts";
import { type Answer, bearer, once, requestBytes } from "./wire.ts";

/** Cards that are read back over HTTP after each repeat. */
const spotChecks = 10;
/** What is made in advance beyond the pace of the repeat before. */
const reserve = 1.5;
const firstEventsPerSec = 60_000;
const drainMaxMs = 60_000;

interface Ready {
  readonly request: Uint8Array;
  readonly events: number;
  readonly overLimit: readonly string[];
  /** The card of its last event, as the server must tell of it once this is taken. */
  readonly after: CardFacts;
}

/** A stream of fresh batches over one server, in the order that each card needs. */
export class Ingest {
  readonly cards: Cards;
  readonly #maker: BatchMaker;
  /** To be sent, the next one last. */
  readonly #queues: Ready[][];
  readonly #underWay: (Ready | undefined)[];
  /** Sent, and not answered yet. */
  readonly #open: (Ready | undefined)[];
  /** Made while the clock ran, because more was done than foreseen. */
  #madeLate = 0;
  #eventsPerSec = firstEventsPerSec;
  /** Events of the batches that were answered. */
  taken = 0;
  /** The last card of the batch that was answered last, as it was then. */
  lastTaken: CardFacts | undefined;

  constructor(
    readonly site: Site,
    readonly url: URL,
    readonly events: number,
    readonly connections: number,
    cards?: Cards,
  ) {
    const { venue, seed } = site;
    const random = new Random(seed + events);
    this.cards = cards ?? Cards.opened(venue.cards, venue.openSec, random);
    const uploaders = venue.devices.filter((device) => device.role === "terminal");
    this.#maker = new BatchMaker(this.cards, uploaders, random, connections);
    this.#queues = Array.from({ length: connections }, () => []);
    this.#underWay = Array.from({ length: connections }, () => undefined);
    this.#open = Array.from({ length: connections }, () => undefined);
  }

  make(connection: number): Ready {
    const { body, token, ...rest } = this.#maker.make(connection, this.events);
    const request = requestBytes(this.url, "POST", "/api/reconcile", bearer(token), body);
    return { request, ...rest };
  }

  /** Makes what a span of this length will need. */
  prepare(spanMs: number): void {
    const events = (this.#eventsPerSec * reserve * spanMs) / 1000;
    const each = Math.ceil(events / this.events / this.connections) + 1;
    for (const [connection, queue] of this.#queues.entries()) {
      const fresh: Ready[] = [];
      while (queue.length + fresh.length < each) fresh.push(this.make(connection));
      queue.unshift(...fresh.reverse());
    }
    this.#madeLate = 0;
  }

  next(connection: number): Uint8Array {
    let ready = this.#queues[connection]?.pop();
    if (ready === undefined) {
      this.#madeLate += 1;
      ready = this.make(connection);
    }
    this.#underWay[connection] = ready;
    this.#open[connection] = ready;
    return ready.request;
  }

  check(answer: Answer, connection: number): number {
    const ready = this.#underWay[connection];
    if (ready === undefined) throw new Error("an answer to nothing");
    checkTaken(answer, ready.events, ready.overLimit);
    this.#open[connection] = undefined;
    this.taken += ready.events;
    this.lastTaken = ready.after;
    return ready.events;
  }

  /** Sends again what was never answered, as terminals do: taken now, or known already. */
  async resend(): Promise<void> {
    for (const [connection, ready] of this.#open.entries()) {
      if (ready === undefined) continue;
      const answer = await once(this.url, ready.request);
      if (answer.status === 409) checkResent(answer, ready.events);
      else checkTaken(answer, ready.events, ready.overLimit);
      this.#open[connection] = undefined;
      this.taken += ready.events;
    }
  }

  /** After a span: some cards are read back over HTTP. */
  async settle(eventsPerSec: number): Promise<void> {
    this.#eventsPerSec = Math.max(eventsPerSec, this.#eventsPerSec / 2);
    if (this.#madeLate > 0) this.site.warn(`${this.#madeLate} batches were made too late`);
    const token = this.site.venue.devices[0]?.token ?? "";
    for (const ready of this.#underWay.slice(0, spotChecks)) {
      if (ready === undefined) continue;
      const path = `/api/cards/${ready.after.cardId}`;
      const answer = await once(this.url, requestBytes(this.url, "GET", path, bearer(token)));
      checkCard(answer, ready.after);
    }
  }

  /** One span of flat-out load. */
  async run(windowMs: number): Promise<Sample> {
    this.prepare(leadMs + windowMs);
    const sample = await this.load(leadMs, windowMs);
    await this.settle(sample.value);
    return sample;
  }

  load(lead: number, windowMs: number): Promise<Sample> {
    return closedLoop({
      url: this.url,
      connections: this.connections,
      leadMs: lead,
      windowMs,
      next: (connection) => this.next(connection),
      check: (answer, connection) => this.check(answer, connection),
    });
  }

  /** Sends what is left, so that cards and file agree. */
  async drain(): Promise<void> {
    const { url, connections } = this;
    await closedLoop({
      url,
      connections,
      leadMs: 0,
      windowMs: drainMaxMs,
      next: (connection) =>
        this.#queues[connection]?.length === 0 ? undefined : this.next(connection),
      check: (answer, connection) => this.check(answer, connection),
    });
  }
}

/** A connection's cards are at least as many as the events of its batch. */
export const connectionsFor = (events: number): number => (events > 500 ? 16 : 32);

export const reconcileWorkload = (events: number): Workload => ({
  name: `reconcile-${events}`,
  unit: "events/s",
  about: `POST /api/reconcile, ${events} chained events of random cards a batch`,
  start: async (site) => {
    const dataDir = copyVenue(site, `reconcile-${events}`);
    const served = await serveKartu(dataDir, site.pins.server);
    const ingest = new Ingest(site, served.url, events, connectionsFor(events));
    return {
      warmUp: async () => {
        await ingest.run(warmUpMs);
      },
      sample: async (windowMs) => ({ ...(await ingest.run(windowMs)), rows: ingest.taken }),
      finish: () => finishIngest(ingest, served, dataDir),
    };
  },
});

/** `before`: events that were in the file when the cards began to count. */
export async function finishIngest(
  ingest: Ingest,
  served: Served,
  dataDir: string,
  before?: number,
): Promise<void> {
  await ingest.drain();
  await served.stop();
  checkFile(dataDir, ingest.cards, before);
}

const replayEvents = 500;
const replayBatches = 256;

/** Batches that were taken once, sent over and over. */
class Replay {
  readonly #taken: Ready[] = [];
  readonly #underWay: Ready[] = [];
  #at = 0;

  constructor(readonly ingest: Ingest) {}

  /** Hands in the batches for the first time. */
  async fill(): Promise<void> {
    const { ingest } = this;
    for (let i = 0; i < replayBatches; i++) {
      const ready = ingest.make(i % ingest.connections);
      checkTaken(await once(ingest.url, ready.request), ready.events, ready.overLimit);
      this.#taken.push(ready);
    }
  }

  run(windowMs: number): Promise<Sample> {
    const { url, connections } = this.ingest;
    return closedLoop({
      url,
      connections,
      leadMs,
      windowMs,
      next: (connection) => {
        const ready = this.#taken[this.#at % this.#taken.length];
        if (ready === undefined) throw new RangeError("nothing to send again");
        this.#at += 1;
        this.#underWay[connection] = ready;
        return ready.request;
      },
      check: (answer, connection) => {
        const events = this.#underWay[connection]?.events ?? 0;
        checkResent(answer, events);
        return events;
      },
    });
  }
}

export const replayWorkload: Workload = {
  name: "reconcile-replay",
  unit: "events/s",
  apart: true,
  about: "batches of 500 that were taken before, sent again: 409 and nothing changes",
  start: async (site) => {
    const dataDir = copyVenue(site, "reconcile-replay");
    const served = await serveKartu(dataDir, site.pins.server);
    const { url } = served;
    const ingest = new Ingest(site, url, replayEvents, connectionsFor(replayEvents));
    const replay = new Replay(ingest);
    return {
      warmUp: async () => {
        await replay.fill();
        await replay.run(warmUpMs);
      },
      sample: (windowMs) => replay.run(windowMs),
      finish: () => finishIngest(ingest, served, dataDir),
    };
  },
};
