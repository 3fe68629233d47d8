/**
 * Windows of calls shared by several processes, in Valkey or Redis: one atomic script a call, by the
 * rules of `domain/quota.ts`. A server that is away or silent is not waited for twice: it is left alone
 * until it answers a ping again. It holds nothing that can't be lost.
 *
 *   kartu:rate:<key>   hash   u = calls taken, e = end of the window in ms; lapses with the window
 */
import { RedisClient } from "bun";
import type { WindowKey, WindowState, WindowTaken } from "../domain/quota.ts";

/** Counts calls in windows, here or elsewhere. */
export interface WindowCounter {
  /**
   * Takes one call from the window of every key, or from none.
   * @param count 0 looks and takes nothing.
   * @returns null: the counter can't be reached, nothing is known.
   */
  take(
    keys: readonly WindowKey[],
    nowMs: number,
    count: 0 | 1,
  ): WindowTaken | Promise<WindowTaken | null>;
}

/**
 * KEYS: windows. ARGV: how far the asker's clock was moved (ms), calls to take (0 or 1), then limit and
 * window (ms) of each key. Time is the server's own, so that processes need not agree on it.
 * Returns passed (0 or 1), then calls left and ms to the end of each window.
 */
const script = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[1])
local used, ends, passed = {}, {}, 1
for i = 1, #KEYS do
  local limit, window = tonumber(ARGV[1 + 2 * i]), tonumber(ARGV[2 + 2 * i])
  local kept = redis.call('HMGET', KEYS[i], 'u', 'e')
  used[i], ends[i] = tonumber(kept[1]) or 0, tonumber(kept[2]) or 0
  if ends[i] <= now or ends[i] > now + window then used[i], ends[i] = 0, 0 end
  if used[i] >= limit then passed = 0 end
end
if passed == 1 and ARGV[2] == '1' then
  for i = 1, #KEYS do
    local window = tonumber(ARGV[2 + 2 * i])
    used[i] = used[i] + 1
    if ends[i] == 0 then ends[i] = now + window end
    redis.call('HSET', KEYS[i], 'u', used[i], 'e', string.format('%.0f', ends[i]))
    redis.call('PEXPIRE', KEYS[i], window)
  end
end
local said = { passed }
for i = 1, #KEYS do
  said[2 * i] = math.max(0, tonumber(ARGV[1 + 2 * i]) - used[i])
  said[2 * i + 1] = ends[i] == 0 and 0 or ends[i] - now
end
return said
`;
const scriptId = new Bun.CryptoHasher("sha1").update(script).digest("hex");
const prefix = "kartu:rate:";

export interface ValkeyOptions {
  /** `redis://`, `rediss://`, `valkey://` …, with user and password where there are any. */
  readonly url: string;
  /** A call waits so long for an answer, once; then layer 1 stands alone. Default 250. */
  readonly timeoutMs?: number;
  /** How often a server that is away is tried. Default 1000. */
  readonly retryMs?: number;
  /** Told once an outage, of its start and its end. */
  readonly onDown?: (error: unknown) => void;
  readonly onUp?: () => void;
}

export interface ValkeyWindows extends WindowCounter {
  take(keys: readonly WindowKey[], nowMs: number, count: 0 | 1): Promise<WindowTaken | null>;
  readonly isUp: boolean;
  /** Resolves once the first attempt to connect has ended, either way. */
  readonly started: Promise<void>;
  /** Round trip in ms; null when it is away. */
  ping(): Promise<number | null>;
  close(): void;
}

export const valkeyWindows = (options: ValkeyOptions): ValkeyWindows => new Valkey(options);

class Silent extends Error {
  override readonly name = "Silent";
}

class Valkey implements ValkeyWindows {
  readonly #options: ValkeyOptions;
  readonly #timeoutMs: number;
  readonly started: Promise<void>;
  #client: RedisClient | null = null;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #isTold = false;
  #isClosed = false;
  #isStarted = false;

