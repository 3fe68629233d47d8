/** Work in the background: its life, its steps, what survives a stop, who may see it, what is refused. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Problem } from "../../src/domain/problem.ts";
import type { Job, Runner } from "../../src/feature/job/service.ts";
import { type GatewayWorld, gateways, otherUuid, problemBase, startMs } from "./gateway.ts";

const open = gateways();
const creator = "01936d7a-0000-7000-8000-00000000abcd";
const iso = (ms: number): string => new Date(ms).toISOString();

const start = (world: GatewayWorld): Promise<void> => {
  const log = { error: (_text: string, fields?: unknown) => void failures.push(fields) };
  return world.job.start({ clock: world.world.clock, log });
};
const failures: unknown[] = [];

const create = (
  world: GatewayWorld,
  kind: string,
  more: {
    tenantId?: number;
    createdBy?: string;
    input?: Record<string, unknown>;
    total?: number;
  } = {},
): Promise<Job> =>
  world.world.store.write((tx) =>
    world.job.create(
      tx,
      { tenantId: 1, kind, createdBy: creator, input: {}, ...more },
      world.world.clock.nowMs(),
    ),
  );

/** A runner that stands still until it is let go. */
function held() {
  const { promise, resolve } = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const runner: Runner = async ({ signal }) => {
    begun.resolve();
    await Promise.race([promise, aborted(signal)]);
    return { held: true };
  };
  return { runner, begun: begun.promise, release: resolve };
}

/** Rejects once the signal is aborted. */
const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

/** Ten steps, each written with its progress. */
const steps =
  (world: GatewayWorld, done: number[], stopAfter = Number.POSITIVE_INFINITY): Runner =>
  async (job) => {
    for (let step = job.done; step < 10; step++) {
      if (step === stopAfter) await aborted(job.signal);
      await world.world.store.write((tx) => job.advance(tx, step + 1, 10));
      done.push(step);
    }
    return { steps: 10 };
  };

