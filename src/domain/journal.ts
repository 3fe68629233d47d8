/**
 * Settlement as a journal for hledger (and ledger): one transaction for what a terminal did of a kind on
 * a day. Signs are those of our own ledger: what is kept for somebody is positive, and `cash`, the world
 * outside, is what it gave. Accounts are those of the ledger, all cards being one. Transfers between
 * wallets are no part of settlement and not in it.
 *
 *   cash ──top-ups──▶ cards ──debits──▶ settlement:<terminalId>
 *   cash ──credits without a top-up──▶ suspense ──let stand──▶ cards
 *   suspense ──given back──▶ cash        cards ──refunds──▶ cash
 */
import { dayText } from "./calendar.ts";
import type { DayRow } from "./settlement.ts";

export interface JournalHead {
  /** Of the tenant. */
  readonly tenant: string;
  readonly from: number;
  readonly to: number;
  /** Number of the run; null for what may still change. */
  readonly run: number | null;
}

/** Words of others in one line: nothing that would end a description or begin a tag. */
const plain = (text: string): string => (simple.test(text) ? text : escaped(text));

/** What needs no look at what letters are: most of all names. */
const simple = /^[\w.,:+()-]+(?: [\w.,:+()-]+)*$/;

const escaped = (text: string): string =>
  text
    .replace(/[\p{Cc}\p{Zl}\p{Zp};|]+/gu, " ")
    .replace(/\s+/g, " ")
    .trim();

const settlementAccount = (terminalId: number): string => `settlement:${terminalId}`;

/** What moved how much from where to where, for what, and in how many pieces where they are counted. */
type Move = readonly [what: string, from: string, to: string, amount: number, count: number | null];

function movesOf(row: DayRow): Move[] {
  const till = row.terminalId === null ? "settlement" : settlementAccount(row.terminalId);
  const moves: Move[] = [
    ["debits", "cards", till, row.debitAmount, row.debits],
    ["top-ups", "cash", "cards", row.topupAmount, row.topups],
    ["credits without a top-up", "cash", "suspense", row.parkedAmount, null],
    ["credits let stand", "suspense", "cards", row.releasedAmount, null],
    ["credits given back", "suspense", "cash", row.returnedAmount, null],
    ["refunds", "cards", "cash", row.refundAmount, row.refunds],
  ];
  return moves.filter(([, , , amount]) => amount !== 0);
}

function entry(row: DayRow, currency: string, [what, from, to, amount, count]: Move): string {
  const { terminalId, deviceId, name, belongsTo } = row;
  const who = terminalId === null ? "house" : `terminal ${terminalId}`;
  const called = plain([deviceId, name].filter((each) => each !== null).join(", "));
  const lines = [`${dayText(row.day)} ${who} | ${called === "" ? what : `${what}, ${called}`}`];
  if (count !== null) lines.push(`    ; pieces: ${count}`);
  if (belongsTo !== null) lines.push(`    ; belongsTo: ${dayText(belongsTo)}`);
  lines.push(`    ${from}  ${currency} ${-amount}`, `    ${to}  ${currency} ${amount}`);
  return `\n${lines.join("\n")}\n`;
}

/** A journal being written, its commodity and accounts declared, so that `hledger check --strict` holds. */
export class Journal {
  readonly #accounts = new Set(["cash", "cards", "suspense"]);
  readonly #entries: string[] = [];

  constructor(readonly currency: string) {}

  add(row: DayRow): void {
    for (const move of movesOf(row)) {
      this.#accounts.add(move[1]);
      this.#accounts.add(move[2]);
      this.#entries.push(entry(row, this.currency, move));
    }
  }

  /** The whole of it. */
  text({ tenant, from, to, run }: JournalHead): string {
    const { currency } = this;
    const what = run === null ? "settlement" : `settlement run ${run}`;
    const lines = [
      `; Kartu, ${what} of ${plain(tenant)}, ${dayText(from)} to ${dayText(to)}`,
      `; Amounts are minor units of ${currency}. What is kept for somebody is positive.`,
      `commodity ${currency} 1000.`,
      ...[...this.#accounts].map((account) => `account ${account}`),
    ];
    return `${lines.join("\n")}\n${this.#entries.join("")}`;
  }
}
