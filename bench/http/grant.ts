/**
 * `grant`: commissioned devices fetch session grants, each a durable row and a signed answer. Every
 * answer's bytes are ones whose signature was verified against the server's published keys.
 */

import { type SignedGrant, verifyGrant } from "../../src/domain/grant.ts";
import { grantSigners } from "../../src/sim/keyring.ts";
import { checkMoney, rowsOf } from "../check.ts";
import { Random } from "../domain/random.ts";
import { copyVenue, type Site, type Workload } from "../workload.ts";
import { closedLoop } from "./load.ts";
import { serveKartu } from "./process.ts";
import { leadMs, smallConnections, warmUpMs } from "./read.ts";
import { type Answer, bearer, headerOf, once, requestBytes } from "./wire.ts";

/** More different answers than this in a second are verified only in part. */
const verifiedMax = 500;

/** Requests for grants by random devices, and the judge of what comes back. */
export class Grants {
  readonly #requests: readonly Uint8Array[];
  readonly #random: Random;
  readonly #signers: ReturnType<typeof grantSigners>;
  readonly #ttlSec: number;
  #verified = new Set<string>();
  #lastExpiry = 0;
  /** Answers that were right. */
  count = 0;

  private constructor(site: Site, url: URL, jwks: unknown, ttlSec: number) {
    this.#requests = site.venue.devices.map(({ token }) =>
      requestBytes(url, "GET", "/api/session-grant", bearer(token)),
    );
    this.#random = new Random(site.seed);
    this.#signers = grantSigners(jwks);
    this.#ttlSec = ttlSec;
  }

  static async make(site: Site, url: URL): Promise<Grants> {
    const jwks = await once(url, requestBytes(url, "GET", "/.well-known/jwks.json"));
    return new Grants(site, url, JSON.parse(jwks.body), 86_400);
  }

  next(): Uint8Array {
    const request = this.#requests[this.#random.below(this.#requests.length)];
    if (request === undefined) throw new RangeError("no devices");
    return request;
  }

  /** @throws unless this is a grant that the server signed, for as long as the venue says */
  check({ status, head, body }: Answer): void {
    this.count += 1;
    if (status === 200 && this.#verified.has(body)) return;
    if (status !== 200) throw new Error(`grant: ${status} ${body}`);
    const grant = JSON.parse(body) as SignedGrant;
    if (grant.expiresAt > this.#lastExpiry) {
      this.#lastExpiry = grant.expiresAt;
      this.#verified = new Set();
    }
    const offSec = grant.expiresAt - Date.now() / 1000 - this.#ttlSec;
    if (Math.abs(offSec) > 30) throw new Error(`grant: expires at ${grant.expiresAt}`);
    if (this.#verified.size >= verifiedMax) return;
    const signer = this.#signers.get(headerOf(head, "kartu-key-id") ?? "");
    if (signer === undefined || !verifyGrant(grant, signer)) {
      throw new Error(`grant: the signature does not hold: ${body}`);
    }
    this.#verified.add(body);
  }
}

export const grantWorkload: Workload = {
  name: "grant",
  unit: "grants/s",
  about: "GET /api/session-grant by random devices: durable, signed, verified",
  start: async (site) => {
    const dataDir = copyVenue(site, "grant");
    const served = await serveKartu(dataDir, site.pins.server);
    const grants = await Grants.make(site, served.url);
    const sample = (windowMs: number) =>
      closedLoop({
        url: served.url,
        connections: smallConnections,
        leadMs,
        windowMs,
        next: () => grants.next(),
        check: (answer) => {
          grants.check(answer);
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
        const expected = site.venue.grants + grants.count;
        const rows = rowsOf(dataDir, "session_grant");
        if (rows !== expected) throw new Error(`grant: ${rows} rows for ${expected} grants`);
        checkMoney(dataDir);
      },
    };
  },
};
