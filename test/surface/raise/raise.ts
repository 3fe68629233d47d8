/** What a table of refusals consists of: for each slug a call that is refused with it, on an estate of its own making. */
import type { Estate } from "../estate.ts";
import type { House } from "../house.ts";

export interface Stage {
  readonly estate: Estate;
  /** A partner with nothing in it but what the tables made. */
  readonly house: House;
  /** Another server, with these variables; closed when the tests are over. */
  other(config: Readonly<Record<string, string>>): Promise<Stage>;
}

/** By slug: status and retry as the contract has them, and a call that is refused so. */
export type Raises = Readonly<
  Record<
    string,
    readonly [status: number, retry: string, raise: (stage: Stage) => Promise<Response>]
  >
>;
