/** How two sides of the last look are compared: as bags of lines. */
import { diverge } from "./call.ts";

/** Two bags of lines. @throws Divergence with what one has and the other lacks */
export function same(what: string, due: readonly string[], met: readonly string[]): void {
  const left = [...met];
  const lacking = due.filter((line) => {
    const at = left.indexOf(line);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  if (lacking.length > 0 || left.length > 0) diverge(what, lacking, left, "the books differ");
}

export const line = (...parts: readonly unknown[]): string => parts.map(String).join(" ");
