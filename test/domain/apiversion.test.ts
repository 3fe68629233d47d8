/** The life of a version: six calendar months, and what its answers say meanwhile. */
import { describe, expect, test } from "bun:test";
import { sunsetMinMs, versionHeaders, versionStatus } from "../../src/domain/apiversion.ts";

describe("six calendar months after", () => {
  const cases: [from: string, to: string][] = [
    ["2026-11-21T16:33:00.000Z", "2027-05-21T16:33:00.000Z"],
    ["2026-08-31T00:00:00.000Z", "2027-02-28T00:00:00.000Z"],
    ["2027-08-31T23:59:59.999Z", "2028-02-29T23:59:59.999Z"],
    ["2026-12-31T12:00:00.000Z", "2027-06-30T12:00:00.000Z"],
    ["2026-03-31T12:00:00.000Z", "2026-09-30T12:00:00.000Z"],
    ["2026-01-30T12:00:00.000Z", "2026-07-30T12:00:00.000Z"],
  ];
  for (const [from, to] of cases) {
    test(`${from} is ${to}`, () => {
      expect(new Date(sunsetMinMs(Date.parse(from))).toISOString()).toBe(to);
    });
  }
});

const ending = {
  version: 1,
  deprecatedAtMs: Date.parse("2026-11-21T16:33:00.500Z"),
  sunsetAtMs: Date.parse("2027-06-01T00:00:00.000Z"),
};

test("deprecated until the very moment of its sunset", () => {
  expect(versionStatus(undefined, 0)).toBe("current");
  expect(versionStatus(ending, ending.sunsetAtMs - 1)).toBe("deprecated");
  expect(versionStatus(ending, ending.sunsetAtMs)).toBe("sunset");
});

test("headers after RFC 9745, RFC 8594 and RFC 8288", () => {
  expect(versionHeaders(ending)).toEqual({
    deprecation: `@${Math.floor(ending.deprecatedAtMs / 1000)}`,
    sunset: "Tue, 01 Jun 2027 00:00:00 GMT",
    link: '</api-docs/v1>; rel="deprecation"',
  });
});
