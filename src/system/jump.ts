/**
 * Tells when the machine's clock is moved, or stood still while the machine slept: grants, tokens and
 * days are judged by it, so that whoever asks why they lapsed finds it in the log. Corrects nothing.
 */
import type { Log } from "./log.ts";

const lookMs = 1_000;
/** Slower corrections are what keeps a clock right. */
const jumpMinMs = 5_000;

/** Looks once a second, without keeping the process alive. Returns what ends it. */
export function watchClock(log: Log): () => void {
  const offsetMs = (): number => Date.now() - performance.now();
  let known = offsetMs();
  const timer = setInterval(() => {
    const found = offsetMs();
    const movedMs = found - known;
    if (Math.abs(movedMs) < jumpMinMs) return;
    known = found;
    log.warn("the machine's clock was moved", { bySec: Math.round(movedMs / 1000) });
  }, lookMs);
  timer.unref();
  return () => clearInterval(timer);
}
