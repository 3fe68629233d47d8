/** `/fleet/devices` and `/fleet/zones`: what stands where in the caller's venue, and may work. */
import {
  deviceAnswer,
  deviceChangeRequest,
  deviceCreateRequest,
  deviceMade,
  deviceParams,
  deviceQuery,
  deviceReasonRequest,
  deviceSecretRequest,
  secretMade,
  zoneAnswer,
  zoneChangeRequest,
  zoneCreateRequest,
  zoneParams,
} from "../../../schema/contract/device.ts";
import type { Outlook } from "../../domain/exposure.ts";
import { instantText } from "../../domain/instant.ts";
import { byOf } from "../../http/platform/by.ts";
import type { Caller } from "../../http/platform/caller.ts";
import { pageOf } from "../../http/platform/page.ts";
import { operation, type PlatformCall, type PlatformRoute } from "../../http/platform/route.ts";
import type { Reader, Writer } from "../../store/seam.ts";
import type { Device, DeviceService, Zone } from "./service.ts";

type Placed = Pick<Device, "deviceNo" | "zoneNo">;

/** What a device may have taken that is not uploaded yet. */
export interface Exposed {
  readonly amount: number;
  readonly sinceMs: number | null;
  readonly lastUploadAtMs: number | null;
}

export interface DeviceRouteDeps {
  readonly device: DeviceService;
  readonly fleet: {
    outlook(tenantId: number, deviceNo: number, nowMs: number): Promise<Outlook>;
    exposed(tenantId: number, device: Placed, outlook: Outlook, q?: Reader): Promise<Exposed>;
    exposures(
      tenantId: number,
      devices: readonly Placed[],
      nowMs: number,
    ): Promise<ReadonlyMap<number, Exposed>>;
  };
}

const timeOrNull = (ms: number | null): string | null => (ms === null ? null : instantText(ms));
const secOrNull = (sec: number | null): string | null =>
  sec === null ? null : instantText(sec * 1000);

const unexposed: Exposed = { amount: 0, sinceMs: null, lastUploadAtMs: null };

const view = (device: Device, { amount, sinceMs, lastUploadAtMs }: Exposed) => ({
  id: device.id,
  terminalId: device.terminalId,
  deviceId: device.deviceId,
  role: device.role,
  name: device.name,
  zoneId: device.zoneId,
  status: device.status,
  commissioned: device.tokenIssuedAtMs !== null,
  secretExpiresAt: secOrNull(device.secretExpiresAtSec),
  tokenIssuedAt: timeOrNull(device.tokenIssuedAtMs),
  tokenExpiresAt: secOrNull(device.tokenExpiresAtSec),
  lastSeenAt: timeOrNull(device.lastSeenAtMs),
  settlementWalletId: device.settlementWalletId,
  memberId: device.memberId,
  exposure: { amount, since: timeOrNull(sinceMs) },
  lastUploadAt: timeOrNull(lastUploadAtMs),
  createdAt: instantText(device.createdAtMs),
  updatedAt: instantText(device.updatedAtMs),
  version: device.version,
});

const zoneView = ({ id, name, devices, createdAtMs, version }: Zone) => ({
  id,
  name,
  devices,
  createdAt: instantText(createdAtMs),
  version,
});

type DeviceCall = PlatformCall<{ id: string }, unknown, unknown, Caller>;

const devices = { namespace: "fleet", tag: "Devices" } as const;
const zones = { namespace: "fleet", tag: "Zones" } as const;

const id = "01936d7a-0000-7000-8000-000000000001";
const zoneId = "01936d7a-0000-7000-8000-000000000002";
const example = {
  id,
  terminalId: 42,
  deviceId: "till-7",
  role: "terminal" as const,
  name: "Till 7, north door",
  zoneId,
  status: "active" as const,
  commissioned: true,
  secretExpiresAt: null,
  tokenIssuedAt: "2026-11-20T08:00:00.000Z",
  tokenExpiresAt: "2027-11-20T08:00:00.000Z",
  lastSeenAt: "2026-11-21T16:33:00.000Z",
  settlementWalletId: "01936d7a-0000-7000-8000-000000000003",
  memberId: null,
  exposure: { amount: 24_000_000, since: "2026-11-21T15:00:00.000Z" },
  lastUploadAt: "2026-11-21T15:00:00.000Z",
  createdAt: "2026-11-20T07:55:00.000Z",
  updatedAt: "2026-11-20T07:55:00.000Z",
  version: 1,
};
const secret = "ks_fZ2xkT0mJ5y1rQ8vL3nB7cW6eD4sA9hG2pU0iO1kM5x";
const shownSecret = {
  secret,
  secretExpiresAt: "2026-11-27T07:55:00.000Z",
  qr: {
    payload: `{"v":1,"url":"https://kartu.example/api","deviceId":"till-7","role":"terminal","secret":"${secret}"}`,
    svg: '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 45 45">…</svg>',
  },
};
const params = { id };

