/** Calls of those who run the venue about limits. */

import type { Books } from "./books.ts";
import { type Asked, codeOf, type Due, objectOf, ok, refuse, textOf } from "./due.ts";
import { stale, taken, unknown, wrongState } from "./operator.ts";
import type { Policy } from "./policy.ts";
import type { Device } from "./thing.ts";

const fields = [
  ...["maxBalance", "singleTxLimit", "dailyLimit", "weeklyLimit", "blockedStatuses"],
  ...["clockDriftAllowanceSec", "grantTtlSec", "allowedOps"],
] as const;

/** What was sent, on top of what was there. */
function changed(policy: Policy, body: Asked["body"]): Policy {
  const sent = fields.filter((field) => body[field] !== undefined);
  const next: Policy = { ...policy, version: policy.version + 1 };
  return Object.assign(next, Object.fromEntries(sent.map((field) => [field, body[field]])));
}

/** As operators see it: what it does not set is null. */
const shownPolicy = (policy: Policy, scope: string) => {
  const { maxBalance, singleTxLimit, dailyLimit, weeklyLimit, blockedStatuses, version } = policy;
  const { clockDriftAllowanceSec = null, grantTtlSec = null } = policy;
  return {
    ...{ maxBalance: maxBalance ?? null, singleTxLimit: singleTxLimit ?? null },
    ...{ dailyLimit: dailyLimit ?? null, weeklyLimit: weeklyLimit ?? null },
    ...{ blockedStatuses: blockedStatuses ?? null, clockDriftAllowanceSec, grantTtlSec },
    ...{ scope, version },
  };
};

const isSound = (books: Books, device: Pick<Device, "id" | "zoneId">): boolean => {
  const { weeklyLimit, dailyLimit, singleTxLimit, maxBalance } = books.policies.of(device);
  return weeklyLimit >= dailyLimit && singleTxLimit <= maxBalance;
};

/** Every pair of scopes whose limits come together somewhere. */
const combinations = ({ devices, policies }: Books): Pick<Device, "id" | "zoneId">[] => [
  { id: "", zoneId: null },
  ...[...policies.zones.keys()].map((zoneId) => ({ id: "", zoneId })),
  ...devices.filter(({ status }) => status !== "retired"),
];

/** Whether setting what was set already is a change is not said. */
function countChange({ policies }: Books, isChange: boolean): void {
  policies.version = isChange && policies.version ? policies.version + 1 : undefined;
}

/**
 * Puts a policy in its place and takes it away again when it was refused: limits that contradict each other
 * where it holds are 400. Where only a narrower scope contradicts, either answer will do.
 */
function tried(asked: Asked, own: Pick<Device, "id" | "zoneId">, put: () => () => void): boolean {
  const { books, answer } = asked;
  const undo = put();
  const isRefused = answer.status === 400;
  const isOpen = isSound(books, own) && !combinations(books).every((each) => isSound(books, each));
  const isGood = isSound(books, own) && !(isOpen && isRefused);
  if (!isGood) undo();
  return isGood;
}

const contradictory = refuse(400, "validation-error");

/** A map's own way to put a policy in and take it out. */
const into = (map: Map<string, Policy>, key: string, policy: Policy) => () => {
  const before = map.get(key);
  map.set(key, policy);
  return () => void (before ? map.set(key, before) : map.delete(key));
};

export function addPolicy(asked: Asked): Due {
  const { books, body, answer } = asked;
  const { policies } = books;
  const scopeId = textOf(body.scopeId);
  const device = books.devices.find(({ id }) => id === scopeId);
  const isZone = body.scope === "zone";
  if (isZone ? !books.zones.has(scopeId) : device === undefined) return unknown;
  const map = isZone ? policies.zones : policies.devices;
  if (map.has(scopeId)) return taken;
  const policy = changed({ id: textOf(objectOf(answer.json).id), version: 0 }, body);
  const own = isZone ? { id: "", zoneId: scopeId } : (device as Device);
  if (!tried(asked, own, into(map, scopeId, policy))) return contradictory;
  countChange(books, true);
  return ok({ ...shownPolicy(policy, isZone ? "zone" : "device"), scopeId }, 201);
}

/** The tenant's own is the one that is neither a zone's nor a device's. */
function policyAt({ books: { policies, devices }, ids: [id = ""] }: Asked) {
  for (const map of [policies.zones, policies.devices]) {
    for (const [scopeId, policy] of map) {
      if (policy.id !== id) continue;
      const device = devices.find((each) => each.id === scopeId);
      const own = map === policies.zones ? { id: "", zoneId: scopeId } : (device as Device);
      return { map, scopeId, policy, own };
    }
  }
  return undefined;
}

const scopeOf = (found: ReturnType<typeof policyAt>): string =>
  found === undefined ? "tenant" : found.own.id === "" ? "zone" : "device";

export function changePolicy(asked: Asked): Due {
  const { books, body, answer } = asked;
  const narrow = policyAt(asked);
  const policy = narrow?.policy ?? books.policies.tenant;
  if (narrow === undefined && answer.status === 404) return unknown;
  if (body.version !== policy.version) return stale;
  const before = JSON.stringify({ ...policy, version: 0 });
  const next = changed(policy, body);
  const put = narrow
    ? into(narrow.map, narrow.scopeId, next)
    : () => {
        books.policies.tenant = next;
        return () => {
          books.policies.tenant = policy;
        };
      };
  const own = narrow?.own ?? { id: "", zoneId: null };
  if (!tried(asked, own, put)) return contradictory;
  countChange(books, before !== JSON.stringify({ ...next, version: 0 }));
  return ok(shownPolicy(next, scopeOf(narrow)));
}

export function removePolicy(asked: Asked): Due {
  const found = policyAt(asked);
  const { answer, books } = asked;
  if (found === undefined) return answer.status === 404 ? unknown : wrongState;
  if (codeOf(answer) === "in-use") return refuse(409, "in-use");
  found.map.delete(found.scopeId);
  countChange(books, true);
  return ok(undefined, 204);
}

/** `GET /fleet/policies/:id`. */
export function showPolicy(asked: Asked): Due {
  const found = policyAt(asked);
  if (found === undefined && asked.answer.status === 404) return unknown;
  const policy = found?.policy ?? asked.books.policies.tenant;
  return ok(shownPolicy(policy, scopeOf(found)));
}
