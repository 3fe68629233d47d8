/** What the operator does to one card: looking at it with its timeline, and blocking it. */
import type { Services } from "../compose.ts";
import type { DeviceIdentity } from "../domain/identity.ts";
import { OperatorRefused } from "../domain/operator.ts";
import { Refused } from "../domain/refused.ts";
import type { Store } from "../store/seam.ts";
import { isoOfMs } from "./view.ts";

interface Host extends Services {
  readonly store: Store;
  readonly clock: { nowMs(): number };
}

/** Sees every card of the tenant, as an unbound kiosk does. */
const eyes = (tenantId: number): DeviceIdentity => ({
  tenantId,
  deviceNo: 0,
  deviceId: "cli",
  terminalId: 0,
  role: "scout",
  zoneNo: null,
  memberNo: null,
  suspendedAtSec: null,
  settlementWalletNo: 0,
});

const isUnknown = (error: unknown): boolean =>
  error instanceof Refused && error.code === "card_not_found";

const noCard = (): OperatorRefused =>
  new OperatorRefused("not-found", "there is no such card", "cardId");

/** @throws OperatorRefused `not-found` */
export async function showCard(host: Host, tenantId: number, cardId: string, entriesMax: number) {
  const nowSec = Math.floor(host.clock.nowMs() / 1000);
  try {
    const record = await host.card.read(eyes(tenantId), cardId, nowSec);
    const entries = await host.card.timeline(tenantId, cardId, entriesMax);
    const timeline = entries.map(({ atMs, ...entry }) => ({ at: isoOfMs(atMs), ...entry }));
    return { ...record, timeline };
  } catch (error) {
    throw isUnknown(error) ? noCard() : error;
  }
}

/** A registered card becomes BLOCKED_ADMIN; an id that is not registered here goes on the blocklist. */
export async function blockCard(host: Host, tenantId: number, cardId: string, reason: string) {
  const nowMs = host.clock.nowMs();
  const nowSec = Math.floor(nowMs / 1000);
  const doer = { actor: { type: "system", id: "cli" } as const, terminalId: null };
  return await host.store.write(async (tx) => {
    try {
      const { card, changed } = await host.card.block(tx, tenantId, cardId, 4, reason, doer, nowMs);
      const { status } = host.card.shortView(card, nowSec);
      return { cardId, registered: true, status, changed };
    } catch (error) {
      if (!isUnknown(error)) throw error;
    }
    await host.blocklist.list(tx, tenantId, cardId, reason, doer, nowMs);
    return { cardId, registered: false, status: "BLOCKED_ADMIN", changed: true };
  });
}
