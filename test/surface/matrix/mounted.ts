/**
 * The live route table, each route beside the row that says who may open it, and the calls that try it. A
 * route that is mounted and has no row is found here.
 */
import { type Door as DeviceDoor, deviceDoors, nameOf, publicDoors } from "../door.ts";
import type { Knock } from "../knock/knock.ts";
import { type Door, doorsOf } from "../knock/table.ts";
import type { Served } from "../served.ts";

interface Mounted {
  /** As it is mounted: `GET /api/v1/users/:id`. */
  readonly name: string;
  readonly method: string;
  /** With something in place of each parameter. */
  readonly path: string;
}

export interface PublicRoute extends Mounted {
  /** What a bare call is answered, whoever makes it. */
  readonly status: number;
}

export interface DeviceRoute extends Mounted {
  readonly door: DeviceDoor;
}

export interface OperatorRoute extends Mounted {
  readonly door: Door;
}

export interface Table {
  readonly open: readonly PublicRoute[];
  readonly device: readonly DeviceRoute[];
  readonly operator: readonly OperatorRoute[];
  /** Routes without a row. */
  readonly unlisted: readonly string[];
}

const inPlace: Readonly<Record<string, string>> = {
  cardId: "beefbeefbeef",
  keyVersion: "1",
  version: "1",
};
const nobody = "01936d7a-0000-7000-8000-000000000001";

const pathOf = (pattern: string): string =>
  pattern.replaceAll(/:(\w+)/g, (_, name: string) => inPlace[name] ?? nobody);

/** Every route that the server has, but the answers to HEAD, which are those to GET. */
export function tableOf(served: Served): Table {
  const operators = new Map<string, Door>();
  for (const door of doorsOf(served)) {
    if (door.row.may === "public") continue;
    const { method, path } = door.route;
    const bases = door.row.root ? [""] : ["/api/v1", "/v1"];
    for (const base of bases) operators.set(`${method} ${base}${path}`, door);
  }
  const open: PublicRoute[] = [];
  const device: DeviceRoute[] = [];
  const operator: OperatorRoute[] = [];
  const unlisted: string[] = [];
  for (const { method, path: pattern } of served.serving.app.routes) {
    if (method === "HEAD") continue;
    const name = nameOf({ method, path: pattern });
    const mounted = { name, method, path: pathOf(pattern) };
    const status = publicDoors[name];
    const ofDevices = deviceDoors[name];
    const ofOperators = operators.get(name);
    if (status !== undefined) open.push({ ...mounted, status });
    else if (ofDevices !== undefined) device.push({ ...mounted, door: ofDevices });
    else if (ofOperators !== undefined) operator.push({ ...mounted, door: ofOperators });
    else unlisted.push(name);
  }
  return { open, device, operator, unlisted };
}

/**
 * A call that is refused for its query once everything that asks who calls has let it through: it opens
 * the door and does nothing.
 */
export function canary(
  { method, path }: Mounted,
  keyed = false,
): { path: string; init: RequestInit } {
  const headers: Record<string, string> = {};
  if (keyed) headers["idempotency-key"] = crypto.randomUUID();
  const hasBody = method !== "GET";
  if (hasBody) headers["content-type"] = "application/json";
  return { path: `${path}?canary=1`, init: { method, headers, ...(hasBody && { body: "{}" }) } };
}

/** What lets a canary through. */
export const openDevice = "400 malformed_payload";
export const openOperator = "400 validation-error";

/** The real call of a door, as `canary` gives one. */
export function whole({ method }: Mounted, base: string, { path, body }: Knock) {
  const headers = { "content-type": "application/json" };
  const init = { method, headers, ...(body && { body: JSON.stringify(body) }) };
  return { path: base + path, init };
}
