/** Idempotency keys: replay, conflict, calls in flight, lapse, and what is never kept. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { idempotencyLifeSec } from "../../schema/bound.ts";
import { statement } from "../../schema/query/statement.ts";
import { purgeIdempotency } from "../../src/http/idempotency.ts";
import { call, gate, noteText, openWorld, refusal, type World } from "./http-fixture.ts";

let world: World;
let token: string;
beforeAll(() => {
  world = openWorld();
  token = world.device("keys");
});
afterAll(() => world.close());

const newKey = (): string => crypto.randomUUID();
const body = (text: string): string => noteText.replace("hello", text);
const replayed = (response: Response): boolean =>
  response.headers.get("idempotent-replayed") === "true";

test("the same key and body replays status and bytes, and writes nothing", async () => {
  const key = newKey();
  const first = await call(world, { token, key });
  const text = await first.text();
  expect([first.status, replayed(first)]).toEqual([201, false]);
  const notes = await world.notes();
  // By value: the order of members and blanks do not matter, nor does the key's letter case.
  for (const [same, sameKey] of [
    [noteText, key],
    ['{ "text": "hello", "terminalId": 7 }', key],
    [noteText, key.toUpperCase()],
  ]) {
    const again = await call(world, { token, key: sameKey ?? "", body: same ?? "" });
    expect([again.status, await again.text(), replayed(again)]).toEqual([201, text, true]);
    expect(again.headers.get("content-type")).toBe("application/json");
  }
  expect(await world.notes()).toBe(notes);
});

test("another body is a conflict, another path, device or tenant another call", async () => {
  const key = newKey();
  expect((await call(world, { token, key })).status).toBe(201);
  const conflict = await call(world, { token, key, body: body("other") });
  expect(await refusal(conflict)).toMatchObject({ status: 409, error: "idempotency_key_conflict" });
  const others = [
    { token, path: "/api/notes/ffffffffffff" },
    { token: world.device("keys-2") },
    { token: world.device("keys-3", { tenantId: 2, deviceNo: 1 }) },
  ];
  for (const other of others) {
    const response = await call(world, { ...other, key });
    expect([response.status, replayed(response)]).toEqual([201, false]);
  }
});

test("a refusal is not kept, whether it rolled back or what it wrote stays", async () => {
  for (const [text, rows] of [
    ["refused", 0],
    ["kept-refusal", 1],
  ] as const) {
    const key = newKey();
    for (let i = 0; i < 2; i++) {
      const before = await world.notes();
      const refused = await call(world, { token, key, body: body(text) });
      expect(await refusal(refused)).toMatchObject({ status: 422, error: "card_blocked" });
      expect((await world.notes()) - before).toBe(rows);
    }
    const other = await call(world, { token, key, body: body("other") });
    expect([other.status, replayed(other)]).toEqual([201, false]);
  }
});

test("of twenty calls at once one runs; the others are in flight, then replayed", async () => {
  const key = newKey();
  const { promise, resolve } = Promise.withResolvers<void>();
  gate.open = promise;
  const before = await world.notes();
  const calls = Array.from({ length: 20 }, () => call(world, { token, key }));
  // Nineteen answer while the one that runs is held at the gate.
  const early: Response[] = [];
  await new Promise<void>((done) => {
    for (const one of calls) {
      one.then((response) => {
        early.push(response);
        if (early.length === 19) done();
      });
    }
  });
  for (const response of early) {
    expect(await refusal(response)).toMatchObject({ status: 409, error: "idempotency_in_flight" });
  }
  resolve();
  gate.open = Promise.resolve();
  const all = await Promise.all(calls);
  expect(all.filter((response) => response.status === 201)).toHaveLength(1);
  const again = await call(world, { token, key });
  expect([again.status, replayed(again)]).toEqual([201, true]);
  expect((await world.notes()) - before).toBe(1);
});

test("other keys are not held up", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  gate.open = promise;
  const held = call(world, { token, key: newKey() });
  const free = await call(world, {
    token,
    key: newKey(),
    path: "/api/batch",
    body: '{"items":[]}',
  });
  expect(free.status).toBe(200);
  resolve();
  gate.open = Promise.resolve();
  expect((await held).status).toBe(201);
});

test("a call that writes nothing, and one without a body, are kept as well", async () => {
  const key = newKey();
  for (const [path, text, status] of [
    ["/api/batch", '{"items":[]}', 200],
    ["/api/notes/0123456789ab/clear", "{}", 204],
  ] as const) {
    const first = await call(world, { token, key, path, body: text });
    const again = await call(world, { token, key, path, body: text });
    expect([first.status, replayed(first)]).toEqual([status, false]);
    expect([again.status, replayed(again), await again.text()]).toEqual([
      status,
      true,
      await first.text(),
    ]);
  }
  // `{}` and no body at all are the same call.
  const path = "/api/notes/0123456789ab/clear";
  const bare = await call(world, { token, key, path, body: null, type: null });
  expect([bare.status, replayed(bare)]).toEqual([204, true]);
});

test("a key lapses after 24 hours, and the row goes with the purge", async () => {
  const key = newKey();
  await call(world, { token, key });
  world.clock.ms += (idempotencyLifeSec - 1) * 1000;
  expect(replayed(await call(world, { token, key }))).toBe(true);
  world.clock.ms += 1000;
  const anew = await call(world, { token, key, body: body("other") });
  expect([anew.status, replayed(anew)]).toEqual([201, false]);
  expect(replayed(await call(world, { token, key, body: body("other") }))).toBe(true);

  const count = statement<[], { count: number }>(
    "test.kept.count",
    "SELECT count(*) AS count FROM idempotency",
  );
  const kept = async () => (await world.store.read((q) => q.get(count)))?.count ?? 0;
  const nowSec = world.clock.ms / 1000;
  const before = await kept();
  expect(await world.store.write((tx) => purgeIdempotency(tx, nowSec, 2))).toBe(2);
  expect(await world.store.write((tx) => purgeIdempotency(tx, nowSec))).toBe(before - 3);
  expect(await kept()).toBe(1);
  expect(replayed(await call(world, { token, key, body: body("other") }))).toBe(true);
});

const malformedKeys = [
  "1",
  "not-a-uuid",
  "00000000-0000-0000-0000-000000000000",
  "0195d1f0-7d5c-1b3a-8a55-1f0e2d3c4b5a",
  "0195d1f0-7d5c-7b3a-7a55-1f0e2d3c4b5a",
  "0195d1f07d5c7b3a8a551f0e2d3c4b5a",
  "{0195d1f0-7d5c-7b3a-8a55-1f0e2d3c4b5a}",
  "0195d1f0-7d5c-7b3a-8a55-1f0e2d3c4b5a, 0195d1f0-7d5c-7b3a-8a55-1f0e2d3c4b5a",
];
for (const key of malformedKeys) {
  test(`not a key: ${key}`, async () => {
    const refused = await refusal(await call(world, { token, key }));
    expect([refused.status, refused.message]).toEqual([
      400,
      "Idempotency-Key: must be a UUID of version 4 or 7",
    ]);
  });
}

test("a GET and a call that may not be kept do not look at the key", async () => {
  const read = await call(world, { token, key: "nonsense", method: "GET", path: "/api/notes" });
  expect(read.status).toBe(200);
  const key = newKey();
  const ask = async (): Promise<unknown> =>
    (await call(world, { key, path: "/api/auth/token" })).json();
  expect(await ask()).not.toEqual(await ask());
});
