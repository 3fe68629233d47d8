/**
 * What a table of knocks consists of: for each operation who may call it, a call that would succeed, and
 * what it then answers and records. Written by hand from the contract as a second opinion, so nothing in
 * a table is made from the routes.
 */
import type { House } from "../house.ts";

/**
 * - `public`: anyone
 * - `self`: any signed-in caller
 * - `own`: a person with a token of their own
 * - `owner`: the owner of the tenant
 * - `platform`: the Platform Owner, who alone holds the permission
 * - else the permission that is asked for
 */
export type May = "public" | "self" | "own" | "owner" | "platform" | `${string}.${string}`;

/** A call that would succeed, once. */
export interface Knock {
  /** Below `/api/v1`, with query; of a row with `root` whole. */
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly form?: Readonly<Record<string, string>>;
  /** Whose call it is; default the owner's. Of public calls none. */
  readonly token?: string;
}

export interface Row {
  readonly may: May;
  /** Permissions that the call needs besides, of those who hold chosen ones alone. */
  readonly also?: readonly string[];
  /** The permission in place of it where the resource is one's own tenant. */
  readonly ownTenant?: string;
  /** The path stands alone, below no base. */
  readonly root?: true;
  /** The id in the path is no tenant's own: of a provider, a version. */
  readonly shared?: true;
  /** Moves money: an Idempotency-Key is due. */
  readonly keyed?: true;
  /** Parameters that no one knows are left alone, as others' protocols have it. */
  readonly anyQuery?: true;
  /** Its caller can't make the call again: it ends the token or the right to it. */
  readonly last?: true;
  /** What the call answers: a status, or where success needs the world outside, `401 invalid-credentials`. */
  readonly answers: string;
  /** Action of the audit record that the call leaves. */
  readonly audit?: string;
  /** Type of the event that it publishes; default the action. Null: none. */
  readonly event?: string | null;
  /** A write that leaves no record, and why. */
  readonly unrecorded?: string;
  make(house: House): Knock | Promise<Knock>;
}

/** By verb and path as the routes write it: `POST /users/:id/block`. */
export type Knocks = Readonly<Record<string, Row>>;
