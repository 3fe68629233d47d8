import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { instantMs, instantText, isDate } from "../../src/domain/instant.ts";

describe("a moment", () => {
  const cases: [string, string][] = [
    ["2026-11-21T16:33:00.000Z", "2026-11-21T16:33:00.000Z"],
    ["2026-11-21T16:33:00Z", "2026-11-21T16:33:00.000Z"],
    ["2026-11-21t16:33:00z", "2026-11-21T16:33:00.000Z"],
    ["2026-11-21T16:33Z", "2026-11-21T16:33:00.000Z"],
    ["2026-11-21T16Z", "2026-11-21T16:00:00.000Z"],
    ["2026-11-21T16:33:00+07:00", "2026-11-21T09:33:00.000Z"],
    ["2026-11-21T16:33:00-0330", "2026-11-21T20:03:00.000Z"],
    ["2026-11-21T16:33:00+07", "2026-11-21T09:33:00.000Z"],
    ["2026-11-21T16:33:00.5Z", "2026-11-21T16:33:00.500Z"],
    ["2026-11-21T16:33:00,123456789Z", "2026-11-21T16:33:00.123Z"],
    ["20261121T163300Z", "2026-11-21T16:33:00.000Z"],
    ["2026-11-21T24:00:00Z", "2026-11-22T00:00:00.000Z"],
    ["2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"],
  ];
  for (const [text, moment] of cases) {
    test(text, () => expect(instantText(instantMs(text) ?? Number.NaN)).toBe(moment));
  }

  const none = [
    "",
    "2026-11-21",
    "2026-11-21T16:33:00",
    "2026-11-21 16:33:00Z",
    "2026-11-21T16:33:00 Z",
    " 2026-11-21T16:33:00Z",
    "2026-13-01T00:00:00Z",
    "2026-00-01T00:00:00Z",
    "2026-02-29T00:00:00Z",
    "2026-04-31T00:00:00Z",
    "2026-11-21T25:00:00Z",
    "2026-11-21T24:00:01Z",
    "2026-11-21T16:60:00Z",
    "2026-11-21T16:33:60Z",
    "2026-11-21T16:33:00+24:00",
    "2026-11-21T16:33:00+07:60",
    "2026-1121T16:33:00Z",
    "20261121T16:33:00.Z",
    "0026-11-21T16:33:00Z",
    "+002026-11-21T16:33:00Z",
    "1800000000000",
    "Sat, 21 Nov 2026 16:33:00 GMT",
  ];
  for (const text of none) test(`"${text}" is none`, () => expect(instantMs(text)).toBeUndefined());

  test("is read back as it was written", () => {
    const first = Date.UTC(1000, 0, 1);
    const last = Date.UTC(9999, 11, 31);
    fc.assert(
      fc.property(fc.integer({ min: first, max: last }), (ms) => {
        expect(instantMs(instantText(ms))).toBe(ms);
      }),
    );
  });
});

describe("a date", () => {
  for (const text of ["2026-11-21", "2024-02-29", "9999-12-31"]) {
    test(text, () => expect(isDate(text)).toBe(true));
  }
  for (const text of [
    "2026-02-29",
    "2026-11-31",
    "2026-1-1",
    "2026-11-21T00:00:00Z",
    "",
    "0999-01-01",
  ]) {
    test(`"${text}" is none`, () => expect(isDate(text)).toBe(false));
  }
});
