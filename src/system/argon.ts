/**
 * Argon2id (RFC 9106) off the main thread. Each hash takes its memory for its time on purpose, so only
 * so many run at once; who comes while too many wait is told to come back. Judges no password.
 */
import { Problem } from "../domain/problem.ts";

export interface ArgonCost {
  readonly memoryKib: number;
  readonly passes: number;
}

export const passwordCost: ArgonCost = { memoryKib: 65_536, passes: 2 };
/** For what is random by itself: trying all ten recovery codes costs about one password. */
export const codeCost: ArgonCost = { memoryKib: 8_192, passes: 2 };

export interface Argon {
  hash(secret: string): Promise<string>;
  /** With no hash to compare with it takes as long, and is false. */
  verify(secret: string, hash: string | null): Promise<boolean>;
}

export interface ArgonOptions {
  readonly cost: ArgonCost;
  /** Times `memoryKib` is what they take together. */
  readonly atOnceMax?: number;
  /** More that wait than that are refused. */
  readonly waitingMax?: number;
}

const saltBytes = 16;
const digestBytes = 32;

/** A well-formed hash of nothing: no secret is known that it is of. */
function hollowHash({ memoryKib, passes }: ArgonCost): string {
  const part = (length: number): string =>
    crypto.getRandomValues(new Uint8Array(length)).toBase64({ omitPadding: true });
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=1$${part(saltBytes)}$${part(digestBytes)}`;
}

export function argon({ cost, atOnceMax = 4, waitingMax = 256 }: ArgonOptions): Argon {
  const hollow = hollowHash(cost);
  const waiting: (() => void)[] = [];
  let running = 0;

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (running >= atOnceMax) {
      if (waiting.length >= waitingMax) {
        throw new Problem("overloaded", undefined, { retryAfterSec: 1 });
      }
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      running++;
    }
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  }

  const options = {
    algorithm: "argon2id",
    memoryCost: cost.memoryKib,
    timeCost: cost.passes,
  } as const;
  return {
    hash: (secret) => inTurn(() => Bun.password.hash(secret, options)),
    verify: async (secret, hash) => {
      const isRight = await inTurn(() => Bun.password.verify(secret, hash ?? hollow, "argon2id"));
      return isRight && hash !== null;
    },
  };
}
