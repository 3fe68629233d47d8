/** placeholder */
import type { Outcome } from "./run.ts";
export const page = (outcome: Outcome): string => `${outcome.all.length}`;
