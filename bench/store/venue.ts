/**
 * Makes the venue that every server of the benchmark starts from, in a process of its own: devices with
 * real tokens and grants, members, cards with money on them, a blocklist. It goes through the services
 * of the server on the closed file; only the registration of devices is shortened, because it draws a
 * QR code for each. Arguments: data directory, devices, cards (0: the devices alone). Prints one JSON object.
 */
import { deviceById, deviceInsert } from "../../schema/query/device.ts";
import { type Kartu, openKartu } from "../../src/app.ts";
import { readConfig } from "../../src/config.ts";
import { type Op, opsMask } from "../../src/domain/grant.ts";
import type { DeviceIdentity, Role } from "../../src/domain/identity.ts";
import { systemClock } from "../../src/system/clock.ts";
import { createLog } from "../../src/system/log.ts";
import { systemRandom } from "../../src/system/random.ts";
import {
  Cards,
  cardIdOf,
  dailyLimitMinor,
  extraMinor,
  hasExtra,
  openedBeforeSec,
  openingMinor,
  openingTimeSec,
  singleTxLimitMinor,
} from "../domain/card.ts";
import { Random } from "../domain/random.ts";

export interface VenueDevice {
  readonly token: string;
  readonly terminalId: number;
  readonly role: Role;
}

export interface Venue {
  readonly devices: readonly VenueDevice[];
  readonly cards: number;
  /** When the venue's first events happened, UTC seconds. */
  readonly openSec: number;
  readonly blocked: number;
  readonly grants: number;
}

const actor = { type: "system", id: "bench" } as const;
const atOnce = 500;
const blockedCount = 500;
const grantedBeforeSec = openedBeforeSec + 3_600;
/** A terminal of this venue also takes money and resets cards, so that its batches hold every type. */
const terminalOps: Op[] = ["read", "debit", "checkin", "checkout", "topup", "reissue"];

const roleOf = (index: number): Role =>
  index % 100 === 0 ? "station" : index % 100 === 1 ? "gate" : "terminal";

async function inParts<T>(count: number, work: (from: number, to: number) => Promise<T[]>) {
  const all: T[] = [];
  for (let from = 0; from < count; from += atOnce) {
    all.push(...(await work(from, Math.min(count, from + atOnce))));
  }
  return all;
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, i) => from + i);

/** `commission` yields the token that a device gets over HTTP; `find` is its first call. */
async function addDevices(kartu: Kartu, tenantId: number, count: number, nowMs: number) {
  const { store, money, token: tokens, session, random } = kartu;
  const nowSec = Math.floor(nowMs / 1000);
  const secrets = await inParts(count, (from, to) =>
    store.write(
      async (tx) => {
        const made: string[] = [];
        for (const index of range(from, to)) {
          const deviceId = `bench-${index}`;
          const terminalId = index + 1;
          const key = `settlement:${terminalId}`;
          const wallet = await money.systemWallet(tx, tenantId, key, nowMs);
          const id = random.uuid(nowMs);
          const role = roleOf(index);
          const [name, zoneNo, memberNo] = [null, null, null];
          const place = [name, zoneNo, memberNo, wallet, nowMs] as const;
          await tx.run(deviceInsert, id, tenantId, deviceId, terminalId, role, ...place);
          const row = await tx.get(deviceById, tenantId, deviceId);
          if (row === undefined) throw new Error("a device that was just made is not there");
          made.push((await tokens.issueSecret(tx, tenantId, row.device_no, false, nowMs)).secret);
        }
        return made;
      },
      { weight: 4 * (to - from) },
    ),
  );
  return await inParts(count, (from, to) =>
    Promise.all(
      range(from, to).map(async (index) => {
        const role = roleOf(index);
        const claim = { deviceId: `bench-${index}`, secret: secrets[index] ?? "", role };
        const { token, terminalId } = await tokens.commission(claim, "127.0.0.1", nowMs);
        const identity = await tokens.find(Bun.SHA256.hash(token, "hex"), nowSec);
        if (identity === null) throw new Error("a fresh token was not found");
        await session.issue(identity, undefined, nowMs - grantedBeforeSec * 1000);
        return { token, terminalId, role, identity };
      }),
    ),
  );
}