export const deviceRoutes = (deps: DeviceRouteDeps): PlatformRoute[] => [
  ...listRoutes(deps),
  ...singleRoutes(deps),
  ...stateRoutes(deps),
  ...zoneRoutes(deps.device),
];

const listRoutes = ({ device: service, fleet }: DeviceRouteDeps): PlatformRoute[] => [
  operation({
    ...devices,
    method: "GET",
    path: "/fleet/devices",
    operationId: "listDevices",
    summary: "Stations, gates, terminals and scouts of the venue",
    description: "Newest first; retired ones too.",
    access: { permission: "fleet.devices.read" },
    contract: { query: deviceQuery, list: deviceAnswer },
    status: 200,
    refusals: [],
    examples: {
      query: { q: "till" },
      response: { data: [example], meta: { cursor: null, hasMore: false, total: 1 } },
    },
    handle: async (call) => {
      const { caller, nowMs } = call;
      const { limit: _limit, after: _after, ...filter } = call.query;
      const { tenantId } = caller;
      const page = await pageOf(
        call,
        {
          read: (after, limit) =>
            service.search(tenantId, filter, Number(after?.[0] ?? Number.MAX_SAFE_INTEGER), limit),
          placeOf: ({ terminalId }) => [terminalId],
          count: () => service.count(tenantId, filter),
        },
        (device) => device,
      );
      const exposures = await fleet.exposures(tenantId, page.data, nowMs);
      const data = page.data.map((each) => view(each, exposures.get(each.deviceNo) ?? unexposed));
      return { ...page, data };
    },
  }),
  operation({
    ...devices,
    method: "POST",
    path: "/fleet/devices",
    operationId: "registerDevice",
    summary: "Register a device",
    description:
      "It gets the next terminalId, a settlement account, and a one-time secret that is shown in this " +
      "answer and never again. The QR code holds all that the device needs.",
    access: { permission: "fleet.devices.write" },
    contract: { body: deviceCreateRequest, response: deviceMade },
    status: 201,
    secret: true,
    refusals: ["plan-limit-exceeded", "not-found", "already-exists", "ids-exhausted"],
    examples: {
      request: { deviceId: "till-7", role: "terminal", name: "Till 7, north door", zoneId },
      response: {
        ...example,
        ...{ commissioned: false, tokenIssuedAt: null, tokenExpiresAt: null, lastSeenAt: null },
        ...{ exposure: { amount: 0, since: null }, lastUploadAt: null },
        ...shownSecret,
      },
    },
    location: (made) => `/fleet/devices/${made.id}`,
    check: ({ role, memberId }) =>
      memberId === undefined || role === "scout"
        ? []
        : [{ field: "memberId", message: "Is for a scout alone", code: "NOT_ALLOWED" }],
    handle: async (call) => {
      const { caller, nowMs, body } = call;
      const shown = service.prepare(body);
      return await call.write(async (tx) => {
        const by = byOf(call);
        const { tenantId } = caller;
        const made = await service.within.register(tx, tenantId, body, shown.secret, by, nowMs);
        return {
          ...view(made.device, unexposed),
          ...{ secret: shown.secret, qr: shown.qr },
          secretExpiresAt: instantText(made.secretExpiresAtSec * 1000),
        };
      });
    },
  }),
];

/** What is done to a device, and the device as its answer. */
const changing =
  ({ device: service, fleet }: DeviceRouteDeps) =>
  async (call: DeviceCall, work: (tx: Writer) => Promise<Device>) => {
    const { tenantId } = call.caller;
    const { deviceNo } = await service.get(tenantId, call.params);
    // What it has seen is read before the write: within it only the limits are.
    const outlook = await fleet.outlook(tenantId, deviceNo, call.nowMs);
    return await call.write(async (tx) => {
      const device = service.seen(await work(tx));
      return view(device, await fleet.exposed(tenantId, device, outlook, tx));
    });
  };

