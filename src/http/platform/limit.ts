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
  /** Client address, believed proxies taken off; read only where it counts. */
  readonly address: string;
  /** Of the route, or `/m/{module}`. */
  readonly operationId: string;
  readonly bucket?: AddressBucket | undefined;
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
  /** Its item of `ratelimit-policy`. */
  readonly policy: string;
  /** Word and id of the key, for people. */
  readonly who: string;
  /** In layer 1: with another limit it is another bucket, since an old debt says nothing of it. */
  readonly bucket: string;
}

/** What every call of a caller counts against while its plan is this very one. */
interface CallerKeys {
  readonly plan: RatePlan;
  readonly keys: readonly GroupKey[];
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
/** A window that layer 2 tells of may end so much later here, for the way there and back. */
const roundTripMsMax = 10_000;
const passed: Taken = { headers: {} };

export const createLimits = (deps: LimitDeps): Limits => new TwoLayers(deps);

class TwoLayers implements Limits {
  readonly #addresses = new Buckets(bucketsMax);
  readonly #buckets = new Buckets(bucketsMax);
  readonly #known = new Map<string, Known>();
  readonly #ofCaller = new WeakMap<LimitedCaller, CallerKeys>();

  constructor(readonly deps: LimitDeps) {}

  take(call: LimitedCall, nowMs: number): Taken | Promise<Taken> {
    const { caller } = call;
    if (caller === null) return this.#takeAddress(call, nowMs);
    const plan = this.deps.plan(caller.tenantId);
    const rules = this.deps.rules(caller.tenantId);
    if (plan instanceof Promise || rules instanceof Promise) {
      return Promise.all([plan, rules]).then(([plan, rules]) =>
        this.#takeKeys(this.#keysOf(call, caller, plan, rules), nowMs),
      );
    }
    return this.#takeKeys(this.#keysOf(call, caller, plan, rules), nowMs);
  }

  #takeAddress(call: LimitedCall, nowMs: number): Taken {
    const { addressPerMin, refused } = this.deps;
    const { bucket } = call;
    const all = addressPerMin.all;
    const own = bucket === undefined ? 0 : addressPerMin[bucket];
    if (all <= 0 && own <= 0) return passed;
    const key = addressKey(call.address);
    const ownKey = `${bucket} ${key}`;
    const allMs = this.#addresses.waitMs(key, all, nowMs);
    const ownMs = this.#addresses.waitMs(ownKey, own, nowMs);
    if (allMs > 0 || ownMs > 0) {
      refused?.("local");
      const limit = ownMs > allMs ? own : all;
      const who = `ip ${call.address}`;
      const refusal = refusalOf(Math.max(allMs, ownMs), limit, minuteMs, who);
      return { refusal, headers: {} };
    }
    this.#addresses.take(key, all, nowMs);
    this.#addresses.take(ownKey, own, nowMs);
    return passed;
  }

