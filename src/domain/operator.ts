/**
 * An expected failure on the operator's side: a slug of the closed list below, thrown by a service and
 * turned into words (command line) or a problem document by its door. Not for devices: see refused.ts.
 */
export type OperatorSlug =
  | "already-exists"
  | "ids-exhausted"
  | "in-use"
  | "insufficient-funds"
  | "not-found"
  | "still-rejected"
  | "unblock-by-reissue"
  | "validation-error"
  | "version-conflict"
  | "wallet-empty"
  | "wrong-state";

export class OperatorRefused extends Error {
  override readonly name = "OperatorRefused";

  /** `field` names the input that is at fault, where one is. */
  constructor(
    readonly slug: OperatorSlug,
    message: string,
    readonly field?: string,
  ) {
    super(message);
  }
}
