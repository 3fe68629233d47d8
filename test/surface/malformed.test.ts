/**
 * What a stranger or a broken terminal may send: each wrong thing alone, to every operation. The answer
 * is the refusal that belongs to it, in the shape of the surface, saying nothing of what was sent; and
 * not one row is written.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { TSchema } from "@sinclair/typebox";
import type { Route } from "../../src/http/route.ts";
import { refusal } from "./http-fixture.ts";
import { type Knock, Live, type Sent } from "./live.ts";
import { canary, wrongBodies, wrongBytes, wrongParameters } from "./malform.ts";

let live: Live;
let everything: string;
const knocks = new Map<string, Knock>();

// Cases are made from the contracts before any server runs.
const { routes } = await Live.open().then(async (first) => {
  const found = first.routes;
  for (const route of found) knocks.set(route.operationId, await first.knock(route));
  live = first;
  return { routes: found };
});

beforeAll(async () => {
  everything = await live.everything();
});
afterAll(() => live.close());

const knockOf = ({ operationId }: Route): Knock => {
  const knock = knocks.get(operationId);
  if (knock === undefined) throw new Error(`no call of ${operationId}`);
  return knock;
};

/** Every secret that is in play here. */
const secrets = (): string[] => [
  ...Object.values(live.devices).map(({ token }) => token),
  String(knocks.get("commissionDevice")?.body?.secret),
  "BQUFBQUFBQUF",
];

/** Sends a wrong call and holds its answer against all that every refusal promises. */
async function refused(
  route: Route,
  sent: Sent,
  [status, code]: readonly [number, string],
  echoes: readonly string[] = [canary],
): Promise<string> {
  const before = await live.counts();
  const response = await live.send(knockOf(route), sent);
  const text = await response.clone().text();
  const found = await refusal(response);
  expect([found.status, found.error]).toEqual([status, code]);
  expect(Object.keys(JSON.parse(text))).toEqual(["error", "message"]);
  const all = `${text}${JSON.stringify([...response.headers])}`;
  for (const hidden of [...echoes, ...secrets()]) expect(all).not.toContain(hidden);
  expect(await live.counts()).toEqual(before);
  return found.message;
}

const bad = [400, "malformed_payload"] as const;
const posts = routes.filter(({ method }) => method === "POST");
const shapeOf = (route: Route) => route.contract.body;

describe("bodies of", () => {
  for (const route of posts) {
    const schema = shapeOf(route);
    const right = knockOf(route).body;
    if (schema === undefined || right === undefined) continue;
    describe(route.operationId, () => {
      for (const { name, text, echo } of wrongBodies(schema, right)) {
        // A role is a word like any other: which ones there are is not a matter of form.
        if (/^role is (?:text|empty)/.test(name)) continue;
        test(name, async () => {
          const message = await refused(route, { body: text }, bad, [canary, echo]);
          expect(message).toMatch(/^[A-Za-z_.*[\]0-9]+: \S/);
        });
      }
      for (const [name, bytes] of wrongBytes(JSON.stringify(right))) {
        test(`bytes: ${name}`, async () => {
          await refused(route, { body: bytes }, bad);
        });
      }
      test("no body at all", async () => {
        const headers = { "content-type": "application/json" };
        await refused(route, { body: null, headers }, bad);
      });
    });
  }
});

describe("what no contract can say", () => {
  const right = (operationId: string): Record<string, unknown> => ({
    ...knockOf(live.route(operationId)).body,
  });
  const event = (): Record<string, unknown> =>
    (right("reconcile").events as Record<string, unknown>[])[0] ?? {};
  const batch = (events: unknown[]): string => JSON.stringify({ ...right("reconcile"), events });

  test("a name of 31 characters and more bytes", async () => {
    for (const name of ["é".repeat(16), "\u{1f600}".repeat(8), `${"x".repeat(30)}é`]) {
      const body = JSON.stringify({ ...right("registerCard"), name });
      const message = await refused(live.route("registerCard"), { body }, bad, [name]);
      expect(message).toBe("name: must be 1 to 31 bytes of UTF-8");
    }
  });

  test("a batch of 1001, all in shape, is too large; with one fault it is malformed", async () => {
    const route = live.route("reconcile");
    const tooLarge = [413, "batch_too_large"] as const;
    const events = new Array<unknown>(1001).fill(event());
    await refused(route, { body: batch(events) }, tooLarge);
    events[1000] = { ...event(), amount: canary };
    const message = await refused(route, { body: batch(events) }, bad);
    expect(message).toStartWith("events[1000].amount: ");
  });

  test("the first fault is the one that is named", async () => {
    const events = [event(), { ...event(), counter: 0 }, { ...event(), hash: "x" }];
    const message = await refused(live.route("reconcile"), { body: batch(events) }, bad);
    expect(message).toBe("events[1].counter: must be an integer from 1 to 9007199254740991");
  });

  test("a terminal other than the caller's", async () => {
    const mismatch = [403, "terminal_mismatch"] as const;
    for (const operationId of ["reconcile", "reportFromTerminal"]) {
      for (const terminalId of [0, live.devices.gate.terminalId, 65_535]) {
        const body = JSON.stringify({ ...right(operationId), terminalId });
        await refused(live.route(operationId), { body }, mismatch);
      }
    }
  });

  for (const text of ["[]", "null", "0", `"${canary}"`, `{"${canary}":1}`, "{", "{}{}", " "]) {
    test(`a call without a body that gets ${text}`, async () => {
      await refused(live.route("cancelTopup"), { body: text }, bad);
    });
  }
});

