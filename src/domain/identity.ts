/** Who is calling on the device surface, as every layer below the guard knows it. */
export const roles = ["station", "gate", "terminal", "scout"] as const;
export type Role = (typeof roles)[number];

export const isRole = (word: string): word is Role => (roles as readonly string[]).includes(word);

export interface DeviceIdentity {
  readonly tenantId: number;
  readonly deviceNo: number;
  readonly deviceId: string;
  readonly terminalId: number;
  readonly role: Role;
  readonly zoneNo: number | null;
  /** A scout bound to a member sees that member's cards alone. */
  readonly memberNo: number | null;
  readonly suspendedAtSec: number | null;
  /** Account that the device's debits are owed to. */
  readonly settlementWalletNo: number;
}
