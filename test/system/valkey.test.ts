/**
 * Layer 2 on a real server: the same rules as in memory, shared by processes, one script a call; and what
 * becomes of calls while the server is killed, frozen, and back.
 */
import { afterEach, describe, expect, test } from "bun:test";
import { RedisClient } from "bun";
import { type WindowKey, Windows, type WindowTaken } from "../../src/domain/quota.ts";
import { createLimits } from "../../src/http/platform/limit.ts";
import { type ValkeyWindows, valkeyWindows } from "../../src/system/valkey.ts";
import { RedisUnderTest, redisProgram } from "./redis.ts";

if (redisProgram !== null) onServer(redisProgram);
else if (process.env.CI === "true") {
  test("there is a redis-server", () => expect(redisProgram).not.toBeNull());
} else test.skip("not run: no redis-server on this machine", () => undefined);

test("an address where nobody answers is told once, and calls are not held up", async () => {
  const told: unknown[] = [];
  const options = { timeoutMs: 50, retryMs: 20, onDown: (error: unknown) => told.push(error) };
  const windows = valkeyWindows({ url: "redis://127.0.0.1:1", ...options });
  expect(await windows.take([{ key: "a", limit: 1, windowMs: 1_000 }], Date.now(), 1)).toBeNull();
  await Bun.sleep(100);
  expect(windows.isUp).toBe(false);
  expect(await windows.ping()).toBeNull();
  expect(told.length).toBe(1);
  windows.close();
});

