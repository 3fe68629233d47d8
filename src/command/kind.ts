/**
 * What an operation of the command line is: the shape of its arguments and what to call, and what all of
 * them say of whom they act for. The table of them is `operation.ts`.
 */
import { type Static, type TObject, type TSchema, Type } from "@sinclair/typebox";
import type { Services } from "../compose.ts";
import type { Actor } from "../domain/audit.ts";
import { OperatorRefused } from "../domain/operator.ts";
import type { Store } from "../store/seam.ts";

/** What an operation works on: the features over a store, and the time. */
export interface Host extends Services {
  readonly store: Store;
  readonly clock: { nowMs(): number };
  /** Moves the clock of a live development server; absent elsewhere. */
  advance?(sec: number): Promise<number>;
}

export type Tell = (done: number, total: number) => void;

export interface Operation<S extends TObject = TObject, R = unknown> {
  readonly args: S;
  /** Changes nothing, so that it needs no writer. */
  readonly reads?: true;
  run(host: Host, args: Static<S>, tell: Tell): Promise<R>;
}

/** One that changes something. */
export const operation = <P extends Record<string, TSchema>, R>(
  fields: P,
  run: (host: Host, args: Static<TObject<P>>, tell: Tell) => Promise<R>,
): Operation<TObject<P>, R> => ({
  args: Type.Object(fields, { additionalProperties: false }),
  run,
});

/** One that only looks. */
export const reading = <P extends Record<string, TSchema>, R>(
  fields: P,
  run: (host: Host, args: Static<TObject<P>>) => Promise<R>,
): Operation<TObject<P>, R> => ({ ...operation(fields, run), reads: true });

export const cli: Actor = { type: "system", id: "cli" };

export const text = (max: number, min = 1) => Type.String({ minLength: min, maxLength: max });
/** Slug; absent: the first one. */
export const tenantSlug = Type.Optional(text(64));
/** Row of the tenant of a slug. @throws OperatorRefused `not-found` */
export async function tenantOf(host: Host, slug: string | undefined): Promise<number> {
  const found = await host.tenant.tenantBySlug(slug);
  if (found !== undefined) return found.tenantId;
  throw new OperatorRefused(
    "not-found",
    slug === undefined ? "there is no tenant: run `kartu init`" : `there is no tenant ${slug}`,
    "tenant",
  );
}
