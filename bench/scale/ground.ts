/** What a history is laid on: a venue that was made with its devices alone, as numbers of rows. */
import { type Calendar, calendar } from "../../src/domain/calendar.ts";
import { type Random, systemRandom } from "../../src/system/random.ts";
import type { Cards } from "../domain/card.ts";
import type { Bulk } from "./bulk.ts";
import { Record } from "./record.ts";

export interface Device {
  readonly device_no: number;
  readonly device_id: string;
  readonly terminal_id: number;
  readonly role: string;
  readonly settlement_wallet_no: number;
}

export interface Ground {
  readonly bulk: Bulk;
  readonly record: Record;
  readonly random: Random;
  readonly tenantId: number;
  readonly currency: string;
  readonly calendar: Calendar;
  readonly devices: readonly Device[];
  /** Takes all top-ups. */
  readonly station: Device;
  readonly cards: Cards;
  /** Numbers of card, member and opening top-up 0; those of the others follow without gaps. */
  readonly firstCardNo: number;
  readonly firstMemberNo: number;
  readonly firstTxnNo: number;
}

/** @throws when the file is not a venue of devices alone */
export function groundOf(bulk: Bulk, cards: Cards): Ground {
  const tenant = bulk.rows<{ tenant_id: number; currency: string; timezone: string }>(
    "SELECT t.tenant_id, t.currency, t.timezone FROM tenant t WHERE EXISTS (SELECT 1 FROM device d WHERE d.tenant_id = t.tenant_id)",
  )[0];
  const devices = bulk.rows<Device>(
    "SELECT device_no, device_id, terminal_id, role, settlement_wallet_no FROM device ORDER BY device_no",
  );
  const station = devices.find(({ role }) => role === "station");
  if (tenant === undefined || station === undefined) throw new Error("a venue needs a station");
  if (bulk.last("card", "card_no") > 0) throw new Error("the venue has cards already");
  const { tenant_id: tenantId, currency, timezone } = tenant;
  const random = systemRandom();
  return {
    ...{ bulk, random, tenantId, currency, devices, station, cards },
    record: new Record(bulk, tenantId, random),
    calendar: calendar(timezone),
    firstCardNo: 1,
    firstMemberNo: bulk.last("member", "member_no") + 1,
    firstTxnNo: bulk.last("txn", "txn_no") + 1,
  };
}
