/** How large the files are that a run of `--scale` holds against each other, and what they take. */
import { statfsSync } from "node:fs";
import type { ScaleOptions } from "../option.ts";

export interface Size {
  readonly cards: number;
  /** In the file before anything is measured; 0: the ordinary venue. */
  readonly events: number;
}

const short = (count: number): string => {
  if (count >= 1_000_000 && count % 100_000 === 0) return `${count / 1_000_000}m`;
  return count >= 1_000 && count % 100 === 0 ? `${count / 1_000}k` : String(count);
};

export const nameOf = ({ cards, events }: Size): string => `${short(cards)}-${short(events)}`;

/** Files between the ordinary venue and the largest hold a fifth of its events. */
const part = 5;

/** From the ordinary venue to the largest: more events, more cards, both. */
export function sizesOf(ordinaryCards: number, { cards, events }: ScaleOptions): Size[] {
  const some = Math.floor(events / part);
  const all: Size[] = [
    { cards: ordinaryCards, events: 0 },
    { cards: ordinaryCards, events: some },
    { cards, events: some },
    { cards, events },
  ];
  const names = new Set<string>();
  return all.filter((size) => {
    const name = nameOf(size);
    const isNew = !names.has(name);
    names.add(name);
    return isNew && (size.events === 0 || size.events >= size.cards);
  });
}

const bytesPerCard = 3_800;
const bytesPerEvent = 80;
/** For what the load adds, and for others on the disk. */
const reserveBytes = 2 * 2 ** 30;

const bytesOf = ({ cards, events }: Size): number => cards * bytesPerCard + events * bytesPerEvent;

const gb = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GB`;

/** @throws when the files do not fit; `copies`: how often each lies on the disk */
export function checkSpace(folder: string, sizes: readonly Size[], copies: number): void {
  const { bavail, bsize } = statfsSync(folder);
  const wanted = copies * sizes.reduce((sum, size) => sum + bytesOf(size), 0) + reserveBytes;
  const free = bavail * bsize;
  if (free >= wanted) return;
  throw new Error(
    `--scale needs about ${gb(wanted)} in ${folder}, where ${gb(free)} are free; ` +
      "choose fewer with --scale-cards and --scale-events, or another TMPDIR",
  );
}
