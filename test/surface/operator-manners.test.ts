/**
 * What holds of every operation of the operator surface: ids and traces, HEAD, OPTIONS, Allow, paths that
 * are nearly right, parameters and bodies that no one asked for, and the order in which a call is judged.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { takesBody, takesKey } from "../../src/http/platform/slugs.ts";
import { Estate } from "./estate.ts";
import type { House } from "./house.ts";
import type { Knock } from "./knock/knock.ts";
import { changed, type Instead, lost, outcome, send, unless, walk } from "./knock/send.ts";
import { type Door, doorsOf } from "./knock/table.ts";
import { Refusal } from "./refusal.ts";

let estate: Estate;
let house: House;
let doors: Door[];
const kept = new Map<string, Knock>();

async function unspent({ name, row }: Door): Promise<Knock> {
  const known = kept.get(name) ?? (await row.make(house));
  kept.set(name, known);
  return known;
}

beforeAll(async () => {
  estate = await Estate.open();
  house = await estate.house();
  doors = doorsOf(estate);
  for (const door of doors) await unspent(door);
});
afterAll(() => estate.close());

const reads = (): Door[] => doors.filter(({ route }) => route.method === "GET");
/** What is sent with a call that asks for a body as well as one that does not. */
const takers = (): Door[] => doors.filter(({ route }) => takesBody(route));
const isJson = ({ route }: Door): boolean => route.media !== "form";
const uuid = "01971d3e-7a00-7cc3-98c4-dc0c0c07398f";

describe("every answer", () => {
  test("has the request's id, or one of its own, its trace, and is kept by nobody", async () => {
    const complaints = await walk(reads(), async (door) => {
      const knock = await unspent(door);
      const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
      const headers = {
        "x-request-id": uuid,
        traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
      };
      const given = await send(door, knock, house, { headers });
      await given.body?.cancel();
      if (given.headers.get("x-request-id") !== uuid) return "another request id";
      if (given.headers.get("x-trace-id") !== traceId) return "another trace";
      const none = await send(door, knock, house, { headers: { "x-request-id": "not one" } });
      await none.body?.cancel();
      if (!/^[0-9a-f-]{36}$/.test(none.headers.get("x-request-id") ?? "")) return "no request id";
      if (!/^[0-9a-f]{32}$/.test(none.headers.get("x-trace-id") ?? "")) return "no trace";
      if (none.headers.get("x-content-type-options") !== "nosniff") return "may be sniffed";
      const cached = none.headers.get("cache-control");
      const isPublic = door.name.includes("/.well-known/");
      return unless(cached ?? "", isPublic ? "public, max-age=300" : "no-store");
    });
    expect(complaints).toEqual([]);
  });

  test("to HEAD is that to GET without its body", async () => {
    const complaints = await walk(reads(), async (door) => {
      const knock = await unspent(door);
      const got = await send(door, knock, house);
      await got.body?.cancel();
      const head = await send(door, knock, house, { method: "HEAD" });
      if ((await head.text()) !== "") return "a body";
      if (head.status !== got.status) return `${head.status}, not ${got.status}`;
      return unless(head.headers.get("content-type") ?? "", got.headers.get("content-type") ?? "");
    });
    expect(complaints).toEqual([]);
  });

  test("says Allow to OPTIONS and to every other verb, without a token", async () => {
    const steps = (path: string): string[] => (path.split("?")[0] ?? "").split("/");
    const fits = (pattern: string, path: string): boolean => {
      const [wanted, given] = [steps(pattern), steps(path)];
      const isSame = (step: string, at: number) => step.startsWith(":") || step === given[at];
      return wanted.length === given.length && wanted.every(isSame);
    };
    const complaints = await walk(doors, async (door) => {
      const knock = await unspent(door);
      // `/flags/decide` is a `/flags/:id` too.
      const here = doors.filter(
        ({ route, base }) => base === door.base && fits(route.path, knock.path),
      );
      const offered = new Set<string>(here.map(({ route }) => route.method));
      if (offered.has("GET")) offered.add("HEAD");
      const expected = [...offered, "OPTIONS"].sort().join();
      const allowOf = ({ headers }: Response): string =>
        (headers.get("allow") ?? "").split(", ").sort().join();
      for (const base of door.row.root ? [""] : ["/api/v1", "/v1"]) {
        const options = await send(door, knock, house, { method: "OPTIONS", token: null, base });
        if (options.status !== 204) return `OPTIONS ${options.status}`;
        if (allowOf(options) !== expected) return `OPTIONS allows ${allowOf(options)}`;
        for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"]) {
          if (offered.has(method)) continue;
          const other = await send(door, knock, house, { method, token: null, base });
          const allowed = allowOf(other);
          const { outcome: found } = await Refusal.of(other);
          if (found !== "405 method-not-allowed") return `${method} ${found}`;
          if (allowed !== expected) return `${method} allows ${allowed}`;
        }
      }
      return null;
    });
    expect(complaints).toEqual([]);
  });
});

