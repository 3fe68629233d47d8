/**
 * A venue at a glance: what its devices may have taken unseen, and the figures that its operator looks
 * at first. It only reads, and never holds the others up: long looks are taken a piece at a time.
 */
import { silentSec, staleTopupSec } from "../../../schema/bound.ts";
import { calendar } from "../../domain/calendar.ts";
import { type StatusName, worth } from "../../domain/cardrecord.ts";
import { exposedMinor, type Outlook, openDays } from "../../domain/exposure.ts";
import type { Reader, Store } from "../../store/seam.ts";
import { nextTurn } from "../../system/turn.ts";
import type { CardService } from "../card/service.ts";
import type { PolicyService } from "../policy/service.ts";
import type { SessionService } from "../session/service.ts";
import type { SettlementService } from "../settlement/service.ts";
import type { TokenService } from "../token/service.ts";
import { SeenCards } from "./seen.ts";
import * as rows from "./store.ts";

export interface FleetDeps {
  readonly store: Store;
  readonly policy: Pick<PolicyService, "effective">;
  readonly session: Pick<SessionService, "covering">;
  readonly card: { readonly book: Pick<CardService["book"], "read"> };
  readonly settlement: Pick<SettlementService, "summary">;
  readonly tokens: Pick<TokenService, "lastSeenMs">;
}

/** A device, as far as its limits need it. */
export interface Placed {
  readonly deviceNo: number;
  readonly zoneNo: number | null;
}

/** What a device may have taken unseen. */
export interface Exposure {
  readonly amount: number;
  readonly sinceMs: number | null;
  readonly lastUploadAtMs: number | null;
}

interface Sum {
  readonly count: number;
  readonly amount: number;
}

export interface Overview {
  readonly devices: {
    readonly active: number;
    readonly suspended: number;
    readonly retired: number;
    readonly silent24h: number;
  };
  readonly cards: Readonly<Record<StatusName, number>>;
  readonly openFlags: number;
  readonly pendingTopups: Sum;
  readonly today: {
    readonly debits: number;
    readonly debitAmount: number;
    readonly topups: number;
    readonly topupAmount: number;
  };
  readonly exposure: { readonly amount: number };
  readonly staleTopups: Sum;
  readonly overdrawn: Sum;
}

const devicesAtOnce = 100;
const cardsAtOnce = 500;

export type FleetService = ReturnType<typeof fleetService>;

