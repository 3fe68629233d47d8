/** Server-sent events through a real server: frames, resuming, gaps, tickets, ends, how many. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { Problem } from "../../src/domain/problem.ts";
import { call, openPlatform, type PlatformWorld, problem, startMs } from "./platform-fixture.ts";

let world: PlatformWorld;
let token: string;
beforeEach(() => {
  world = openPlatform();
  token = world.caller("ann");
});
afterEach(() => world.close());

/** One open stream, read frame by frame. */
class Reading {
  readonly #reader;
  #rest = "";

  constructor(readonly response: Response) {
    if (response.body === null) throw new Error("a stream has a body");
    this.#reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** The next frame, without its empty line; null at the end. */
  async next(): Promise<string | null> {
    for (;;) {
      const end = this.#rest.indexOf("\n\n");
      if (end >= 0) {
        const frame = this.#rest.slice(0, end);
        this.#rest = this.#rest.slice(end + 2);
        return frame;
      }
      const { done, value } = await this.#reader.read();
      if (done) return null;
      this.#rest += value;
    }
  }

  close(): Promise<void> {
    return this.#reader.cancel();
  }
}

const open = async (
  query = "",
  headers: Record<string, string> = { authorization: `Bearer ${token}` },
): Promise<Reading> => {
  const response = await fetch(`${world.url}/api/v1/stream${query}`, { headers });
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  const reading = new Reading(response);
  expect(await reading.next()).toBe(": ping");
  return reading;
};

const frame = (position: number, type: string, data: unknown): string =>
  `id: ${position}\nevent: ${type}\ndata: ${JSON.stringify(data)}`;

/** Until the server knows what the client did. */
const until = async (isSo: () => boolean): Promise<void> => {
  for (let tries = 0; tries < 1_000 && !isSo(); tries++) await Bun.sleep(2);
  expect(isSo()).toBe(true);
};

describe("events", () => {
  test("come with position, type and one line of data, from now on", async () => {
    world.log.append("note.created", { text: "before" });
    const stream = await open();
    const { headers } = stream.response;
    expect(headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("x-trace-id")).toMatch(/^[0-9a-f]{32}$/);
    world.log.append("note.created", { text: "two\nlines" });
    world.log.append("hidden.thing", {});
    world.log.append("note.deleted", { id: 7 });
    expect(await stream.next()).toBe(frame(2, "note.created", { text: "two\nlines" }));
    expect(await stream.next()).toBe(frame(4, "note.deleted", { id: 7 }));
    await stream.close();
  });

  test("resume after Last-Event-ID, header or query, without a loss", async () => {
    for (let index = 1; index <= 250; index++) world.log.append("note", index);
    for (const stream of [
      await open("", { authorization: `Bearer ${token}`, "last-event-id": "3" }),
      await open("?lastEventId=3"),
    ]) {
      for (let index = 4; index <= 250; index++) {
        expect(await stream.next()).toBe(frame(index, "note", index));
      }
      world.log.append("note", "new");
      expect(await stream.next()).toContain('data: "new"');
      await stream.close();
      world.log.entries.pop();
    }
  });

  test("of a position older than the log begin with a gap", async () => {
    for (let index = 1; index <= 5; index++) world.log.append("note", index);
    world.log.drop(3);
    const stream = await open("?lastEventId=1");
    expect(await stream.next()).toBe('event: gap\ndata: {"oldest":4}');
    expect(await stream.next()).toBe(frame(4, "note", 4));
    await stream.close();
    // Everything after it is there.
    const whole = await open("?lastEventId=3");
    expect(await whole.next()).toBe(frame(4, "note", 4));
    await whole.close();
  });

  test("a position that is none is 400, by where it stands", async () => {
    for (const [query, headers, field, detail] of [
      ["?lastEventId=x", {}, "lastEventId", "The query contains invalid parameters."],
      ["", { "last-event-id": "-1" }, "Last-Event-ID", "The request headers are invalid."],
    ] as const) {
      const answer = await problem(
        await call(world, { method: "GET", path: `/v1/stream${query}`, token, headers }),
      );
      expect([answer.slug, answer.detail, answer.errors?.[0]?.field]).toEqual([
        "validation-error",
        detail,
        field,
      ]);
    }
    expect(world.deps.streams.size).toBe(0);
  });

  test("a ping every 15 seconds", async () => {
    const stream = await open();
    for (let times = 0; times < 3; times++) {
      world.clock.advance(15);
      expect(await stream.next()).toBe(": ping");
    }
    await stream.close();
  });

  test("HEAD opens none", async () => {
    const response = await call(world, { method: "HEAD", path: "/v1/stream", token });
    expect([response.status, world.deps.streams.size]).toEqual([200, 0]);
  });
});

describe("a stream ends", () => {
  const last = async (stream: Reading): Promise<string | null> => {
    let words: string | null = null;
    for (let next = await stream.next(); next !== null; next = await stream.next()) words = next;
    return words;
  };

  test("after 15 minutes", async () => {
    token = world.caller("ann", { expiresAtSec: startMs / 1000 + 3_600 });
    const stream = await open();
    world.clock.advance(899);
    expect(await stream.next()).toBe(": ping");
    world.clock.advance(1);
    expect(await last(stream)).toBe('event: expired\ndata: {"reason":"time"}');
    await until(() => world.deps.streams.size === 0);
    expect(world.log.wakes.size).toBe(0);
  });

  test("with the token", async () => {
    token = world.caller("ann", { expiresAtSec: startMs / 1000 + 60 });
    const stream = await open();
    world.clock.advance(60);
    expect(await last(stream)).toBe('event: expired\ndata: {"reason":"token"}');
  });

  test("soon after the token was revoked", async () => {
    const stream = await open();
    world.ended.set(token, new Problem("token-revoked"));
    world.clock.advance(15);
    expect(await last(stream)).toBe('event: expired\ndata: {"reason":"token"}');
  });

  test("when the client goes, and leaves nothing behind", async () => {
    const stream = await open();
    expect([world.deps.streams.size, world.log.wakes.size]).toEqual([1, 1]);
    await stream.close();
    world.log.append("note", 1);
    await until(() => world.deps.streams.size === 0);
    expect(world.log.wakes.size).toBe(0);
  });

  test("when the log can't be read, and the fault is reported", async () => {
    const stream = await open();
    world.log.read = async () => {
      throw new Error("the log is gone");
    };
    world.log.append("note", 1);
    expect(await stream.next()).toBeNull();
    expect(world.faults).toEqual(["Error: the log is gone"]);
    expect([world.deps.streams.size, world.log.wakes.size]).toEqual([0, 0]);
  });

  test("when the server stops", async () => {
    const stream = await open();
    world.deps.streams.endAll();
    expect(await stream.next()).toBeNull();
  });
});

describe("at most", () => {
  test("10 of a user and 100 of a tenant, and a closed one makes room", async () => {
    const streams: Reading[] = [];
    for (let user = 0; user < 10; user++) {
      const who = world.caller(`user${user}`);
      for (let at = 0; at < 10; at++) {
        streams.push(await open("", { authorization: `Bearer ${who}` }));
      }
      if (user > 0) continue;
      const more = await call(world, { method: "GET", path: "/v1/stream", token: who });
      expect(more.headers.get("retry-after")).toBe("15");
      expect((await problem(more)).slug).toBe("too-many-streams");
    }
    const fresh = { method: "GET", path: "/v1/stream", token: world.caller("fresh") };
    expect((await problem(await call(world, fresh))).slug).toBe("too-many-streams");
    const other = world.caller("other", { tenantId: 2 });
    streams.push(await open("", { authorization: `Bearer ${other}` }));
    await streams[0]?.close();
    await until(() => world.deps.streams.size === 100);
    streams.push(await open("", { authorization: "Bearer fresh" }));
    for (const stream of streams.slice(1)) await stream.close();
  });
});

describe("tickets", () => {
  const issue = (): string => world.deps.tickets.issue(token, world.clock.nowMs()).ticket;
  const slugOf = async (path: string, headers: Record<string, string> = {}): Promise<string> =>
    (await problem(await call(world, { method: "GET", path, headers }))).slug;

  test("open one stream, once", async () => {
    const ticket = issue();
    expect(ticket).toMatch(/^tk_[A-Za-z0-9_-]{43}$/);
    const stream = await open(`?ticket=${ticket}`, {});
    await stream.close();
    expect(await slugOf(`/v1/stream?ticket=${ticket}`)).toBe("unauthorized");
  });

  test("live 60 seconds", async () => {
    const ticket = issue();
    world.clock.advance(59);
    const other = issue();
    await (await open(`?ticket=${ticket}`, {})).close();
    world.clock.advance(60);
    expect(await slugOf(`/v1/stream?ticket=${other}`)).toBe("token-expired");
  });

  test("end with the token that they stand for", async () => {
    const ticket = issue();
    world.ended.set(token, new Problem("token-revoked"));
    expect(await slugOf(`/v1/stream?ticket=${ticket}`)).toBe("token-revoked");
  });

  test("that are made up are 401; a header beside one decides", async () => {
    for (const ticket of ["", "tk_", `tk_${"A".repeat(43)}`, "x"]) {
      expect(await slugOf(`/v1/stream?ticket=${ticket}`)).toBe("unauthorized");
    }
    const headers = { authorization: "Bearer nobody" };
    expect(await slugOf(`/v1/stream?ticket=${issue()}`, headers)).toBe("unauthorized");
  });

  test("open nothing else", async () => {
    const path = `/v1/notes?ticket=${issue()}`;
    expect(await slugOf(path)).toBe("unauthorized");
  });
});
