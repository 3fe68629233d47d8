import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import fc from "fast-check";
import { type Param, type Statement, statement } from "../../schema/query/statement.ts";
import { Connection } from "../../src/store/connection.ts";

let connection: Connection;
beforeEach(() => {
  connection = new Connection(new Database(":memory:", { strict: true }));
  connection.db.run("CREATE TABLE cell (id INTEGER PRIMARY KEY, n INTEGER, t TEXT, b BLOB) STRICT");
});
afterEach(() => connection.close());

const pair = statement<[a: Param, b: Param], { a: Param; b: Param }>(
  "test.pair",
  "SELECT ?1 AS a, ?2 AS b",
);

/** As a caller without the type checker would. */
const loose = (query: Statement<[a: Param, b: Param], unknown>, params: unknown[]) =>
  connection.get(query, params as [Param, Param]);

test("a missing or surplus parameter is an error, also when the call before had them all", () => {
  expect(connection.get(pair, [1, 2])).toEqual({ a: 1, b: 2 });
  for (const params of [[], [1], [1, 2, 3]]) {
    expect(() => loose(pair, params)).toThrow("test.pair: 2 parameters expected");
  }
});

test.each([undefined, true, 1n, {}, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, -(2 ** 53)])(
  "%p is no parameter",
  (value) => {
    expect(() => loose(pair, [1, value])).toThrow("test.pair: ?2");
  },
);

test("every value within bounds comes back as it went in", () => {
  const value = fc.oneof(
    fc.maxSafeInteger(),
    fc.string({ unit: "grapheme" }),
    fc.constant(null),
    fc.uint8Array(),
    fc.double({ noNaN: true, noDefaultInfinity: true, noInteger: true }),
  );
  fc.assert(
    fc.property(value, value, (a, b) => {
      expect(connection.get(pair, [a, b])).toEqual({ a, b });
    }),
  );
});

test("an integer beyond 2^53−1 in the file is an error, not a neighbour", () => {
  const read = statement<[], { n: number }>("test.wide", "SELECT n FROM cell");
  for (const n of ["9007199254740992", "9007199254740993", "-9007199254740992"]) {
    connection.db.run(`DELETE FROM cell; INSERT INTO cell (n) VALUES (${n})`);
    expect(() => connection.get(read, [])).toThrow("test.wide: column n is beyond");
    expect(() => connection.all(read, [])).toThrow("test.wide: column n is beyond");
  }
  connection.db.run("DELETE FROM cell; INSERT INTO cell (n) VALUES (9007199254740991)");
  expect(connection.get(read, [])).toEqual({ n: Number.MAX_SAFE_INTEGER });
});

test("no row is undefined, and run counts rows", () => {
  const insert = statement<[n: number]>("test.insert", "INSERT INTO cell (n) VALUES (?1)");
  const find = statement<[n: number], { n: number }>(
    "test.find",
    "SELECT n FROM cell WHERE n = ?1",
  );
  const update = statement<[n: number]>("test.update", "UPDATE cell SET t = 'x' WHERE n = ?1");
  expect(connection.get(find, [7])).toBeUndefined();
  expect(connection.run(update, [7])).toBe(0);
  connection.many(insert, [[7], [7], [8]]);
  expect(connection.run(update, [7])).toBe(2);
  expect(connection.all(find, [7])).toEqual([{ n: 7 }, { n: 7 }]);
});

test("a changed table shows its new columns through an old statement", () => {
  const star = statement<[], Record<string, Param>>("test.star", "SELECT * FROM cell");
  connection.db.run("INSERT INTO cell (n) VALUES (1)");
  connection.get(star, []);
  connection.db.run("ALTER TABLE cell ADD COLUMN extra TEXT DEFAULT 'new'");
  expect(connection.get(star, [])).toEqual({ id: 1, n: 1, t: null, b: null, extra: "new" });
});
