/**
 * W3C Trace Context, level 2: reads `traceparent`, and starts a trace where there is none.
 *
 *   traceparent = 00-<trace id, 32 hex>-<parent span id, 16 hex>-<flags, 2 hex>
 *
 * Ids are never zero. Not an exporter.
 */
import { systemRandom } from "../../system/random.ts";

export interface Trace {
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** Span of the caller; null where the trace starts here. */
  readonly parentSpanId: string | null;
  /** The caller asks for the trace to be kept; true for traces that start here. */
  readonly sampled: boolean;
}

const poolBytes = 4_096;
const zeroTraceId = "0".repeat(32);
const zeroSpanId = "0".repeat(16);

// Ids only tell traces apart: nothing of a test or a run depends on them.
const random = systemRandom();
let pool = "";
let used = 0;

/** `digits` random hex digits that are not all zero, cut from a pool. */
function hex(digits: number): string {
  if (used + digits > pool.length) {
    pool = random.bytes(poolBytes).toHex();
    used = 0;
  }
  const id = pool.slice(used, used + digits);
  used += digits;
  return id === zeroTraceId || id === zeroSpanId ? hex(digits) : id;
}

export const newTraceId = (): string => hex(zeroTraceId.length);
export const newSpanId = (): string => hex(zeroSpanId.length);

/** Later versions may append fields; version ff is none. */
const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** The trace that a `traceparent` names, or a new one where it is absent or malformed. */
export function readTrace(traceparent: string | null): Trace {
  if (traceparent !== null) {
    const match = form.exec(traceparent.trim());
    if (match !== null) {
      const [, version = "", traceId = "", parentSpanId = "", flags = "", more] = match;
      const fits = version === "00" ? more === undefined : version !== "ff";
      if (fits && traceId !== zeroTraceId && parentSpanId !== zeroSpanId) {
        return { traceId, parentSpanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
      }
    }
  }
  return { traceId: newTraceId(), parentSpanId: null, sampled: true };
}
