/**
 * Whether the storage fails, as the groups of writes find it. A full disk fails thousands of them in a
 * minute, some between others that fit: it is told of when that begins, once a minute, and when it has
 * been over for a while. Decides nothing: every group tries anew, so that writing goes on at once.
 */
import type { StoreLog } from "./failure.ts";

const reminderMs = 60_000;
const quietMs = 5_000;

export class Outage {
  readonly #log: StoreLog;
  /** The last group failed. */
  #isOn = false;
  /** Groups that failed since it was told that they do; 0: all is well. */
  #groups = 0;
  #toldMs = 0;
  #failedMs = 0;

  constructor(log: StoreLog) {
    this.#log = log;
  }

  get isOn(): boolean {
    return this.#isOn;
  }

  failed(cause: unknown): void {
    this.#isOn = true;
    this.#groups += 1;
    this.#failedMs = performance.now();
    if (this.#groups > 1 && this.#failedMs - this.#toldMs < reminderMs) return;
    this.#toldMs = this.#failedMs;
    if (this.#groups === 1)
      this.#log("the storage fails; writes are refused until it works", cause);
    else this.#log(`the storage still fails; ${this.#groups} groups of writes were refused`, cause);
  }

  /** A group is durable, with at least one page written if it came after one that failed. */
  wrote(): void {
    this.#isOn = false;
    if (this.#groups === 0 || performance.now() - this.#failedMs < quietMs) return;
    this.#log(`the storage works again; ${this.#groups} groups of writes were refused`, undefined);
    this.#groups = 0;
  }
}
