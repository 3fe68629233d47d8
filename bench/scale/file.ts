/**
 * The files of `--scale`: made once a run in the run's own folder, or kept in a folder that was named
 * and then copied for each run. A file is used again as long as it is the same schema, size and seed
 * and its last day is today.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tables } from "../../schema/tables.ts";
import { Cards, openedBeforeSec } from "../domain/card.ts";
import { Random } from "../domain/random.ts";
import { runScript } from "../http/process.ts";
import type { Options } from "../option.ts";
import { makeVenue } from "../store/make.ts";
import type { Venue } from "../store/venue.ts";
import { copyVenue, type Site } from "../workload.ts";
import type { Built } from "./build.ts";
import { checkSpace, nameOf, type Size } from "./size.ts";

export interface ScaleFile {
  /** To be served from. */
  readonly dataDir: string;
  readonly venue: Venue;
  readonly cards: Cards;
  /** Events in the file. */
  readonly events: number;
}

interface Meta {
  /** What the file must have been made for. */
  readonly made: string;
  readonly venue: Venue;
  readonly tookSec: number;
}

/** Devices work with grants of the day, and pending top-ups grow stale within one. */
const keptMaxSec = 12 * 3_600;

const cardsFile = "cards.bin";
const metaFile = "meta.json";

const madeFor = ({ cards, events }: Size, { devices, seed }: Options): string => {
  const schema = Bun.hash(tables.join("")).toString(16);
  return `${cards} cards, ${events} events, ${devices} devices, seed ${seed}, schema ${schema}`;
};

function usable(folder: string, made: string): Meta | undefined {
  const path = join(folder, metaFile);
  if (!existsSync(path)) return undefined;
  const meta = JSON.parse(readFileSync(path, "utf8")) as Meta;
  const ageSec = Date.now() / 1000 - (meta.venue.openSec + openedBeforeSec);
  return meta.made === made && ageSec < keptMaxSec ? meta : undefined;
}

async function build(folder: string, size: Size, options: Options): Promise<Meta> {
  rmSync(folder, { recursive: true, force: true });
  const { devices, seed } = options;
  const base = await makeVenue(folder, devices, 0);
  const { cards, events } = size;
  const numbers = [cards, events, base.openSec, seed].map(String);
  const args = ["bench/scale/build.ts", folder, ...numbers, join(folder, cardsFile)];
  const { grantsEach, tookSec } = (await runScript(args)) as Built;
  const venue = { ...base, cards, grants: grantsEach * devices };
  const meta = { made: madeFor(size, options), venue, tookSec };
  writeFileSync(join(folder, metaFile), JSON.stringify(meta));
  return meta;
}

/** All files of a run: the first that is asked for begins all of them, each in a process of its own. */
export class ScaleFiles {
  #files: Map<Size, Promise<ScaleFile>> | undefined;

  constructor(
    readonly sizes: readonly Size[],
    readonly options: Options,
  ) {}

  get(site: Site, size: Size): Promise<ScaleFile> {
    this.#files ??= this.#begin(site);
    const file = this.#files.get(size);
    if (file === undefined) throw new RangeError(`no file of size ${nameOf(size)}`);
    return file;
  }

  #begin(site: Site): Map<Size, Promise<ScaleFile>> {
    const { sizes, options } = this;
    const kept = options.scale?.keep;
    if (kept !== undefined) mkdirSync(kept, { recursive: true });
    checkSpace(kept ?? site.folder, sizes, kept === undefined ? 1 : 2);
    const files = new Map(sizes.map((size) => [size, scaleFile(site, size, options)]));
    // Who asks for it hears of a failure; the first one ends the run before the rest is asked for.
    for (const file of files.values()) file.catch(() => undefined);
    return files;
  }
}

/** The file of a size, ready to be served; made first where there is none to be used. */
async function scaleFile(site: Site, size: Size, options: Options): Promise<ScaleFile> {
  const kept = options.scale?.keep;
  const name = nameOf(size);
  const folder = join(kept ?? site.folder, `scale-${name}`);
  const old = usable(folder, madeFor(size, options));
  const { venue, tookSec } = old ?? (await build(folder, size, options));
  const gb = (statSync(join(folder, "kartu.db")).size / 2 ** 30).toFixed(2);
  const { cards: count, events } = size;
  const what = `${count.toLocaleString("en-US")} cards, ${events.toLocaleString("en-US")} events`;
  site.note(
    `scale-${name}: ${what}, ${gb} GB, made in ${Math.round(tookSec)} s${old ? " before" : ""}`,
  );
  const cards = new Cards(count, venue.openSec, new Random(site.seed + events));
  cards.restore(readFileSync(join(folder, cardsFile)));
  const dataDir =
    kept === undefined ? folder : copyVenue({ ...site, template: folder }, `scale-${name}`);
  return { dataDir, venue, cards, events };
}
