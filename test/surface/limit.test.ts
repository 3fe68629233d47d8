/**
 * Both layers of the rate limits without a server: what each refuses, how long it says to wait, that the
 * wait is enough, and what the headers tell.
 */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type WindowKey, Windows, type WindowTaken } from "../../src/domain/quota.ts";
import {
  createLimits,
  type LimitDeps,
  type LimitedCall,
  type RatePlan,
  type RateRule,
  type Taken,
} from "../../src/http/platform/limit.ts";
import type { WindowCounter } from "../../src/system/valkey.ts";

const tenantUuid = "01936d7a-0000-7000-8000-00000000000a";
const startMs = 1_800_000_000_000;
const off = { all: 0, auth: 0, refresh: 0, signup: 0 };

type Who = NonNullable<LimitedCall["caller"]>;

const user = (change: Partial<Who> = {}): Who => ({
  tenantId: 1,
  tenantUuid,
  isAdmin: false,
  kind: "user",
  id: "user-1",
  ...change,
});

interface Options {
  readonly plan?: Partial<RatePlan>;
  readonly rules?: Readonly<Record<string, RateRule>>;
  readonly address?: Partial<LimitDeps["addressPerMin"]>;
  readonly counter?: WindowCounter;
}

function limits({ plan, rules = {}, address, counter }: Options = {}) {
  const refused: string[] = [];
  const limits = createLimits({
    plan: () => ({ windowSec: 60, requests: 1_000, adminRequests: 5_000, ...plan }),
    rules: () => new Map(Object.entries(rules)),
    counter: counter ?? new Windows(1_000),
    addressPerMin: { ...off, ...address },
    refused: (layer) => refused.push(layer),
  });
  const take = (caller: Who | null, nowMs: number, more: Partial<LimitedCall> = {}): Taken => {
    const taken = limits.take({ caller, address: "192.0.2.1", operationId: "op", ...more }, nowMs);
    if (taken instanceof Promise) throw new Error("in memory there is nothing to wait for");
    return taken;
  };
  return { limits, take, refused };
}

/** Calls that pass before the first refusal, and that refusal. */
function drain(take: () => Taken): { passed: number; refusal: NonNullable<Taken["refusal"]> } {
  for (let passed = 0; passed < 10_000; passed++) {
    const { refusal } = take();
    if (refusal !== undefined) return { passed, refusal };
  }
  throw new Error("nothing was refused");
}

describe("the tenant's limit", () => {
  test("1000 a minute in one go, then 429 until the window ends, in the words of the contract", () => {
    const { take, refused } = limits();
    const { passed, refusal } = drain(() => take(user(), startMs));
    expect(passed).toBe(1_000);
    expect(refusal).toEqual({
      retryAfterSec: 60,
      detail: `Request rate exceeds limit of 1000 req/min for tenant ${tenantUuid}`,
    });
    expect(refused).toEqual(["local"]);
    // Layer 1 has tokens again at 30 s; layer 2 has not, and its wait is the longer one.
    expect(take(user(), startMs + 30_000).refusal?.retryAfterSec).toBe(30);
    expect(take(user(), startMs + 60_000).refusal).toBeUndefined();
  });

  test("all callers of a tenant share it, those of another do not", () => {
    const { take } = limits({ plan: { requests: 2 } });
    take(user({ id: "user-1" }), startMs);
    take(user({ id: "key-1", kind: "apiKey" }), startMs);
    expect(take(user({ id: "user-3" }), startMs).refusal).toBeDefined();
    const other = user({ tenantId: 2, tenantUuid: "01936d7a-0000-7000-8000-00000000000b" });
    expect(take(other, startMs).refusal).toBeUndefined();
  });

  test("owner and admins are counted apart", () => {
    const { take } = limits({ plan: { requests: 2, adminRequests: 3 } });
    expect(drain(() => take(user({ isAdmin: true }), startMs)).passed).toBe(3);
    expect(drain(() => take(user(), startMs)).passed).toBe(2);
  });

  test("headers: the policy, what is left, and when it is whole again", () => {
    const { take } = limits();
    take(user(), startMs);
    expect(take(user(), startMs + 18_000).headers).toEqual({
      "ratelimit-policy": '"tenant";q=1000;w=60',
      ratelimit: '"tenant";r=998;t=42',
    });
    const { headers } = limits().take(user({ isAdmin: true }), startMs);
    expect(headers["ratelimit-policy"]).toBe('"tenant";q=5000;w=60');
  });

  test("a refusal carries them too", () => {
    const { take } = limits({ plan: { requests: 1 } });
    take(user(), startMs);
    expect(take(user(), startMs + 500).headers).toEqual({
      "ratelimit-policy": '"tenant";q=1;w=60',
      ratelimit: '"tenant";r=0;t=60',
    });
  });

  test("0 is off: no limit, no header", () => {
    const { take } = limits({ plan: { requests: 0 } });
    for (let i = 0; i < 3_000; i++) expect(take(user(), startMs)).toEqual({ headers: {} });
  });

  test("a window of another length says so", () => {
    const { take } = limits({ plan: { requests: 1, windowSec: 10 } });
    take(user(), startMs);
    expect(take(user(), startMs).refusal).toEqual({
      retryAfterSec: 10,
      detail: `Request rate exceeds limit of 1 req/10s for tenant ${tenantUuid}`,
    });
  });

  test("a limit that is raised is in force at once", () => {
    let requests = 1;
    const limits = createLimits({
      plan: () => ({ windowSec: 60, requests, adminRequests: 0 }),
      rules: () => new Map(),
      counter: new Windows(10),
      addressPerMin: off,
    });
    const take = () =>
      limits.take({ caller: user(), address: "::1", operationId: "op" }, startMs) as Taken;
    take();
    expect(take().refusal).toBeDefined();
    requests = 3;
    expect(take().refusal).toBeUndefined();
  });
});