describe("query parameters of", () => {
  for (const route of routes) {
    describe(route.operationId, () => {
      const known = Object.entries<TSchema>(route.contract.query?.properties ?? {});
      const { path } = knockOf(route);
      const wrong = [`${canary}=1`, `=${canary}`, `${canary}`, `__proto__=${canary}`];
      for (const [name, schema] of known) {
        const upper = name.toUpperCase();
        wrong.push(`${name}=1&${name}=1`, `${upper}=1`, `${name}[]=1`, `${name}=1&${canary}`);
        for (const value of wrongParameters(schema)) wrong.push(`${name}=${value}`);
      }
      for (const query of wrong) {
        test(`?${query}`, async () => {
          const sent = { path: `${path}?${query}` };
          if (path.startsWith("/api/")) await refused(route, sent, bad);
          else expect((await live.send(knockOf(route), sent)).status).toBe(400);
        });
      }
    });
  }
});

describe("media types of", () => {
  const wrongTypes: Record<string, string>[] = [
    { "content-type": "text/plain" },
    { "content-type": `text/${canary}` },
    { "content-type": "application/x-www-form-urlencoded" },
    { "content-type": "multipart/form-data; boundary=x" },
    { "content-type": "application/json; charset=utf-16" },
    { "content-type": "application/json; charset=latin1" },
    { "content-type": "application/jsonp" },
    { "content-type": "application/json, text/plain" },
    { "content-type": "application/problem+json" },
    { "content-type": "json" },
    { "content-encoding": "gzip" },
    { "content-encoding": "br, identity" },
  ];
  for (const route of posts) {
    for (const headers of wrongTypes) {
      test(`${route.operationId} as ${JSON.stringify(headers)}`, async () => {
        const body = JSON.stringify(knockOf(route).body ?? {});
        await refused(route, { body, headers }, [415, "unsupported_media_type"]);
      });
    }
  }
});

describe("idempotency keys of", () => {
  const wrongKeys = [
    ...[
      "",
      "1",
      canary,
      "00000000-0000-0000-0000-000000000000",
      "01971d3e7a007cc398c4dc0c0c07398f",
    ],
    "01971d3e-7a00-1cc3-98c4-dc0c0c07398f",
    "01971d3e-7a00-7cc3-18c4-dc0c0c07398f",
    "{01971d3e-7a00-7cc3-98c4-dc0c0c07398f}",
    "01971d3e-7a00-7cc3-98c4-dc0c0c07398f, 01971d3e-7a00-7cc3-98c4-dc0c0c07398f",
  ];
  for (const route of posts) {
    if (route.ignoresIdempotencyKey === true) continue;
    for (const key of wrongKeys) {
      test(`${route.operationId}: ${key}`, async () => {
        await refused(route, { headers: { "idempotency-key": key } }, bad);
      });
    }
  }
});

describe("card ids in the path of", () => {
  const wrongIds = [
    ...["A1B2C3D4E5F6", "a1b2c3d4e5f", "a1b2c3d4e5f60", "g1b2c3d4e5f6", canary, "%00", "-1", "0"],
    ...["a1b2c3d4e5f6%0a", "%20a1b2c3d4e5f", "a1b2c3d4e5f%2f", "..%2f..%2fetc", "%E2%82%AC", "%zz"],
    ...["' OR 1=1 --", "x".repeat(2_000)],
  ];
  for (const route of routes.filter(({ path }) => path.includes(":cardId"))) {
    for (const id of wrongIds) {
      test(`${route.operationId}: ${id.slice(0, 20)}`, async () => {
        const path = knockOf(route).path.replace(live.card.cardId, id);
        await refused(route, { path }, [404, "card_not_found"]);
      });
    }
  }

  test("a top-up that is none", async () => {
    const route = live.route("cancelTopup");
    for (const id of [canary, "0", "%00", live.topupId.toUpperCase(), `${live.topupId}0`]) {
      const path = knockOf(route).path.replace(live.topupId, id);
      await refused(route, { path }, [404, "topup_not_found"]);
    }
  });
});

