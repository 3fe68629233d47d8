/**
 * Rate limits of the operator surface, in two layers. Layer 1: token buckets of this process, refilled
 * evenly. Layer 2: windows refilled whole, in memory or shared by processes. A call passes both or
 * neither counts it; whoever is refused and waits as long as told is not refused for that again.
 * What the limits are, and who is told of an outage, is handed in.
 */
import { bucketsMax } from "../../../schema/bound.ts";
import type { WindowKey, WindowState, WindowTaken } from "../../domain/quota.ts";
import type { WindowCounter } from "../../system/valkey.ts";
import { addressKey } from "../context.ts";
import { Buckets } from "../rate.ts";
import type { Caller } from "./caller.ts";
import type { AddressBucket } from "./route.ts";

/** Limits of one tenant, of its plan or of the settings; 0 = off. */
export interface RatePlan {
  readonly windowSec: number;
  readonly requests: number;
  /** Of callers with `admin` or `owner`, counted apart. */
  readonly adminRequests: number;
}

export const rateGroups = ["ip", "user", "tenant", "apiKey"] as const;
export type RateGroup = (typeof rateGroups)[number];

/** A limit of one route, beside the tenant's: it can only narrow. */
export interface RateRule {
  readonly groupBy: RateGroup;
  readonly requests: number;
  /** null: as `requests`, yet counted apart. */
  readonly adminRequests: number | null;
  readonly windowSec: number;
}

export interface LimitDeps {
  /** Read on each call: from memory. @throws Problem limits-unavailable */
  readonly plan: (tenantId: number) => RatePlan | Promise<RatePlan>;
  /** Rules of a tenant by route: an operationId, or `/m/{module}`. */
  readonly rules: (
    tenantId: number,
  ) => ReadonlyMap<string, RateRule> | Promise<ReadonlyMap<string, RateRule>>;
  /** Layer 2. */
  readonly counter: WindowCounter;
  /** Calls a minute of one client address: of all kinds, and of each bucket; 0 = off. */
  readonly addressPerMin: Readonly<Record<AddressBucket | "all", number>>;
  readonly refused?: (layer: "local" | "global") => void;
}

type LimitedCaller = Pick<Caller, "tenantId" | "tenantUuid" | "isAdmin" | "kind" | "id">;

export interface LimitedCall {
  /** null: nothing is known but the address, whose buckets then count. */
  readonly caller: LimitedCaller | null;
  /** Client address, believed proxies taken off. */
  readonly address: string;
  /** Of the route, or `/m/{module}`. */
  readonly operationId: string;
  readonly bucket?: AddressBucket;
}

export interface RateRefusal {
  /** Whole seconds ≥ 1; waiting so long once is enough. */
  readonly retryAfterSec: number;
  readonly detail: string;
}

export interface Taken {
  /** For `rate-limit-exceeded`; absent: the call may go on. */
  readonly refusal?: RateRefusal;
  /** `ratelimit-policy` and `ratelimit`, where layer 2 counted. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface Limits {
  /** Counts a call: once with its address alone, before the token, and once with its caller. */
  take(call: LimitedCall, nowMs: number): Taken | Promise<Taken>;
}

interface GroupKey extends WindowKey {
  /** In the headers. */
  readonly name: string;
  /** Word and id of the key, for people. */
  readonly who: string;
  /** In layer 1: with another limit it is another bucket, since an old debt says nothing of it. */
  readonly bucket: string;
}

/** The last that layer 2 said of a key. */
interface Known {
  limit: number;
  remaining: number;
  resetAtMs: number;
  askedMs: number;
}

const minuteMs = 60_000;
/** While layer 1 refuses, layer 2 is asked at most so often whether it would too. */
const peekEveryMs = 1_000;
const passed: Taken = { headers: {} };

export const createLimits = (deps: LimitDeps): Limits => new TwoLayers(deps);

class TwoLayers implements Limits {
  readonly #addresses = new Buckets(bucketsMax);
  readonly #buckets = new Buckets(bucketsMax);
  readonly #known = new Map<string, Known>();

  constructor(readonly deps: LimitDeps) {}

