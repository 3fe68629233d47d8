/** Token buckets, alone against a slower model and in front of calls. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { addressKey, addressOf } from "../../src/http/context.ts";
import { Buckets } from "../../src/http/rate.ts";
import { call, openWorld, refusal, type World } from "./http-fixture.ts";

const startMs = 1_800_000_000_000;

describe("buckets", () => {
  test("hold a minute's worth, then one token each part of a minute", () => {
    for (const perMin of [1, 5, 7, 10, 30, 600]) {
      const buckets = new Buckets(10);
      for (let i = 0; i < perMin; i++) expect(buckets.take("a", perMin, startMs)).toBe(0);
      const waitSec = buckets.take("a", perMin, startMs);
      expect(waitSec).toBe(Math.max(1, Math.ceil(60 / perMin)));
      expect(buckets.take("b", perMin, startMs)).toBe(0);
      expect(buckets.take("a", perMin, startMs + waitSec * 1000)).toBe(0);
    }
  });

  test("0 is off", () => {
    const buckets = new Buckets(1);
    for (let i = 0; i < 1000; i++) expect(buckets.take("a", 0, startMs)).toBe(0);
    expect(buckets.count).toBe(0);
  });

  test("a full minute of rest fills the bucket, and no more than that", () => {
    const buckets = new Buckets(10);
    const drain = (nowMs: number): number => {
      let taken = 0;
      while (buckets.take("a", 10, nowMs) === 0) taken++;
      return taken;
    };
    expect(drain(startMs)).toBe(10);
    expect(drain(startMs + 60_000)).toBe(10);
    expect(drain(startMs + 86_400_000)).toBe(10);
    expect(drain(startMs + 86_430_000)).toBe(5);
  });

  test("as a bucket that counts tokens", () => {
    const calls = fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 60 });
    fc.assert(
      fc.property(calls, fc.integer({ min: 1, max: 60 }), (gapsMs, perMin) => {
        const buckets = new Buckets(10);
        let nowMs = startMs;
        // In sixty-thousandths of a token, so that the model is exact.
        let level = perMin * 60_000;
        for (const gapMs of gapsMs) {
          nowMs += gapMs;
          level = Math.min(perMin * 60_000, level + gapMs * perMin);
          const waitSec = buckets.take("a", perMin, nowMs);
          expect(waitSec === 0).toBe(level >= 60_000);
          if (waitSec === 0) level -= 60_000;
          else expect(level + waitSec * 1000 * perMin).toBeGreaterThanOrEqual(60_000);
        }
      }),
    );
  });

  test("a clock set back locks nobody out for longer than a minute", () => {
    const buckets = new Buckets(10);
    for (let i = 0; i < 10; i++) buckets.take("a", 10, startMs);
    expect(buckets.take("a", 10, startMs - 86_400_000)).toBeLessThanOrEqual(60);
  });

  test("are bounded in number; a flood of keys does not refill a drained one", () => {
    const buckets = new Buckets(100);
    for (let i = 0; i < 10; i++) buckets.take("drained", 10, startMs);
    for (let i = 0; i < 10_000; i++) {
      expect(buckets.take(`flood-${i}`, 10, startMs)).toBe(0);
      expect(buckets.count).toBeLessThanOrEqual(100);
    }
    expect(buckets.take("drained", 10, startMs)).toBeGreaterThan(0);
  });

  test("all drained: still bounded", () => {
    const buckets = new Buckets(16);
    for (let i = 0; i < 200; i++) buckets.take(`one-${i}`, 1, startMs);
    expect(buckets.count).toBeLessThanOrEqual(16);
  });
});

describe("addresses", () => {
  const cases: readonly [hops: number, forwarded: string | null, address: string][] = [
    [0, null, "192.0.2.1"],
    [0, "203.0.113.9", "192.0.2.1"],
    [1, null, "192.0.2.1"],
    [1, "203.0.113.9", "203.0.113.9"],
    [1, "198.51.100.7, 203.0.113.9", "203.0.113.9"],
    [2, "198.51.100.7, 203.0.113.9", "198.51.100.7"],
    [2, "203.0.113.9", "203.0.113.9"],
    [1, "nonsense", "192.0.2.1"],
    [2, "nonsense, 203.0.113.9", "203.0.113.9"],
    [1, "203.0.113.9:4711", "203.0.113.9"],
    [1, "[2001:db8::1]:4711", "2001:db8::1"],
    [1, "2001:DB8::1", "2001:db8::1"],
    [1, "::ffff:203.0.113.9", "203.0.113.9"],
    [1, "", "192.0.2.1"],
  ];
  for (const [hops, forwarded, address] of cases) {
    test(`${hops} hops, ${forwarded}`, () => {
      const headers: Record<string, string> =
        forwarded === null ? {} : { "x-forwarded-for": forwarded };
      const request = new Request("http://localhost/", { headers });
      expect(addressOf(request, "::ffff:192.0.2.1", hops)).toBe(address);
    });
  }

  test("an IPv6 network of 64 bits is one client", () => {
    const key = addressKey("2001:db8:0:1::1");
    expect(addressKey("2001:db8:0:1:ffff::9")).toBe(key);
    expect(addressKey("2001:db8:0:2::1")).not.toBe(key);
    expect(addressKey("::1")).toBe("0:0:0:0");
    expect(addressKey("192.0.2.1")).toBe("192.0.2.1");
  });
});

describe("in front of calls", () => {
  let world: World;
  beforeAll(() => {
    world = openWorld({ devicePerMin: 3, addressPerMin: 8, tokenPerMin: 2 });
  });
  afterAll(() => world.close());
  const read = { method: "GET", path: "/api/notes" } as const;

  test("each device has its own bucket of each kind; Retry-After obeyed once is enough", async () => {
    const token = world.device("busy");
    const address = "10.1.0.1";
    for (let i = 0; i < 3; i++)
      expect((await call(world, { ...read, token, address })).status).toBe(200);
    const refused = await call(world, { ...read, token, address });
    const waitSec = Number(refused.headers.get("retry-after"));
    expect((await refusal(refused)).error).toBe("rate_limited");
    const clear = { token, address, path: "/api/notes/0123456789ab/clear", body: null, type: null };
    expect((await call(world, clear)).status).toBe(204);
    expect((await call(world, { ...read, address, token: world.device("idle") })).status).toBe(200);
    world.clock.ms += waitSec * 1000;
    expect((await call(world, { ...read, token, address })).status).toBe(200);
  });

  test("a token's call counts against both buckets of its address", async () => {
    const ask = (address: string) => call(world, { path: "/api/auth/token", address });
    for (let i = 0; i < 2; i++) expect((await ask("10.2.0.1")).status).toBe(200);
    expect((await refusal(await ask("10.2.0.1"))).error).toBe("rate_limited");
    expect((await ask("10.2.0.2")).status).toBe(200);
    expect((await call(world, { ...read, address: "10.2.0.1" })).status).toBe(401);
  });

  test("a forged X-Forwarded-For left of the proxy's own entry changes nothing", async () => {
    const ask = (i: number) => call(world, { ...read, address: `10.9.9.${i}, 10.3.0.1` });
    for (let i = 0; i < 8; i++) expect((await ask(i)).status).toBe(401);
    expect((await ask(9)).status).toBe(429);
  });
});
