/**
 * An expected failure on its way out: a code of the closed list, thrown by a service after what must be
 * remembered is committed, and turned into an answer in one place. Anything else thrown is a bug.
 */
import { type RefusalCode, refusals } from "../../schema/refusal.ts";

export interface RefusedExtra {
  /** Replaces the table's sentence; never holds a value that was sent. */
  message?: string;
  /** Whole seconds ≥ 1 after which one retry is enough (429, 503). */
  retryAfterSec?: number;
  /** Additional members of the answer's body. */
  body?: Readonly<Record<string, number | string>>;
}

export class Refused extends Error {
  override readonly name = "Refused";
  readonly status: number;

  constructor(
    readonly code: RefusalCode,
    readonly extra: RefusedExtra = {},
  ) {
    super(extra.message ?? refusals[code].message);
    this.status = refusals[code].status;
  }
}
