/** `/fleet/policies` and `/fleet/devices/{id}/policy`: limits by scope, and what they come to. */
import {
  policyChangeRequest,
  policyCreateRequest,
  policyEffective,
  policyParams,
  policyQuery,
  policyRecord,
} from "../../../schema/contract/policy.ts";
import { instantText } from "../../domain/instant.ts";
import { changeOf, shownRow, shownValues } from "../../domain/policy.ts";
import type { FieldFault } from "../../domain/problem.ts";
import { byOf } from "../../http/platform/by.ts";
import { pageOf } from "../../http/platform/page.ts";
import { operation, type PlatformRoute } from "../../http/platform/route.ts";
import type { PolicyRecord, PolicyService } from "./service.ts";

const view = (record: PolicyRecord) => ({
  id: record.id,
  scope: record.scope,
  scopeId: record.scopeId,
  ...shownRow(record.row),
  createdAt: instantText(record.createdAtMs),
  updatedAt: instantText(record.updatedAtMs),
  version: record.version,
});

/** Fields that a zone or a device does not have; null says nothing. */
function tenantFaults(body: { grantTtlSec?: unknown; allowedOps?: unknown }): FieldFault[] {
  const message = "Is set for the whole tenant alone";
  return (["grantTtlSec", "allowedOps"] as const)
    .filter((field) => (body[field] ?? null) !== null)
    .map((field) => ({ field, message, code: "NOT_ALLOWED" }));
}

const policies = { namespace: "fleet", tag: "Policies" } as const;

const id = "01936d7a-0000-7000-8000-000000000001";
const scopeId = "01936d7a-0000-7000-8000-000000000002";
const example = {
  ...{ id, scope: "zone" as const, scopeId, maxBalance: null, singleTxLimit: 250_000 },
  ...{ dailyLimit: 500_000, weeklyLimit: null, blockedStatuses: null },
  ...{ clockDriftAllowanceSec: null, grantTtlSec: null, allowedOps: null },
  createdAt: "2026-11-20T08:00:00.000Z",
  updatedAt: "2026-11-20T08:00:00.000Z",
  version: 1,
};
const params = { id };

