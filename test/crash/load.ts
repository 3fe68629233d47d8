/**
 * All tills at work at once on a server that may refuse them, end, or come back. What a till finds wrong
 * is thrown by whoever waits for the load.
 */
import type { Till } from "./till.ts";

/** What must come about, on however slow a machine. */
const comesMsMax = 60_000;

export class Load {
  #isOver = false;
  #wrong: { readonly error: unknown } | undefined;
  readonly #done: Promise<unknown>;

  constructor(
    readonly tills: readonly Till[],
    url: string,
  ) {
    this.#done = Promise.all(tills.map((till) => this.#work(till, url)));
  }

  async #work(till: Till, url: string): Promise<void> {
    try {
      while (!this.#isOver) {
        if (!(await till.step(url))) await Bun.sleep(5);
      }
    } catch (error) {
      this.#isOver = true;
      this.#wrong ??= { error };
    }
  }

  get calls(): number {
    return this.tills.reduce((sum, { calls }) => sum + calls, 0);
  }

  get refusals(): number {
    return this.tills.reduce((sum, { refusals }) => sum + refusals, 0);
  }

  /** Goes on until `isDue`. @throws Error what a till found wrong; or it takes for ever */
  async until(isDue: () => boolean): Promise<void> {
    const overMs = performance.now() + comesMsMax;
    while (!isDue()) {
      if (this.#wrong !== undefined) throw this.#wrong.error;
      if (performance.now() > overMs) throw new Error(`waited in vain: ${isDue}`);
      await Bun.sleep(5);
    }
  }

  async more(calls: number): Promise<void> {
    const due = this.calls + calls;
    await this.until(() => this.calls >= due);
  }

  async moreRefusals(refusals: number): Promise<void> {
    const due = this.refusals + refusals;
    await this.until(() => this.refusals >= due);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#done;
    if (this.#wrong !== undefined) throw this.#wrong.error;
  }
}
