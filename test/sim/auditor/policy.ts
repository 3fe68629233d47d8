/** Limits by scope (device, zone, tenant, default), the ops of roles, and which version of them it is. */
import type { Role } from "./call.ts";
import type { Device } from "./thing.ts";

export interface Limits {
  readonly maxBalance: number;
  readonly singleTxLimit: number;
  readonly dailyLimit: number;
  readonly weeklyLimit: number;
  readonly blockedStatuses: readonly number[];
  readonly clockDriftAllowanceSec: number;
}

type Fields = { [F in keyof Limits]?: Limits[F] | null };
type OpsByRole = { readonly [R in Role]?: readonly string[] | null };

export interface Policy extends Fields {
  id?: string;
  version: number;
  grantTtlSec?: number | null;
  allowedOps?: OpsByRole | null;
}

const defaults: Limits = {
  ...{ maxBalance: 5_000_000, singleTxLimit: 1_000_000 },
  ...{ dailyLimit: 2_000_000, weeklyLimit: 5_000_000 },
  ...{ blockedStatuses: [1, 2, 3, 4], clockDriftAllowanceSec: 3_600 },
};
const grantTtlDefaultSec = 28_800;

const opsInOrder = ["read", "debit", "checkin", "checkout", "topup", "reissue", "block"];
const opsDefault: Readonly<Record<Role, readonly string[]>> = {
  terminal: ["read", "debit", "checkin", "checkout"],
  gate: ["read", "checkin", "checkout"],
  station: ["read", "checkout", "topup", "reissue", "block"],
  scout: [],
};

export class Policies {
  tenant: Policy = { version: 1 };
  /** By uuid of the zone. */
  readonly zones = new Map<string, Policy>();
  /** By uuid of the device. */
  readonly devices = new Map<string, Policy>();
  /** Undefined until the server has said it. */
  version: number | undefined;

  #layers(device: Pick<Device, "id" | "zoneId">): (Policy | undefined)[] {
    const zone = device.zoneId === null ? undefined : this.zones.get(device.zoneId);
    return [this.devices.get(device.id), zone, this.tenant];
  }

  of(device: Pick<Device, "id" | "zoneId">): Limits {
    return effective(this.#layers(device));
  }

  /** Of the tenant alone. */
  own(): Limits {
    return effective([this.tenant]);
  }

  grantTtlSec(): number {
    return this.tenant.grantTtlSec ?? grantTtlDefaultSec;
  }

  ops(role: Role): readonly string[] {
    const chosen: readonly string[] = this.tenant.allowedOps?.[role] ?? opsDefault[role];
    return opsInOrder.filter((op) => chosen.includes(op));
  }
}

function effective(layers: readonly (Policy | undefined)[]): Limits {
  const pick = <F extends keyof Limits>(field: F): Limits[F] => {
    for (const layer of layers) {
      const value = layer?.[field];
      if (value !== undefined && value !== null) return value as Limits[F];
    }
    return defaults[field];
  };
  return {
    ...{ maxBalance: pick("maxBalance"), singleTxLimit: pick("singleTxLimit") },
    ...{ dailyLimit: pick("dailyLimit"), weeklyLimit: pick("weeklyLimit") },
    blockedStatuses: pick("blockedStatuses"),
    clockDriftAllowanceSec: pick("clockDriftAllowanceSec"),
  };
}