export const policyPlatformRoutes = (service: PolicyService): PlatformRoute[] => [
  operation({
    ...policies,
    method: "GET",
    path: "/fleet/policies",
    operationId: "listPolicies",
    summary: "Policies of the tenant, its zones and its devices",
    description: "Newest first. The tenant's own is there from the start. Null fields inherit.",
    access: { permission: "fleet.policies.read" },
    contract: { query: policyQuery, list: policyRecord },
    status: 200,
    refusals: [],
    examples: {
      query: { scope: "zone" },
      response: { data: [example], meta: { cursor: null, hasMore: false, total: 1 } },
    },
    handle: (call) => {
      const { tenantId } = call.caller;
      const { limit: _limit, after: _after, ...filter } = call.query;
      return pageOf(
        call,
        {
          read: (after, limit) =>
            service.list(tenantId, filter, Number(after?.[0] ?? Number.MAX_SAFE_INTEGER), limit),
          placeOf: ({ policyNo }) => [policyNo],
          count: () => service.count(tenantId, filter),
        },
        view,
      );
    },
  }),
  operation({
    ...policies,
    method: "POST",
    path: "/fleet/policies",
    operationId: "createPolicy",
    summary: "Give a zone or a device limits of its own",
    description:
      "Fields that are missing or null inherit: device, zone, tenant, default. Devices see it at their " +
      "next `GET /api/policy`.",
    access: { permission: "fleet.policies.write" },
    contract: { body: policyCreateRequest, response: policyRecord },
    status: 201,
    refusals: ["not-found", "already-exists"],
    examples: {
      request: { scope: "zone", scopeId, singleTxLimit: 250_000, dailyLimit: 500_000 },
      response: example,
    },
    location: (policy) => `/fleet/policies/${policy.id}`,
    check: tenantFaults,
    handle: async (call) => {
      const { caller, nowMs } = call;
      const { scope, scopeId, ...given } = call.body;
      const target = { scope, scopeId };
      const change = changeOf(given);
      return await call.write(async (tx) => {
        const { create } = service.within;
        return view(await create(tx, caller.tenantId, target, change, byOf(call), nowMs));
      });
    },
  }),
  operation({
    ...policies,
    method: "GET",
    path: "/fleet/policies/:id",
    operationId: "getPolicyRecord",
    summary: "One policy",
    access: { permission: "fleet.policies.read" },
    contract: { params: policyParams, response: policyRecord },
    status: 200,
    refusals: [],
    examples: { params, response: example },
    handle: async ({ caller, params }) => view(await service.get(caller.tenantId, params.id)),
  }),
  operation({
    ...policies,
    method: "PATCH",
    path: "/fleet/policies/:id",
    operationId: "updatePolicy",
    summary: "Change limits",
    description:
      "Null inherits again. A value that would not fit a narrower scope is refused. Any change raises " +
      "the tenant's policyVersion.",
    access: { permission: "fleet.policies.write" },
    contract: { params: policyParams, body: policyChangeRequest, response: policyRecord },
    status: 200,
    refusals: ["version-conflict"],
    examples: {
      params,
      request: { dailyLimit: null, version: 1 },
      response: { ...example, dailyLimit: null, version: 2 },
    },
    handle: async (call) => {
      const { caller, nowMs, params } = call;
      const { version, ...given } = call.body;
      const wanted = changeOf(given);
      return await call.write(async (tx) => {
        const { change } = service.within;
        const by = byOf(call);
        return view(await change(tx, caller.tenantId, params.id, version, wanted, by, nowMs));
      });
    },
  }),
  operation({
    ...policies,
    method: "DELETE",
    path: "/fleet/policies/:id",
    operationId: "deletePolicy",
    summary: "Let a zone or a device inherit everything again",
    access: { permission: "fleet.policies.write" },
    contract: { params: policyParams, response: null },
    status: 204,
    refusals: ["wrong-state", "in-use"],
    examples: { params },
    handle: async (call) => {
      const { caller, nowMs, params } = call;
      await call.write((tx) =>
        service.within.remove(tx, caller.tenantId, params.id, byOf(call), nowMs),
      );
      return undefined;
    },
  }),
  operation({
    ...policies,
    method: "GET",
    path: "/fleet/devices/:id/policy",
    operationId: "getDevicePolicy",
    summary: "The limits that a device works under, and whose each is",
    access: { permission: "fleet.policies.read" },
    contract: { params: policyParams, response: policyEffective },
    status: 200,
    refusals: [],
    examples: {
      params,
      response: {
        maxBalance: 5_000_000,
        singleTxLimit: 250_000,
        dailyLimit: 500_000,
        weeklyLimit: 5_000_000,
        blockedStatuses: [1, 2, 3, 4],
        clockDriftAllowanceSec: 3_600,
        grantTtlSec: 28_800,
        allowedOps: {
          terminal: ["read", "debit", "checkin", "checkout"],
          gate: ["read", "checkin", "checkout"],
          station: ["read", "checkout", "topup", "reissue", "block"],
        },
        sources: {
          maxBalance: "default",
          singleTxLimit: "zone",
          dailyLimit: "zone",
          weeklyLimit: "tenant",
          blockedStatuses: "default",
          clockDriftAllowanceSec: "default",
          grantTtlSec: "tenant",
          allowedOps: "default",
        },
        policyVersion: 4,
      },
    },
    handle: async ({ caller, params }) => {
      const target = { scope: "device" as const, scopeId: params.id };
      const shown = await service.show(caller.tenantId, target);
      return { ...shownValues(shown), policyVersion: shown.policyVersion };
    },
  }),
];
