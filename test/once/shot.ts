/**
 * What is sent to a server at one instant, and what comes back: the messages between a test and the
 * processes that hold the connections.
 */
export interface Shot {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /**
   * - `whole`: at the barrier the whole request is written
   * - `rest`: all but its last byte was written before
   * - `cut`: the connection is closed as soon as it is written
   */
  readonly fate: "whole" | "rest" | "cut";
}

export interface Reply {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** How often the call was told before that the first one with its key still runs. */
  readonly waits: number;
}

/** Parent to child: load a volley, then fire it. */
export type Order =
  | { readonly kind: "load"; readonly id: number; readonly port: number; readonly shots: Shot[] }
  | { readonly kind: "fire"; readonly id: number };

/** Child to parent. A reply is null where the connection ended without a whole answer. */
export type Word =
  | { readonly kind: "loaded"; readonly id: number }
  | { readonly kind: "done"; readonly id: number; readonly replies: (Reply | null)[] }
  | { readonly kind: "failed"; readonly id: number; readonly reason: string };