function onServer(program: string): void {
  const undo: (() => unknown)[] = [];
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step();
  });

  const serve = async (password = ""): Promise<RedisUnderTest> => {
    const server = await RedisUnderTest.open(program, password);
    undo.push(() => server.kill());
    return server;
  };

  const connect = async (url: string, events: string[] = []): Promise<ValkeyWindows> => {
    const windows = valkeyWindows({
      url,
      timeoutMs: 200,
      retryMs: 20,
      onDown: () => events.push("down"),
      onUp: () => events.push("up"),
    });
    undo.push(() => windows.close());
    await windows.started;
    return windows;
  };

  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await Bun.sleep(5);
  };

  const key = (name: string, limit: number, windowMs = 60_000): WindowKey => ({
    key: name,
    limit,
    windowMs,
  });

  describe("counted on a real server", () => {
    test("what two processes take is one window, never more than its limit", async () => {
      const { url } = await serve();
      const processes = [await connect(url), await connect(url)];
      const nowMs = Date.now();
      const taken = await Promise.all(
        Array.from({ length: 300 }, (_, i) =>
          processes[i % 2]?.take([key("shared", 100)], nowMs, 1),
        ),
      );
      expect(taken.filter((each) => each?.passed).length).toBe(100);
      expect(taken.filter((each) => each === null).length).toBe(0);
    });

    test("the same answers as in memory, key by key, with a clock that moves", async () => {
      const { url } = await serve();
      const shared = await connect(url);
      const memory = new Windows(100);
      const keys = [key("a", 2, 10_000), key("b", 3, 25_000), key("c", 5, 60_000)];
      let nowMs = Date.now();
      for (let i = 0; i < 120; i++) {
        // Whole seconds: what a development server's clock is moved by.
        nowMs += ((i * 7) % 5) * 1_000;
        const asked = keys.filter((_, at) => (i >> at) % 2 === 0 || at === i % 3);
        const count = i % 11 === 0 ? 0 : 1;
        const expected = memory.take(asked, nowMs, count);
        const got = (await shared.take(asked, nowMs, count)) as WindowTaken;
        expect(got.passed).toBe(expected.passed);
        expect(got.states.map(({ remaining }) => remaining)).toEqual(
          expected.states.map(({ remaining }) => remaining),
        );
        for (const [at, { resetMs }] of got.states.entries()) {
          // The server's time goes on while the test runs.
          expect(Math.abs(resetMs - (expected.states[at]?.resetMs ?? 0))).toBeLessThan(1_500);
        }
      }
    });

    test("a window goes with its time, and nothing is left behind", async () => {
      const { url } = await serve();
      const windows = await connect(url);
      const short = key("short", 1, 80);
      expect((await windows.take([short], Date.now(), 1))?.passed).toBe(true);
      expect((await windows.take([short], Date.now(), 1))?.passed).toBe(false);
      const client = new RedisClient(url);
      expect(await client.send("KEYS", ["*"])).toEqual(["kartu:rate:short"]);
      await Bun.sleep(120);
      expect(await client.send("KEYS", ["*"])).toEqual([]);
      client.close();
      expect((await windows.take([short], Date.now(), 1))?.passed).toBe(true);
    });

    test("one script a call, whatever it counts against", async () => {
      const { url } = await serve();
      const windows = await connect(url);
      const client = new RedisClient(url);
      await client.send("CONFIG", ["RESETSTAT"]);
      for (let i = 0; i < 10; i++) {
        await windows.take([key("{t}", 50), key("{t} op", 50)], Date.now(), 1);
      }
      const stats = String(await client.send("INFO", ["commandstats"]));
      client.close();
      expect(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1]).toBe("10");
      expect(stats).not.toContain("cmdstat_eval:");
    });

    test("a server that has forgotten the script is told it again", async () => {
      const { url } = await serve();
      const windows = await connect(url);
      const client = new RedisClient(url);
      await client.send("SCRIPT", ["FLUSH"]);
      client.close();
      expect((await windows.take([key("a", 1)], Date.now(), 1))?.passed).toBe(true);
    });

    test("a password is sent, and a wrong one is an outage", async () => {
      const server = await serve("open-sesame");
      expect((await connect(server.url)).isUp).toBe(true);
      const events: string[] = [];
      const wrong = await connect(`redis://:nonsense@127.0.0.1:${server.port}`, events);
      expect(wrong.isUp).toBe(false);
      expect(events).toEqual(["down"]);
      expect(await wrong.take([key("a", 1)], Date.now(), 1)).toBeNull();
    });
  });

  describe("while traffic runs", () => {
    test("killed and brought back: layer 1 alone meanwhile, no call lost, limits back", async () => {
      const server = await serve();
      const events: string[] = [];
      const counter = await connect(server.url, events);
      const limits = createLimits({
        plan: () => ({ windowSec: 60, requests: 1_000_000, adminRequests: 0 }),
        rules: () => new Map(),
        counter,
        addressPerMin: { all: 0, auth: 0, refresh: 0, signup: 0 },
      });
      const caller = {
        ...{ tenantId: 1, tenantUuid: "t", isAdmin: false },
        ...{ kind: "user" as const, id: "u" },
      };
      const answers = { counted: 0, alone: 0 };
      let isRunning = true;
      const traffic = Array.from({ length: 8 }, async () => {
        while (isRunning) {
          const call = { caller, address: "192.0.2.1", operationId: "op" };
          const { refusal, headers } = await limits.take(call, Date.now());
          expect(refusal).toBeUndefined();
          if (headers.ratelimit === undefined) answers.alone++;
          else answers.counted++;
          await Bun.sleep(1);
        }
      });
      await until(() => answers.counted > 50);
      await server.kill();
      await until(() => answers.alone > 50);
      expect(events).toEqual(["down"]);
      const before = answers.counted;
      await server.start();
      await until(() => answers.counted > before + 50);
      expect(events).toEqual(["down", "up"]);
      isRunning = false;
      await Promise.all(traffic);
    });

    test("frozen: one call waits for its time, the others go on; thawed: it counts again", async () => {
      const server = await serve();
      const events: string[] = [];
      const windows = await connect(server.url, events);
      server.freeze();
      expect(await windows.take([key("a", 9)], Date.now(), 1)).toBeNull();
      expect(windows.isUp).toBe(false);
      expect(await windows.take([key("a", 9)], Date.now(), 1)).toBeNull();
      server.thaw();
      await until(() => windows.isUp);
      expect((await windows.take([key("a", 9)], Date.now(), 1))?.passed).toBe(true);
      expect(await windows.ping()).toBeNumber();
      expect(events).toEqual(["down", "up"]);
    });

    test("away when the server of Kartu starts, there later", async () => {
      const server = await serve();
      await server.kill();
      const events: string[] = [];
      const windows = await connect(server.url, events);
      expect(windows.isUp).toBe(false);
      await server.start();
      await until(() => windows.isUp);
      expect(events).toEqual(["down", "up"]);
    });
  });
}