describe("sizes", () => {
  const tooLarge = [413, "payload_too_large"] as const;
  const limitBytes = 1_048_576;
  const padded = (route: Route, bytes: number): string => {
    const text = JSON.stringify(knockOf(route).body ?? {});
    return text + " ".repeat(bytes - text.length);
  };

  for (const route of posts) {
    test(`${route.operationId}: a byte over the limit, declared`, async () => {
      await refused(route, { body: padded(route, limitBytes + 1) }, tooLarge);
    });

    test(`${route.operationId}: over the limit, in chunks, without a length`, async () => {
      const text = padded(route, limitBytes + 1);
      const stream = new ReadableStream({
        start: (controller) => {
          for (let at = 0; at < text.length; at += 65_536) {
            controller.enqueue(Buffer.from(text.slice(at, at + 65_536)));
          }
          controller.close();
        },
      });
      await refused(
        route,
        { body: stream, headers: { "content-type": "application/json" } },
        tooLarge,
      );
    });
  }

  test("the limit itself is read: what is wrong then is the content", async () => {
    for (const route of posts) {
      const body = padded(route, limitBytes).replace("{", "[");
      await refused(route, { body }, bad);
    }
  });
});

describe("on the wire", () => {
  const head = (more: string, path = "/api/reconcile"): string =>
    `POST ${path} HTTP/1.1\r\nHost: kartu.test\r\nAuthorization: Bearer ${live.devices.station.token}\r\n` +
    `Content-Type: application/json\r\n${more}\r\n`;
  const text = (): string => JSON.stringify(knockOf(live.route("reconcile")).body);

  const cases: [name: string, bytes: () => string, status: number][] = [
    ["a length that is huge", () => head("Content-Length: 99999999999\r\n"), 413],
    [
      "chunks with a length beside them",
      () => `${head("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")}0\r\n\r\n`,
      400,
    ],
    ["a length that is no number", () => `${head("Content-Length: five\r\n")}{}`, 400],
    ["two lengths", () => `${head("Content-Length: 2\r\nContent-Length: 3\r\n")}{}`, 400],
    ["a chunk size that is none", () => `${head("Transfer-Encoding: chunked\r\n")}zz\r\n`, 400],
    ["a header without a colon", () => head("Broken\r\n"), 400],
    ["no such version", () => "GET /api/policy HTTP/9.9\r\nHost: kartu.test\r\n\r\n", 505],
  ];
  for (const [name, bytes, status] of cases) {
    test(name, async () => {
      const before = await live.counts();
      const answer = await live.raw(bytes());
      expect(answer).toMatch(new RegExp(`^(HTTP/1.1 ${status} |$)`));
      for (const secret of secrets()) expect(answer).not.toContain(secret);
      expect(await live.counts()).toEqual(before);
    });
  }

  test("a caller that hangs up half-way through a batch leaves nothing", async () => {
    const before = await live.counts();
    const whole = text();
    const cut = head(`Content-Length: ${whole.length}\r\n`) + whole.slice(0, -10);
    await live.raw(cut, true);
    const chunk = `${whole.length.toString(16)}\r\n${whole.slice(0, 40)}`;
    await live.raw(head("Transfer-Encoding: chunked\r\n") + chunk, true);
    expect(await live.counts()).toEqual(before);
  });
});

describe("afterwards", () => {
  test("not one row has changed, and nothing went wrong inside", async () => {
    expect(await live.everything()).toBe(everything);
    expect(live.venue.faults).toEqual([]);
  });

  test("each call still succeeds as it would have", async () => {
    for (const route of routes) {
      if (["blockCard", "reissueCard"].includes(route.operationId)) continue;
      const { status } = await live.send(knockOf(route));
      expect([route.operationId, status]).toEqual([route.operationId, route.status]);
    }
  });

  test("a character is a character: 256 emojis are a reason, 257 are not", async () => {
    const route = live.route("blockCard");
    const body = (count: number) =>
      JSON.stringify({ ...knockOf(route).body, reason: "\u{1f600}".repeat(count) });
    await refused(route, { body: body(257) }, bad);
    expect((await live.send(knockOf(route), { body: body(256) })).status).toBe(200);
    const [card] = await live.venue.rows<{ chars: number }>(
      "SELECT length(block_reason) AS chars FROM card WHERE card_id = ?1",
      live.card.cardId,
    );
    expect(card?.chars).toBe(256);
  });

  test("a refused commissioning leaves an audit line a minute, and no more", async () => {
    const route = live.route("commissionDevice");
    const deviceId = live.devices.gate.deviceId;
    const before = await live.counts();
    for (const [role, status, code] of [
      [canary, 422, "invalid_role"],
      ["", 422, "invalid_role"],
      ["gate", 401, "invalid_credentials"],
      ["station", 401, "invalid_credentials"],
    ] as const) {
      const body = JSON.stringify({ deviceId, secret: canary, role });
      const found = await refusal(await live.send(knockOf(route), { body }));
      expect([found.status, found.error]).toEqual([status, code]);
    }
    live.venue.clock.advance(60);
    await live.venue.clock.minute();
    const after = await live.counts();
    expect(after.audit).toBe((before.audit ?? 0) + 2);
    expect({ ...after, audit: 0, audit_detail: 0 }).toEqual({
      ...before,
      audit: 0,
      audit_detail: 0,
    });
    const details = await live.venue.rows<{ detail: string }>(
      "SELECT detail FROM audit_detail ORDER BY seq DESC LIMIT 2",
    );
    expect(JSON.stringify(details)).not.toContain(canary);
  });
});
