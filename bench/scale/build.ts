/**
 * Makes a venue with a long history, in a process of its own: a shortcut past the server, row by row
 * what it would have written, so that `kartu verify` finds nothing. The devices come from `venue.ts`.
 * Arguments: data directory of such a venue, cards, events, opening of the last day in UTC seconds,
 * seed, file for what the cards know. Prints one JSON object.
 */
import { writeFileSync } from "node:fs";
import { grantInsert } from "../../schema/query/session.ts";
import { Cards, openedBeforeSec } from "../domain/card.ts";
import { Random } from "../domain/random.ts";
import { Bulk } from "./bulk.ts";
import { type Ground, groundOf } from "./ground.ts";
import { History } from "./history.ts";
import { addPeople, Desk } from "./people.ts";

/** The venue is open on one day of each of the last weeks; the last of them is today. */
const daysOpen = 3;
const weekSec = 7 * 86_400;
/** Cards open within so many seconds of the venue. */
const openingSpanSec = 600;
const grantTtlSec = 86_400;

export interface Built {
  /** Grants that every device has. */
  readonly grantsEach: number;
  readonly tookSec: number;
}

/** On which day of the venue a round is; the last round is always today. */
const dayOfRound = (round: number, rounds: number): number =>
  daysOpen - 1 - Math.floor(((rounds - 1 - round) * daysOpen) / rounds);

/** Every device took a grant on the days before today too, an hour before opening. */
function grantAll({ bulk, tenantId, devices }: Ground, openSec: number): void {
  const insert = bulk.use(grantInsert);
  const known = bulk.rows<{ device_no: number; ops: number; key_version: number }>(
    "SELECT device_no, ops, key_version FROM session_grant GROUP BY device_no",
  );
  const opsOf = new Map(known.map((row) => [row.device_no, row]));
  for (const { device_no: deviceNo } of devices) {
    const grant = opsOf.get(deviceNo);
    if (grant === undefined) throw new Error("a device without a grant");
    const issuedSec = openSec - 3_600;
    const { key_version: version, ops } = grant;
    insert(tenantId, deviceNo, version, ops, issuedSec * 1000, issuedSec + grantTtlSec);
  }
}

/** @returns how many days the venue was open */
function write(ground: Ground, events: number, todaySec: number, draw: Random): number {
  const { cards } = ground;
  const rounds = Math.ceil(events / cards.count);
  const history = new History(ground, draw);
  const desk = new Desk(ground);
  const openOf = (day: number): number => todaySec - (daysOpen - 1 - day) * weekSec;
  let day = -1;
  let daysUsed = 0;
  for (let round = 0; round < rounds; round++) {
    const at = dayOfRound(round, rounds);
    if (at !== day) {
      day = at;
      daysUsed += 1;
      const openSec = openOf(day);
      cards.open(openSec);
      history.open(openSec + openingSpanSec);
      if (round === 0) {
        addPeople(ground, openSec);
        desk.takeOpenings(openSec);
      }
      if (day === daysOpen - 1) {
        history.firstExtraNo = desk.takeExtras(openSec);
        cards.offerExtras(true);
      } else grantAll(ground, openSec);
    }
    history.round(Math.min(cards.count, events - round * cards.count));
  }
  desk.close(todaySec * 1000);
  history.close();
  return daysUsed;
}

function main(args: readonly string[]): Built {
  const [dataDir = "", cardCount = "", events = "", todaySec = "", seed = "", cardsFile = ""] =
    args;
  const startMs = performance.now();
  const draw = new Random(Number(seed));
  const cards = new Cards(Number(cardCount), Number(todaySec) - openedBeforeSec, draw);
  cards.offerExtras(false);
  const bulk = new Bulk(dataDir);
  const grantsEach = write(groundOf(bulk, cards), Number(events), Number(todaySec), draw);
  bulk.close();
  writeFileSync(cardsFile, Buffer.concat(cards.dump()));
  return { grantsEach, tookSec: Math.round(performance.now() - startMs) / 1000 };
}

if (import.meta.main) process.stdout.write(`${JSON.stringify(main(process.argv.slice(2)))}\n`);
