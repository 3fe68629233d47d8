/** Whoever is let in, as data: which doors open to them, and what they hear at those that don't. */
import { type Op, opsMask } from "../../../src/domain/grant.ts";
import { type Role, roles } from "../../../src/domain/identity.ts";
import { permissionCatalogue } from "../../../src/domain/permission.ts";
import type { DeviceUnderTest } from "../../device.ts";
import { operator } from "../../harness.ts";
import type { Door as DeviceDoor } from "../door.ts";
import type { House } from "../house.ts";
import type { Door } from "../knock/table.ts";
import { type Grounds, venueOf } from "./grounds.ts";
import { openDevice, openOperator } from "./mounted.ts";

/** Somebody with a token that is good on the operator surface. */
export interface Caller {
  readonly name: string;
  readonly token: string;
  /** Whether they hold a permission, by what they were given. */
  readonly holds: (permission: string) => boolean;
  readonly is: "person" | "owner" | "platform" | "machine" | "acting";
  /** In another spelling: it has no case (RFC 9110 §11.1). */
  readonly scheme?: string;
}

const forbidden = "403 forbidden";
const restricted = "403 impersonation-restricted";

/** Calls that change how somebody signs in, whatever is held: nobody acts for another there. */
const neverActing: ReadonlySet<string> = new Set(["POST /auth/impersonate"]);

/** What a caller is answered at a door whose call says nothing that can be done. */
export function heard({ is, holds }: Caller, { name, row }: Door): string {
  const { may } = row;
  const isPerson = is !== "machine" && is !== "acting";
  if (may === "self") return openOperator;
  if (may === "own") return isPerson ? openOperator : is === "acting" ? restricted : forbidden;
  if (may === "owner") return is === "owner" || is === "platform" ? openOperator : forbidden;
  if (is === "acting" && neverActing.has(name)) return restricted;
  if (may === "platform") return is === "platform" ? openOperator : forbidden;
  if (!holds(may) && (row.ownTenant === undefined || !holds(row.ownTenant))) return forbidden;
  return is === "acting" && row.keyed === true ? restricted : openOperator;
}

/** Everything but the platform's own. */
const everything = (permission: string): boolean => !permission.startsWith("system.");
const nothing = (): boolean => false;

/** Everybody but those with chosen permissions. */
export async function callersOf({ estate, mine, theirs }: Grounds): Promise<Caller[]> {
  const { root } = estate;
  const one = "users.list";
  const acting = await root.made<{ accessToken: string }>("/auth/impersonate", {
    ...{ tenantId: mine.id, reason: "support_request" },
  });
  const tokenFor = async (form: Readonly<Record<string, string>>): Promise<string> =>
    (await estate.ok<{ access_token: string }>("POST", "/oauth/token", { form })).access_token;
  const { client_id = "", client_secret = "", ...code } = await mine.codeForm();
  const client = { client_id, client_secret };
  const shrunk = await mine.codeForm(`openid ${one}`);
  const shrunkToken = await tokenFor(shrunk);
  const path = `/oauth/clients/${shrunk.client_id}`;
  await estate.ok("PATCH", path, { token: mine.owner, body: { scopes: [], version: 1 } });
  const role = await mine.role([one]);
  const is = "person" as const;
  const holdsOne = (permission: string): boolean => permission === one;
  return [
    { name: "the owner", token: mine.owner, holds: everything, is: "owner" },
    {
      name: "the owner, in lower case",
      ...{ token: mine.owner, holds: everything, is: "owner", scheme: "bearer" },
    },
    { name: "an admin", token: await mine.token(["admin"]), holds: everything, is },
    { name: "a member", token: await mine.token(["member"]), holds: nothing, is },
    {
      name: "a person with one permission",
      token: await mine.token([role.name]),
      holds: holdsOne,
      is,
    },
    {
      name: "an admin's API key",
      token: await mine.machine(["admin"]),
      holds: everything,
      is: "machine",
    },
    {
      name: "a member's API key",
      token: await mine.machine(["member"]),
      holds: nothing,
      is: "machine",
    },
    {
      name: "an API key with one permission",
      ...{ token: await mine.machine([role.name]), holds: holdsOne, is: "machine" },
    },
    {
      name: "an application for a person, without a scope",
      ...{ token: await tokenFor({ ...client, ...code }), holds: nothing, is: "machine" },
    },
    {
      name: "an application for a person, with one scope",
      ...{ token: await tokenFor(await mine.codeForm(one)), holds: holdsOne, is: "machine" },
    },
    {
      name: "an application whose scope was taken back",
      ...{ token: shrunkToken, holds: nothing, is: "machine" },
    },
    {
      name: "an application for itself, with one scope",
      token: await tokenFor({ ...client, grant_type: "client_credentials" }),
      ...{ holds: holdsOne, is: "machine" },
    },
    {
      name: "the Platform Owner in the tenant",
      token: acting.accessToken,
      holds: everything,
      is: "acting",
    },
    { name: "the Platform Owner", token: root.owner, holds: () => true, is: "platform" },
    { name: "an admin of the root", token: await root.token(["admin"]), holds: everything, is },
    { name: "a member of the root", token: await root.token(["member"]), holds: nothing, is },
    { name: "another tenant's owner", token: theirs.owner, holds: everything, is: "owner" },
    { name: "another tenant's member", token: await theirs.token(), holds: nothing, is },
  ];
}

