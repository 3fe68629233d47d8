/** One seed, played: a fresh server, its acts in order, and at its end everything compared. */
import type { Act } from "./act.ts";
import { groundOf } from "./ground.ts";
import { Host } from "./host.ts";
import { type Met, Tally } from "./tally.ts";
import type { Alter } from "./tenancy.ts";
import { World } from "./world.ts";

export interface Fault {
  /** Of the act that it showed at; the number of acts: at the end. */
  readonly at: number;
  readonly message: string;
  readonly kind: string;
}

export interface Outcome extends Met {
  readonly seed: number;
  readonly acts: number;
  /** Of every answer. */
  readonly digest: string;
  readonly fault?: Fault;
}

/** What a test may change to see that it is noticed, and what is told on the way. */
export interface Watching {
  /** Told of each act before it is done. */
  readonly onAct?: (act: Act, at: number) => void;
  readonly onCall?: (line: string) => void;
  /** May give the auditor another answer than the server did. */
  readonly alter?: Alter;
}

/** Plays acts on the ground of a seed. Never throws for what the server does: that is the outcome's fault. */
export async function play(
  seed: number,
  acts: readonly Act[],
  { onAct, onCall, alter }: Watching = {},
): Promise<Outcome> {
  const host = await Host.open(groundOf(seed));
  const tally = new Tally();
  if (onCall !== undefined) tally.onCall = onCall;
  const world = new World(host, tally, alter);
  let at = 0;
  let fault: Fault | undefined;
  try {
    for (const act of acts) {
      onAct?.(act, at);
      await world.do(act);
      at += 1;
    }
    await world.audit();
  } catch (error) {
    const { message, name, stack = "" } = error instanceof Error ? error : new Error(String(error));
    const isOurs = name === "Divergence" || name === "ServerFault";
    fault = { at, kind: name, message: isOurs ? message : stack };
  }
  try {
    await host.close();
  } catch (error) {
    fault ??= { at, kind: "Close", message: String(error) };
  }
  const [line] = host.faults;
  if (line !== undefined) fault ??= { at, kind: "Fault", message: `a fault inside: ${line}` };
  const { calls, events, restarts, counts } = tally;
  return {
    ...{ seed, acts: acts.length, calls, events, restarts, counts, digest: tally.digest() },
    ...(fault && { fault }),
  };
}