const singleRoutes = (deps: DeviceRouteDeps): PlatformRoute[] => [
  operation({
    ...devices,
    method: "GET",
    path: "/fleet/devices/:id",
    operationId: "getDevice",
    summary: "One device",
    access: { permission: "fleet.devices.read" },
    contract: { params: deviceParams, response: deviceAnswer },
    status: 200,
    refusals: [],
    examples: { params, response: example },
    handle: async ({ caller: { tenantId }, params, nowMs }) => {
      const device = await deps.device.get(tenantId, params);
      const exposures = await deps.fleet.exposures(tenantId, [device], nowMs);
      return view(device, exposures.get(device.deviceNo) ?? unexposed);
    },
  }),
  operation({
    ...devices,
    method: "PATCH",
    path: "/fleet/devices/:id",
    operationId: "updateDevice",
    summary: "Rename a device, or put it into another zone",
    description: "Null takes the name away, or the device out of its zone.",
    access: { permission: "fleet.devices.write" },
    contract: { params: deviceParams, body: deviceChangeRequest, response: deviceAnswer },
    status: 200,
    refusals: ["wrong-state", "version-conflict"],
    examples: {
      params,
      request: { name: "Till 7, south door", version: 1 },
      response: { ...example, name: "Till 7, south door", version: 2 },
    },
    handle: (call) =>
      changing(deps)(call, (tx) =>
        deps.device.within.change(
          tx,
          call.caller.tenantId,
          call.params,
          call.body,
          byOf(call),
          call.nowMs,
        ),
      ),
  }),
  operation({
    ...devices,
    method: "DELETE",
    path: "/fleet/devices/:id",
    operationId: "retireDevice",
    summary: "Retire a device for good",
    description: "Its tokens and its secret are dead; its record stays, and its number is its own.",
    access: { permission: "fleet.devices.write" },
    contract: { params: deviceParams, response: null },
    status: 204,
    refusals: ["wrong-state"],
    examples: { params },
    handle: async (call) => {
      const { caller, nowMs, params } = call;
      await call.write((tx) =>
        deps.device.within.end(tx, caller.tenantId, params, byOf(call), nowMs),
      );
      return undefined;
    },
  }),
];

const stateRoutes = (deps: DeviceRouteDeps): PlatformRoute[] => [
  ...(["suspend", "resume"] as const).map((step) =>
    operation({
      ...devices,
      method: "POST",
      path: `/fleet/devices/:id/${step}`,
      operationId: `${step}Device`,
      summary: step === "suspend" ? "Suspend a device" : "Take back a suspension",
      description:
        step === "suspend"
          ? "It keeps its token: grants and card management are 403, batches are taken, reports block " +
            "nothing. A repeat changes nothing. Revoke a device that is lost."
          : "A repeat changes nothing.",
      access: { permission: "fleet.devices.write" },
      contract: { params: deviceParams, body: deviceReasonRequest, response: deviceAnswer },
      status: 200,
      refusals: ["wrong-state"],
      examples: {
        params,
        request: { reason: "Screen broken" },
        response: { ...example, status: step === "suspend" ? "suspended" : "active", version: 2 },
      },
      handle: (call) => {
        const { caller, nowMs, params, body } = call;
        return changing(deps)(call, (tx) =>
          deps.device.within[step](tx, caller.tenantId, params, byOf(call), nowMs, body.reason),
        );
      },
    }),
  ),
  operation({
    ...devices,
    method: "POST",
    path: "/fleet/devices/:id/revoke-token",
    operationId: "revokeDeviceToken",
    summary: "Shut a device out",
    description: "Every token and unspent secret of it is dead at once.",
    access: { permission: "fleet.devices.write" },
    contract: { params: deviceParams, response: deviceAnswer },
    status: 200,
    refusals: [],
    examples: {
      params,
      response: { ...example, commissioned: false, tokenIssuedAt: null, tokenExpiresAt: null },
    },
    handle: (call) => {
      const { caller, nowMs, params } = call;
      return changing(deps)(call, (tx) =>
        deps.device.within.revoke(tx, caller.tenantId, params, byOf(call), nowMs),
      );
    },
  }),
  operation({
    ...devices,
    method: "POST",
    path: "/fleet/devices/:id/secret",
    operationId: "issueDeviceSecret",
    summary: "A new one-time secret for a device",
    description:
      "Shown in this answer and never again. The unspent older one dies, and the device's tokens too " +
      "unless they are kept.",
    access: { permission: "fleet.devices.secret" },
    contract: { params: deviceParams, body: deviceSecretRequest, response: secretMade },
    status: 201,
    secret: true,
    refusals: ["wrong-state"],
    examples: { params, request: { keepToken: true }, response: shownSecret },
    handle: async (call) => {
      const { caller, nowMs, params, body } = call;
      const { tenantId } = caller;
      const { secret, qr } = deps.device.prepare(await deps.device.get(tenantId, params));
      return await call.write(async (tx) => {
        const keep = body.keepToken ?? false;
        const by = byOf(call);
        const { newSecret } = deps.device.within;
        const made = await newSecret(tx, tenantId, params, secret, keep, by, nowMs);
        return { secret, secretExpiresAt: instantText(made.secretExpiresAtSec * 1000), qr };
      });
    },
  }),
];

