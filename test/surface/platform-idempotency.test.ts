/** Idempotency-Key on the operator surface: what is replayed, what conflicts, what is never kept. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { purgeIdempotency } from "../../src/http/idempotency.ts";
import {
  type CallSpec,
  call,
  gate,
  keptAnswers,
  noteUuid,
  openPlatform,
  type PlatformWorld,
  problem,
  startMs,
} from "./platform-fixture.ts";

let world: PlatformWorld;
let token: string;
beforeEach(() => {
  world = openPlatform();
  token = world.caller("ann");
});
afterEach(() => world.close());

const key = "0195d1f0-7d5c-4b3a-8a55-1f0e2d3c4b5a";
const replayed = (response: Response) => response.headers.get("idempotent-replayed");
const slugOf = async (spec: CallSpec): Promise<string> =>
  (await problem(await call(world, spec))).slug;

describe("the same key", () => {
  test("and the same request: stored status, byte-identical body, Location, by either base", async () => {
    const first = await call(world, { token, key });
    const text = await first.text();
    expect([first.status, replayed(first)]).toEqual([201, null]);
    const spaced = '{ "text" : "hel\\u006co" }';
    for (const spec of [{}, { body: spaced }, { path: "/v1/notes" }, { key: key.toUpperCase() }]) {
      const again = await call(world, { token, key, ...spec });
      expect([again.status, await again.text(), replayed(again)]).toEqual([201, text, "true"]);
      const base = spec.path === undefined ? "/api/v1" : "/v1";
      expect(again.headers.get("location")).toBe(`${base}/notes/${noteUuid}`);
      expect(again.headers.get("x-note")).toBe("yes");
      expect(again.headers.get("ratelimit")).not.toBeNull();
    }
    expect(await world.notes()).toBe(1);
  });

  test("and another request is a conflict", async () => {
    await call(world, { token, key });
    expect(await slugOf({ token, key, body: '{"text":"other"}' })).toBe("idempotency-key-conflict");
    expect(await world.notes()).toBe(1);
  });

  test("of another caller, tenant or path is another key", async () => {
    await call(world, { token, key });
    const others: CallSpec[] = [
      { token: world.caller("ben") },
      { token: world.caller("cat", { id: "user-ann", tenantId: 2 }) },
      { path: "/v1/notes/batch", body: '{"items":["a"]}' },
    ];
    for (const spec of others) {
      const response = await call(world, { token, key, ...spec });
      expect([response.status, replayed(response)]).toEqual([201, null]);
    }
    expect(await world.notes()).toBe(4);
  });

  test("while the first call runs is in flight, with a wait of a second", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    gate.open = promise;
    const first = call(world, { token, key });
    // The second arrives when the first has claimed the key: on one connection after the other.
    let second = await call(world, {
      token,
      key: "0195d1f0-7d5c-4b3a-8a55-000000000000",
      body: "{",
    });
    for (let tries = 0; tries < 50; tries++) {
      second = await Promise.race([call(world, { token, key }), Bun.sleep(200).then(() => second)]);
      if (second.status === 409) break;
    }
    expect(second.headers.get("retry-after")).toBe("1");
    expect((await problem(second)).slug).toBe("idempotency-in-flight");
    resolve();
    gate.open = Promise.resolve();
    expect((await first).status).toBe(201);
    expect(replayed(await call(world, { token, key }))).toBe("true");
    expect(await world.notes()).toBe(1);
  });

  test("is kept for 24 hours from completion", async () => {
    await call(world, { token, key });
    world.clock.advance(86_399);
    expect(replayed(await call(world, { token, key }))).toBe("true");
    world.clock.advance(1);
    expect(replayed(await call(world, { token, key }))).toBeNull();
    const nowSec = startMs / 1000 + 3 * 86_400;
    expect(await world.store.write((tx) => purgeIdempotency(tx, nowSec))).toBe(1);
  });
});

describe("only a success is kept", () => {
  for (const body of ['{"text":"refused"}', '{"text":"kept"}', '{"text":""}', "{"]) {
    test(`${body}: its key stays free`, async () => {
      expect((await call(world, { token, key, body })).status).toBeGreaterThanOrEqual(400);
      const response = await call(world, { token, key });
      expect([response.status, replayed(response)]).toEqual([201, null]);
    });
  }

  test("what a refusal that is returned wrote stays, a thrown one's does not", async () => {
    await call(world, { token, body: '{"text":"refused"}' });
    expect(await world.notes()).toBe(0);
    await call(world, { token, body: '{"text":"kept"}' });
    expect(await world.notes()).toBe(1);
  });

  test("also a mixed batch: 207 again, and nothing done twice", async () => {
    const spec = { token, key, path: "/v1/notes/batch", body: '{"items":["a","bad"]}' };
    const first = await call(world, spec);
    const text = await first.text();
    const again = await call(world, spec);
    expect([first.status, again.status, await again.text()]).toEqual([207, 207, text]);
    expect(await world.notes()).toBe(1);
  });

  test("also an answer without a body", async () => {
    const spec = { token, key, path: `/v1/notes/${noteUuid}/clear`, body: "{}" };
    expect((await call(world, spec)).status).toBe(204);
    const again = await call(world, { ...spec, body: null, type: null });
    expect([again.status, await again.text(), replayed(again)]).toEqual([204, "", "true"]);
  });
});

describe("the header", () => {
  for (const bad of ["1", "", "0195d1f0-7d5c-1b3a-8a55-1f0e2d3c4b5a", `${key}0`, "x".repeat(36)]) {
    test(`"${bad}" is malformed`, async () => {
      // fetch leaves an empty header out.
      if (bad === "") return;
      expect(await slugOf({ token, key: bad })).toBe("idempotency-key-invalid");
    });
  }

  test("of version 7 is a key too", async () => {
    expect((await call(world, { token, key: noteUuid })).status).toBe(201);
  });

  test("is due on a call that moves money", async () => {
    const path = "/api/v1/money";
    expect(await slugOf({ token, path })).toBe("idempotency-key-required");
    expect(await slugOf({ token, path, key: "1" })).toBe("idempotency-key-invalid");
    expect((await call(world, { token, path, key })).status).toBe(201);
    expect(replayed(await call(world, { token, path, key }))).toBe("true");
  });

  test("is ignored without a caller, where the route says so, and on other verbs", async () => {
    for (const [path, status] of [
      ["/v1/auth/login", 200],
      ["/v1/tokens", 200],
    ] as const) {
      const body = path === "/v1/tokens" ? "{}" : '{"text":"a"}';
      const texts = new Set<string>();
      for (const each of [key, key, "1"]) {
        const response = await call(world, { token, path, key: each, body });
        expect([path, response.status, replayed(response)]).toEqual([path, status, null]);
        texts.add(await response.text());
      }
      expect(texts.size).toBe(3);
    }
    const patch = { token, method: "PATCH", path: `/v1/notes/${noteUuid}`, key: "1" };
    expect((await call(world, patch)).status).toBe(200);
    expect((await call(world, { token, method: "GET", key: "1" })).status).toBe(200);
  });
});

test("an answer that carries a secret is kept sealed, headers too, and replayed", async () => {
  const spec = { token, key, path: "/api/v1/secrets", body: null, type: null };
  const first = await call(world, spec);
  const text = await first.text();
  expect(first.status).toBe(201);
  const rows = await world.store.read((q) => q.all(keptAnswers));
  expect(rows).toHaveLength(1);
  expect(rows[0]?.body).toBeNull();
  const sealed = Buffer.from(rows[0]?.sealed ?? []).toString("latin1");
  expect(sealed.length).toBeGreaterThan(text.length);
  for (const clear of [text.slice(10, 20), "secret=1"]) expect(sealed).not.toContain(clear);
  const again = await call(world, spec);
  expect([again.status, await again.text(), replayed(again)]).toEqual([201, text, "true"]);
  expect(again.headers.get("set-cookie")).toBe("secret=1");
});
