/** The rounds of `fault.ts` one after the other, as often as told, on a fresh file every now and then. */
import { type FaultRound, faultRounds } from "./fault.ts";
import { dice, openCrashVenue } from "./venue.ts";

export interface FaultOptions {
  readonly rounds: number;
  readonly seed: number;
  /** Told after each round. */
  readonly onRound?: (name: string) => void;
  /** Ends it between two rounds. */
  readonly isOver?: () => boolean;
}

/** How often each round went well; those that cannot be had here are not in it. */
export type FaultTally = Record<string, number>;

/** Proving a file takes longer the larger it is. */
const roundsOfVenue = 16;
const size = { tills: 8, cards: 3 };

/** Why rounds cannot be had here. */
export const faultLacks = (): readonly string[] =>
  faultRounds.flatMap(({ name, lack }) => {
    const missing = lack();
    return missing === undefined ? [] : [`${name}: ${missing}`];
  });

/** @throws Error the first thing that is wrong; its message names the directory, which stays */
export async function runFaults(options: FaultOptions): Promise<FaultTally> {
  const { rounds, seed, onRound, isOver = () => false } = options;
  const due = faultRounds.filter(({ lack }) => lack() === undefined);
  const tally: FaultTally = {};
  if (due.length === 0) return tally;
  for (let done = 0, turn = seed; done < rounds && !isOver(); turn += 1) {
    const venue = await openCrashVenue({ ...size, seed: turn });
    const roll = dice(turn);
    for (const until = Math.min(rounds, done + roundsOfVenue); done < until; done += 1) {
      if (isOver()) break;
      const { name, run } = due[(seed + done) % due.length] as FaultRound;
      try {
        await run(venue, roll);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        throw new Error(`${name}: ${venue.dataDir}, seed ${turn}: ${why}`, { cause: error });
      }
      tally[name] = (tally[name] ?? 0) + 1;
      onRound?.(name);
    }
    venue.remove();
  }
  return tally;
}