describe("a job", () => {
  test("waits, runs, and succeeds with its result", async () => {
    const world = await open();
    world.job.register("echo", async ({ input, createdBy, nowMs }) => ({
      ...input,
      createdBy,
      at: nowMs(),
    }));
    const made = await create(world, "echo", { input: { a: 1 }, total: 3 });
    expect(made).toMatchObject({
      status: "queued",
      progress: { done: 0, total: 3 },
      startedAtMs: null,
    });
    world.world.clock.advance(2);
    await start(world);
    await world.job.idle();
    const nowMs = startMs + 2_000;
    expect(await world.job.get(1, made.id)).toEqual({
      ...made,
      status: "succeeded",
      result: { a: 1, createdBy: creator, at: nowMs },
      startedAtMs: nowMs,
      finishedAtMs: nowMs,
    });
  });

  test("is begun by the COMMIT of what asked for it, and never without one", async () => {
    const world = await open();
    let runs = 0;
    world.job.register("count", async () => {
      runs++;
      return null;
    });
    await start(world);
    const refused = world.world.store.write(async (tx) => {
      await world.job.create(
        tx,
        { tenantId: 1, kind: "count", createdBy: creator, input: {} },
        startMs,
      );
      throw new Error("refused");
    });
    await refused.catch(() => undefined);
    await world.job.idle();
    expect(runs).toBe(0);
    await create(world, "count");
    await world.job.idle();
    expect(runs).toBe(1);
  });

  test("fails with the problem that its runner throws; a bug is told to the log alone", async () => {
    const world = await open();
    world.job.register("refused", async () => {
      throw new Problem("plan-limit-exceeded", "The limit is reached.");
    });
    world.job.register("bug", async () => {
      throw new Error("a secret of the inside");
    });
    await start(world);
    const [refused, bug] = [await create(world, "refused"), await create(world, "bug")];
    await world.job.idle();
    failures.length = 0;
    expect((await world.job.get(1, refused.id)).problem).toEqual({
      slug: "plan-limit-exceeded",
      detail: "The limit is reached.",
    });
    const { status, problem } = await world.job.get(1, bug.id);
    expect([status, problem?.slug]).toEqual(["failed", "internal-error"]);
    expect(problem?.detail).not.toContain("secret");
  });

  test("keeps its steps through a stop, and goes on from there", async () => {
    const world = await open();
    const done: number[] = [];
    world.job.register("steps", steps(world, done, 4));
    await start(world);
    const { id } = await create(world, "steps");
    while (done.length < 4) await Bun.sleep(1);
    expect(await world.job.get(1, id)).toMatchObject({
      status: "running",
      progress: { done: 4, total: 10 },
    });
    // As if the process had been killed: nothing is told to anybody.
    await world.world.store.close();
    const later = await open({ directory: world.world.directory });
    const rest: number[] = [];
    later.job.register("steps", steps(later, rest));
    await start(later);
    await later.job.idle();
    expect(rest).toEqual([4, 5, 6, 7, 8, 9]);
    expect(await later.job.get(1, id)).toMatchObject({
      status: "succeeded",
      progress: { done: 10, total: 10 },
      result: { steps: 10 },
      startedAtMs: startMs,
    });
  });

  test("is broken off by a stop, and stays for the next start", async () => {
    const world = await open();
    const { runner, begun } = held();
    world.job.register("held", runner);
    await start(world);
    const { id } = await create(world, "held");
    await begun;
    await world.job.stop();
    expect((await world.job.get(1, id)).status).toBe("running");
    const later = await open({ directory: world.world.directory });
    later.job.register("held", async () => ({ again: true }));
    await start(later);
    await later.job.idle();
    expect((await later.job.get(1, id)).result).toEqual({ again: true });
  });

  test("canceled while it waits or runs: at once, and its next step is undone", async () => {
    const world = await open();
    const actor = { type: "user", id: creator } as const;
    const cancel = (id: string) =>
      world.world.store.write((tx) =>
        world.job.cancel(tx, 1, id, actor, world.world.clock.nowMs()),
      );
    const { runner, begun } = held();
    world.job.register("held", runner);
    const waiting = await create(world, "held");
    expect(await cancel(waiting.id)).toMatchObject({ status: "canceled", finishedAtMs: startMs });
    await start(world);
    const running = await create(world, "held");
    await begun;
    await cancel(running.id);
    await world.job.idle();
    for (const { id } of [waiting, running]) {
      expect(await world.job.get(1, id)).toMatchObject({ status: "canceled", result: null });
      const again = await cancel(id).catch((error: unknown) => error);
      expect(again).toMatchObject({
        slug: "wrong-state",
        extra: { members: { state: "canceled" } },
      });
    }
    expect(await world.audits("gateway.job.canceled")).toEqual(
      [waiting, running].map(() => ({
        tenantId: 1,
        actorId: creator,
        after: { status: "canceled" },
      })),
    );
  });

  test("a few run at once, and not many of one tenant", async () => {
    const world = await open();
    const running: number[] = [];
    const most = { all: 0, ofOne: 0 };
    const { promise, resolve } = Promise.withResolvers<void>();
    world.job.register("held", async ({ tenantId }) => {
      running.push(tenantId);
      most.all = Math.max(most.all, running.length);
      most.ofOne = Math.max(most.ofOne, running.filter((each) => each === 1).length);
      await promise;
      running.splice(running.indexOf(tenantId), 1);
      return null;
    });
    for (let i = 0; i < 20; i++) await create(world, "held");
    for (let i = 0; i < 3; i++) await create(world, "held", { tenantId: 2 });
    await start(world);
    while (running.length < 4) await Bun.sleep(1);
    resolve();
    await world.job.idle();
    expect(most).toEqual({ all: 4, ofOne: 2 });
    expect((await world.job.page(1, { status: "succeeded" }, 1e9, 1)).total).toBe(20);
  });

  test("is kept for seven days after its end", async () => {
    const world = await open();
    world.job.register("quick", async () => null);
    await start(world);
    const { id } = await create(world, "quick");
    await world.job.idle();
    const weekSec = 7 * 86_400;
    world.world.clock.advance(weekSec);
    await world.job.tidy(world.world.clock.nowMs());
    expect((await world.job.get(1, id)).status).toBe("succeeded");
    world.world.clock.advance(1);
    await world.job.tidy(world.world.clock.nowMs());
    expect(world.job.get(1, id)).rejects.toMatchObject({ slug: "not-found" });
  });

  test("of a kind that nobody runs is not made", async () => {
    const world = await open();
    expect(create(world, "unheard")).rejects.toThrow("no runner");
    world.job.register("twice", async () => null);
    expect(() => world.job.register("twice", async () => null)).toThrow("have a runner");
  });

  test("any stops and starts: every job is done once, each step counted once", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 3 }),
        fc.integer({ min: 1, max: 4 }),
        async (stops, jobs) => {
          let world = await open();
          const ids: string[] = [];
          world.job.register("steps", steps(world, []));
          for (let i = 0; i < jobs; i++) ids.push((await create(world, "steps")).id);
          for (const stopAfter of stops) {
            const done: number[] = [];
            world = await open({ directory: world.world.directory });
            world.job.register("steps", steps(world, done, stopAfter));
            await start(world);
            await Bun.sleep(2);
            await world.world.store.close();
          }
          world = await open({ directory: world.world.directory });
          world.job.register("steps", steps(world, []));
          await start(world);
          await world.job.idle();
          for (const id of ids) {
            expect(await world.job.get(1, id)).toMatchObject({
              status: "succeeded",
              progress: { done: 10, total: 10 },
            });
          }
        },
      ),
      { numRuns: 8 },
    );
  });
});

