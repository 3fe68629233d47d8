/**
 * What a table of calls consists of: for each, how a fresh object for it is made, what the one effect is,
 * and what the contract has it answer when it is made again and again. Written by hand from the contract.
 */
import type { Ask, Stand } from "../stand.ts";
import type { Tally } from "../tally.ts";

/** A POST that would succeed. */
export interface Call extends Omit<Ask, "key"> {
  /** Whole. */
  readonly path: string;
}

export interface Made {
  /** One, or several that exclude each other. */
  readonly calls: readonly [Call, ...Call[]];
  /** The first one asked otherwise, with the same effect: what its key must not be used for too. */
  readonly other?: Call;
}

/** What the same call made again, under no key or another, answers and does. */
export type Rivals =
  /**
   * The answer of the first one, but for the members in `but`; each records `each`. Of calls that it
   * excluded: `others`.
   */
  | {
      readonly are: "same";
      readonly but?: readonly string[];
      readonly each?: Tally;
      readonly others?: readonly string[];
    }
  /**
   * Refused, each with one of these; `more` is recorded once if there was any, `each` for each that had
   * that answer.
   */
  | {
      readonly are: "refused";
      readonly as: readonly string[];
      readonly more?: Tally;
      readonly each?: Readonly<Record<string, Tally>>;
    }
  /** An effect of its own, but for lines in `once`, until the money is gone: then `as`. */
  | {
      readonly are: "own";
      readonly once?: readonly string[];
      readonly as?: readonly string[];
      /** So many find what they need, however many there are. */
      readonly exactly?: number;
    };

export interface Kind {
  /** `ignored`: of callers that have no name yet. */
  readonly key: "due" | "taken" | "ignored";
  readonly status: number;
  /** The answer carries a secret: it is kept sealed. */
  readonly secret?: true;
  /** Lines that the one effect must show, among others. */
  readonly effect: Tally;
  readonly rivals: Rivals;
  /** Lines of a write of its own behind the effect: of a call that was cut off they may be missing. */
  readonly behind?: readonly string[];
  /** What is sent is good for so long only. */
  readonly graceSec?: number;
  make(stand: Stand): Promise<Made>;
  /** Callers or paths that each have a scope of their own: the same key is another key for each. */
  scopes?(stand: Stand): Promise<readonly Call[]>;
}

export type Kinds = Readonly<Record<string, Kind>>;