describe("a limit of a route", () => {
  const rule = (groupBy: RateRule["groupBy"], more: Partial<RateRule> = {}): RateRule => ({
    groupBy,
    requests: 2,
    adminRequests: null,
    windowSec: 60,
    ...more,
  });

  test("stands beside the tenant's, has an item of its own, and names its key", () => {
    const { take } = limits({ rules: { op: rule("user") } });
    expect(take(user(), startMs).headers).toEqual({
      "ratelimit-policy": '"tenant";q=1000;w=60, "op";q=2;w=60',
      ratelimit: '"tenant";r=999;t=60, "op";r=1;t=60',
    });
    take(user(), startMs);
    const { refusal, headers } = take(user(), startMs);
    expect(refusal?.detail).toBe("Request rate exceeds limit of 2 req/min for user user-1");
    // The refused call has taken nothing of the tenant's.
    expect(headers.ratelimit).toBe('"tenant";r=998;t=60, "op";r=0;t=60');
    expect(take(user({ id: "user-2" }), startMs).refusal).toBeUndefined();
    expect(take(user(), startMs, { operationId: "other" }).refusal).toBeUndefined();
  });

  const key = user({ kind: "apiKey", id: "key-1" });
  const groups: [RateRule["groupBy"], Who, string][] = [
    ["ip", user(), "ip 192.0.2.1"],
    ["tenant", user(), `tenant ${tenantUuid}`],
    ["user", user(), "user user-1"],
    ["apiKey", key, "apiKey key-1"],
    ["apiKey", user(), "user user-1"],
    ["user", key, "ip 192.0.2.1"],
    ["apiKey", user({ kind: "client", id: "client-1" }), "ip 192.0.2.1"],
  ];
  for (const [groupBy, caller, who] of groups) {
    test(`by ${groupBy}, a caller of kind ${caller.kind} is counted as ${who}`, () => {
      const { take } = limits({ rules: { op: rule(groupBy, { requests: 1 }) } });
      take(caller, startMs);
      expect(take(caller, startMs).refusal?.detail).toEndWith(`req/min for ${who}`);
    });
  }

  test("can only narrow: a wider one leaves the tenant's in force", () => {
    const { take } = limits({ plan: { requests: 1 }, rules: { op: rule("user") } });
    take(user(), startMs);
    expect(take(user(), startMs).refusal?.detail).toContain("1 req/min for tenant");
  });

  test("admins have their own number, or as many counted apart", () => {
    const admin = user({ isAdmin: true });
    const own = limits({ rules: { op: rule("tenant", { adminRequests: 5 }) } });
    expect(drain(() => own.take(admin, startMs)).passed).toBe(5);
    const same = limits({ rules: { op: rule("tenant") } });
    expect(drain(() => same.take(admin, startMs)).passed).toBe(2);
    expect(drain(() => same.take(user(), startMs)).passed).toBe(2);
  });
});