/** Cards with an opening top-up, every fourth with a second one that no credit has come for. */
async function addCards(kartu: Kartu, station: DeviceIdentity, venue: Venue, nowMs: number) {
  const { store, member, card, topup, reconcile } = kartu;
  const { tenantId } = station;
  const count = venue.cards + venue.blocked;
  const members = await member.addMany(tenantId, { name: "Member" }, count, actor, nowMs);
  const keyVersion = 1;
  const operatorId = 1;
  await inParts(count, (from, to) =>
    store.write(
      async (tx) => {
        for (const index of range(from, to)) {
          const cardId = cardIdOf(index);
          const userId = members[index]?.userId ?? 0;
          const createdAt = venue.openSec - 86_400;
          const draft = { cardId, userId, name: "Member", createdAt, keyVersion };
          await card.register(tx, station, draft, nowMs);
          if (index >= venue.cards) {
            await card.block(tx, tenantId, cardId, 4, "bench", { actor, terminalId: null }, nowMs);
            continue;
          }
          const timestamp = openingTimeSec(index, venue.openSec) - 1;
          const money = { amount: openingMinor, operatorId, timestamp };
          await topup.make(tx, station, cardId, money, nowMs);
          if (!hasExtra(index)) continue;
          await topup.make(tx, station, cardId, { ...money, amount: extraMinor }, nowMs);
        }
        return [];
      },
      { weight: 16 * (to - from) },
    ),
  );
  const cards = new Cards(venue.cards, venue.openSec, new Random(1));
  await inParts(venue.cards, (from, to) =>
    store.write(
      async (tx) => {
        const wire = range(from, to).map((index) => JSON.parse(cards.openingEvent(index)));
        const events = wire.map((e) => ({ ...e, hash: Number.parseInt(e.hash, 16) }));
        const digest = Bun.SHA256.hash(JSON.stringify(wire)) as Uint8Array;
        const answer = await reconcile.ingest(tx, station, events, digest, nowMs);
        if (answer.accepted !== to - from || answer.flags.length > 0) {
          throw new Error(`the opening credits were not taken: ${JSON.stringify(answer)}`);
        }
        return [];
      },
      { weight: to - from },
    ),
  );
}

async function main(dataDir: string, deviceCount: number, cardCount: number): Promise<Venue> {
  const read = readConfig({ KARTU_DATA: dataDir, KARTU_RATE_DEVICE_TOKEN_PER_MIN: "0" });
  if ("faults" in read) throw new Error(read.faults.join("\n"));
  const clock = systemClock();
  const nowMs = clock.nowMs();
  const log = createLog({ level: "warn", json: false, nowMs: () => clock.nowMs() });
  const kartu = await openKartu({
    dataDir,
    config: read.config,
    clock,
    random: systemRandom(),
    log,
  });
  const tenant = await kartu.tenant.tenantBySlug();
  if (tenant === undefined) throw new Error("the directory was not made by init");
  const { tenantId } = tenant;
  const limits = { singleTxLimit: singleTxLimitMinor, dailyLimit: dailyLimitMinor };
  const change = {
    ...limits,
    grantTtlSec: 86_400,
    "allowedOps.terminal": opsMask(terminalOps),
  };
  await kartu.policy.set(tenantId, { scope: "tenant" }, change, actor, nowMs);
  const devices = await addDevices(kartu, tenantId, deviceCount, nowMs);
  const venue: Venue = {
    devices: devices.map(({ token, terminalId, role }) => ({ token, terminalId, role })),
    cards: cardCount,
    openSec: Math.floor(nowMs / 1000) - openedBeforeSec,
    blocked: Math.min(blockedCount, cardCount),
    grants: deviceCount,
  };
  const station = devices.find((each) => each.role === "station");
  if (station === undefined) throw new Error("a venue needs a station");
  if (cardCount > 0) await addCards(kartu, station.identity, venue, nowMs);
  await kartu.token.flushSeen();
  await kartu.close();
  return venue;
}

if (import.meta.main) {
  const [dataDir = "", devices = "", cards = ""] = process.argv.slice(2);
  process.stdout.write(`${JSON.stringify(await main(dataDir, Number(devices), Number(cards)))}\n`);
}
