/** The order of refusal: of two faults in one call, the earlier step's answer is given. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  bodyMaxBytes,
  type CallSpec,
  call,
  noteText,
  openWorld,
  refusal,
  type World,
} from "./http-fixture.ts";

interface Case {
  readonly name: string;
  spec: CallSpec;
}

interface Step {
  readonly name: string;
  readonly answer: readonly [status: number, code: string];
  /** Brings the fault into the call; the call before it is right. */
  spoil(world: World, one: Case): void | Promise<void>;
}

let seq = 0;
const freshAddress = (): string => `10.0.${(++seq >> 8) & 255}.${seq & 255}`;
const key = "0195d1f0-7d5c-7b3a-8a55-1f0e2d3c4b5a";

const drain = async (send: () => Promise<Response>): Promise<void> => {
  for (let i = 0; i < 9; i++) if ((await send()).status === 429) return;
  throw new Error("the bucket has no end");
};

const steps: readonly Step[] = [
  {
    name: "path",
    answer: [404, "not_found"],
    spoil: (_, one) => {
      one.spec = { ...one.spec, path: "/api/nothing" };
    },
  },
  {
    name: "method",
    answer: [405, "method_not_allowed"],
    spoil: (_, one) => {
      one.spec = { ...one.spec, method: "PUT" };
    },
  },
  {
    name: "length",
    answer: [413, "payload_too_large"],
    spoil: (_, one) => {
      const { body } = one.spec;
      one.spec = { ...one.spec, body: `${body ?? noteText}${" ".repeat(bodyMaxBytes)}` };
    },
  },
  {
    name: "address bucket",
    answer: [429, "rate_limited"],
    spoil: async (world, one) => {
      const address = freshAddress();
      await drain(() => call(world, { method: "GET", path: "/api/notes", address }));
      one.spec = { ...one.spec, address };
    },
  },
  {
    name: "token",
    answer: [401, "invalid_token"],
    spoil: (_, one) => {
      one.spec = { ...one.spec, token: "kt_unknown" };
    },
  },
  {
    name: "device bucket",
    answer: [429, "rate_limited"],
    spoil: async (world, { name }) => {
      const token = world.device(name);
      await drain(() =>
        call(world, { method: "GET", path: "/api/notes", token, address: freshAddress() }),
      );
    },
  },
  {
    name: "role",
    answer: [403, "insufficient_role"],
    spoil: (world, { name }) => {
      world.device(name, { role: "gate" });
    },
  },
  {
    name: "suspension",
    answer: [403, "terminal_suspended"],
    spoil: () => undefined,
  },
  {
    name: "op",
    answer: [403, "op_not_granted"],
    spoil: () => undefined,
  },
  {
    name: "media type",
    answer: [415, "unsupported_media_type"],
    spoil: (_, one) => {
      one.spec = { ...one.spec, type: "text/plain" };
    },
  },
  {
    name: "payload",
    answer: [400, "malformed_payload"],
    spoil: (_, one) => {
      if (one.spec.body === undefined) {
        one.spec = { ...one.spec, body: '{"terminalId":1,"text":""}' };
      }
    },
  },
  {
    name: "terminal",
    answer: [403, "terminal_mismatch"],
    spoil: (_, one) => {
      if (one.spec.body === undefined) one.spec = { ...one.spec, body: noteText.replace("7", "8") };
    },
  },
  {
    name: "idempotency",
    answer: [409, "idempotency_key_conflict"],
    spoil: (_, one) => {
      one.spec = { ...one.spec, key };
    },
  },
  {
    name: "resource",
    answer: [404, "card_not_found"],
    spoil: (_, one) => {
      if (one.spec.path === undefined) one.spec = { ...one.spec, path: "/api/notes/0123456789AB" };
    },
  },
  {
    name: "rule",
    answer: [422, "card_blocked"],
    spoil: (_, one) => {
      if (one.spec.body === undefined)
        one.spec = { ...one.spec, body: noteText.replace("hello", "refused") };
    },
  },
];

/** Role, suspension and op are one record of the device: set together, after all else. */
function spoilDevice(world: World, name: string, faults: readonly string[]): void {
  const role = faults.includes("role") ? "gate" : "station";
  const suspendedAtSec = faults.includes("suspension") ? 1 : null;
  world.device(name, { role, suspendedAtSec }, faults.includes("op") ? ["block"] : ["topup"]);
}

async function answerTo(world: World, first: Step, second: Step | null): Promise<[number, string]> {
  const names = [first.name, second?.name ?? ""];
  const one: Case = { name: `${first.name}-${second?.name}`.replaceAll(" ", "-"), spec: {} };
  one.spec = { token: world.device(one.name), address: freshAddress() };
  if (names.includes("idempotency")) {
    // An answer kept under the key, for another body on the same path.
    const kept = await call(world, {
      ...one.spec,
      key,
      body: noteText.replace("hello", "earlier"),
    });
    expect(kept.status).toBe(201);
  }
  await first.spoil(world, one);
  await second?.spoil(world, one);
  spoilDevice(world, one.name, names);
  const { status, error } = await refusal(await call(world, one.spec));
  return [status, error];
}

describe("order of refusal", () => {
  let world: World;
  beforeAll(() => {
    world = openWorld({ devicePerMin: 4, addressPerMin: 4 });
  });
  afterAll(() => world.close());

  for (const [at, first] of steps.entries()) {
    test(`${first.name} alone`, async () => {
      expect(await answerTo(world, first, null)).toEqual([...first.answer]);
    });
    for (const second of steps.slice(at + 1)) {
      // A kept answer belongs to one path, so a malformed one can't have any.
      if (first.name === "idempotency" && second.name === "resource") continue;
      test(`${first.name} before ${second.name}`, async () => {
        expect(await answerTo(world, first, second)).toEqual([...first.answer]);
      });
    }
  }
});
