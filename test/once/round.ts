/**
 * One round: a fresh object, and what each of its clients sends at once. How it is sent and what the
 * server does meanwhile is not here.
 */
import type { Call, Kind } from "./kind/kind.ts";
import { kinds } from "./kind/table.ts";
import type { Shot } from "./shot.ts";
import type { Stand } from "./stand.ts";

/**
 * - `keyed`: the same call under the same key
 * - `rivals`: the same call under no key or each under its own
 * - `clash`: two calls under the same key
 * - `cut`: as `keyed`, but half of the clients are gone before an answer
 * - `scopes`: callers and paths that use the same key, each for itself
 */
export const modes = ["keyed", "rivals", "clash", "cut", "scopes"] as const;
export type Mode = (typeof modes)[number];

export type Roll = (max: number) => number;

/** What one client sends. */
interface Aim {
  /** Which of the calls of the round. */
  readonly which: number;
  readonly call: Call;
  readonly key: string | undefined;
  readonly fate: Shot["fate"];
}

export interface Round {
  readonly name: string;
  readonly kind: Kind;
  readonly mode: Mode;
  readonly aims: readonly Aim[];
}

export interface Drafted {
  readonly name: string;
  readonly mode: Mode;
  readonly clients: number;
  /** No key at all where none is due, rather than one each. */
  readonly bare?: boolean;
}

export function kindOf(name: string): Kind {
  const kind = kinds[name];
  if (kind === undefined) throw new Error(`there is no kind "${name}"`);
  return kind;
}

/** Whether what a made object offers is enough for a mode; `scopes` are asked for by themselves. */
async function callsOf(stand: Stand, kind: Kind, mode: Mode): Promise<readonly Call[]> {
  if (mode === "scopes") return (await kind.scopes?.(stand)) ?? [];
  const { calls, other } = await kind.make(stand);
  if (mode === "rivals") return calls;
  if (mode === "clash") return other === undefined ? [] : [calls[0], other];
  return [calls[0]];
}

/** The modes that a kind has, by what it says of itself; `hasOther`: it can be asked otherwise. */
export function modesOf(kind: Kind, hasOther: boolean): Mode[] {
  return modes.filter((mode) => {
    if (mode === "rivals") return true;
    if (kind.key === "ignored") return false;
    if (mode === "clash") return hasOther;
    return mode !== "scopes" || kind.scopes !== undefined;
  });
}

export async function drawUp(stand: Stand, draft: Drafted, roll: Roll): Promise<Round> {
  const { name, mode, clients, bare } = draft;
  const kind = kindOf(name);
  const calls = await callsOf(stand, kind, mode);
  if (calls.length === 0) throw new Error(`${name} has no calls for ${mode}`);
  const key = crypto.randomUUID();
  const isKeyed = kind.key === "due" || (bare !== true && roll(2) === 0);
  const ownKey = (): string | undefined => {
    // One and the same, where it means nothing.
    if (!isKeyed) return undefined;
    return kind.key === "ignored" ? key : crypto.randomUUID();
  };
  const fate = roll(2) === 0 ? "whole" : "rest";
  const aims = Array.from({ length: clients }, (_, at): Aim => {
    const which = at % calls.length;
    return {
      ...{ which, call: calls[which] as Call },
      key: mode === "rivals" ? ownKey() : key,
      fate: mode === "cut" && at % 2 === 0 ? "cut" : fate,
    };
  });
  return { name, kind, mode, aims };
}

/** The request of one client. */
export function shotOf({ call, key, fate }: Aim): Shot {
  const { path, token, body, form } = call;
  const type = form === undefined ? "application/json" : "application/x-www-form-urlencoded";
  const text = form === undefined ? JSON.stringify(body) : new URLSearchParams(form).toString();
  return {
    ...{ method: "POST", path, body: text ?? "", fate },
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(key !== undefined && { "idempotency-key": key }),
      ...(text !== undefined && { "content-type": type }),
    },
  };
}
