/**
 * The two ways to load a server. Closed loop: so many connections, each sends its next request when the
 * answer is there, which shows the highest throughput. Open loop: requests fall due at a fixed rate
 * whether or not the server keeps up, and are timed from when they were due, which shows the queueing
 * that people would feel. A run-in precedes what counts, so that both ends of it are under full load.
 */
import type { Sample } from "../stat.ts";
import { Latencies } from "../stat.ts";
import { type Answer, Wire } from "./wire.ts";

export interface Span {
  /** Load before anything counts. */
  readonly leadMs: number;
  /** What counts. */
  readonly windowMs: number;
}

export interface ClosedLoop extends Span {
  readonly url: URL;
  readonly connections: number;
  /** The next request of a connection; undefined when it has no more. */
  next(connection: number): Uint8Array | undefined;
  /** Units of work in this answer. @throws when it is not the right one: the run is void then */
  check(answer: Answer, connection: number): number;
}

export interface OpenLoop extends Span {
  readonly url: URL;
  readonly perSec: number;
  /** More are not opened; what is due waits, and the wait counts. */
  readonly connectionsMax: number;
  /** Connections are numbered from 0; each has one request under way. */
  next(connection: number): Uint8Array;
  check(answer: Answer, connection: number): void;
  /** Told of every latency that counts, as it is known. */
  onLatency?(ms: number): void;
}

/** Servers close a connection on which nothing comes for ten seconds; before that it is given up. */
const idleMaxMs = 5_000;

/** Collects what many connections do; the first fault ends all. */
class Crew {
  readonly #wires = new Set<Wire>();
  readonly done = Promise.withResolvers<void>();
  #failed = false;

  get failed(): boolean {
    return this.#failed;
  }

  async open(url: URL, onAnswer: (answer: Answer, wire: Wire) => void): Promise<Wire> {
    const wire: Wire = await Wire.open(url, {
      onAnswer: (answer) => {
        if (this.#failed) return;
        try {
          onAnswer(answer, wire);
        } catch (error) {
          this.fail(error);
        }
      },
      onLost: (reason) => this.fail(reason),
    });
    this.#wires.add(wire);
    return wire;
  }

  fail(reason: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.close();
    this.done.reject(reason);
  }

  dismiss(wire: Wire): void {
    this.#wires.delete(wire);
    wire.close();
  }

  close(): void {
    for (const wire of this.#wires) wire.close();
  }
}

/** Units answered a second while it counted; latencies of the requests that were sent meanwhile. */
export async function closedLoop(load: ClosedLoop): Promise<Sample> {
  const { url, connections, leadMs, windowMs } = load;
  const crew = new Crew();
  const latencies = new Latencies();
  const sentMs = new Float64Array(connections);
  let units = 0;
  let running = connections;
  let beginMs = Number.POSITIVE_INFINITY;
  let endMs = Number.POSITIVE_INFINITY;
  const starts: (() => void)[] = [];
  for (let connection = 0; connection < connections; connection++) {
    const send = (wire: Wire, more: boolean): void => {
      const request = more ? load.next(connection) : undefined;
      if (request !== undefined) {
        sentMs[connection] = performance.now();
        wire.send(request);
        return;
      }
      running -= 1;
      if (running === 0) crew.done.resolve();
    };
    const wire = await crew.open(url, (answer, own) => {
      const nowMs = performance.now();
      const startMs = sentMs[connection] ?? nowMs;
      const done = load.check(answer, connection);
      if (nowMs >= beginMs && nowMs < endMs) units += done;
      if (startMs >= beginMs && startMs < endMs) latencies.add(nowMs - startMs);
      send(own, nowMs < endMs);
    });
    starts.push(() => send(wire, true));
  }
  beginMs = performance.now() + leadMs;
  endMs = beginMs + windowMs;
  for (const start of starts) start();
  await crew.done.promise;
  crew.close();
  return { value: units / (windowMs / 1000), latenciesMs: latencies.values() };
}

/** Requests a second that were answered; latencies from when each was due. */
export async function openLoop(load: OpenLoop): Promise<Sample> {
  const { url, perSec, connectionsMax, leadMs, windowMs } = load;
  const crew = new Crew();
  const latencies = new Latencies();
  const gapMs = 1000 / perSec;
  const total = Math.ceil((leadMs + windowMs) / gapMs);
  const idle: Wire[] = [];
  const waiting: number[] = [];
  const dueOf = new Map<Wire, number>();
  const numberOf = new Map<Wire, number>();
  const usedMs = new Map<Wire, number>();
  const free: number[] = [];
  let opened = 0;
  let answered = 0;

  const onAnswer = (answer: Answer, wire: Wire): void => {
    const tookMs = performance.now() - (dueOf.get(wire) ?? 0);
    load.check(answer, numberOf.get(wire) ?? 0);
    if ((dueOf.get(wire) ?? 0) >= startMs + leadMs) {
      latencies.add(tookMs);
      load.onLatency?.(tookMs);
    }
    answered += 1;
    if (answered === total) crew.done.resolve();
    const dueMs = waiting.shift();
    if (dueMs === undefined) rest(wire);
    else send(wire, dueMs);
  };
  const rest = (wire: Wire): void => {
    usedMs.set(wire, performance.now());
    idle.push(wire);
  };
  /** The one that has rested longest is the first. */
  const prune = (): void => {
    const oldestMs = performance.now() - idleMaxMs;
    for (let wire = idle[0]; wire !== undefined; wire = idle[0]) {
      if ((usedMs.get(wire) ?? 0) > oldestMs) return;
      idle.shift();
      free.push(numberOf.get(wire) ?? 0);
      for (const map of [usedMs, numberOf, dueOf]) map.delete(wire);
      crew.dismiss(wire);
      opened -= 1;
    }
  };
  const send = (wire: Wire, dueMs: number): void => {
    dueOf.set(wire, dueMs);
    wire.send(load.next(numberOf.get(wire) ?? 0));
  };
  const openOne = async (): Promise<Wire> => {
    const number = free.pop() ?? opened;
    opened += 1;
    const wire = await crew.open(url, onAnswer);
    numberOf.set(wire, number);
    return wire;
  };
  const fire = (dueMs: number): void => {
    prune();
    const wire = idle.pop();
    if (wire !== undefined) send(wire, dueMs);
    else if (opened >= connectionsMax) waiting.push(dueMs);
    else {
      openOne().then(
        (made) => send(made, dueMs),
        (error) => crew.fail(error),
      );
    }
  };

  while (opened < Math.min(16, connectionsMax)) rest(await openOne());
  const startMs = performance.now();
  for (let fired = 0; fired < total && !crew.failed; ) {
    const dueMs = startMs + fired * gapMs;
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await Bun.sleep(Math.max(waitMs, 1));
    else {
      fire(dueMs);
      fired += 1;
    }
  }
  await crew.done.promise;
  crew.close();
  const value = latencies.count / (windowMs / 1000);
  return { value, latenciesMs: latencies.values() };
}