  take(call: LimitedCall, nowMs: number): Taken | Promise<Taken> {
    const { caller } = call;
    if (caller === null) return this.#takeAddress(call, nowMs);
    const plan = this.deps.plan(caller.tenantId);
    const rules = this.deps.rules(caller.tenantId);
    if (plan instanceof Promise || rules instanceof Promise) {
      return Promise.all([plan, rules]).then(([plan, rules]) =>
        this.#takeKeys(keysOf(call, caller, plan, rules.get(call.operationId)), nowMs),
      );
    }
    return this.#takeKeys(keysOf(call, caller, plan, rules.get(call.operationId)), nowMs);
  }

  #takeAddress({ address, bucket }: LimitedCall, nowMs: number): Taken {
    const { addressPerMin, refused } = this.deps;
    const id = addressKey(address);
    const keys = [{ key: id, limit: addressPerMin.all }];
    if (bucket !== undefined) keys.push({ key: `${bucket} ${id}`, limit: addressPerMin[bucket] });
    let waitMs = 0;
    let limit = 0;
    for (const each of keys) {
      const wait = this.#addresses.waitMs(each.key, each.limit, nowMs);
      if (wait > waitMs) {
        waitMs = wait;
        limit = each.limit;
      }
    }
    if (waitMs > 0) {
      refused?.("local");
      return { refusal: refusalOf(waitMs, limit, minuteMs, `ip ${address}`), headers: {} };
    }
    for (const each of keys) this.#addresses.take(each.key, each.limit, nowMs);
    return passed;
  }

  #takeKeys(keys: readonly GroupKey[], nowMs: number): Taken | Promise<Taken> {
    if (keys.length === 0) return passed;
    if (this.#waits(keys, nowMs).some((waitMs) => waitMs > 0))
      return this.#refuseLocally(keys, nowMs);
    for (const { bucket, limit, windowMs } of keys) {
      this.#buckets.take(bucket, limit, nowMs, windowMs);
    }
    const taken = this.deps.counter.take(keys, nowMs, 1);
    return taken instanceof Promise
      ? taken.then((taken) => this.#settle(keys, nowMs, taken))
      : this.#settle(keys, nowMs, taken);
  }

  /** For each key how long it stops the call, by what this process knows. */
  #waits(keys: readonly GroupKey[], nowMs: number): number[] {
    return keys.map(({ key, bucket, limit, windowMs }) => {
      const known = this.#known.get(key);
      const isSpent = known !== undefined && known.limit === limit && known.remaining <= 0;
      const spentMs = isSpent ? Math.min(known.resetAtMs - nowMs, windowMs) : 0;
      return Math.max(spentMs, this.#buckets.waitMs(bucket, limit, nowMs, windowMs));
    });
  }

  /** Layer 1 refuses; the wait is that of both layers, so layer 2 is looked at, though not often. */
  #refuseLocally(keys: readonly GroupKey[], nowMs: number): Taken | Promise<Taken> {
    let isStale = false;
    for (const { key } of keys) {
      const known = this.#known.get(key) ?? this.#remember(key);
      const isSpent = known.remaining <= 0 && known.resetAtMs > nowMs;
      if (isSpent || Math.abs(nowMs - known.askedMs) < peekEveryMs) continue;
      isStale = true;
      // Now, not with the answer: a flood asks once.
      known.askedMs = nowMs;
    }
    if (!isStale) return this.#refuse(keys, nowMs, "local");
    const peeked = this.deps.counter.take(keys, nowMs, 0);
    const refuse = (taken: WindowTaken | null): Taken => {
      this.#learn(keys, nowMs, taken);
      return this.#refuse(keys, nowMs, "local");
    };
    return peeked instanceof Promise ? peeked.then(refuse) : refuse(peeked);
  }

  #settle(keys: readonly GroupKey[], nowMs: number, taken: WindowTaken | null): Taken {
    // Layer 1 alone, until layer 2 can be reached again.
    if (taken === null) return passed;
    this.#learn(keys, nowMs, taken);
    if (taken.passed) return { headers: headersOf(keys, taken.states) };
    for (const { bucket, limit, windowMs } of keys) this.#buckets.giveBack(bucket, limit, windowMs);
    return this.#refuse(keys, nowMs, "global");
  }

  #learn(keys: readonly GroupKey[], nowMs: number, taken: WindowTaken | null): void {
    if (taken === null) return;
    for (const [at, { key, limit }] of keys.entries()) {
      const state = taken.states[at]!;
      const known = this.#known.get(key) ?? this.#remember(key);
      known.limit = limit;
      known.askedMs = nowMs;
      known.remaining = state.remaining;
      known.resetAtMs = nowMs + state.resetMs;
    }
  }

  /** What is forgotten costs one more question to layer 2. */
  #remember(key: string): Known {
    if (this.#known.size >= bucketsMax) {
      for (const oldest of this.#known.keys()) {
        this.#known.delete(oldest);
        break;
      }
    }
    const known = { limit: 0, remaining: 0, resetAtMs: 0, askedMs: 0 };
    this.#known.set(key, known);
    return known;
  }

  #refuse(keys: readonly GroupKey[], nowMs: number, layer: "local" | "global"): Taken {
    this.deps.refused?.(layer);
    const waits = this.#waits(keys, nowMs);
    const waitMs = Math.max(...waits);
    const { limit, windowMs, who } = keys[waits.indexOf(waitMs)]!;
    const states = keys.map(({ key, limit }): WindowState => {
      const known = this.#known.get(key);
      if (known === undefined || known.resetAtMs <= nowMs) return { remaining: limit, resetMs: 0 };
      return { remaining: known.remaining, resetMs: known.resetAtMs - nowMs };
    });
    return {
      refusal: refusalOf(waitMs, limit, windowMs, who),
      headers: headersOf(keys, states),
    };
  }
}