const zoneExample = {
  id: zoneId,
  name: "North hall",
  devices: 12,
  createdAt: "2026-11-20T07:50:00.000Z",
  version: 1,
};

const zoneRoutes = (service: DeviceService): PlatformRoute[] => [
  operation({
    ...zones,
    method: "GET",
    path: "/fleet/zones",
    operationId: "listZones",
    summary: "Zones of the venue",
    access: { permission: "fleet.policies.read" },
    contract: { list: zoneAnswer },
    status: 200,
    refusals: [],
    examples: {
      response: { data: [zoneExample], meta: { cursor: null, hasMore: false, total: 1 } },
    },
    handle: (call) => {
      const { tenantId } = call.caller;
      return pageOf(
        call,
        {
          read: (after, limit) =>
            service.pageZones(tenantId, Number(after?.[0] ?? Number.MAX_SAFE_INTEGER), limit),
          placeOf: ({ zoneNo }) => [zoneNo],
          count: () => service.countZones(tenantId),
        },
        zoneView,
      );
    },
  }),
  operation({
    ...zones,
    method: "POST",
    path: "/fleet/zones",
    operationId: "createZone",
    summary: "Make a zone",
    access: { permission: "fleet.policies.write" },
    contract: { body: zoneCreateRequest, response: zoneAnswer },
    status: 201,
    refusals: ["already-exists"],
    examples: { request: { name: "North hall" }, response: { ...zoneExample, devices: 0 } },
    location: (zone) => `/fleet/zones/${zone.id}`,
    handle: async (call) => {
      const { caller, nowMs, body } = call;
      return await call.write(async (tx) =>
        zoneView(await service.within.addZone(tx, caller.tenantId, body.name, byOf(call), nowMs)),
      );
    },
  }),
  operation({
    ...zones,
    method: "PATCH",
    path: "/fleet/zones/:id",
    operationId: "updateZone",
    summary: "Rename a zone",
    access: { permission: "fleet.policies.write" },
    contract: { params: zoneParams, body: zoneChangeRequest, response: zoneAnswer },
    status: 200,
    refusals: ["already-exists", "version-conflict"],
    examples: {
      params: { id: zoneId },
      request: { name: "South hall", version: 1 },
      response: { ...zoneExample, name: "South hall", version: 2 },
    },
    handle: async (call) => {
      const { caller, nowMs, params, body } = call;
      return await call.write(async (tx) => {
        const { changeZone } = service.within;
        return zoneView(await changeZone(tx, caller.tenantId, params, body, byOf(call), nowMs));
      });
    },
  }),
  operation({
    ...zones,
    method: "DELETE",
    path: "/fleet/zones/:id",
    operationId: "deleteZone",
    summary: "Take a zone away",
    description: "One with devices in it, or with limits of its own, stays.",
    access: { permission: "fleet.policies.write" },
    contract: { params: zoneParams, response: null },
    status: 204,
    refusals: ["in-use"],
    examples: { params: { id: zoneId } },
    handle: async (call) => {
      const { caller, nowMs, params } = call;
      await call.write((tx) =>
        service.within.removeZone(tx, caller.tenantId, params, byOf(call), nowMs),
      );
      return undefined;
    },
  }),
];
