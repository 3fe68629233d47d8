/** The log: one line a record whatever is put in, and no secret in it. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createLog, type Log, type LogFields, type LogOptions } from "../../src/system/log.ts";

const nowMs = (): number => Date.UTC(2026, 0, 2, 3, 4, 5, 678);

const capture = (
  options: Omit<LogOptions, "nowMs" | "write"> = {},
): { log: Log; lines: string[] } => {
  const lines: string[] = [];
  return { log: createLog({ ...options, nowMs, write: (line) => lines.push(line) }), lines };
};

const recordOf = (fields: LogFields): Record<string, unknown> => {
  const { log, lines } = capture();
  log.info("m", fields);
  return JSON.parse(lines.join(""));
};

test("a record is one JSON object on a line, time first", () => {
  const { log, lines } = capture();
  log.info("request", { status: 200, path: "/api/x" });
  expect(lines).toEqual([
    '{"time":"2026-01-02T03:04:05.678Z","level":"info","message":"request","status":200,"path":"/api/x"}\n',
  ]);
});

test("a line for people is text with key=value", () => {
  const { log, lines } = capture({ json: false });
  log.warn("slow\nforged", { ms: 12, path: "/a", note: "two words", bell: "\u0007", empty: "" });
  expect(lines).toEqual([
    '2026-01-02T03:04:05.678Z WARN  slow\\nforged ms=12 path=/a note="two words" bell="\\u0007" empty=""\n',
  ]);
});

test("levels below the set one are not printed", () => {
  const { log, lines } = capture({ level: "warn" });
  log.debug("d");
  log.info("i");
  log.warn("w");
  log.error("e");
  expect(lines.map((line) => JSON.parse(line).level)).toEqual(["warn", "error"]);
});

test("bound fields are added, and a call's own win", () => {
  const { log, lines } = capture();
  log.with({ requestId: "r1", n: 1 }).with({ n: 2 }).info("m", { extra: true });
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ requestId: "r1", n: 2, extra: true });
});

test("fields cannot stand in for time, level and message", () => {
  const record = recordOf({ time: "never", level: "debug", message: "other" });
  expect(record).toEqual({ time: "2026-01-02T03:04:05.678Z", level: "info", message: "m" });
});

describe("redaction", () => {
  const names = [
    ...["token", "accessToken", "refresh_token", "tokens", "secret", "clientSecret", "password"],
    ...["newPassword", "sessionKey", "session_key", "authorization", "Authorization", "masterKey"],
    ...["set-cookie", "privateKey", "apiKey"],
  ];
  for (const name of names) {
    test(`${name} is not printed, at the top, nested, in a list, or bound`, () => {
      const { log, lines } = capture();
      const bearer = { [name]: "hunter2" };
      log
        .with(bearer)
        .info("m", { ...bearer, body: bearer, list: [bearer], map: new Map([[name, "hunter2"]]) });
      const human = capture({ json: false });
      human.log.info("m", { ...bearer, body: [bearer] });
      for (const line of [...lines, ...human.lines]) {
        expect(line).not.toContain("hunter2");
        expect(line).toContain("[redacted]");
      }
    });
  }

  test("what only speaks of a secret is printed", () => {
    const fields = { tokenExpiresAt: "2027", hasPassword: true, secretVersion: 3, keyVersion: 1 };
    expect(recordOf(fields)).toMatchObject(fields);
    expect(recordOf({ token: null })).toMatchObject({ token: null });
  });

  test("bytes are counted, not shown", () => {
    expect(recordOf({ data: new Uint8Array(32), buffer: new ArrayBuffer(4) })).toMatchObject({
      data: "[32 bytes]",
      buffer: "[4 bytes]",
    });
  });
});

describe("odd values", () => {
  test("circles, depth, bigints, functions, dates and long lists", () => {
    const circle: Record<string, unknown> = { a: 1 };
    circle.self = circle;
    const deep = { a: { a: { a: { a: { a: { a: { a: 1 } } } } } } };
    const record = recordOf({
      circle,
      deep,
      big: 2n ** 70n,
      run: () => 1,
      at: new Date(0),
      never: new Date(Number.NaN),
      long: new Array(103).fill(0),
    });
    expect(record.circle).toEqual({ a: 1, self: "[circular]" });
    expect(JSON.stringify(record.deep)).toContain("[deep]");
    expect(record).toMatchObject({ big: "1180591620717411303424", run: "[function]" });
    expect(record).toMatchObject({ at: "1970-01-01T00:00:00.000Z", never: null });
    expect((record.long as unknown[]).slice(-2)).toEqual([0, "[3 more]"]);
  });

  test("an error keeps its message, stack and cause", () => {
    const error = new TypeError("outer", { cause: new Error("inner") });
    expect(recordOf({ error }).error).toMatchObject({
      name: "TypeError",
      message: "outer",
      stack: expect.stringContaining("log.test.ts"),
      cause: { message: "inner" },
    });
  });

  test("a getter that throws does not take the log down", () => {
    const trap = {
      get inner(): never {
        throw new Error("trap");
      },
    };
    expect(recordOf({ trap, ok: 1 })).toMatchObject({ ok: 1, trap: "[unprintable: Error: trap]" });
  });

  test("any value makes exactly one line, in both forms", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.dictionary(fc.string(), fc.anything()),
        (m, fields) => {
          for (const json of [true, false]) {
            const { log, lines } = capture({ json });
            log.error(m, fields);
            expect(lines).toHaveLength(1);
            expect(lines[0]?.indexOf("\n")).toBe((lines[0]?.length ?? 0) - 1);
            if (json) expect(JSON.parse(lines[0] ?? "").level).toBe("error");
          }
        },
      ),
    );
  });
});