/** Every permission that a role below the root can hold. */
export const permissions: readonly string[] = permissionCatalogue
  .map(({ name }) => name)
  .filter(everything);

/** Somebody who holds one permission and no other. */
export const holderOf = async (house: House, permission: string): Promise<Caller> => ({
  name: `who holds ${permission}`,
  token: await house.holder([permission]),
  ...{ holds: (asked) => asked === permission, is: "person" },
});

/** Somebody who holds every permission but one. */
export const lackerOf = async (house: House, permission: string): Promise<Caller> => ({
  name: `who lacks ${permission}`,
  token: await house.without([permission]),
  ...{ holds: (asked) => everything(asked) && asked !== permission, is: "person" },
});

/** A device with a good token. */
export interface Bearer {
  readonly name: string;
  readonly token: string;
  readonly role: Role;
  /** Of grants that are not over. */
  readonly ops: readonly Op[];
  readonly isSuspended: boolean;
  readonly scheme?: string;
}

/** What a device is answered at a door whose call says nothing that can be done. */
export function heardBy({ role, ops, isSuspended }: Bearer, door: DeviceDoor): string {
  if (!door.roles.includes(role)) return "403 insufficient_role";
  if (isSuspended && !door.suspended) return "403 terminal_suspended";
  if (door.op !== undefined && !ops.includes(door.op)) return "403 op_not_granted";
  return openDevice;
}

const stationOps: readonly Op[] = ["read", "checkout", "topup", "reissue", "block"];

/** Devices of every kind. */
export async function bearersOf({ mine, theirs, estate, lapsed }: Grounds): Promise<Bearer[]> {
  const venue = venueOf(mine);
  const { kartu, clock } = estate;
  const bearer = (
    name: string,
    { token, role }: Pick<DeviceUnderTest, "token" | "role">,
    ops: readonly Op[] = [],
    isSuspended = false,
  ): Bearer => ({ name, token, role, ops, isSuspended });
  const idle = { token: lapsed.idleStation, role: "station" } as const;
  const busy = await venue.working("station");
  const bearers = [
    bearer("a station", busy, stationOps),
    { ...bearer("a station, in capitals", busy, stationOps), scheme: "BEARER" },
    bearer("a station without a grant", await venue.device("station")),
    bearer("a station whose grant is over", idle),
    bearer("another tenant's station", await venueOf(theirs).working("station"), stationOps),
  ];
  for (const op of ["topup", "reissue", "block"] as const) {
    const ops = stationOps.filter((each) => each !== op);
    await venue.policy({ "allowedOps.station": opsMask(ops) });
    bearers.push(bearer(`a station whose grant lacks ${op}`, await venue.working("station"), ops));
  }
  await venue.policy({ "allowedOps.station": null });
  const userId = await venue.member();
  bearers.push(
    bearer("a gate", await venue.working("gate")),
    bearer("a terminal", await venue.working("terminal")),
    bearer("a scout", await venue.device("scout")),
    bearer("a member's scout", await venue.device("scout", { userId })),
  );
  for (const role of roles) {
    const device = await (role === "scout" ? venue.device(role) : venue.working(role));
    await kartu.device.suspend(venue.tenantId, device.deviceId, operator, clock.nowMs());
    bearers.push(bearer(`a suspended ${role}`, device, role === "station" ? stationOps : [], true));
  }
  const shut = await estate.house();
  const station = await venueOf(shut).working("station");
  await estate.root.made(`/tenants/${shut.id}/block`, { reason: "Unpaid" });
  return [...bearers, bearer("a station of a blocked tenant", station, stationOps)];
}