export function fleetService(deps: FleetDeps) {
  const { store, policy, session, card, settlement, tokens } = deps;
  const seen = new SeenCards();

  async function readOutlook(
    q: Reader,
    tenantId: number,
    deviceNo: number,
    nowMs: number,
  ): Promise<Outlook> {
    const [last] = await rows.batchesOf(q, tenantId, deviceNo, Number.MAX_SAFE_INTEGER, 1);
    const lastUploadAtMs = last?.received_at_ms ?? null;
    const nowSec = Math.floor(nowMs / 1000);
    const fromSec = Math.floor((lastUploadAtMs ?? 0) / 1000);
    const windows = await session.covering(q, deviceNo, fromSec, nowSec);
    const { days, firstMs } = openDays(windows, lastUploadAtMs, nowMs);
    const cards = days === 0 ? 0 : await seen.countActive(q, tenantId, deviceNo, nowMs);
    return { lastUploadAtMs, sinceMs: lastUploadAtMs ?? firstMs, days, cards };
  }

  /** What a device could do unseen. Read before a write that needs it: `exposed` says it there. */
  const outlook = (tenantId: number, deviceNo: number, nowMs: number): Promise<Outlook> =>
    store.read((q) => readOutlook(q, tenantId, deviceNo, nowMs));

  /** By the limits that the device works under as `q` sees them; without `q`, as they are kept. */
  async function exposed(
    tenantId: number,
    { zoneNo, deviceNo }: Placed,
    known: Outlook,
    q?: Reader,
  ): Promise<Exposure> {
    const { lastUploadAtMs, sinceMs, days } = known;
    if (days === 0) return { amount: 0, sinceMs, lastUploadAtMs };
    const { dailyLimit } = await policy.effective(tenantId, zoneNo, deviceNo, q);
    return { amount: exposedMinor(known, dailyLimit), sinceMs, lastUploadAtMs };
  }

  /** The exposure of each of some devices, by number. */
  async function exposures(
    tenantId: number,
    devices: readonly Placed[],
    nowMs: number,
  ): Promise<ReadonlyMap<number, Exposure>> {
    const found = new Map<number, Exposure>();
    for (const device of devices) {
      const known = await outlook(tenantId, device.deviceNo, nowMs);
      found.set(device.deviceNo, await exposed(tenantId, device, known));
    }
    return found;
  }

  /** Devices by state, and what all of them may have taken unseen. */
  async function devicesOf(tenantId: number, nowMs: number) {
    const devices = { active: 0, suspended: 0, retired: 0, silent24h: 0 };
    let amount = 0;
    for (let after = 0; ; await nextTurn()) {
      const some = await store.read((q) => rows.pageDevices(q, tenantId, after, devicesAtOnce));
      for (const row of some) {
        devices[row.status] += 1;
        if (row.status === "active" && isSilent(row, nowMs)) devices.silent24h += 1;
      }
      const placed = some.map((row) => ({ deviceNo: row.device_no, zoneNo: row.zone_no }));
      for (const each of (await exposures(tenantId, placed, nowMs)).values()) amount += each.amount;
      const last = some.at(-1);
      if (last === undefined || some.length < devicesAtOnce) break;
      after = last.terminal_id;
    }
    return { devices, amount: Math.min(amount, Number.MAX_SAFE_INTEGER) };
  }

  /** A device that never called counts from when it was registered. */
  function isSilent(row: rows.FleetDeviceRow, nowMs: number): boolean {
    const seenMs = tokens.lastSeenMs(row.device_no) ?? row.last_seen_at_ms ?? row.created_at_ms;
    return seenMs <= nowMs - silentSec * 1000;
  }

  /** Cards that are worth less than nothing, and what they lack together. */
  const overdrawn = (tenantId: number): Promise<Sum> =>
    store.read(async (q) => {
      const ids = new Map<number, string>();
      for (const each of await rows.overdrawnLately(q, tenantId)) ids.set(each.cardNo, each.cardId);
      for (let after = 0; ; await nextTurn()) {
        const some = await rows.overdrawnByRow(q, tenantId, after, cardsAtOnce);
        for (const each of some) ids.set(each.cardNo, each.cardId);
        after = some.at(-1)?.cardNo ?? 0;
        if (some.length < cardsAtOnce) break;
      }
      let count = 0;
      let amount = 0;
      let looked = 0;
      for (const cardId of ids.values()) {
        if (++looked % cardsAtOnce === 0) await nextTurn();
        const found = await card.book.read(q, tenantId, cardId);
        const short = found === undefined ? 0 : -worth(found.head);
        if (short <= 0) continue;
        count += 1;
        amount += short;
      }
      return { count, amount };
    });

  /** The figures of now, and of the tenant's local day. */
  async function overview(tenantId: number, nowMs: number): Promise<Overview> {
    const nowSec = Math.floor(nowMs / 1000);
    const { timezone } = await policy.effective(tenantId, null, 0);
    const day = calendar(timezone).dayOf(nowSec);
    const { devices, amount } = await devicesOf(tenantId, nowMs);
    const { totals } = await settlement.summary(tenantId, { from: day, to: day, terminalId: null });
    const { debits, debitAmount, topups, topupAmount } = totals;
    const counted = await store.read(async (q) => ({
      cards: await rows.countCards(q, tenantId, nowSec),
      openFlags: await rows.countOpenFlags(q, tenantId),
      pendingTopups: await rows.pendingTopups(q, tenantId, Number.MAX_SAFE_INTEGER),
      staleTopups: await rows.pendingTopups(q, tenantId, nowMs - staleTopupSec * 1000),
    }));
    return {
      devices,
      cards: counted.cards,
      openFlags: counted.openFlags,
      pendingTopups: counted.pendingTopups,
      today: { debits, debitAmount, topups, topupAmount },
      exposure: { amount },
      staleTopups: counted.staleTopups,
      overdrawn: await overdrawn(tenantId),
    };
  }

  return { outlook, exposed, exposures, overview };
}