describe("a client address", () => {
  test("has one bucket for all routes, and one for all sign-ins together", () => {
    const { take } = limits({ address: { all: 100, auth: 10 } });
    const signIn = (operationId: string) => take(null, startMs, { operationId, bucket: "auth" });
    for (let i = 0; i < 5; i++) {
      expect(signIn("login").refusal).toBeUndefined();
      expect(signIn("exchange").refusal).toBeUndefined();
    }
    expect(signIn("select").refusal).toEqual({
      retryAfterSec: 6,
      detail: "Request rate exceeds limit of 10 req/min for ip 192.0.2.1",
    });
    expect(take(null, startMs).refusal).toBeUndefined();
    expect(drain(() => take(null, startMs)).passed).toBe(89);
  });

  test("buckets are apart, and each is off with 0", () => {
    const { take } = limits({ address: { signup: 1 } });
    take(null, startMs, { bucket: "signup" });
    expect(take(null, startMs, { bucket: "signup" }).refusal?.retryAfterSec).toBe(60);
    for (let i = 0; i < 100; i++) {
      expect(take(null, startMs, { bucket: "refresh" }).refusal).toBeUndefined();
    }
  });

  test("one IPv6 network is one client", () => {
    const { take } = limits({ address: { all: 1 } });
    take(null, startMs, { address: "2001:db8::1" });
    expect(take(null, startMs, { address: "2001:db8::2" }).refusal).toBeDefined();
    expect(take(null, startMs, { address: "2001:db8:0:1::1" }).refusal).toBeUndefined();
  });

  test("it draws on no tenant's limit, and has no headers", () => {
    const { take } = limits({ plan: { requests: 1 }, address: { all: 5 } });
    for (let i = 0; i < 5; i++) expect(take(null, startMs)).toEqual({ headers: {} });
    expect(take(user(), startMs).refusal).toBeUndefined();
  });
});

test("waiting as long as told is enough, once, whatever was done before", () => {
  const rules = fc.record({
    groupBy: fc.constantFrom("ip", "user", "tenant", "apiKey"),
    requests: fc.integer({ min: 1, max: 8 }),
    adminRequests: fc.constant(null),
    windowSec: fc.integer({ min: 1, max: 90 }),
  }) as fc.Arbitrary<RateRule>;
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 90 }),
      rules,
      fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 60 }),
      (requests, windowSec, rule, waits) => {
        const { take } = limits({ plan: { requests, windowSec }, rules: { op: rule } });
        let nowMs = startMs;
        for (const waitMs of waits) {
          nowMs += waitMs;
          const { refusal } = take(user(), nowMs);
          if (refusal === undefined) continue;
          nowMs += refusal.retryAfterSec * 1000;
          expect(take(user(), nowMs).refusal).toBeUndefined();
        }
      },
    ),
  );
});

/** A shared counter that writes down what it is asked, and can be away. */
class Shared implements WindowCounter {
  readonly windows = new Windows(100);
  readonly asked: (0 | 1)[] = [];
  isAway = false;

  async take(keys: readonly WindowKey[], nowMs: number, count: 0 | 1): Promise<WindowTaken | null> {
    this.asked.push(count);
    return this.isAway ? null : this.windows.take(keys, nowMs, count);
  }
}

describe("a shared layer 2", () => {
  const call = { caller: user(), address: "192.0.2.1", operationId: "op" };

  test("is not asked again while its refusal lasts", async () => {
    const counter = new Shared();
    const { limits: here } = limits({ plan: { requests: 5 }, counter });
    // Another process has drained the window.
    for (let i = 0; i < 5; i++) {
      await limits({ plan: { requests: 5 }, counter }).limits.take(call, startMs);
    }
    counter.asked.length = 0;
    for (let i = 0; i < 100; i++) {
      const { refusal } = await here.take(call, startMs + 100 * i);
      expect(refusal?.retryAfterSec).toBe(Math.ceil((60_000 - 100 * i) / 1000));
    }
    expect(counter.asked).toEqual([1]);
    expect((await here.take(call, startMs + 60_000)).refusal).toBeUndefined();
  });

  test("a flood that layer 1 stops looks at it once a second, and hears the longer wait", async () => {
    const counter = new Shared();
    const { limits: here, refused } = limits({ plan: { requests: 10 }, counter });
    for (let i = 0; i < 8; i++) await here.take(call, startMs);
    // Two more from elsewhere: this process thinks that two are left.
    for (let i = 0; i < 2; i++) {
      await limits({ plan: { requests: 10 }, counter }).limits.take(call, startMs);
    }
    counter.asked.length = 0;
    const first = await here.take(call, startMs);
    expect(first.refusal?.retryAfterSec).toBe(60);
    for (let i = 0; i < 50; i++) await here.take(call, startMs + i);
    expect(counter.asked).toEqual([1]);
    expect(refused[0]).toBe("global");
  });

  test("away: layer 1 stands alone, without headers; back: its limits are back", async () => {
    const counter = new Shared();
    const { limits: here } = limits({ plan: { requests: 10 }, counter });
    for (let i = 0; i < 10; i++) await here.take(call, startMs);
    expect((await here.take(call, startMs)).refusal?.retryAfterSec).toBe(60);
    counter.isAway = true;
    // A window on: the remembered refusal is over, and what layer 1 has is all there is.
    const laterMs = startMs + 60_000;
    for (let i = 0; i < 10; i++) expect(await here.take(call, laterMs)).toEqual({ headers: {} });
    expect((await here.take(call, laterMs)).refusal?.retryAfterSec).toBe(6);
    counter.isAway = false;
    const { headers } = await here.take(call, laterMs + 6_000);
    expect(headers.ratelimit).toBe('"tenant";r=9;t=60');
  });
});