/** What a call of this caller counts against: the tenant, and the route where it has a rule. */
function keysOf(
  { address, operationId }: LimitedCall,
  caller: LimitedCaller,
  plan: RatePlan,
  rule: RateRule | undefined,
): GroupKey[] {
  const { tenantUuid, isAdmin } = caller;
  const apart = isAdmin ? " admin" : "";
  const keys: GroupKey[] = [];
  const add = (key: Omit<GroupKey, "bucket">): void => {
    keys.push({ ...key, bucket: `${key.key} ${key.limit}` });
  };
  // In braces: keys of one call lie in one slot of a cluster.
  const requests = isAdmin ? plan.adminRequests : plan.requests;
  if (requests > 0) {
    add({
      name: "tenant",
      key: `{${tenantUuid}}${apart}`,
      limit: requests,
      windowMs: plan.windowSec * 1000,
      who: `tenant ${tenantUuid}`,
    });
  }
  if (rule !== undefined) {
    const who = groupOf(rule.groupBy, caller, address);
    add({
      name: operationId,
      key: `{${tenantUuid}}${apart} ${operationId} ${who}`,
      limit: isAdmin ? (rule.adminRequests ?? rule.requests) : rule.requests,
      windowMs: rule.windowSec * 1000,
      who,
    });
  }
  return keys;
}

/** A caller without a key is grouped by its user, one without a user by its address. */
function groupOf(groupBy: RateGroup, caller: LimitedCaller, address: string): string {
  if (groupBy === "tenant") return `tenant ${caller.tenantUuid}`;
  if (groupBy === "apiKey" && caller.kind === "apiKey") return `apiKey ${caller.id}`;
  if (groupBy !== "ip" && caller.kind === "user") return `user ${caller.id}`;
  return `ip ${addressKey(address)}`;
}

function refusalOf(waitMs: number, limit: number, windowMs: number, who: string): RateRefusal {
  const window = windowMs === minuteMs ? "min" : `${windowMs / 1000}s`;
  return {
    retryAfterSec: Math.max(1, Math.ceil(waitMs / 1000)),
    detail: `Request rate exceeds limit of ${limit} req/${window} for ${who}`,
  };
}

/** RateLimit header fields, draft-ietf-httpapi-ratelimit-headers-11 §3: one item a key. */
function headersOf(
  keys: readonly GroupKey[],
  states: readonly WindowState[],
): Readonly<Record<string, string>> {
  let policy = "";
  let limit = "";
  for (const [at, { name, limit: quota, windowMs }] of keys.entries()) {
    const { remaining } = states[at]!;
    // With the way there and back it may come out longer than a window.
    const resetMs = Math.min(states[at]!.resetMs, windowMs);
    const comma = at === 0 ? "" : ", ";
    policy += `${comma}"${name}";q=${quota};w=${windowMs / 1000}`;
    limit += `${comma}"${name}";r=${remaining};t=${Math.ceil(resetMs / 1000)}`;
  }
  return { "ratelimit-policy": policy, ratelimit: limit };
}
