/** The operator surface's order of checks: of two faults in one call, the earlier step's answer is given. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Problem } from "../../src/domain/problem.ts";
import type { Caller } from "../../src/http/platform/caller.ts";
import {
  bodyMaxBytes,
  type CallSpec,
  call,
  noteUuid,
  openPlatform,
  type PlatformWorld,
  problem,
} from "./platform-fixture.ts";

interface Case {
  spec: CallSpec;
  caller: Partial<Caller>;
}

interface Step {
  readonly name: string;
  readonly answer: string;
  /** Brings the fault into the call; the call before it is right. */
  spoil(world: PlatformWorld, one: Case): void;
}

const key = "0195d1f0-7d5c-7b3a-8a55-1f0e2d3c4b5a";
const path = `/api/v1/notes/${noteUuid}`;
const address = "10.0.0.1";

const steps: readonly Step[] = [
  {
    name: "path",
    answer: "404 not-found",
    spoil: (_, one) => {
      one.spec = { ...one.spec, path: "/api/v1/nothing" };
    },
  },
  {
    name: "verb",
    answer: "405 method-not-allowed",
    spoil: (_, one) => {
      one.spec = { ...one.spec, method: "PUT" };
    },
  },
  {
    name: "size",
    answer: "413 payload-too-large",
    spoil: (_, one) => {
      one.spec = { ...one.spec, body: `${one.spec.body}${" ".repeat(bodyMaxBytes)}` };
    },
  },
  {
    name: "client address",
    answer: "429 rate-limit-exceeded",
    spoil: (world) => void world.refused.add(address),
  },
  {
    name: "token",
    answer: "401 unauthorized",
    spoil: (_, one) => {
      one.spec = { ...one.spec, token: "unknown" };
    },
  },
  {
    name: "tenant limits",
    answer: "429 rate-limit-exceeded",
    spoil: (world) => void world.refused.add("user-ann"),
  },
  {
    name: "tenant blocked",
    answer: "403 tenant-blocked",
    spoil: (_, one) => {
      one.caller = { ...one.caller, tenant: { type: "client", status: "blocked", slug: "x" } };
    },
  },
  {
    name: "plan and module",
    answer: "402 subscription-suspended",
    spoil: (world) => {
      world.gated = new Problem("subscription-suspended");
    },
  },
  {
    name: "permission",
    answer: "403 forbidden",
    spoil: (_, one) => {
      one.caller = { ...one.caller, permissions: ["notes.read"] };
    },
  },
  {
    name: "content type",
    answer: "415 unsupported-media-type",
    spoil: (_, one) => {
      one.spec = { ...one.spec, type: "text/plain" };
    },
  },
  {
    name: "idempotency header",
    answer: "400 idempotency-key-invalid",
    spoil: (_, one) => {
      one.spec = { ...one.spec, key: "1" };
    },
  },
  {
    name: "schema",
    answer: "400 validation-error",
    spoil: (_, one) => {
      one.spec = { ...one.spec, body: String(one.spec.body).replace("hello", "") };
    },
  },
  {
    name: "replay or conflict",
    answer: "409 idempotency-key-conflict",
    spoil: (_, one) => {
      if (one.spec.key === undefined) one.spec = { ...one.spec, key };
    },
  },
  {
    name: "business rule",
    answer: "409 already-exists",
    spoil: (_, one) => {
      if (one.spec.body === '{"text":"hello"}') {
        one.spec = { ...one.spec, body: '{"text":"refused"}' };
      }
    },
  },
];

describe("order of checks", () => {
  let world: PlatformWorld;
  beforeAll(async () => {
    world = openPlatform();
    const token = world.caller("ann");
    const kept = await call(world, { token, key, body: '{"text":"earlier"}' });
    expect(kept.status).toBe(201);
  });
  afterAll(() => world.close());

  async function answerTo(faults: readonly Step[]): Promise<string> {
    const one: Case = { spec: { token: "ann", address, body: '{"text":"hello"}' }, caller: {} };
    world.refused.clear();
    world.gated = null;
    for (const step of faults) step.spoil(world, one);
    world.caller("ann", one.caller);
    const { status, slug } = await problem(await call(world, one.spec));
    return `${status} ${slug}`;
  }

  for (const [at, first] of steps.entries()) {
    test(`${first.name} alone`, async () => {
      expect(await answerTo([first])).toBe(first.answer);
    });
    for (const second of steps.slice(at + 1)) {
      test(`${first.name} before ${second.name}`, async () => {
        expect(await answerTo([first, second])).toBe(first.answer);
      });
    }
  }

  test("a malformed id is looked at after the schema and before the handler", async () => {
    world.caller("ann");
    world.refused.clear();
    world.gated = null;
    const bad = { method: "PATCH", path: "/api/v1/notes/1", token: "ann" };
    expect((await problem(await call(world, { ...bad, body: "{}" }))).slug).toBe(
      "validation-error",
    );
    expect((await problem(await call(world, { ...bad, body: '{"text":"state"}' }))).slug).toBe(
      "not-found",
    );
    const rule = { ...bad, path, body: '{"text":"state"}' };
    expect((await problem(await call(world, rule))).slug).toBe("wrong-state");
  });

  test("an anonymous caller learns 401 and nothing else of a known path and verb", async () => {
    world.refused.clear();
    const wrong: CallSpec[] = [
      { body: "{" },
      { body: "x", type: "text/plain" },
      { key: "1" },
      { path: "/api/v1/notes?x=1" },
      { method: "PATCH", path: "/api/v1/notes/1" },
      { method: "DELETE", path },
      { method: "GET", path: "/api/v1/notes?cursor=x" },
    ];
    for (const spec of wrong) {
      const { slug, status } = await problem(await call(world, { ...spec, token: null }));
      expect([spec.path, slug, status]).toEqual([spec.path, "unauthorized", 401]);
    }
  });

  test("both limits are asked, the address first, with the route's bucket", async () => {
    world.caller("ann");
    world.refused.clear();
    world.gated = null;
    world.limited.length = 0;
    await call(world, { token: "ann", address });
    await call(world, { path: "/v1/auth/login", address });
    await call(world, { method: "GET", path: "/probe", address });
    expect(world.limited.map(({ caller, ...rest }) => ({ ...rest, id: caller?.id }))).toEqual([
      { address, operationId: "createNote", id: undefined },
      { address, operationId: "createNote", id: "user-ann" },
      { address, operationId: "login", bucket: "auth", id: undefined },
    ]);
  });
});