describe("no call", () => {
  test("is found with a trailing slash, in other letters, or below another base", async () => {
    const complaints = await walk(doors, async (door) => {
      const [path = "", query = ""] = (await unspent(door)).path.split("?");
      const behind = query && `?${query}`;
      const { base } = door;
      const wrong = [
        ...[`${base}${path}/${behind}`, `${base}${path}//${behind}`, `/api${path}${behind}`],
        ...[`/api/v2${path}${behind}`, `/api/V1${path}${behind}`, `/api/v1/${path}${behind}`],
        `${base}${path.replace(/[a-z]/, (letter) => letter.toUpperCase())}${behind}`,
      ];
      for (const each of wrong) {
        const { method } = door.route;
        const response = await estate.send(method, each, { token: house.owner }, true);
        // Below /api stand the devices' calls, whose errors look different.
        if (response.status !== 404) return `${each} ${response.status}`;
        await response.body?.cancel();
      }
      return null;
    });
    expect(complaints).toEqual([]);
  });

  test("takes a parameter that it does not know, or one twice", async () => {
    const before = await estate.everything();
    const complaints = await walk(doors, async (door) => {
      const knock = await unspent(door);
      if (door.row.anyQuery) return null;
      const join = knock.path.includes("?") ? "&" : "?";
      for (const name of ["canary", "version", "api-version", "__proto__", "tenantId"]) {
        const response = await send(door, knock, house, { suffix: `${join}${name}=1` });
        const { outcome: found, errors, body } = await Refusal.of(response);
        const wrong = unless(
          [found, ...errors].join(),
          `400 validation-error,${name} UNKNOWN_PARAMETER`,
        );
        if (wrong !== null) return wrong;
        if (body.detail !== "The query contains invalid parameters.") return body.detail;
      }
      return null;
    });
    expect(complaints).toEqual([]);
    expect(await changed(estate, before)).toEqual([]);
  });

  test("that asks for no body takes one with members; an empty object is none", async () => {
    const before = await estate.everything();
    const bodiless = takers().filter(({ route }) => route.contract.body === undefined);
    expect(bodiless.length).toBeGreaterThan(10);
    const complaints = await walk(bodiless, async (door) => {
      const knock = await unspent(door);
      const response = await send(door, knock, house, { body: { canary: 1 } });
      const { outcome: found, errors } = await Refusal.of(response);
      return unless([found, ...errors].join(), "400 validation-error,canary UNKNOWN_FIELD");
    });
    expect(complaints).toEqual([]);
    expect(await changed(estate, before)).toEqual([]);
  });
});

/** One fault for each step of the order of checks that every operation has. */
interface Fault {
  readonly expected: string;
  readonly instead: Instead;
  applies(door: Door): boolean;
}

const big = " ".repeat(1_048_577);
const asJson = { "content-type": "application/json" };
const faults: readonly Fault[] = [
  {
    expected: "413 payload-too-large",
    instead: { body: big, headers: asJson },
    applies: ({ route }) => takesBody(route) && route.size === undefined,
  },
  {
    expected: "401 unauthorized",
    instead: { token: null },
    applies: ({ row }) => row.may !== "public",
  },
  {
    expected: "403 forbidden",
    instead: { token: "member" },
    applies: ({ row }) => row.may.includes(".") || row.may === "owner" || row.may === "platform",
  },
  {
    expected: "415 unsupported-media-type",
    instead: { body: "x", headers: { "content-type": "text/plain" } },
    applies: ({ route }) => takesBody(route),
  },
  {
    expected: "400 idempotency-key-invalid",
    instead: { headers: { "idempotency-key": "x" } },
    applies: ({ route }) => takesKey(route),
  },
  {
    expected: "400 validation-error",
    instead: { suffix: "canary=1" },
    applies: ({ row }) => row.anyQuery !== true,
  },
  {
    expected: "400 malformed-json",
    instead: { body: "{", headers: asJson },
    applies: (door) => takesBody(door.route) && isJson(door),
  },
  {
    expected: "404 not-found",
    instead: { suffix: "nothing" },
    applies: ({ route, row }) => route.path.includes(":") && !row.shared,
  },
];

