/**
 * One process of `run.ts`: takes its options as JSON, tells how far it is and what came of it as a line
 * of JSON each.
 */
import { type FuzzOptions, fuzz } from "./fuzz.ts";

const tellMs = 500;
const options = JSON.parse(process.argv[2] ?? "{}") as FuzzOptions;
const tell = (told: object, then?: () => void): void => {
  process.stdout.write(`${JSON.stringify(told)}\n`, then);
};
let toldMs = 0;
const onProgress = (calls: number, findings: number): void => {
  const nowMs = performance.now();
  if (nowMs - toldMs < tellMs) return;
  toldMs = nowMs;
  tell({ calls, findings });
};
const result = await fuzz({ ...options, onProgress, onFinding: (finding) => tell({ finding }) });
tell({ result }, () => process.exit(0));
