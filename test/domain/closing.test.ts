import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type ClosedDays, Closings, houseNo, type Span } from "../../src/domain/closing.ts";
import {
  bookedLate,
  type DayRow,
  merged,
  noTotals,
  shownRow,
  totalsOf,
} from "../../src/domain/settlement.ts";
import { csvHead, csvLine } from "../../src/domain/settlementtext.ts";

const devices = [1, 2, houseNo];
const rowOf = (day: number, deviceNo: number, debits = 1): DayRow => ({
  ...noTotals(),
  ...{ day, deviceNo, debits, debitAmount: 10 * debits, belongsTo: null },
  ...{ terminalId: deviceNo === houseNo ? null : deviceNo, deviceId: null, name: null },
  ...{ parkedAmount: 0, releasedAmount: 0, returnedAmount: 0 },
});

/** A row of the table: what came in for a day, in its layer. */
interface Kept {
  readonly layer: number;
  readonly row: DayRow;
}

/** What a run has, by the rules of the statements: layer 0 of its days, late layers, days of the house. */
function rowsOf(kept: readonly Kept[], runs: readonly ClosedDays[], run: ClosedDays): DayRow[] {
  const closings = new Closings(runs);
  const since = closings.before(run);
  const house = new Set(closings.houseDays(run));
  return kept
    .filter(({ layer, row: { day, deviceNo } }) => {
      if (run.deviceNo !== null && run.deviceNo !== deviceNo) return false;
      if (layer === 0) {
        const isOwn = day >= run.from && day <= run.to;
        return isOwn || (deviceNo === houseNo && house.has(day));
      }
      const taken = runs.some(
        ({ number, deviceNo: of }) =>
          number > layer && number < run.number && (of === null || of === deviceNo),
      );
      return layer >= Math.max(1, since) && layer < run.number && !taken;
    })
    .map(({ row }) => row);
}

const spans = fc.record({
  from: fc.integer({ min: 0, max: 5 }),
  length: fc.integer({ min: 0, max: 2 }),
  deviceNo: fc.constantFrom<(number | null)[]>(null, null, 1, 2),
});
const step = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(fc.integer({ min: 0, max: 7 }), fc.constantFrom(...devices)) },
  { weight: 2, arbitrary: spans },
);

test("whatever comes in when, each piece is in one run alone, and what is closed stays as it was", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const runs: ClosedDays[] = [];
      const kept: Kept[] = [];
      const seen = new Map<number, string>();
      const all = () => runs.map((run) => rowsOf(kept, runs, run));
      for (const each of steps) {
        const closings = new Closings(runs);
        if (Array.isArray(each)) {
          const [day, deviceNo] = each;
          kept.push({ layer: closings.layerOf(day, deviceNo), row: rowOf(day, deviceNo) });
        } else {
          const { from, length, deviceNo } = each;
          const span: Span = { from, to: from + length, deviceNo };
          if (closings.over(span) === undefined) runs.push({ ...span, number: closings.next });
        }
        for (const [at, rows] of all().entries()) {
          const text = JSON.stringify(rows.map(({ day, deviceNo }) => [day, deviceNo]).sort());
          expect(seen.get(at) ?? text).toBe(text);
          seen.set(at, text);
        }
      }
      const inRuns = all().flat();
      expect(new Set(inRuns).size).toBe(inRuns.length);
      // A run of all over days that nobody closed takes every piece that is left of closed days.
      const last: ClosedDays = { from: 90, to: 90, deviceNo: null, number: runs.length + 1 };
      const closings = new Closings(runs);
      const closed = kept.filter(({ row }) => closings.layerOf(row.day, row.deviceNo) > 0);
      const taken = new Set([...inRuns, ...rowsOf(kept, [...runs, last], last)]);
      expect(closed.filter(({ row }) => !taken.has(row))).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

describe("late rows", () => {
  test("are one a day and device, booked on the run's last day behind the device's own", () => {
    const late = bookedLate([rowOf(1, 2), rowOf(1, 2), rowOf(0, 2), rowOf(1, houseNo)], 5);
    const own = [rowOf(4, 1), rowOf(5, 1), rowOf(5, 2), rowOf(5, 3)];
    const rows = [...merged(own, late, true)];
    expect(rows.map((r) => [r.day, r.deviceNo, r.belongsTo, r.debits])).toEqual([
      [4, 1, null, 1],
      [5, 1, null, 1],
      [5, 2, null, 1],
      [5, 2, 0, 1],
      [5, 2, 1, 2],
      [5, 3, null, 1],
      [5, houseNo, 1, 1],
    ]);
    expect(totalsOf(rows).debitAmount).toBe(80);
  });

  test("page by page come as they do at once", () => {
    const own = [1, 2, 3, 4].flatMap((deviceNo) => [rowOf(5, deviceNo)]);
    const lates = [rowOf(1, 1), rowOf(1, 3), rowOf(2, 9)];
    const whole = [...merged(own, bookedLate(lates, 5), true)];
    const late = bookedLate(lates, 5);
    const paged = [
      ...merged(own.slice(0, 2), late, false),
      ...merged(own.slice(2), late, false),
      ...merged([], late, true),
    ];
    expect(paged).toEqual(whole);
  });
});

describe("CSV", () => {
  const cellsOf = (name: string | null): string =>
    csvLine(shownRow({ ...rowOf(20_216, 7, -3), name }, "IDR"));

  test("quotes what has to be quoted, and defuses what a spreadsheet would run", () => {
    const cases: [name: string, cell: string][] = [
      ["Kasir 1", "Kasir 1"],
      ["a,b", '"a,b"'],
      ['a "b"', '"a ""b"""'],
      ["a\r\nb", '"a\r\nb"'],
      ["=1+1", "'=1+1"],
      ["+62 21", "'+62 21"],
      ["-x", "'-x"],
      ["@SUM(A1)", "'@SUM(A1)"],
      ["\t=1", "'\t=1"],
      ["a=1", "a=1"],
      ["", ""],
    ];
    for (const [name, cell] of cases) {
      expect(cellsOf(name)).toBe(`2025-05-08,7,,${cell},IDR,0,0,-3,-30,0,0,0,0,0,0,0,0,0,\r\n`);
    }
    expect(csvHead.split(",").length).toBe(19);
  });

  test("is read back as it was by whoever reads RFC 4180", () => {
    const read = (text: string): string[] => {
      const cells: string[] = [];
      const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
      for (let match = cell.exec(text); match !== null; match = cell.exec(text)) {
        cells.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? "");
      }
      return cells;
    };
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1 }), (name) => {
        const [, , , cell] = read(cellsOf(name));
        expect(cell === name || cell === `'${name}`).toBe(true);
        expect(/^[=+\-@]/.test(cell ?? "")).toBe(false);
      }),
    );
  });
});
