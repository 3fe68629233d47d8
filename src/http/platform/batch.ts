/**
 * Batches: items that stand alone, answered one by one. No failure gives the status of the route, one or
 * more, even all, 207.
 */
import { type TSchema, Type } from "@sinclair/typebox";
import { Problem } from "../../domain/problem.ts";
import { Refused } from "../../domain/refused.ts";
import { problemOfRefused } from "./problem.ts";
import type { PlatformCall } from "./route.ts";

export interface BatchSuccess<T> {
  readonly index: number;
  readonly status: number;
  readonly result: T;
}

export interface BatchFailure {
  readonly index: number;
  readonly status: number;
  readonly problem: Record<string, unknown>;
}

export interface BatchAnswer<T> {
  readonly data: (BatchSuccess<T> | BatchFailure)[];
  readonly meta: { readonly succeeded: number; readonly failed: number };
}

/** The answer's shape. */
export const batchAnswer = <T extends TSchema>(result: T) => {
  const closed = { additionalProperties: false };
  const place = { index: Type.Integer({ minimum: 0 }), status: Type.Integer() };
  const success = Type.Object({ ...place, result }, closed);
  const failure = Type.Object(
    {
      ...place,
      problem: Type.Record(Type.String(), Type.Unknown(), {
        description: "Problem details (RFC 9457); `instance` ends in `#/` and the index.",
      }),
    },
    closed,
  );
  const meta = Type.Object({ succeeded: Type.Integer(), failed: Type.Integer() }, closed);
  return Type.Object({ data: Type.Array(Type.Union([success, failure])), meta }, closed);
};

/** A call of a batch, as far as this needs it. */
export type BatchCall = Pick<PlatformCall<unknown, unknown, unknown, unknown>, "problemAt"> & {
  status: number;
};

/**
 * Does each item in turn and sets the call's status. An item may share one transaction with the others
 * only if it fails before its first write; a failure of any other kind than an expected one is thrown.
 * @param status of an item that succeeded.
 */
export async function batchOf<Item, T>(
  call: BatchCall,
  items: readonly Item[],
  status: 200 | 201 | 202,
  one: (item: Item, index: number) => Promise<T>,
): Promise<BatchAnswer<T>> {
  const data: (BatchSuccess<T> | BatchFailure)[] = [];
  let failed = 0;
  for (const [index, item] of items.entries()) {
    try {
      data.push({ index, status, result: await one(item, index) });
    } catch (error) {
      const problem = error instanceof Refused ? problemOfRefused(error) : error;
      if (!(problem instanceof Problem)) throw error;
      failed += 1;
      data.push({ index, status: problem.status, problem: call.problemAt(problem, index) });
    }
  }
  if (failed > 0) call.status = 207;
  return { data, meta: { succeeded: data.length - failed, failed } };
}
