/** Limits: ranges from both sides, who decides a value, and what an operator's words become. */
import { describe, expect, test } from "bun:test";
import {
  checkPolicyChange,
  checkPolicyValues,
  emptyPolicyRow,
  type PolicyChange,
  type PolicyField,
  parsePolicyChange,
  policyOf,
  resolvePolicy,
  roleOps,
  shownValue,
} from "../../src/domain/policy.ts";

const tenant = { currency: "IDR", timezone: "Asia/Jakarta", policyVersion: 4 };

describe("resolving", () => {
  test("defaults", () => {
    const { values, sources } = resolvePolicy({});
    expect(new Set(Object.values(sources))).toEqual(new Set(["default"]));
    expect(policyOf(values, tenant)).toEqual({
      maxBalance: 5_000_000,
      singleTxLimit: 1_000_000,
      dailyLimit: 2_000_000,
      weeklyLimit: 5_000_000,
      blockedStatuses: [1, 2, 3, 4],
      blockedMask: 30,
      clockDriftAllowanceSec: 3_600,
      hardCeiling: 16_000_000,
      currency: "IDR",
      timezone: "Asia/Jakarta",
      sessionMaxSec: 86_400,
      policyVersion: 4,
      grantTtlSec: 28_800,
      ops: { terminal: 0b1111, gate: 0b1101, station: 0b1111001 },
    });
  });

  test("device before zone before tenant, each field by itself; 0 is a value", () => {
    const row = (change: PolicyChange) => ({ ...emptyPolicyRow, ...change });
    const { values, sources } = resolvePolicy({
      tenant: row({ maxBalance: 1, dailyLimit: 2, weeklyLimit: 3, blockedStatuses: 2 }),
      zone: row({ dailyLimit: 20, weeklyLimit: 30, blockedStatuses: 0 }),
      device: row({ weeklyLimit: 300 }),
    });
    const of = (field: PolicyField) => [values[field], sources[field]];
    expect(of("maxBalance")).toEqual([1, "tenant"]);
    expect(of("dailyLimit")).toEqual([20, "zone"]);
    expect(of("weeklyLimit")).toEqual([300, "device"]);
    expect(of("blockedStatuses")).toEqual([0, "zone"]);
    expect(of("singleTxLimit")).toEqual([1_000_000, "default"]);
  });

  test("operations by role; a scout has none", () => {
    const policy = policyOf(resolvePolicy({}).values, tenant);
    const ops = (["terminal", "gate", "station", "scout"] as const).map((r) => roleOps(policy, r));
    expect(ops).toEqual([15, 13, 121, 0]);
  });
});

describe("ranges", () => {
  const bounds: [PolicyField, number, number][] = [
    ["maxBalance", 0, 16_000_000],
    ["singleTxLimit", 1, 16_000_000],
    ["dailyLimit", 0, 4_294_967_295],
    ["weeklyLimit", 0, 4_294_967_295],
    ["clockDriftAllowanceSec", 0, 86_400],
    ["grantTtlSec", 3_600, 86_400],
    ["allowedOps.gate", 0, 127],
    ["blockedStatuses", 0, 30],
  ];
  for (const [field, min, max] of bounds) {
    test(`${field}: ${min} to ${max}`, () => {
      const check = (value: number) => () => checkPolicyChange("tenant", { [field]: value });
      check(min)();
      check(max)();
      expect(check(min - 1)).toThrow(field);
      expect(check(max + 1)).toThrow(field);
      expect(check(min + 0.5)).toThrow(field);
      checkPolicyChange("tenant", { [field]: null });
    });
  }

  test("status 0 is never refused", () => {
    expect(() => checkPolicyChange("tenant", { blockedStatuses: 3 })).toThrow("blockedStatuses");
  });

  test("life and operations of grants are the tenant's alone", () => {
    for (const field of ["grantTtlSec", "allowedOps.station"] as const) {
      expect(() => checkPolicyChange("zone", { [field]: 3_600 })).toThrow("whole tenant");
      checkPolicyChange("device", { [field]: null });
    }
  });

  test("a week holds a day, a balance a payment", () => {
    const values = resolvePolicy({}).values;
    checkPolicyValues({ ...values, weeklyLimit: values.dailyLimit }, "it");
    checkPolicyValues({ ...values, singleTxLimit: values.maxBalance }, "it");
    expect(() => checkPolicyValues({ ...values, weeklyLimit: 1_999_999 }, "it")).toThrow("weekly");
    expect(() => checkPolicyValues({ ...values, singleTxLimit: 5_000_001 }, "it")).toThrow(
      "single",
    );
  });
});

describe("words", () => {
  const good: [string, string, number | null][] = [
    ["maxBalance", "0", 0],
    ["dailyLimit", "4294967295", 4_294_967_295],
    ["dailyLimit", "inherit", null],
    ["blockedStatuses", "1,4", 0b10010],
    ["blockedStatuses", "[2, 3]", 0b1100],
    ["blockedStatuses", "none", 0],
    ["blockedStatuses", "[]", 0],
    ["allowedOps.gate", "checkin,read", 0b101],
    ["allowedOps.terminal", "inherit", null],
  ];
  for (const [field, word, value] of good) {
    test(`${field}=${word}`, () =>
      expect(parsePolicyChange({ [field]: word })).toEqual({ [field]: value }));
  }
  const bad: [string, string][] = [
    ["maxBalance", ""],
    ["maxBalance", "-1"],
    ["maxBalance", "1.5"],
    ["maxBalance", "1e3"],
    ["maxBalance", "none"],
    ["blockedStatuses", "0"],
    ["blockedStatuses", "5"],
    ["blockedStatuses", "1,1"],
    ["allowedOps.gate", "read,pay"],
    ["allowedOps", "read"],
    ["currency", "USD"],
  ];
  for (const [field, word] of bad) {
    test(`${field}=${word} is refused`, () =>
      expect(() => parsePolicyChange({ [field]: word })).toThrow());
  }

  test("values as people read them", () => {
    expect(shownValue("blockedStatuses", 0b10010)).toEqual([1, 4]);
    expect(shownValue("allowedOps.gate", 13)).toEqual(["read", "checkin", "checkout"]);
    expect(shownValue("maxBalance", 7)).toBe(7);
  });
});
