/**
 * A machine's clock that was two hours fast and is set right: whoever had used a limit before was refused
 * for two hours, told each time to try again in a moment.
 */
import { expect, test } from "bun:test";
import { Windows } from "../../src/domain/quota.ts";
import { createLimits, type LimitedCall, type RatePlan } from "../../src/http/platform/limit.ts";
import { Buckets } from "../../src/http/rate.ts";
import { Attempts } from "../../src/system/attempts.ts";

const rightMs = Date.UTC(2026, 4, 1);
const fastMs = rightMs + 2 * 3_600_000;
const minuteMs = 60_000;

test("a bucket", () => {
  const buckets = new Buckets(10);
  for (let i = 0; i < 10; i += 1) expect(buckets.take("till", 10, fastMs)).toBe(0);
  expect(buckets.take("till", 10, fastMs)).toBe(6);
  for (let i = 0; i < 10; i += 1) expect(buckets.take("till", 10, rightMs)).toBe(0);
  expect(buckets.take("till", 10, rightMs)).toBe(6);
});

test("tries of a password", () => {
  const attempts = new Attempts({ max: 2, windowSec: 60, keysMax: 10 });
  expect([1, 2, 3].map(() => attempts.take("owner", fastMs))).toEqual([0, 0, 60]);
  expect([1, 2, 3].map(() => attempts.take("owner", rightMs))).toEqual([0, 0, 60]);
});

test("both layers of the operator's limits", async () => {
  const plan: RatePlan = { windowSec: 60, requests: 3, adminRequests: 3 };
  const limits = createLimits({
    plan: () => plan,
    rules: () => new Map(),
    counter: new Windows(10),
    addressPerMin: { all: 0, auth: 0, refresh: 0, signup: 0 },
  });
  const caller = { tenantId: 1, tenantUuid: "t", isAdmin: false, kind: "user", id: "u" } as const;
  const call: LimitedCall = { caller, address: "127.0.0.1", operationId: "getMe" };
  const passes = async (nowMs: number): Promise<boolean> =>
    (await limits.take(call, nowMs)).refusal === undefined;
  for (const nowMs of [fastMs, rightMs, rightMs + minuteMs]) {
    for (let i = 0; i < 3; i += 1) expect(await passes(nowMs)).toBe(true);
    for (let i = 0; i < 3; i += 1) expect(await passes(nowMs)).toBe(false);
  }
});
