/** `/fleet/key-versions`: a rotation of the session keys. No answer shows key material. */
import {
  keyAnswer,
  keyCreateRequest,
  keyParams,
  keyRetireRequest,
} from "../../../schema/contract/key.ts";
import { instantText } from "../../domain/instant.ts";
import { byOf } from "../../http/platform/by.ts";
import { pageOfArray } from "../../http/platform/page.ts";
import { operation, type PlatformRoute } from "../../http/platform/route.ts";
import type { KeyService, KeyVersion } from "./service.ts";

const timeOrNull = (ms: number | null): string | null => (ms === null ? null : instantText(ms));

const view = (version: KeyVersion) => ({
  keyVersion: version.keyVersion,
  status: version.status,
  primary: version.primary,
  activeCards: version.activeCards,
  note: version.note,
  createdAt: instantText(version.createdAtMs),
  activatedAt: timeOrNull(version.activatedAtMs),
  retiredAt: timeOrNull(version.retiredAtMs),
});

const keys = { namespace: "fleet", tag: "Keys" } as const;

const example = {
  keyVersion: 2,
  status: "active" as const,
  primary: true,
  activeCards: 812,
  note: "Yearly rotation",
  createdAt: "2026-11-20T08:00:00.000Z",
  activatedAt: "2026-11-21T06:00:00.000Z",
  retiredAt: null,
};
const params = { keyVersion: "2" };

export const keyRoutes = (service: KeyService): PlatformRoute[] => [
  operation({
    ...keys,
    method: "GET",
    path: "/fleet/key-versions",
    operationId: "listKeyVersions",
    summary: "Key versions of the tenant",
    description: "Newest first.",
    access: { permission: "fleet.keys.read" },
    contract: { list: keyAnswer },
    status: 200,
    refusals: [],
    examples: { response: { data: [example], meta: { cursor: null, hasMore: false, total: 1 } } },
    handle: async (call) => {
      const versions = await service.list(call.caller.tenantId, call.nowMs);
      return await pageOfArray(call, versions.reverse().map(view));
    },
  }),
  operation({
    ...keys,
    method: "POST",
    path: "/fleet/key-versions",
    operationId: "createKeyVersion",
    summary: "Make a key version",
    description: "It has the highest number and one more, and is not served until it is activated.",
    access: { permission: "fleet.keys.write" },
    contract: { body: keyCreateRequest, response: keyAnswer },
    status: 201,
    refusals: ["ids-exhausted"],
    examples: {
      request: { note: "Yearly rotation" },
      response: {
        ...example,
        status: "created",
        primary: false,
        activeCards: 0,
        activatedAt: null,
      },
    },
    location: (made) => `/fleet/key-versions/${made.keyVersion}`,
    handle: async (call) => {
      const { caller, nowMs, body } = call;
      const note = body.note ?? null;
      return await call.write(async (tx) =>
        view(await service.within.create(tx, caller.tenantId, note, byOf(call), nowMs)),
      );
    },
  }),
  operation({
    ...keys,
    method: "POST",
    path: "/fleet/key-versions/:keyVersion/activate",
    operationId: "activateKeyVersion",
    summary: "Make a key version the primary one",
    description:
      "Every other active version is still served on request: cards move to the new one by rekey, or by " +
      "reissue.",
    access: { permission: "fleet.keys.write" },
    contract: { params: keyParams, response: keyAnswer },
    status: 200,
    refusals: ["wrong-state"],
    examples: { params, response: example },
    handle: async (call) => {
      const { caller, nowMs, params } = call;
      const version = Number(params.keyVersion);
      return await call.write(async (tx) =>
        view(await service.within.activate(tx, caller.tenantId, version, byOf(call), nowMs)),
      );
    },
  }),
  operation({
    ...keys,
    method: "POST",
    path: "/fleet/key-versions/:keyVersion/retire",
    operationId: "retireKeyVersion",
    summary: "End a key version",
    description:
      "It is never served again. The primary one stays, and so does one that ACTIVE cards carry, unless " +
      "it is forced: nobody can read those cards then.",
    access: { permission: "fleet.keys.write" },
    contract: { params: keyParams, body: keyRetireRequest, response: keyAnswer },
    status: 200,
    refusals: ["wrong-state", "in-use"],
    examples: {
      params: { keyVersion: "1" },
      request: { force: false },
      response: {
        ...{ ...example, keyVersion: 1, status: "retired", primary: false, activeCards: 0 },
        retiredAt: "2026-11-21T16:33:00.000Z",
      },
    },
    handle: async (call) => {
      const { caller, nowMs, params, body } = call;
      const version = Number(params.keyVersion);
      const force = body.force ?? false;
      return await call.write(async (tx) => {
        const { retire } = service.within;
        return view(await retire(tx, caller.tenantId, version, force, byOf(call), nowMs));
      });
    },
  }),
];
