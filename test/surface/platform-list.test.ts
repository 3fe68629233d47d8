/** Lists, cursors and batches of the operator surface. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Problem } from "../../src/domain/problem.ts";
import { Cursors } from "../../src/http/platform/cursor.ts";
import { type PageQuery, pageOf, pageOfArray, totalMax } from "../../src/http/platform/page.ts";
import { call, openPlatform, type PlatformWorld, problem } from "./platform-fixture.ts";

interface Page {
  readonly data: { text: string }[];
  readonly meta: { cursor: string | null; hasMore: boolean; total: number; totalCapped?: true };
}

let world: PlatformWorld;
let token: string;
const texts = Array.from({ length: 7 }, (_, index) => `note-${index}`);
beforeAll(async () => {
  world = openPlatform();
  token = world.caller("ann");
  for (const text of texts) await call(world, { token, body: JSON.stringify({ text }) });
});
afterAll(() => world.close());

const get = (query: string, who = token) =>
  call(world, { method: "GET", token: who, path: `/api/v1/notes?${query}` });
const page = async (query: string): Promise<Page> => (await (await get(query)).json()) as Page;

describe("lists", () => {
  test("walk through all rows once, however large the pages", async () => {
    for (const limits of [[3], [1, 2, 4], [7], [100]]) {
      const seen: string[] = [];
      let cursor: string | null = "";
      for (let at = 0; cursor !== null; at++) {
        const limit = limits[at % limits.length];
        const { data, meta }: Page = await page(
          `limit=${limit}${cursor === "" ? "" : `&cursor=${cursor}`}`,
        );
        seen.push(...data.map(({ text }) => text));
        expect(meta.total).toBe(7);
        expect(meta.hasMore).toBe(meta.cursor !== null);
        expect(data.length).toBeLessThanOrEqual(limit ?? 0);
        cursor = meta.cursor;
      }
      expect(seen).toEqual(texts);
    }
  });

  test("hold 20 rows unless told otherwise, and write the null of the last page", async () => {
    expect((await page("")).meta).toEqual({ cursor: null, hasMore: false, total: 7 });
  });

  test("rows that are added meanwhile neither repeat nor hide others", async () => {
    const own = openPlatform();
    const who = own.caller("ann");
    const add = (text: string) => call(own, { token: who, body: JSON.stringify({ text }) });
    const read = async (query: string): Promise<Page> => {
      const path = `/v1/notes?${query}`;
      return (await (await call(own, { method: "GET", token: who, path })).json()) as Page;
    };
    for (const text of ["a", "b", "c"]) await add(text);
    const first = await read("limit=2");
    await add("d");
    const second = await read(`limit=2&cursor=${first.meta.cursor}`);
    expect([...first.data, ...second.data].map(({ text }) => text)).toEqual(["a", "b", "c", "d"]);
    await own.close();
  });
});

describe("cursors", () => {
  const refused = async (response: Promise<Response>): Promise<string> => {
    const { status, slug } = await problem(await response);
    return `${status} ${slug}`;
  };

  test("go on with another limit and by the other base", async () => {
    const { meta } = await page("limit=2");
    const path = `/v1/notes?limit=5&cursor=${meta.cursor}`;
    const response = await call(world, { method: "GET", token, path });
    expect(((await response.json()) as Page).data).toHaveLength(5);
  });

  test("of another filter, tenant or list are invalid", async () => {
    const { meta } = await page("limit=2&q=no");
    expect((await get(`limit=2&q=no&cursor=${meta.cursor}`)).status).toBe(200);
    for (const query of [
      "limit=2",
      "limit=2&q=on",
      "limit=2&q=no&kind=loud",
      "q=no&flagged=false",
    ]) {
      expect(await refused(get(`${query}&cursor=${meta.cursor}`))).toBe("400 invalid-cursor");
    }
    const other = world.caller("ben", { tenantId: 2 });
    expect(await refused(get(`limit=2&q=no&cursor=${meta.cursor}`, other))).toBe(
      "400 invalid-cursor",
    );
  });

  test("that were changed or made up are invalid", async () => {
    const { meta } = await page("limit=2");
    const cursor = meta.cursor ?? "";
    const last = cursor.at(-1) === "A" ? "B" : "A";
    const wrong = [
      cursor.slice(1),
      `${cursor}A`,
      cursor.slice(0, -1),
      cursor.slice(0, -1) + last,
      `${cursor}%3D`,
      "",
      "x",
      Buffer.from("[1]").toString("base64url"),
      "A".repeat(2_000),
    ];
    for (const each of wrong) {
      expect([each, await refused(get(`cursor=${each}`))]).toEqual([each, "400 invalid-cursor"]);
    }
    expect(await refused(get(`cursor=${"A".repeat(3_000)}`))).toBe("400 validation-error");
  });

  test("read back what was written, under the same binding and key alone", () => {
    const place = fc.array(fc.oneof(fc.string(), fc.integer()), { maxLength: 4 });
    const cursors = new Cursors(new Uint8Array(32).fill(1));
    const others = new Cursors(new Uint8Array(32).fill(2));
    fc.assert(
      fc.property(fc.string(), fc.string(), place, (binding, other, values) => {
        const cursor = cursors.write(binding, values);
        expect(cursors.read(binding, cursor)).toEqual(values);
        expect(() => others.read(binding, cursor)).toThrow(Problem);
        if (other !== binding) expect(() => cursors.read(other, cursor)).toThrow(Problem);
      }),
    );
  });

  test("no bit of one can be changed", () => {
    const cursors = new Cursors(new Uint8Array(32).fill(1));
    const bytes = Buffer.from(cursors.write("a", [12, "b"]), "base64url");
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => cursors.read("a", changed.toString("base64url"))).toThrow(Problem);
    }
  });
});

describe("pages", () => {
  const callOf = (query: PageQuery) => ({ query, cursorOf: (place: unknown) => String(place) });

  test("of a log stop counting at 100 000", async () => {
    for (const [count, total, totalCapped] of [
      [totalMax, totalMax, undefined],
      [totalMax + 1, totalMax, true],
    ] as const) {
      const { meta } = await pageOf(
        callOf({ limit: 5, after: [1] }),
        { read: async () => [], placeOf: () => [], count: async () => count, capped: true },
        (row) => row,
      );
      expect(meta).toEqual({
        cursor: null,
        hasMore: false,
        total,
        ...(totalCapped && { totalCapped }),
      });
    }
  });

  test("are counted only where the page does not tell by itself", async () => {
    for (const [after, rows, total, counted] of [
      [undefined, [], 0, 0],
      [undefined, [1, 2], 2, 0],
      [undefined, [1, 2, 3], 9, 1],
      [[1], [2], 9, 1],
      [[1], [], 9, 1],
    ] as const) {
      let count = 0;
      const source = {
        read: async () => rows,
        placeOf: (row: number) => [row],
        count: async () => {
          count++;
          return 9;
        },
      };
      const { meta } = await pageOf(callOf({ limit: 2, after }), source, (row) => row);
      expect([meta.total, count]).toEqual([total, counted]);
    }
  });

  test("of a list in memory", () => {
    const rows = ["a", "b", "c"];
    const first = pageOfArray(callOf({ limit: 2, after: undefined }), rows);
    expect(first).toEqual({ data: ["a", "b"], meta: { cursor: "1", hasMore: true, total: 3 } });
    const second = pageOfArray(callOf({ limit: 2, after: [1] }), rows);
    expect(second).toEqual({ data: ["c"], meta: { cursor: null, hasMore: false, total: 3 } });
  });
});

describe("batches", () => {
  const send = (items: unknown) =>
    call(world, { token, path: "/api/v1/notes/batch", body: JSON.stringify({ items }) });

  test("without a failure have the plain status of the row", async () => {
    const response = await send(["a", "b"]);
    expect([response.status, await response.json()]).toEqual([
      201,
      {
        data: [
          { index: 0, status: 201, result: { text: "a" } },
          { index: 1, status: 201, result: { text: "b" } },
        ],
        meta: { succeeded: 2, failed: 0 },
      },
    ]);
  });

  test("with failures are 207, each with a whole problem; no other item is undone", async () => {
    const before = await world.notes();
    const response = await send(["a", "bad", "c", "old"]);
    const traceId = response.headers.get("x-trace-id");
    expect(response.status).toBe(207);
    const { data, meta } = (await response.json()) as { data: unknown[]; meta: unknown };
    expect(meta).toEqual({ succeeded: 2, failed: 2 });
    expect(data[1]).toEqual({
      index: 1,
      status: 409,
      problem: {
        type: "https://kartu.test/problems/already-exists",
        title: "Already Exists",
        status: 409,
        detail: "Unique value taken; `field`.",
        instance: "/api/v1/notes/batch#/1",
        traceId,
      },
    });
    expect(data[3]).toMatchObject({ index: 3, status: 404, problem: { title: "Not Found" } });
    expect(await world.notes()).toBe(before + 2);
  });

  test("of failures alone are 207 too", async () => {
    expect((await send(["bad"])).status).toBe(207);
  });

  test("with a wrong envelope or count are 400 as a whole", async () => {
    for (const items of [[], Array.from({ length: 10 }, () => "a"), "a", undefined]) {
      expect((await problem(await send(items))).slug).toBe("validation-error");
    }
  });
});
