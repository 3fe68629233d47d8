/**
 * Every door against everybody: each route that is mounted, tried by each identity there is, and what each
 * of them hears. Whoever is let in sends a call that is refused for its query, so that nothing is done;
 * that doors then do what they should is `operator-doors.test.ts`. Ids of others: `matrix-foreign.test.ts`.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { belowBases } from "./door.ts";
import { refusal } from "./http-fixture.ts";
import { ended } from "./matrix/ended.ts";
import { mirrored, partsOf, remarked, respelled } from "./matrix/forge.ts";
import { forged } from "./matrix/forged.ts";
import { elsewhere, Grounds } from "./matrix/grounds.ts";
import {
  type Bearer,
  bearersOf,
  type Caller,
  callersOf,
  heard,
  heardBy,
  holderOf,
  lackerOf,
  permissions,
} from "./matrix/holder.ts";
import { loose } from "./matrix/loose.ts";
import { canary, type OperatorRoute, type Table, tableOf, whole } from "./matrix/mounted.ts";
import { bearing, type Stranger } from "./matrix/stranger.ts";
import { Refusal } from "./refusal.ts";

let grounds: Grounds;
let table: Table;
let everybody: {
  readonly loose: readonly Stranger[];
  readonly ended: readonly Stranger[];
  readonly callers: readonly Caller[];
  readonly bearers: readonly Bearer[];
};
/** Of tests that knock some ten thousand times, on a machine that is busy. */
const longMs = 120_000;
const counts: string[] = [];

beforeAll(async () => {
  grounds = await Grounds.open();
  table = tableOf(grounds.estate);
  everybody = {
    loose: await loose(grounds),
    ended: await ended(grounds),
    callers: await callersOf(grounds),
    bearers: await bearersOf(grounds),
  };
}, longMs);
afterAll(async () => {
  for (const line of counts) process.stderr.write(`matrix: ${line}\n`);
  await grounds.close();
});

const counted = (what: string, rows: number, columns: number): void => {
  counts.push(`${what}: ${rows} identities × ${columns} routes = ${rows * columns} cells`);
};

/** What is wrong, each once: by whom and how, with where it was met first. */
class Complaints {
  readonly #met = new Map<string, { first: string; count: number }>();

  see(who: string, where: string, answer: string, expected: string): void {
    if (answer === expected) return;
    const what = `${who} heard ${answer}, not ${expected}`;
    const known = this.#met.get(what);
    if (known === undefined) this.#met.set(what, { first: where, count: 1 });
    else known.count += 1;
  }

  get all(): string[] {
    return [...this.#met].map(
      ([what, { first, count }]) => `${what}: ${count} times, as at ${first}`,
    );
  }
}

type Sent = { readonly path: string; readonly init: RequestInit };

/** Whoever is signed in may have the wallet linked to them. */
const linking = belowBases("POST /auth/login/:id");

type Way = "socket" | "handler";

/** Below one base alone: the other is an alias of every route, which the rest of the matrix walks too. */
const once = <R extends { readonly name: string }>(routes: readonly R[]): R[] =>
  routes.filter(({ name }) => !name.includes(" /v1/"));

/**
 * Sends a call over the socket; or, where the text of a token alone matters, straight to the handler
 * behind it, which costs a fifth.
 */
async function sendBy(
  way: Way,
  { path, init }: Sent,
  headers: Readonly<Record<string, string>>,
): Promise<Response> {
  const { serving } = grounds.estate;
  const url = serving.url + path;
  const all = { ...(init.headers as Record<string, string>), ...headers };
  const whole: RequestInit = { ...init, redirect: "manual", headers: all };
  if (way === "socket") return await fetch(url, whole);
  const response = await serving.app.handle(new Request(url, whole));
  Object.defineProperty(response, "url", { value: url });
  return response;
}

const bearer = (token: string, scheme = "Bearer") => ({ authorization: `${scheme} ${token}` });

/** Status, and of a refusal, once its form is proved, its name. */
async function told(response: Response, isDevice: boolean): Promise<string> {
  if (response.status < 400) {
    await response.body?.cancel();
    return String(response.status);
  }
  if (!isDevice) return (await Refusal.of(response)).outcome;
  const { status, error } = await refusal(response);
  return `${status} ${error}`;
}

/** Header lines as they are; the status line's number. */
function wired(method: string, path: string, lines: readonly string[]): Promise<string> {
  const { hostname, port, host } = new URL(grounds.estate.serving.url);
  const head = [`${method} ${path} HTTP/1.1`, `Host: ${host}`, "Connection: close", ...lines];
  const length = method === "GET" ? [] : ["Content-Length: 0"];
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => {
      socket.write(Buffer.from(`${[...head, ...length].join("\r\n")}\r\n\r\n`, "latin1"));
    });
    let answer = "";
    socket.on("data", (bytes) => {
      answer += bytes;
    });
    socket.on("close", () => resolve(answer.split(" ")[1] ?? "nothing"));
    socket.on("error", reject);
  });
}