/** Both faults in one call; where they would be in the same place, the earlier one's. */
function together(earlier: Instead, later: Instead, knock: Knock): Instead {
  const headers = { ...later.headers, ...earlier.headers };
  const body = earlier.body ?? later.body;
  const token = earlier.token ?? later.token;
  const isQuery = [earlier, later].some(({ suffix }) => suffix === "canary=1");
  const join = knock.path.includes("?") ? "&" : "?";
  return {
    ...(Object.keys(headers).length > 0 && { headers }),
    ...(body !== undefined && { body }),
    ...((earlier.token === null || token !== undefined) && {
      token: earlier.token === null ? null : (token ?? null),
    }),
    ...(isQuery && { suffix: `${join}canary=1` }),
  };
}

describe("of two faults in one call", () => {
  test("the one of the earlier step is answered, whatever the operation", async () => {
    const member = await house.token(["member"]);
    const before = await estate.everything();
    const complaints = await walk(doors, async (door) => {
      const knock = await unspent(door);
      const own = faults.filter(({ applies }) => applies(door));
      for (const [at, earlier] of own.entries()) {
        for (const later of own.slice(at)) {
          const isLost = [earlier, later].some(({ instead }) => instead.suffix === "nothing");
          const instead = together(earlier.instead, later.instead, knock);
          const token = instead.token === "member" ? member : instead.token;
          const sent = { ...instead, ...(token !== undefined && { token }) };
          const answer = await outcome(door, isLost ? lost(knock) : knock, house, sent);
          const wrong = unless(answer, earlier.expected, `with ${later.expected}`);
          if (wrong !== null) return wrong;
        }
      }
      return null;
    });
    expect(complaints).toEqual([]);
    expect(await changed(estate, before)).toEqual([]);
  });
});

describe("the alias", () => {
  test("echoes itself in instance and Location", async () => {
    const makers = doors.filter(({ route }) => route.location !== undefined);
    expect(makers.length).toBeGreaterThan(5);
    const complaints = await walk(makers, async (door) => {
      for (const base of ["/api/v1", "/v1"]) {
        const made = await send(door, await door.row.make(house), house, { base });
        await made.body?.cancel();
        const place = made.headers.get("location") ?? "";
        if (!place.startsWith(`${base}/`)) return `${base} leads to ${place}`;
      }
      return null;
    });
    expect(complaints).toEqual([]);
    const response = await estate.send("GET", "/v1/users/nothing", { token: house.owner }, true);
    expect((await Refusal.of(response)).body.instance).toBe("/v1/users/nothing");
  });
});

describe("under an Idempotency-Key", () => {
  test("each POST with a caller answers again what it answered, byte for byte, by either base", async () => {
    const keyed = doors.filter(({ route, row }) => takesKey(route) && /^2/.test(row.answers));
    const complaints = await walk(keyed, async (door) => {
      const knock = await door.row.make(house);
      if (door.row.last) return null;
      const headers = { "idempotency-key": crypto.randomUUID() };
      const first = await send(door, knock, house, { headers });
      const before = await estate.counts();
      const again = await send(door, knock, house, { headers, base: "/v1" });
      const wrong = unless(String(again.status), String(first.status));
      if (wrong !== null) return wrong;
      if ((await again.text()) !== (await first.text())) return "another body";
      if (first.headers.has("idempotent-replayed")) return "the first is no replay";
      if (again.headers.get("idempotent-replayed") !== "true") return "not told as a replay";
      const after = await estate.counts();
      const moved = Object.keys(after).filter((table) => after[table] !== before[table]);
      if (moved.length > 0) return `adds to ${moved.join()}`;
      const other = { ...knock, path: knock.path };
      const suffix = knock.path.includes("?") ? "&canary=1" : "?canary=1";
      const bad = await outcome(door, other, house, { headers, suffix });
      return unless(bad, "400 validation-error");
    });
    expect(complaints).toEqual([]);
  });
});