describe("calls about jobs", () => {
  const seeded = async () => {
    const world = await open();
    const reader = world.caller("reader", ["jobs.read"]);
    const own = world.caller("own", []);
    const other = world.caller("other", ["jobs.read"], { tenantId: 2 });
    world.job.register("export", held().runner);
    world.job.register("import", held().runner);
    const mine = await create(world, "export", { createdBy: world.idOf(own) });
    const theirs = await create(world, "import", { createdBy: world.idOf(reader) });
    return { world, reader, own, other, mine, theirs };
  };

  test("GET /jobs/{id}: every member, nulls written out", async () => {
    const { world, own, mine } = await seeded();
    const answer = await world.call(own, "GET", `/jobs/${mine.id}`);
    expect(answer.json).toEqual({
      ...{ id: mine.id, kind: "export", status: "queued", progress: { done: 0, total: 0 } },
      ...{ result: null, problem: null, createdBy: world.idOf(own) },
      ...{ createdAt: iso(startMs), startedAt: null, finishedAt: null },
    });
  });

  test("a failed one carries its problem", async () => {
    const world = await open();
    const reader = world.caller("reader", ["jobs.read"]);
    world.job.register("bad", async () => {
      throw new Problem("file-too-large", "Too much.");
    });
    await start(world);
    const { id } = await create(world, "bad");
    await world.job.idle();
    expect((await world.call(reader, "GET", `/jobs/${id}`)).json).toMatchObject({
      status: "failed",
      problem: {
        ...{ type: `${problemBase}/file-too-large`, title: "File Too Large" },
        ...{ status: 413, detail: "Too much." },
      },
    });
  });

  test("GET /jobs: one's own, or all with jobs.read, by kind and status, newest first", async () => {
    const { world, reader, own, other, mine, theirs } = await seeded();
    const ids = async (token: string, query = "") => {
      const { json } = await world.call(token, "GET", `/jobs${query}`);
      return (json.data as { id: string }[]).map(({ id }) => id);
    };
    expect(await ids(reader)).toEqual([theirs.id, mine.id]);
    expect(await ids(own)).toEqual([mine.id]);
    expect(await ids(other)).toEqual([]);
    expect(await ids(reader, "?kind=import")).toEqual([theirs.id]);
    expect(await ids(reader, "?status=queued&kind=export")).toEqual([mine.id]);
    expect(await ids(reader, "?status=running")).toEqual([]);
    const first = await world.call(reader, "GET", "/jobs?limit=1");
    const { cursor, total } = first.json.meta as { cursor: string; total: number };
    expect(total).toBe(2);
    expect(await ids(reader, `?limit=1&cursor=${cursor}`)).toEqual([mine.id]);
    expect((await world.call(reader, "GET", `/jobs?kind=x&cursor=${cursor}`)).slug).toBe(
      "invalid-cursor",
    );
    for (const query of ["?status=done", "?limit=0", "?kind=", "?owner=me"]) {
      expect((await world.call(reader, "GET", `/jobs${query}`)).slug).toBe("validation-error");
    }
  });

  test("POST /jobs/{id}/cancel: 200 with the job, then 409 wrong-state", async () => {
    const { world, own, mine } = await seeded();
    const path = `/jobs/${mine.id}/cancel`;
    const answer = await world.call(own, "POST", path);
    expect([answer.status, answer.json.status, answer.json.finishedAt]).toEqual([
      ...[200, "canceled", iso(startMs)],
    ]);
    const again = await world.call(own, "POST", path);
    expect([again.status, again.slug, again.json.state]).toEqual([409, "wrong-state", "canceled"]);
  });

  test("somebody else's: 403; another tenant's, unknown, or of no such form: 404; no token: 401", async () => {
    const { world, own, other, theirs } = await seeded();
    for (const [method, tail] of [
      ["GET", ""],
      ["POST", "/cancel"],
    ] as const) {
      const at = (id: string) => `/jobs/${id}${tail}`;
      expect((await world.call(own, method, at(theirs.id))).slug).toBe("forbidden");
      expect((await world.call(other, method, at(theirs.id))).slug).toBe("not-found");
      expect((await world.call(own, method, at(otherUuid))).slug).toBe("not-found");
      expect((await world.call(own, method, at("x"))).slug).toBe("not-found");
      expect((await world.call(null, method, at(theirs.id))).slug).toBe("unauthorized");
    }
  });
});
