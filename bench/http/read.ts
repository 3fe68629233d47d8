/**
 * Small questions, asked by many devices over 64 connections: `card-read`, `policy-304`,
 * `blocklist-304`, and the yardstick `ceiling-http`. The first three change nothing and share a server.
 */
import { fileURLToPath } from "node:url";
import { blockedOf, checkCard } from "../check.ts";
import { Cards, cardIdOf, dailyLimitMinor, singleTxLimitMinor } from "../domain/card.ts";
import { Random } from "../domain/random.ts";
import type { Sample } from "../stat.ts";
import { copyVenue, type Running, type Site, type Workload } from "../workload.ts";
import { closedLoop } from "./load.ts";
import { type Served, serve, serveKartu } from "./process.ts";
import { type Answer, bearer, headerOf, once, requestBytes } from "./wire.ts";

export const smallConnections = 64;
export const leadMs = 100;
export const warmUpMs = 400;

/** Requests that are made once and then drawn at random, and the judge of their answers. */
interface Small {
  readonly requests: readonly Uint8Array[];
  /** @throws when it is not the answer to request `drawn` */
  check(answer: Answer, drawn: number): void;
}

const smallRunning = (
  url: URL,
  random: Random,
  small: Small,
  end: () => Promise<void>,
): Running => {
  const drawn = new Uint32Array(smallConnections);
  const sample = (windowMs: number): Promise<Sample> =>
    closedLoop({
      url,
      connections: smallConnections,
      leadMs,
      windowMs,
      next: (connection) => {
        const at = random.below(small.requests.length);
        drawn[connection] = at;
        const request = small.requests[at];
        if (request === undefined) throw new RangeError("no requests");
        return request;
      },
      check: (answer, connection) => {
        small.check(answer, drawn[connection] ?? 0);
        return 1;
      },
    });
  return {
    warmUp: async () => {
      await sample(warmUpMs);
    },
    sample,
    finish: end,
  };
};

/** One server for those that only read; it stops with the last of them. */
class SharedServer {
  #served: Promise<Served> | undefined;
  #users = 0;

  take(site: Site): Promise<Served> {
    this.#users += 1;
    this.#served ??= serveKartu(copyVenue(site, "read"), site.pins.server);
    return this.#served;
  }

  async leave(): Promise<void> {
    this.#users -= 1;
    if (this.#users === 0) await (await this.#served)?.stop();
  }
}

/** Every card by any device; each answer is compared with one that was judged field by field. */
function cardReads({ venue, seed }: Site, url: URL): Small {
  const random = new Random(seed);
  const cards = Cards.opened(venue.cards, venue.openSec, random);
  const judged: string[] = [];
  const requests = Array.from({ length: venue.cards }, (_, index) => {
    const device = venue.devices[random.below(venue.devices.length)];
    return requestBytes(url, "GET", `/api/cards/${cardIdOf(index)}`, bearer(device?.token ?? ""));
  });
  return {
    requests,
    check: (answer, drawn) => {
      if (answer.status === 200 && answer.body === judged[drawn]) return;
      checkCard(answer, cards.facts(drawn));
      judged[drawn] = answer.body;
    },
  };
}

/** Asks once in full, then always with the tag of that answer. */
export async function unchanged(
  { venue }: Site,
  url: URL,
  path: string,
  judge: (body: string) => void,
): Promise<Small> {
  const first = venue.devices[0];
  const full = await once(url, requestBytes(url, "GET", path, bearer(first?.token ?? "")));
  const tag = headerOf(full.head, "etag");
  if (full.status !== 200 || tag === undefined) {
    throw new Error(`${path}: ${full.status} with etag ${tag}`);
  }
  judge(full.body);
  const requests = venue.devices.map(({ token }) =>
    requestBytes(url, "GET", path, { ...bearer(token), "if-none-match": tag }),
  );
  return {
    requests,
    check: (answer) => {
      if (answer.status !== 304 || answer.body !== "" || !answer.head.includes(tag)) {
        throw new Error(`${path}: expected 304 ${tag}, got ${answer.head} ${answer.body}`);
      }
    },
  };
}

export function judgePolicy(body: string): void {
  const { singleTxLimit, dailyLimit } = JSON.parse(body) as Record<string, unknown>;
  if (singleTxLimit !== singleTxLimitMinor || dailyLimit !== dailyLimitMinor) {
    throw new Error(`policy: not the venue's limits: ${body}`);
  }
}

export function readWorkloads(): Workload[] {
  const server = new SharedServer();
  const reading = (
    name: string,
    about: string,
    make: (site: Site, url: URL) => Small | Promise<Small>,
  ): Workload => ({
    name,
    unit: "reads/s",
    about,
    start: async (site) => {
      const { url } = await server.take(site);
      const small = await make(site, url);
      return smallRunning(url, new Random(site.seed), small, () => server.leave());
    },
  });
  return [
    reading("card-read", "GET /api/cards/:cardId, any card, any device", cardReads),
    reading("policy-304", "GET /api/policy with the tag of the last answer", (site, url) =>
      unchanged(site, url, "/api/policy", judgePolicy),
    ),
    reading("blocklist-304", "GET /api/blocklist with the tag of the last answer", (site, url) =>
      unchanged(site, url, "/api/blocklist", (body) => {
        if (blockedOf(body) !== site.venue.blocked) throw new Error("blocklist: wrong length");
      }),
    ),
  ];
}

const ceilingScript = fileURLToPath(new URL("./ceiling.ts", import.meta.url));

/** The same client against a server that does nothing: where the HTTP stack, or the client, ends. */
export const ceilingHttp: Workload = {
  name: "ceiling-http",
  unit: "reads/s",
  about: "yardstick: bare Elysia, a constant JSON",
  start: async (site) => {
    const served = await serve([ceilingScript], site.pins.server);
    const { url } = served;
    const first = await once(url, requestBytes(url, "GET", "/ceiling"));
    const requests = site.venue.devices.map(({ token }) =>
      requestBytes(url, "GET", "/ceiling", bearer(token)),
    );
    const check = (answer: Answer): void => {
      if (answer.status !== 200 || answer.body !== first.body) throw new Error("ceiling-http");
    };
    return smallRunning(url, new Random(site.seed), { requests, check }, () => served.stop());
  },
};