  constructor(options: ValkeyOptions) {
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? 250;
    this.started = this.#connect().finally(() => {
      this.#isStarted = true;
    });
  }

  get isUp(): boolean {
    return this.#client !== null;
  }

  async take(keys: readonly WindowKey[], nowMs: number, count: 0 | 1): Promise<WindowTaken | null> {
    if (!this.#isStarted) await this.started;
    const client = this.#client;
    if (client === null) return null;
    // Whole seconds: how far the clock was moved, without what passes between two looks at it.
    const aheadMs = Math.round((nowMs - Date.now()) / 1000) * 1000;
    const args = [`${keys.length}`, ...keys.map(({ key }) => prefix + key)];
    args.push(`${aheadMs}`, `${count}`);
    for (const { limit, windowMs } of keys) args.push(`${limit}`, `${windowMs}`);
    const askedMs = performance.now();
    try {
      const said = await this.#within(run(client, args));
      // The window ended no later than this; the answer took its time.
      return takenOf(said, keys, performance.now() - askedMs);
    } catch (error) {
      this.#lose(client, error);
      return null;
    }
  }

  async ping(): Promise<number | null> {
    const client = this.#client;
    if (client === null) return null;
    const askedMs = performance.now();
    try {
      await this.#within(client.send("PING", []));
      return performance.now() - askedMs;
    } catch (error) {
      this.#lose(client, error);
      return null;
    }
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    this.#client?.close();
    this.#client = null;
  }

  /** A new connection each time: an old one may be stuck. */
  async #connect(): Promise<void> {
    const client = new RedisClient(this.#options.url, {
      connectionTimeout: 4 * this.#timeoutMs,
      autoReconnect: false,
      enableOfflineQueue: false,
    });
    try {
      await this.#within(client.connect(), 4);
      await this.#within(client.send("SCRIPT", ["LOAD", script]), 4);
    } catch (error) {
      client.close();
      this.#away(error);
      return;
    }
    if (this.#isClosed) {
      client.close();
      return;
    }
    client.onclose = (error) => this.#lose(client, error);
    this.#client = client;
    if (this.#isTold) {
      this.#isTold = false;
      this.#options.onUp?.();
    }
  }

  /** Only the connection that failed is given up, not the one after it. */
  #lose(client: RedisClient, error: unknown): void {
    if (this.#client !== client) return;
    this.#client = null;
    client.close();
    this.#away(error);
  }

  #away(error: unknown): void {
    if (this.#isClosed) return;
    if (!this.#isTold) {
      this.#isTold = true;
      this.#options.onDown?.(error);
    }
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.#connect(), this.#options.retryMs ?? 1000);
    this.#retry.unref();
  }

  /** @throws Silent no answer in time */
  async #within<T>(answer: Promise<T>, times = 1): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Silent("no answer in time")), times * this.#timeoutMs);
    });
    // Whoever loses the race may still fail; nobody is left to hear of it.
    answer.catch(() => undefined);
    try {
      return await Promise.race([answer, silence]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** By its hash; by its text where the server has forgotten it. */
async function run(client: RedisClient, args: string[]): Promise<unknown> {
  try {
    return await client.send("EVALSHA", [scriptId, ...args]);
  } catch (error) {
    if (!String(error).includes("NOSCRIPT")) throw error;
    return await client.send("EVAL", [script, ...args]);
  }
}

/** @throws Error the answer is not what the script returns */
function takenOf(said: unknown, keys: readonly WindowKey[], tookMs: number): WindowTaken {
  const numbers = Array.isArray(said) ? said.map(Number) : [];
  if (numbers.length !== 1 + 2 * keys.length || !numbers.every(Number.isFinite)) {
    throw new Error("the shared counter gave an answer of another shape");
  }
  const states = keys.map((_, at): WindowState => {
    const resetMs = numbers[2 * at + 2]!;
    return { remaining: numbers[2 * at + 1]!, resetMs: resetMs === 0 ? 0 : resetMs + tookMs };
  });
  return { passed: numbers[0] === 1, states };
}
