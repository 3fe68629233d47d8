/**
 * What a run is told and what it tells back. No behaviour.
 */
import type { Finding } from "./finding.ts";
import type { CallSummary } from "./meter.ts";
import type { DeviceSpec, SimClock, Trouble } from "./world.ts";

export interface SimulateOptions {
  readonly url: string;
  /** At least one station and one terminal. */
  readonly devices: readonly DeviceSpec[];
  readonly cards: number;
  /** Members that exist and hold no active card, both ends included: one a card. */
  readonly users: readonly [from: number, to: number];
  /** About so many events in all. */
  readonly events: number;
  /** The same seed makes the same taps. Against one server each run needs its own. */
  readonly seed: number | string;
  /** Events a second at most. */
  readonly rate?: number;
  readonly clock: SimClock;
  /** Nobody cheats and no card breaks; the network may still be bad. */
  readonly isHonest?: boolean;
  /** One card in so many meets a mishap; 20 if absent. */
  readonly mishapEvery?: number;
  /** How bad the network is; quite bad if absent. */
  readonly trouble?: Trouble;
  /** Makes and activates a new key version on the server, in the middle of the run. */
  rotate?(): Promise<void>;
  /** Suspends a device on the server, late in the run. */
  suspend?(deviceId: string): Promise<void>;
  onProgress?(progress: SimulateProgress): void;
}

export interface SimulateProgress {
  readonly phase: "devices" | "cards" | "events" | "compare";
  readonly done: number;
  readonly total: number;
}

export interface SimulateResult {
  readonly seed: number | string;
  /** Events that the server took, as its answers say. */
  readonly accepted: number;
  /** Flag or rejection → how often. */
  readonly reasons: Readonly<Record<string, number>>;
  /** Why terminals refused a tap → how often. */
  readonly refusals: Readonly<Record<string, number>>;
  readonly cardsCompared: number;
  readonly elapsedSec: number;
  /** Events a second while devices talked to the server; the time between is the simulator's own. */
  readonly eventsPerSec: number;
  readonly calls: readonly CallSummary[];
  readonly mismatchCount: number;
  /** The first of them; empty when everything was as modelled. */
  readonly mismatches: readonly Finding[];
}
