/**
 * Every door of the operator surface as it is mounted, and who may open it: by the tables of `knock/`,
 * which are a second opinion beside the routes' own. An operation without a row is a fault. Who else is
 * refused, and how: `matrix.test.ts`.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Estate } from "./estate.ts";
import type { House } from "./house.ts";
import type { Knock } from "./knock/knock.ts";
import { type Instead, lost, outcome, unless, walk } from "./knock/send.ts";
import { type Door, doorsOf, knocks, unlisted } from "./knock/table.ts";

let estate: Estate;
let mine: House;
let theirs: House;
let doors: Door[];
const kept = new Map<string, Knock>();

/** A knock that nobody has spent: of calls that are refused, one for each door is enough. */
async function unspent({ name, row }: Door): Promise<Knock> {
  const known = kept.get(name) ?? (await row.make(mine));
  kept.set(name, known);
  return known;
}

beforeAll(async () => {
  estate = await Estate.open();
  mine = await estate.house();
  theirs = await estate.house();
  doors = doorsOf(estate);
});
afterAll(() => estate.close());

const closedDoors = (): Door[] => doors.filter(({ row }) => row.may !== "public");
const isPermission = (may: string): boolean => may.includes(".");
const guarded = (): Door[] => doors.filter(({ row }) => isPermission(row.may));

describe("the tables", () => {
  test("have a row for every operation that is served, and none besides", () => {
    expect(unlisted(estate)).toEqual([]);
  });

  test("agree with the routes on who may call", () => {
    const said = doors.map(({ name, route: { access } }) => {
      if ("public" in access) return `${name}: public`;
      if ("self" in access) return `${name}: ${access.own === true ? "own" : "self"}`;
      if ("role" in access) return `${name}: ${access.role}`;
      return `${name}: ${[access.permission, ...(access.or ?? [])].join(" ")}`;
    });
    const known = new Map(said.map((line) => [line.slice(0, line.indexOf(": ")), line]));
    for (const { name, row } of doors) {
      const line = known.get(name) ?? "";
      const words = line.slice(line.indexOf(": ") + 2).split(" ");
      const isPlatform = words.some((word) => /^system\.|^users\.impersonate$/.test(word));
      const found = row.may === "platform" ? isPlatform : words.includes(row.may);
      expect([line, row.may, found]).toEqual([line, row.may, true]);
    }
  });

  test("say of every write what it records, or why it records nothing", () => {
    const silent = Object.entries(knocks).filter(
      ([name, { audit, unrecorded }]) =>
        !name.startsWith("GET ") && audit === undefined && unrecorded === undefined,
    );
    expect(silent.map(([name]) => name)).toEqual([]);
  });
});

describe("a call that is right", () => {
  test("succeeds by either base, is recorded, and tells the world", async () => {
    const complaints = await walk(doors, async (door) => {
      const { row } = door;
      for (const base of row.root ? [""] : ["/api/v1", "/v1"]) {
        const knock = await row.make(mine);
        const before = await estate.toldCounts();
        const wrong = unless(await outcome(door, knock, mine, { base }), row.answers, base);
        if (wrong !== null) return wrong;
        const told = await estate.told(before);
        const event = row.event === undefined ? row.audit : row.event;
        if (row.audit === undefined && told.length > 0) return `tells ${told.join()}`;
        if (row.audit !== undefined && !told.includes(`audit ${row.audit}`)) {
          return `records ${told.join()}, not ${row.audit}`;
        }
        if (event != null && !told.includes(`event ${event}`)) return `tells ${told.join()}`;
        const events = told.filter((name) => name.startsWith("event "));
        if (event === null && events.length > 0) return `tells ${events.join()}`;
        // What can be done once in all was done by the first base.
        if (row.shared) break;
      }
      return null;
    });
    expect(complaints).toEqual([]);
  });
});

describe("a stranger", () => {
  test("learns 401 and nothing else, whatever else is wrong with the call", async () => {
    const wrongs: Instead[] = [
      {},
      { suffix: "?canary=1" },
      { headers: { "idempotency-key": "x" } },
      { body: "{" },
      { body: "{}", headers: { "content-type": "text/plain" } },
      { body: { canary: 1 } },
    ];
    const complaints = await walk(closedDoors(), async (door) => {
      const knock = await unspent(door);
      const path = door.row.shared ? knock.path : lost(knock).path;
      for (const each of [knock, { ...knock, path }]) {
        for (const instead of wrongs) {
          const answer = await outcome(door, each, mine, { ...instead, token: null });
          if (answer !== "401 unauthorized") return `${answer} for ${JSON.stringify(instead)}`;
        }
      }
      return null;
    });
    expect(complaints).toEqual([]);
  });
});

