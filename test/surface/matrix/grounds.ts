/**
 * The server that the matrix is walked over: two partners with people and devices of every kind, and what
 * must have lapsed by then (a token, a key of an API, a grant, a signing key) made long before. Not what
 * is tried there: `stranger.ts`, `holder.ts`.
 */
import { callOf } from "../../caller.ts";
import { TenantUnderTest } from "../../tenant.ts";
import { Estate } from "../estate.ts";
import { House } from "../house.ts";
import { password, rootEmail } from "../served.ts";

const daySec = 86_400;
const tokenTtlSec = 100 * daySec;

/** From another address than this machine's. */
export const elsewhere = { "x-forwarded-for": "203.0.113.7" } as const;

const config = {
  KARTU_TRUST_PROXY: "1",
  KARTU_TOKEN_TTL: String(tokenTtlSec),
  KARTU_RATE_DEVICE_TOKEN_PER_MIN: "0",
  KARTU_RATE_DEVICE_TOKEN_IP_PER_MIN: "0",
  KARTU_RATE_GRANT_PER_MIN: "0",
  KARTU_RATE_DEVICE_PER_MIN: "0",
  KARTU_RATE_REPORT_PER_MIN: "0",
};

/** What is over. */
export interface Lapsed {
  /** A person's access token. */
  readonly user: string;
  /** The token of an API key that has ended. */
  readonly apiKey: string;
  /** Of a device. */
  readonly device: string;
  /** Of a station whose token is good and whose grant is over. */
  readonly idleStation: string;
  /** What access tokens were signed with before the keys were changed. */
  readonly signer: { readonly kid: string; readonly key: CryptoKey };
}

/** The device world of a house, apart from its desk. */
export function venueOf(house: House): TenantUnderTest {
  const { kartu, serving, clock } = house.estate;
  const tenant = { tenantId: house.tenantNo, slug: house.name("field") };
  return new TenantUnderTest(kartu, callOf(serving), clock, tenant);
}

export class Grounds {
  private constructor(
    readonly estate: Estate,
    readonly mine: House,
    readonly theirs: House,
    readonly lapsed: Lapsed,
  ) {}

  static async open(): Promise<Grounds> {
    const estate = await Estate.open({ config });
    const { kartu, clock } = estate;
    const signer = await kartu.signing.signer("tok_");
    const device = (await venueOf(estate.root).device("gate")).token;
    clock.advance(91 * daySec);
    await kartu.signing.rotateTokenKeys(clock.nowMs());
    clock.advance(1_000);
    await kartu.signing.rotateTokenKeys(clock.nowMs());
    estate.root = await House.signedIn(estate, rootEmail, password);
    const { owner: user } = estate.root;
    const apiKey = await shortKey(estate.root);
    const early = await estate.house();
    const idleStation = (await venueOf(early).working("station")).token;
    clock.advance(10 * daySec);
    estate.root = await House.signedIn(estate, rootEmail, password);
    const mine = await House.signedIn(estate, early.ownerEmail, password);
    const theirs = await estate.house();
    const { kid, key } = signer;
    const lapsed = { user, apiKey, device, idleStation, signer: { kid, key } };
    return new Grounds(estate, mine, theirs, lapsed);
  }

  /** Another token of the Platform Owner. */
  async platformOwner(): Promise<string> {
    return (await House.signedIn(this.estate, rootEmail, password)).owner;
  }

  close(): Promise<void> {
    return this.estate.close();
  }
}

/** A token of an API key that ends within the minute. */
async function shortKey(house: House): Promise<string> {
  const { estate } = house;
  const expiresAt = new Date(estate.clock.nowMs() + 60_000).toISOString();
  const draft = { name: house.name("key"), roles: ["admin"], expiresAt };
  const { key } = await house.made<{ key: string }>("/api-keys", draft);
  const body = { apiKey: key };
  return (await estate.ok<{ accessToken: string }>("POST", "/auth/exchange", { body })).accessToken;
}