describe("who may call", () => {
  let world: PlatformWorld;
  beforeAll(() => {
    world = openPlatform();
  });
  afterAll(() => world.close());

  const cases: [string, Partial<Caller>, CallSpec, string][] = [
    ["the permission", { permissions: ["notes.read"] }, { method: "GET" }, "200"],
    ["no permission", { permissions: [] }, { method: "GET" }, "403 forbidden"],
    ["one of several", { permissions: ["notes.below"] }, { method: "GET", path }, "200"],
    ["none of several", { permissions: [] }, { method: "GET", path }, "403 forbidden"],
    ["the owner", {}, { method: "DELETE", path, body: null }, "204"],
    ["not the owner", { isOwner: false }, { method: "DELETE", path }, "403 forbidden"],
    ["oneself", {}, { path: `${path}/clear`, body: "{}" }, "204"],
    [
      "oneself by an API key",
      { kind: "apiKey" },
      { path: `${path}/clear`, body: "{}" },
      "403 forbidden",
    ],
    [
      "oneself by an application",
      { audience: noteUuid },
      { path: `${path}/clear`, body: "{}" },
      "403 forbidden",
    ],
    [
      "oneself under impersonation",
      { actorId: "x" },
      { path: `${path}/clear`, body: "{}" },
      "403 impersonation-restricted",
    ],
    ["a restricted call", {}, { method: "PATCH", path }, "200"],
    [
      "a restricted call under impersonation",
      { actorId: "x" },
      { method: "PATCH", path },
      "403 impersonation-restricted",
    ],
    ["money", {}, { path: "/v1/money", key }, "201"],
    [
      "money under impersonation",
      { actorId: "x" },
      { path: "/v1/money", key },
      "403 impersonation-restricted",
    ],
    [
      "money before the email was verified",
      { emailVerified: false },
      { path: "/v1/money", key },
      "403 email-not-verified",
    ],
    [
      "money by a key, which has no email",
      { emailVerified: false, kind: "apiKey", id: "key" },
      { path: "/v1/money", key },
      "201",
    ],
  ];
  for (const [name, change, spec, wanted] of cases) {
    test(`${name}: ${wanted}`, async () => {
      const token = world.caller("ben", change);
      const response = await call(world, { ...spec, token });
      const { status } = response;
      expect(status < 400 ? String(status) : `${status} ${(await problem(response)).slug}`).toBe(
        wanted,
      );
    });
  }

  test("what a token has become is told as it is", async () => {
    const token = world.caller("eve");
    for (const slug of ["token-expired", "token-revoked", "unauthorized"] as const) {
      world.ended.set(token, new Problem(slug));
      expect((await problem(await call(world, { token }))).slug).toBe(slug);
    }
  });

  test("only a bearer token of the right form is looked at", async () => {
    const token = world.caller("cat");
    const ask = async (authorization: string) =>
      (await call(world, { method: "GET", headers: { authorization } })).status;
    for (const good of [`Bearer ${token}`, `bearer ${token}`, `BEARER  ${token}`]) {
      expect([good, await ask(good)]).toEqual([good, 200]);
    }
    for (const bad of [
      token,
      `Basic ${token}`,
      "Bearer",
      `Bearer ${token} ${token}`,
      "Bearer {}",
    ]) {
      expect([bad, await ask(bad)]).toEqual([bad, 401]);
    }
    const inQuery = await call(world, { method: "GET", path: `/v1/notes?access_token=${token}` });
    expect(inQuery.status).toBe(401);
  });
});
