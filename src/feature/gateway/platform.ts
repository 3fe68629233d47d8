/**
 * `POST /api/v1/gateway/clock`: moves the clock of a development server, so that days pass at once.
 * Mounted there alone; in production nobody knows the address. Callable from the same machine only,
 * and a proxy on it does not make a caller local.
 */
import { clockAnswer, clockRequest } from "../../../schema/contract/gateway.ts";
import { Refused } from "../../domain/refused.ts";
import { publicRoute, type Route } from "../../http/route.ts";

export interface ClockDeps {
  /** Moves the clock; resolves when the jobs that became due are done. Returns the time then, in ms. */
  advance(sec: number): Promise<number>;
  /** Start of problem types, without a trailing slash. */
  readonly problemBase: string;
}

/** 127.0.0.0/8 or ::1, as the socket gives it. */
const isLoopback = (address: string): boolean => address === "::1" || address.startsWith("127.");

const isForwarded = ({ headers }: Request): boolean =>
  headers.has("forwarded") || headers.has("x-forwarded-for");

export const clockRoutes = (deps: ClockDeps): Route[] => [
  publicRoute({
    method: "POST",
    path: "/api/v1/gateway/clock",
    operationId: "moveClock",
    summary: "Move the clock of a development server forward",
    tag: "Gateway",
    access: { public: true },
    contract: { body: clockRequest, response: clockAnswer },
    status: 200,
    refusals: ["insufficient_role"],
    examples: { request: { advanceSec: 86_400 }, response: { now: "2026-11-22T16:33:00.000Z" } },
    ignoresIdempotencyKey: true,
    handle: async ({ body, request, address }) => {
      if (isForwarded(request) || !isLoopback(address)) {
        throw new Refused("insufficient_role", {
          message: "The clock is moved from this machine alone.",
          body: { type: `${deps.problemBase}/forbidden`, title: "Forbidden" },
        });
      }
      return { now: new Date(await deps.advance(body.advanceSec)).toISOString() };
    },
  }),
];