describe("a permission", () => {
  test("and nothing else opens its door", async () => {
    const complaints = await walk(guarded(), async (door) => {
      const { may, also = [], answers } = door.row;
      const token = await mine.holder([may, ...also]);
      return unless(await outcome(door, await door.row.make(mine), mine, { token }), answers);
    });
    expect(complaints).toEqual([]);
  });

  test("that is missing keeps it shut, whatever else is held, and before the call is read", async () => {
    const wrongs: Instead[] = [{}, { suffix: "?canary=1" }, { body: "{" }, { body: { canary: 1 } }];
    const members = [await mine.token(["member"]), await mine.machine(["member"])];
    const complaints = await walk(guarded(), async (door) => {
      const { access } = door.route;
      const or = "or" in access ? (access.or ?? []) : [];
      const tokens = [
        await mine.without([door.row.may]),
        await mine.without(["permission" in access ? access.permission : "", ...or], "without or"),
        ...members,
      ];
      for (const [at, token] of tokens.entries()) {
        const knock = await unspent(door);
        for (const instead of at === 0 && or.length > 0 ? [{}] : wrongs) {
          const answer = await outcome(door, knock, mine, { ...instead, token });
          if (answer !== "403 forbidden") return `${answer} for caller ${at}`;
        }
      }
      return null;
    });
    expect(complaints).toEqual([]);
  });

  test("of any name is an admin's, a key with that role included", async () => {
    const tokens = [await mine.token(["admin"]), await mine.machine(["admin"])];
    const complaints = await walk(guarded(), async (door) => {
      for (const token of tokens) {
        const knock = await door.row.make(mine);
        const wrong = unless(await outcome(door, knock, mine, { token }), door.row.answers);
        if (wrong !== null) return wrong;
      }
      return null;
    });
    expect(complaints).toEqual([]);
  });
});

describe("another tenant's", () => {
  test("rows are in no list", async () => {
    const lists = closedDoors().filter(
      ({ route: { contract, path } }) => contract.list !== undefined && !path.includes(":"),
    );
    const ids = (text: string): string[] =>
      text.match(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g) ?? [];
    const complaints = await walk(lists, async (door) => {
      const [path = "", query = ""] = (await unspent(door)).path.split("?");
      const filter = new URLSearchParams(query);
      filter.set("limit", "100");
      for (const name of ["q", "kind", "userId", "walletId"]) filter.delete(name);
      const seen = async (house: House): Promise<Set<string>> => {
        const sent = { token: house.owner };
        const { data } = await estate.ok<{ data: { id?: string }[] }>(
          ...(["GET", `${path}?${filter}`, sent] as const),
        );
        return new Set(ids(JSON.stringify(data.map(({ id }) => id ?? ""))));
      };
      const [a, b] = [await seen(mine), await seen(theirs)];
      const both = [...a].filter((id) => b.has(id));
      return both.length === 0 ? null : `shows both ${both.join()}`;
    });
    expect(complaints).toEqual([]);
  });

  test("name in a header, a query or a body changes nothing: the token's tenant is the tenant", async () => {
    const headers = {
      "x-tenant-id": theirs.id,
      "x-user-id": theirs.ownerId,
      "tenant-id": theirs.id,
    };
    const me = await estate.ok<{ tenantId: string; id: string }>("GET", "/auth/me", {
      ...{ token: mine.owner, headers },
    });
    expect([me.tenantId, me.id]).toEqual([mine.id, mine.ownerId]);
    const query = `/users?tenantId=${theirs.id}`;
    expect(await estate.outcome("GET", query, { token: mine.owner })).toBe("400 validation-error");
    const email = `${mine.name("x")}@example.com`;
    const body = { email, roles: ["member"], tenantId: theirs.id };
    expect(await estate.outcome("POST", "/users", { token: mine.owner, body })).toBe(
      "400 validation-error",
    );
  });
});
