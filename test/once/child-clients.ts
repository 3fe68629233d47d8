/**
 * Many clients in a process of their own. A volley is loaded first, every connection open and the
 * requests on their way but for what its shots hold back, and then fired at one instant. Who is told
 * that the first call with the key still runs waits as it was told to, and calls again.
 */
import type { Order, Reply, Shot, Word } from "./shot.ts";
import { Wire } from "./wire.ts";

/** A server closes what is quiet for longer. */
const idleMaxMs = 20_000;
/** Of one call, however often it is told to wait. */
const waitMaxMs = 90_000;

const idle: { readonly wire: Wire; readonly sinceMs: number }[] = [];
const loaded = new Map<number, () => Promise<(Reply | null)[]>>();

function bytesOf({ method, path, headers, body }: Shot, port: number): Uint8Array {
  const text = Buffer.from(body);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = `content-length: ${text.length}\r\n`;
  const head = `${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n${lines.join("")}${length}\r\n`;
  return Buffer.concat([Buffer.from(head), text]);
}

async function take(port: number): Promise<Wire> {
  for (let kept = idle.pop(); kept !== undefined; kept = idle.pop()) {
    const { wire, sinceMs } = kept;
    if (!wire.isOver && wire.port === port && performance.now() - sinceMs < idleMaxMs) return wire;
    wire.close();
  }
  return await Wire.open(port);
}

const isInFlight = ({ status, body }: Pick<Reply, "status" | "body">): boolean =>
  status === 409 && /idempotency[_-]in[_-]flight/.test(body);

async function settle(wire: Wire, bytes: Uint8Array): Promise<Reply | null> {
  const untilMs = performance.now() + waitMaxMs;
  for (let waits = 0; ; waits += 1) {
    const answer = await wire.answer();
    if (answer === null) return null;
    if (!isInFlight(answer) || performance.now() > untilMs) {
      idle.push({ wire, sinceMs: performance.now() });
      return { ...answer, waits };
    }
    await Bun.sleep(Number(answer.headers["retry-after"] ?? 0) * 1000);
    wire.write(bytes);
  }
}

async function load(
  port: number,
  shots: readonly Shot[],
): Promise<() => Promise<(Reply | null)[]>> {
  const wires = await Promise.all(shots.map(() => take(port)));
  const all = shots.map((shot, at) => {
    const wire = wires[at] as Wire;
    const bytes = bytesOf(shot, port);
    const held = shot.fate === "rest" ? 1 : bytes.length;
    if (held < bytes.length) wire.write(bytes.subarray(0, -held));
    return { wire, bytes, shot, rest: bytes.subarray(bytes.length - held) };
  });
  return () => {
    for (const { wire, shot, rest } of all) {
      if (shot.fate === "cut") wire.cut(rest);
      else wire.write(rest);
    }
    const replies = all.map(({ wire, bytes, shot }) =>
      shot.fate === "cut" ? null : settle(wire, bytes),
    );
    return Promise.all(replies);
  };
}

const say = (word: Word): void => {
  process.send?.(word);
};

async function obey(order: Order): Promise<void> {
  const { id } = order;
  if (order.kind === "load") {
    loaded.set(id, await load(order.port, order.shots));
    return say({ kind: "loaded", id });
  }
  const fire = loaded.get(id);
  loaded.delete(id);
  say({ kind: "done", id, replies: (await fire?.()) ?? [] });
}

process.on("message", (order: Order) => {
  obey(order).catch((error: unknown) => {
    say({ kind: "failed", id: order.id, reason: String(error) });
  });
});
process.on("disconnect", () => process.exit(0));
