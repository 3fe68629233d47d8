/**
 * The processes of clients as a test uses them: a volley is dealt out among them, and when all of them
 * hold their connections open it is fired, by all at once.
 */
import { join } from "node:path";
import type { Order, Reply, Shot, Word } from "./shot.ts";

const program = join(import.meta.dir, "child-clients.ts");
const processes = 2;

interface Waiting {
  readonly loaded: PromiseWithResolvers<void>;
  readonly done: PromiseWithResolvers<(Reply | null)[]>;
}

/** One process of clients. */
class Group {
  readonly #waiting = new Map<number, Waiting>();
  readonly #child: Bun.Subprocess<"ignore", "inherit", "inherit">;

  constructor() {
    this.#child = Bun.spawn([process.execPath, program], {
      stdio: ["ignore", "inherit", "inherit"],
      ipc: (word: Word) => this.#hear(word),
      onExit: () => {
        for (const { loaded, done } of this.#waiting.values()) {
          const gone = new Error("a process of clients ended");
          loaded.reject(gone);
          done.reject(gone);
        }
      },
    });
  }

  #hear(word: Word): void {
    const waiting = this.#waiting.get(word.id);
    if (waiting === undefined) return;
    if (word.kind !== "loaded") this.#waiting.delete(word.id);
    if (word.kind === "loaded") waiting.loaded.resolve();
    else if (word.kind === "done") waiting.done.resolve(word.replies);
    else {
      waiting.loaded.reject(new Error(word.reason));
      waiting.done.reject(new Error(word.reason));
    }
  }

  load(id: number, port: number, shots: Shot[]): Waiting {
    const waiting: Waiting = { loaded: Promise.withResolvers(), done: Promise.withResolvers() };
    // Whoever waits for the other is told too.
    waiting.done.promise.catch(() => undefined);
    this.#waiting.set(id, waiting);
    this.#send({ kind: "load", id, port, shots });
    return waiting;
  }

  fire(id: number): void {
    this.#send({ kind: "fire", id });
  }

  #send(order: Order): void {
    this.#child.send(order);
  }

  async close(): Promise<void> {
    this.#child.disconnect();
    await this.#child.exited;
  }
}

export class Clients {
  readonly #groups = Array.from({ length: processes }, () => new Group());
  #volleys = 0;

  /** Resolves when every connection is open; the answers of what it gives are in the order of `shots`. */
  async load(
    url: string,
    shots: readonly Shot[],
  ): Promise<() => Promise<readonly (Reply | null)[]>> {
    this.#volleys += 1;
    const id = this.#volleys;
    const port = Number(new URL(url).port);
    const hands = this.#groups.map((group, at) => {
      const own = shots.filter((_, i) => i % processes === at);
      return { group, waiting: group.load(id, port, own) };
    });
    await Promise.all(hands.map(({ waiting }) => waiting.loaded.promise));
    return async () => {
      for (const { group } of hands) group.fire(id);
      const all = await Promise.all(hands.map(({ waiting }) => waiting.done.promise));
      return shots.map((_, i) => all[i % processes]?.[Math.floor(i / processes)] ?? null);
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.#groups.map((group) => group.close()));
  }
}