  /** What the call counts against: the tenant, and the route where it has a rule. */
  #keysOf(
    call: LimitedCall,
    caller: LimitedCaller,
    plan: RatePlan,
    rules: ReadonlyMap<string, RateRule>,
  ): readonly GroupKey[] {
    let known = this.#ofCaller.get(caller);
    if (known?.plan !== plan) {
      known = { plan, keys: tenantKeys(caller, plan) };
      this.#ofCaller.set(caller, known);
    }
    const rule = rules.size === 0 ? undefined : rules.get(call.operationId);
    return rule === undefined ? known.keys : [...known.keys, routeKey(call, caller, rule)];
  }

  #takeKeys(keys: readonly GroupKey[], nowMs: number): Taken | Promise<Taken> {
    if (keys.length === 0) return passed;
    for (const key of keys) {
      if (this.#waitMs(key, nowMs) > 0) return this.#refuseLocally(keys, nowMs);
    }
    for (const { bucket, limit, windowMs } of keys) {
      this.#buckets.take(bucket, limit, nowMs, windowMs);
    }
    const taken = this.deps.counter.take(keys, nowMs, 1);
    return taken instanceof Promise
      ? taken.then((taken) => this.#settle(keys, nowMs, taken))
      : this.#settle(keys, nowMs, taken);
  }

  /** How long a key stops the call, by what this process knows. */
  #waitMs({ key, bucket, limit, windowMs }: GroupKey, nowMs: number): number {
    const known = this.#known.get(key);
    const isSpent = known !== undefined && known.limit === limit && known.remaining <= 0;
    const spentMs = isSpent ? leftMs(known, nowMs, windowMs) : 0;
    return Math.max(spentMs, this.#buckets.waitMs(bucket, limit, nowMs, windowMs));
  }

  /** Layer 1 refuses; the wait is that of both layers, so layer 2 is looked at, though not often. */
  #refuseLocally(keys: readonly GroupKey[], nowMs: number): Taken | Promise<Taken> {
    let isStale = false;
    for (const { key, windowMs } of keys) {
      const known = this.#known.get(key) ?? this.#remember(key);
      const isSpent = known.remaining <= 0 && leftMs(known, nowMs, windowMs) > 0;
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
    for (let at = 0; at < keys.length; at++) {
      const { key, limit } = keys[at]!;
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
    const waits = keys.map((key) => this.#waitMs(key, nowMs));
    const waitMs = Math.max(...waits);
    const { limit, windowMs, who } = keys[waits.indexOf(waitMs)]!;
    const states = keys.map(({ key, limit, windowMs }): WindowState => {
      const known = this.#known.get(key);
      const resetMs = known === undefined ? 0 : leftMs(known, nowMs, windowMs);
      return { remaining: known === undefined || resetMs === 0 ? limit : known.remaining, resetMs };
    });
    return {
      refusal: refusalOf(waitMs, limit, windowMs, who),
      headers: headersOf(keys, states),
    };
  }
}

/** Of the window that layer 2 told of; 0 where it ended, or was told of by a clock that was set back. */
function leftMs({ resetAtMs }: Known, nowMs: number, windowMs: number): number {
  const left = resetAtMs - nowMs;
  return left > 0 && left <= windowMs + roundTripMsMax ? left : 0;
}

/** The key that every call of this caller counts against; none where the plan has no limit. */
function tenantKeys({ tenantUuid, isAdmin }: LimitedCaller, plan: RatePlan): GroupKey[] {
  const limit = isAdmin ? plan.adminRequests : plan.requests;
  if (limit <= 0) return [];
  const windowMs = plan.windowSec * 1000;
  return [groupKey("tenant", slotOf(tenantUuid, isAdmin), limit, windowMs, `tenant ${tenantUuid}`)];
}

function routeKey(call: LimitedCall, caller: LimitedCaller, rule: RateRule): GroupKey {
  const { tenantUuid, isAdmin } = caller;
  const { operationId } = call;
  const who = groupOf(rule.groupBy, caller, call);
  const key = `${slotOf(tenantUuid, isAdmin)} ${operationId} ${who}`;
  const limit = isAdmin ? (rule.adminRequests ?? rule.requests) : rule.requests;
  return groupKey(operationId, key, limit, rule.windowSec * 1000, who);
}

/** In braces: keys of one call lie in one slot of a cluster. */
const slotOf = (tenantUuid: string, isAdmin: boolean): string =>
  `{${tenantUuid}}${isAdmin ? " admin" : ""}`;

const groupKey = (
  name: string,
  key: string,
  limit: number,
  windowMs: number,
  who: string,
): GroupKey => ({
  ...{ name, key, limit, windowMs, who },
  policy: `"${name}";q=${limit};w=${windowMs / 1000}`,
  bucket: `${key} ${limit}`,
});

/** A caller without a key is grouped by its user, one without a user by its address. */
function groupOf(groupBy: RateGroup, caller: LimitedCaller, call: LimitedCall): string {
  if (groupBy === "tenant") return `tenant ${caller.tenantUuid}`;
  if (groupBy === "apiKey" && caller.kind === "apiKey") return `apiKey ${caller.id}`;
  if (groupBy !== "ip" && caller.kind === "user") return `user ${caller.id}`;
  return `ip ${addressKey(call.address)}`;
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
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at]!;
    const { remaining, resetMs } = states[at]!;
    // With the way there and back it may come out longer than a window.
    const resetSec = Math.ceil(Math.min(resetMs, key.windowMs) / 1000);
    const comma = at === 0 ? "" : ", ";
    policy += comma + key.policy;
    limit += `${comma}"${key.name}";r=${remaining};t=${resetSec}`;
  }
  return { "ratelimit-policy": policy, ratelimit: limit };
}
