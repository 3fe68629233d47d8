/**
 * Somebody who must not get in: what they send, and what each surface answers. Who there is of them:
 * `loose.ts`, `ended.ts`, `forged.ts`.
 */

type Refused =
  | "401 unauthorized"
  | "401 token-expired"
  | "401 token-revoked"
  | "403 tenant-blocked"
  /** By the HTTP server itself. */
  | "431";

export interface Stranger {
  readonly name: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Header lines as they go over the wire, in place of `headers`. */
  readonly lines?: readonly string[];
  readonly query?: string;
  readonly body?: Readonly<Record<string, string>>;
  /** What doors of the operator surface answer; those of devices 401 `invalid_token`. */
  readonly answers: Refused;
}

export const bearing = (
  name: string,
  token: string,
  answers: Refused = "401 unauthorized",
): Stranger => ({ name, answers, headers: { authorization: `Bearer ${token}` } });
