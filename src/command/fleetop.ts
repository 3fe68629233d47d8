/**
 * Operations on what stands where in a venue and who holds its cards, besides the most common ones in
 * `operation.ts`: looking closely at one, renaming, zones, limits that inherit again, the figures of now.
 */
import { Type } from "@sinclair/typebox";
import {
  deviceIdMaxChars,
  emailMaxChars,
  nameMaxChars,
  searchMaxChars,
  searchMinChars,
  uint32Max,
} from "../../schema/bound.ts";
import type { Actor } from "../domain/audit.ts";
import { OperatorRefused } from "../domain/operator.ts";
import type { Zone } from "../feature/device/service.ts";
import type { PolicyTarget } from "../feature/policy/service.ts";
import { cli, type Host, operation, reading, tenantOf, tenantSlug, text } from "./kind.ts";
import { deviceView, isoOfMs, memberView } from "./view.ts";

const tenant = tenantSlug;
const deviceId = text(deviceIdMaxChars);
const userId = Type.Integer({ minimum: 1, maximum: uint32Max });
const name = text(nameMaxChars);
const orNull = <S extends ReturnType<typeof text>>(schema: S) => Type.Union([schema, Type.Null()]);
const below = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const limit = Type.Integer({ minimum: 1, maximum: 1_000 });

const zoneView = ({ id, name, devices, createdAtMs }: Zone) => ({
  id,
  name,
  devices,
  createdAt: isoOfMs(createdAtMs),
});

/** The zone or the device takes its limits from the wider scope again. */
async function clearPolicy(
  { policy, store }: Host,
  tenantId: number,
  target: PolicyTarget,
  actor: Actor,
  nowMs: number,
): Promise<{ policyVersion: number }> {
  const { scopeId } = await policy.show(tenantId, target);
  const filter = { scope: target.scope, scopeId };
  const [own] = await policy.list(tenantId, filter, Number.MAX_SAFE_INTEGER, 1);
  if (own === undefined) {
    throw new OperatorRefused("not-found", `the ${target.scope} has no limits of its own`);
  }
  await store.write((tx) => policy.within.remove(tx, tenantId, own.id, { actor }, nowMs));
  const { policyVersion } = await policy.show(tenantId, target);
  return { policyVersion };
}

export const fleetOperations = {
  overview: reading({ tenant }, async (host, args) =>
    host.fleet.overview(await tenantOf(host, args.tenant), host.clock.nowMs()),
  ),

  "device.show": reading({ tenant, deviceId }, async (host, args) => {
    const tenantId = await tenantOf(host, args.tenant);
    const device = await host.device.get(tenantId, { deviceId: args.deviceId });
    const found = await host.fleet.exposures(tenantId, [device], host.clock.nowMs());
    const exposure = found.get(device.deviceNo);
    const textOf = (ms: number | null | undefined) => (ms == null ? null : isoOfMs(ms));
    return {
      ...deviceView(device),
      exposure: { amount: exposure?.amount ?? 0, since: textOf(exposure?.sinceMs) },
      lastUploadAt: textOf(exposure?.lastUploadAtMs),
    };
  }),
  "device.edit": operation(
    {
      tenant,
      deviceId,
      name: Type.Optional(orNull(name)),
      zone: Type.Optional(orNull(name)),
    },
    async (host, args) => {
      const tenantId = await tenantOf(host, args.tenant);
      const { zone } = args;
      const wanted = {
        ...(args.name !== undefined && { name: args.name }),
        ...(zone === null && { zoneId: null }),
        ...(typeof zone === "string" && { zone }),
      };
      const nowMs = host.clock.nowMs();
      return deviceView(await host.device.change(tenantId, args.deviceId, wanted, cli, nowMs));
    },
  ),

  "zone.add": operation({ tenant, name }, async (host, args) => {
    const tenantId = await tenantOf(host, args.tenant);
    return zoneView(await host.device.addZone(tenantId, args.name, cli, host.clock.nowMs()));
  }),
  "zone.list": reading({ tenant }, async (host, args) =>
    (await host.device.zones(await tenantOf(host, args.tenant))).map(zoneView),
  ),
  "zone.rename": operation({ tenant, name, to: name }, async (host, args) => {
    const tenantId = await tenantOf(host, args.tenant);
    const { renameZone } = host.device;
    const nowMs = host.clock.nowMs();
    return zoneView(await renameZone(tenantId, { name: args.name }, args.to, cli, nowMs));
  }),
  "zone.remove": operation({ tenant, name }, async (host, args) => {
    const tenantId = await tenantOf(host, args.tenant);
    await host.device.removeZone(tenantId, { name: args.name }, cli, host.clock.nowMs());
    return { name: args.name, removed: true };
  }),

  "member.show": reading({ tenant, userId }, async (host, args) => {
    const tenantId = await tenantOf(host, args.tenant);
    const member = await host.member.get(tenantId, { userId: args.userId });
    return { ...memberView(member), id: member.memberId, cardId: member.card?.cardId ?? null };
  }),
  "member.edit": operation(
    {
      tenant,
      userId,
      name: Type.Optional(name),
      email: Type.Optional(orNull(text(emailMaxChars))),
    },
    async (host, { tenant: slug, userId: no, ...wanted }) => {
      const tenantId = await tenantOf(host, slug);
      return memberView(await host.member.change(tenantId, no, wanted, cli, host.clock.nowMs()));
    },
  ),
  "member.find": reading(
    { tenant, q: text(searchMaxChars, searchMinChars), below, limit },
    async (host, args) => {
      const tenantId = await tenantOf(host, args.tenant);
      const found = await host.member.search(tenantId, { q: args.q }, args.below, args.limit);
      return found.map((member) => ({ memberNo: member.memberNo, member: memberView(member) }));
    },
  ),

  "policy.clear": operation(
    { tenant, zone: Type.Optional(name), device: Type.Optional(deviceId) },
    async (host, { tenant: slug, zone, device }) => {
      if ((zone === undefined) === (device === undefined)) {
        throw new OperatorRefused("validation-error", "name a zone or a device", "zone");
      }
      const target: PolicyTarget =
        zone === undefined ? { scope: "device", deviceId: device ?? "" } : { scope: "zone", zone };
      const tenantId = await tenantOf(host, slug);
      return await clearPolicy(host, tenantId, target, cli, host.clock.nowMs());
    },
  ),
} as const;
