/** `/api-keys`: the keys that programs of the caller's tenant sign in with. */
import {
  apiKeyAnswer,
  apiKeyMade,
  apiKeyParams,
  apiKeyRequest,
} from "../../../schema/contract/apikey.ts";
import { parseRange } from "../../domain/cidr.ts";
import { instantMs, instantText } from "../../domain/instant.ts";
import { type FieldFault, invalid } from "../../domain/problem.ts";
import { byOf } from "../../http/platform/by.ts";
import { pageOf } from "../../http/platform/page.ts";
import { operation, type PlatformRoute } from "../../http/platform/route.ts";
import type { ApiKey, ApiKeyService } from "./service.ts";

const timeOrNull = (ms: number | null): string | null => (ms === null ? null : instantText(ms));

const view = (key: ApiKey) => ({
  id: key.uuid,
  name: key.name,
  prefix: key.prefix,
  roles: [...key.roles],
  allowedIps: [...key.allowedIps],
  expiresAt: timeOrNull(key.expiresAtMs),
  lastUsedAt: timeOrNull(key.lastUsedAtMs),
  createdAt: instantText(key.createdAtMs),
});

function rangeFaults(ranges: readonly string[]): FieldFault[] {
  const faults: FieldFault[] = [];
  for (const [at, range] of ranges.entries()) {
    if (parseRange(range) !== undefined) continue;
    const message = "Must be a CIDR range such as 192.0.2.0/24";
    faults.push({ field: `allowedIps[${at}]`, message, code: "INVALID_FORMAT" });
  }
  return faults;
}

/** The moment that a key ends at. @throws Problem validation-error: it is over */
function endOf(text: string | null | undefined, nowMs: number): number | null {
  const ms = text == null ? null : (instantMs(text) ?? null);
  if (ms !== null && ms <= nowMs) {
    throw invalid([{ field: "expiresAt", message: "Must be ahead", code: "NOT_ALLOWED" }]);
  }
  return ms;
}

const apiKeys = { namespace: "iam", tag: "API keys" } as const;

const id = "01936d7a-0000-7000-8000-000000000001";
const draft = { name: "Nightly export", roles: ["member"], allowedIps: ["192.0.2.0/24"] };
const example = {
  id,
  ...draft,
  prefix: "ak_fZ2xk",
  expiresAt: null,
  lastUsedAt: null,
  createdAt: "2026-11-21T16:33:00.000Z",
};
const key = "ak_fZ2xkT0mJ5y1rQ8vL3nB7cW6eD4sA9hG2pU0iO1kM5x";

export const apiKeyRoutes = (service: ApiKeyService): PlatformRoute[] => [
  operation({
    ...apiKeys,
    method: "GET",
    path: "/api-keys",
    operationId: "listApiKeys",
    summary: "API keys of the tenant",
    access: { permission: "apikeys.list" },
    contract: { list: apiKeyAnswer },
    status: 200,
    refusals: [],
    examples: { response: { data: [example], meta: { cursor: null, hasMore: false, total: 1 } } },
    handle: (call) => {
      const { tenantId } = call.caller;
      return pageOf(
        call,
        {
          read: (after, limit) =>
            service.list(tenantId, Number(after?.[0] ?? Number.MAX_SAFE_INTEGER), limit),
          placeOf: ({ apiKeyNo }) => [apiKeyNo],
          count: () => service.count(tenantId),
        },
        view,
      );
    },
  }),
  operation({
    ...apiKeys,
    method: "POST",
    path: "/api-keys",
    operationId: "createApiKey",
    summary: "Make an API key",
    description:
      "The key is shown in this answer and never again. It acts by itself, with these roles.",
    access: { permission: "apikeys.create" },
    contract: { body: apiKeyRequest, response: apiKeyMade },
    status: 201,
    secret: true,
    refusals: ["permission-escalation"],
    examples: { request: draft, response: { ...example, key } },
    location: (made) => `/api-keys/${made.id}`,
    check: ({ allowedIps = [] }) => rangeFaults(allowedIps),
    handle: async (call) => {
      const { caller, nowMs } = call;
      const { expiresAt, ...rest } = call.body;
      const wanted = { ...rest, expiresAtMs: endOf(expiresAt, nowMs) };
      return await call.write(async (tx) => {
        const by = byOf(call);
        const made = await service.create(tx, caller.tenantId, wanted, caller, by, nowMs);
        return { ...view(made.apiKey), key: made.key };
      });
    },
  }),
  operation({
    ...apiKeys,
    method: "DELETE",
    path: "/api-keys/:id",
    operationId: "revokeApiKey",
    summary: "Revoke an API key",
    description: "Its tokens die at once.",
    access: { permission: "apikeys.delete" },
    contract: { params: apiKeyParams, response: null },
    status: 204,
    refusals: [],
    examples: { params: { id } },
    handle: async (call) => {
      const { caller, nowMs } = call;
      return await call.write(async (tx) => {
        await service.revoke(tx, caller.tenantId, call.params.id, byOf(call), nowMs);
      });
    },
  }),
];
