/**
 * What the file of a release holds, and what is asked of it ever after: every operation of both surfaces
 * called once, tills and a station at work, money in every kind of place. Answers are kept as that release
 * gave them; a later one may say more, never something else.
 */

import { databasePath } from "../../src/app.ts";
import { roles } from "../../src/domain/identity.ts";
import { backup } from "../../src/store/backup.ts";
import { kartuVersion } from "../../src/system/version.ts";
import type { WireEvent } from "../chip.ts";
import { Estate } from "../surface/estate.ts";
import type { House } from "../surface/house.ts";
import { send, walk } from "../surface/knock/send.ts";
import { doorsOf } from "../surface/knock/table.ts";
import { password, type Served } from "../surface/served.ts";

/** What a release leaves beside its file. */
export interface Story {
  readonly schemaVersion: number;
  readonly kartuVersion: string;
  /** The server's time when the file was made. */
  readonly nowSec: number;
  /** E-mail of the venue's owner, whose password is the usual one. */
  readonly ownerEmail: string;
  /** Of the till; its device, and the event that its card makes next. */
  readonly deviceToken: string;
  readonly terminalId: number;
  readonly next: WireEvent;
  readonly apiKey: string;
  /** Tables that had rows, and how many. */
  readonly counts: Readonly<Record<string, number>>;
  readonly answers: readonly Asked[];
}

export interface Asked {
  readonly by: "root" | "owner" | "till";
  /** Whole, with query. */
  readonly path: string;
  readonly body: unknown;
}

/** What an owner sees of a tenant, and of the platform if it is the root's. */
const operatorPaths = [
  ...["devices", "members", "cards", "flags", "batches", "events", "blocklist"],
  ...["reports", "zones", "policies", "key-versions", "settlement/runs"],
]
  .map((path) => `fleet/${path}`)
  .concat(
    ...["money/trial-balance", "wallets", "transactions", "users", "roles", "invitations"],
    ...["api-keys", "oauth/clients", "gateway/rate-limits"],
  )
  .map((path) => `/api/v1/${path}`);

/** The cards at the till; `?limit=` is the most that a page holds. */
const devicePaths = (cardIds: readonly string[]): string[] => [
  ...["/api/policy", "/api/blocklist", "/.well-known/jwks.json"],
  ...cardIds.flatMap((id) => [`/api/cards/${id}`, `/api/cards/${id}/events?limit=100`]),
];

export async function tokenOf(served: Served, email: string): Promise<string> {
  const body = { email, password };
  const pair = await served.ok<{ accessToken: string }>("POST", "/auth/login", { body });
  return pair.accessToken;
}

/** What the server says now. @throws unless each is a success */
export async function ask(served: Served, path: string, token: string): Promise<unknown> {
  const response = await served.send("GET", path, { token }, true);
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  return JSON.parse(text) as unknown;
}

/** Gives the wallet of a card a name. */
async function label({ estate, owner: token }: House, cardId: string): Promise<void> {
  const path = `/fleet/cards/${cardId}`;
  const { wallet } = await estate.ok<{ wallet: { id: string } }>("GET", path, { token });
  const known = `/wallets/${wallet.id}`;
  const { version } = await estate.ok<{ version: number }>("GET", known, { token });
  await estate.ok("PATCH", known, { token, body: { label: "Siti at the till", version } });
}

/** Top-ups in every state, a clone, a stranger's card, a broken card and one that took its place. */
async function work(house: House): Promise<{ cardIds: string[]; next: WireEvent }> {
  const { venue, station, till } = await house.desk();
  for (const role of roles) await venue.device(role, role === "scout" ? {} : { zone: "Hall" });
  const paying = await venue.loaded(station, till, 100_000);
  await till.hand(paying.debit(12_500), paying.debit(2_500));
  await station.topup(paying.cardId, 7_000);
  const stale = await station.topup(paying.cardId, 3_000);
  await station.cancel(paying.cardId, stale.json.topupId);

  const cloned = await venue.loaded(station, till, 60_000);
  const copy = cloned.fork();
  await till.hand(cloned.debit(1_000));
  await till.upload(copy.debit(2_000), cloned.debit(500), {
    ...copy.debit(9),
    cardId: "0123456789ab",
  });
  await till.hand(cloned.credit(4_000));
  await till.hand(cloned.debit(cloned.balance));

  const broken = await venue.loaded(station, till, 40_000);
  await till.report({ eventType: "tamper", cardId: broken.cardId, details: "does not open" });
  const cardId = house.cardId();
  await station.reissue(broken.cardId, cardId);
  await till.hand(broken.debit(5_000));
  const hole = await venue.loaded(station, till, 30_000);
  hole.debit(100);
  await till.hand(hole.debit(200));
  // More than a chain keeps at hand, and of two weeks.
  const busy = await venue.loaded(station, till, 50_000);
  const paid = Array.from({ length: 70 }, (_, at) =>
    busy.debit(10, { at: venue.clock.nowSec() - 14 * 86_400 + at * 20_000 }),
  );
  const [late, ...rest] = paid;
  await till.upload(...rest);
  await till.upload(late as WireEvent);
  await label(house, paying.cardId);
  const cardIds = [busy, paying, cloned, broken, hole].map((chain) => chain.cardId);
  return { cardIds: [...cardIds, cardId], next: paying.debit(1_000) };
}

/** Makes the file as a backup. */
export async function tell(file: string): Promise<Story> {
  const estate = await Estate.open({ seed: 1 });
  try {
    const house = await estate.house();
    const complaints = await walk(doorsOf(estate), async (door) => {
      const response = await send(door, await door.row.make(house), house);
      await response.body?.cancel();
      return door.row.answers.startsWith(String(response.status)) ? null : response.statusText;
    });
    if (complaints.length > 0) throw new Error(complaints.join("\n"));
    const { cardIds, next } = await work(house);
    const { till } = await house.desk();
    const { key: apiKey } = await house.apiKey();
    const tokens = {
      root: estate.root.owner,
      owner: house.owner,
      till: till.token,
    };
    const paths = [
      ...operatorPaths.map((path) => ["owner", path] as const),
      ...["/api/v1/tenants", "/api/v1/money/trial-balance"].map((path) => ["root", path] as const),
      ...devicePaths(cardIds).map((path) => ["till", path] as const),
    ];
    await estate.kartu.token.flushSeen();
    const answers: Asked[] = [];
    for (const [by, path] of paths) {
      answers.push({ by, path, body: await ask(estate, path, tokens[by]) });
    }
    await estate.kartu.mail.idle();
    const nowMs = estate.clock.nowMs();
    const database = databasePath(estate.dataDir);
    const { schemaVersion } = await backup({ database, kartuVersion, nowMs }, file);
    return {
      ...{ schemaVersion, kartuVersion, nowSec: Math.floor(nowMs / 1000) },
      ...{ ownerEmail: house.ownerEmail, deviceToken: till.token, terminalId: till.terminalId },
      ...{ next, apiKey, counts: await estate.counts(), answers },
    };
  } finally {
    await estate.close();
  }
}
