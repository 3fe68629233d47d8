/** A fresh data directory with a venue in it, made by a process of its own. */
import { runScript } from "../http/process.ts";
import type { Venue } from "./venue.ts";

/** `cards` 0: the devices alone. */
export async function makeVenue(dataDir: string, devices: number, cards: number): Promise<Venue> {
  await runScript(["src/main.ts", "init", "--data", dataDir, "--json"]);
  const args = ["bench/store/venue.ts", dataDir, String(devices), String(cards)];
  return (await runScript(args)) as Venue;
}