/** What a stranger hears at a door that is not public. */
async function refusedAt(
  { lines, headers = {}, query = "", body }: Stranger,
  { method, path }: { readonly method: string; readonly path: string },
  isDevice: boolean,
  way: Way,
): Promise<string> {
  if (lines !== undefined) return await wired(method, path, lines);
  const text = method === "GET" || body === undefined ? undefined : JSON.stringify(body);
  const sent = {
    path: path + query,
    init: {
      method,
      ...(text !== undefined && { body: text, headers: { "content-type": "application/json" } }),
    },
  };
  return await told(await sendBy(way, sent, headers), isDevice);
}

const expectedOf = ({ answers, lines }: Stranger, isDevice: boolean): string => {
  const all = isDevice && answers !== "431" ? "401 invalid_token" : answers;
  return lines === undefined ? all : all.slice(0, 3);
};

async function strangersWalk(
  what: string,
  strangers: readonly Stranger[],
  way: Way = "handler",
): Promise<string[]> {
  const complaints = new Complaints();
  const closed = [
    ...table.device.map((route) => ({ route, isDevice: true })),
    ...(way === "socket" ? table.operator : once(table.operator)).map((route) => ({
      ...{ route, isDevice: false },
    })),
  ];
  for (const stranger of strangers) {
    for (const { route, isDevice } of closed) {
      const answer = await refusedAt(stranger, route, isDevice, way);
      complaints.see(stranger.name, route.name, answer, expectedOf(stranger, isDevice));
    }
  }
  counted(what, strangers.length, closed.length);
  return complaints.all;
}

test("every route that is mounted has a row", () => {
  expect(table.unlisted).toEqual([]);
  expect(table.device.length).toBeGreaterThan(10);
  expect(table.operator.length).toBeGreaterThan(200);
});

describe("nobody gets in at any door, and all learn the same,", () => {
  test(
    "who has no credential, shows it wrongly or has one for something else",
    async () => {
      expect(await strangersWalk("without a credential", everybody.loose, "socket")).toEqual([]);
    },
    longMs,
  );

  test(
    "whose credential has ended",
    async () => {
      expect(await strangersWalk("ended", everybody.ended, "socket")).toEqual([]);
    },
    longMs,
  );

  test(
    "who made it",
    async () => {
      expect(await strangersWalk("forged", await forged(grounds))).toEqual([]);
    },
    longMs,
  );

  test(
    "who has one of the other surface",
    async () => {
      const complaints = new Complaints();
      const { callers } = everybody;
      for (const { name, token } of callers) {
        for (const route of table.device) {
          const answer = await refusedAt(bearing(name, token), route, true, "handler");
          complaints.see(name, route.name, answer, "401 invalid_token");
        }
      }
      const { bearers } = everybody;
      for (const { name, token } of bearers) {
        for (const route of table.operator) {
          const answer = await refusedAt(bearing(name, token), route, false, "handler");
          complaints.see(name, route.name, answer, "401 unauthorized");
        }
      }
      counted("people at devices' doors", callers.length, table.device.length);
      counted("devices at people's doors", bearers.length, table.operator.length);
      expect(complaints.all).toEqual([]);
    },
    longMs,
  );
});

describe("a public door", () => {
  test(
    "is the same to everybody",
    async () => {
      const letIn = [...everybody.callers, ...everybody.bearers];
      const strangers: Stranger[] = [
        { name: "none", answers: "401 unauthorized" },
        { name: "no token", answers: "401 unauthorized", headers: { authorization: "Bearer" } },
        ...everybody.ended,
        ...letIn.map(({ name, token }) => bearing(name, token)),
      ];
      const routes = table.open.filter(
        ({ name, path }) => !linking.includes(name) && path !== "/metrics",
      );
      const complaints = new Complaints();
      for (const { name, headers = {} } of strangers) {
        for (const { name: route, method, path, status } of routes) {
          const response = await sendBy("handler", { path, init: { method } }, headers);
          await response.body?.cancel();
          complaints.see(name, route, String(response.status), String(status));
        }
      }
      counted("public doors", strangers.length, routes.length);
      expect(complaints.all).toEqual([]);
    },
    longMs,
  );

  test(
    "where one may link a wallet asks whose, if anybody says",
    async () => {
      const complaints = new Complaints();
      const hear = async (who: string, headers: Stranger["headers"], expected: string) => {
        for (const { name, method, path } of table.open.filter((each) =>
          linking.includes(each.name),
        )) {
          const answer = await told(
            await sendBy("socket", { path, init: { method } }, headers ?? {}),
            false,
          );
          complaints.see(who, name, answer, expected);
        }
      };
      const strangers = [...everybody.loose, ...everybody.ended];
      for (const { name, headers, answers } of strangers) {
        if (headers?.authorization === undefined || answers.startsWith("403")) continue;
        await hear(name, headers, answers);
      }
      for (const { name, token, is } of everybody.callers) {
        const isPerson = is !== "machine" && is !== "acting";
        await hear(name, bearer(token), isPerson ? "404 provider-not-found" : "403 forbidden");
      }
      expect(complaints.all).toEqual([]);
    },
    longMs,
  );

  test(
    "of the metrics is for this machine alone, and no header makes another of it",
    async () => {
      const metrics = { path: "/metrics", init: { method: "GET" } };
      const away = [elsewhere, { forwarded: "for=127.0.0.1" }, { "x-forwarded-for": "::1" }];
      for (const headers of away) {
        expect(await told(await sendBy("socket", metrics, headers), false)).toBe("403 forbidden");
      }
      for (const token of [grounds.lapsed.user, grounds.mine.owner, grounds.lapsed.idleStation]) {
        const response = await sendBy("socket", metrics, bearer(token));
        await response.body?.cancel();
        expect(response.status).toBe(200);
      }
    },
    longMs,
  );
});

