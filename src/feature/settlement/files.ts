/**
 * Rows of settlement as files, made a piece at a time, so that whoever waits for the server gets a turn
 * between two pieces. What a row looks like is the domain's.
 *
 *   json     {…the run, "data": [rows]}     one line, without a line feed at the end
 *   csv      as `domain/settlementtext.ts` says
 *   journal  as `domain/journal.ts` draws it
 */
import { Journal, type JournalHead } from "../../domain/journal.ts";
import {
  addTotals,
  type DayRow,
  isShown,
  noTotals,
  shownRow,
  type Totals,
} from "../../domain/settlement.ts";
import { csvHead, csvLine } from "../../domain/settlementtext.ts";
import { nextTurn } from "../../system/turn.ts";

/** Rows that one piece of work takes: less than a millisecond. */
export const rowsAtOnce = 100;

const encoder = new TextEncoder();

export class Files {
  readonly totals: Totals = noTotals();
  rows = 0;
  readonly #journal: Journal;
  readonly #csv: string[] = [csvHead];
  readonly #json: string[] = [];

  constructor(readonly currency: string) {
    this.#journal = new Journal(currency);
  }

  /** The next rows in their order. */
  async add(rows: Iterable<DayRow>): Promise<void> {
    let taken = 0;
    for (const row of rows) {
      this.#journal.add(row);
      if (isShown(row)) {
        const shown = shownRow(row, this.currency);
        this.#csv.push(csvLine(shown));
        this.#json.push(JSON.stringify(shown));
        addTotals(this.totals, row);
        this.rows += 1;
      }
      taken += 1;
      if (taken % rowsAtOnce === 0) await nextTurn();
    }
    await nextTurn();
  }

  csv(): Uint8Array<ArrayBuffer> {
    return encoder.encode(this.#csv.join(""));
  }

  journal(head: JournalHead): Uint8Array<ArrayBuffer> {
    return encoder.encode(this.#journal.text(head));
  }

  /** @param head an object; the rows become its last member, `data` */
  json(head: object): Uint8Array<ArrayBuffer> {
    const start = JSON.stringify({ ...head, data: [] });
    return encoder.encode(`${start.slice(0, -2)}${this.#json.join(",")}]}`);
  }
}