describe("whoever is let in", () => {
  test(
    "opens the doors of a device's role, grant and state, and no other",
    async () => {
      const { bearers } = everybody;
      const complaints = new Complaints();
      for (const who of bearers) {
        for (const route of table.device) {
          const response = await sendBy("socket", canary(route), bearer(who.token, who.scheme));
          complaints.see(
            who.name,
            route.name,
            await told(response, true),
            heardBy(who, route.door),
          );
        }
      }
      counted("devices", bearers.length, table.device.length);
      expect(complaints.all).toEqual([]);
    },
    longMs,
  );

  /** Where the route itself lets some through whom the handler stops, the whole call is made. */
  async function callOf({ door, ...route }: OperatorRoute, expected: string) {
    const isWhole = door.row.may === "platform" && expected.startsWith("403");
    if (!isWhole) return canary(route, door.row.keyed);
    const base = route.name.includes(" /v1/") ? "/v1" : "/api/v1";
    return whole(route, base, await door.row.make(grounds.mine));
  }

  async function walk(who: Caller, complaints: Complaints, way: Way): Promise<void> {
    for (const route of way === "socket" ? table.operator : once(table.operator)) {
      const expected = heard(who, route.door);
      const sent = await callOf(route, expected);
      const answer = await told(await sendBy(way, sent, bearer(who.token, who.scheme)), false);
      complaints.see(who.name, route.name, answer, expected);
    }
  }

  test(
    "opens the doors of what a person, a key or an application is, and no other",
    async () => {
      const { callers } = everybody;
      const complaints = new Complaints();
      for (const who of callers) await walk(who, complaints, "socket");
      counted("callers", callers.length, table.operator.length);
      expect(complaints.all).toEqual([]);
    },
    longMs,
  );

  test(
    "with one permission opens its doors, and without it all but those",
    async () => {
      const complaints = new Complaints();
      for (const permission of permissions) {
        await walk(await holderOf(grounds.mine, permission), complaints, "handler");
        await walk(await lackerOf(grounds.mine, permission), complaints, "handler");
      }
      counted("single permissions", 2 * permissions.length, once(table.operator).length);
      expect(complaints.all).toEqual([]);
    },
    longMs,
  );
});

test("a token in another spelling is the same token: it ends with it", async () => {
  const { estate, mine } = grounds;
  const token = await mine.token(["admin"]);
  const spellings = [remarked(token, mirrored), respelled(token), `${token}==`];
  for (const text of spellings) {
    expect(text).not.toBe(token);
    expect(partsOf(text).claims).toEqual(partsOf(token).claims);
    expect(await estate.outcome("GET", "/auth/me", { token: text })).toBe("200");
  }
  await estate.ok("POST", "/auth/logout", { token });
  const strangers = spellings.map((text, at) =>
    bearing(`spelling ${at}`, text, "401 token-revoked"),
  );
  expect(await strangersWalk("other spellings", strangers)).toEqual([]);
});

test("a stream ticket opens one stream of one's own, once, and no other door", async () => {
  const { estate, mine } = grounds;
  const ticketOf = async (token: string): Promise<string> =>
    (await estate.ok<{ ticket: string }>("POST", "/auth/stream-ticket", { token })).ticket;
  const carried = async (path: string, ticket: string, method = "GET"): Promise<string> => {
    const sent = { path: `${path}?ticket=${ticket}`, init: { method } };
    return await told(await sendBy("socket", sent, {}), false);
  };
  const token = await mine.token(["admin"]);
  const ticket = await ticketOf(token);
  const complaints = new Complaints();
  const streams = table.operator.filter(({ door }) => door.route.stream === true);
  expect(streams.length).toBeGreaterThan(0);
  for (const { name, path, method, door } of table.operator) {
    if (door.route.stream === true) continue;
    complaints.see("a ticket", name, await carried(path, ticket, method), "401 unauthorized");
  }
  expect(complaints.all).toEqual([]);
  const [{ path = "" } = {}] = streams;
  expect(await carried(path, ticket)).toBe("200");
  expect(await carried(path, ticket)).toBe("401 unauthorized");
  expect(await carried(path, await ticketOf(await mine.token()))).toBe("403 forbidden");
  const dead = await ticketOf(token);
  await estate.ok("POST", "/auth/logout", { token });
  expect(await carried(path, dead)).toBe("401 token-revoked");
  const late = await ticketOf(await mine.token(["admin"]));
  estate.clock.advance(61);
  expect(await carried(path, late)).toBe("401 token-expired");
});
