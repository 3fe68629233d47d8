/**
 * The rows of a batch as PostgreSQL takes them fastest: tables of many rows as one array a column,
 * through `unnest`; the few others row by row, in Kartu's own words.
 */
import { auditDetailInsert, auditInsert } from "../../../schema/query/audit.ts";
import { batchInsert } from "../../../schema/query/batch.ts";
import { cardUpdate, debitWeekPut, headUpdate } from "../../../schema/query/card.ts";
import { eventInsert, holeInsert, placeInsert } from "../../../schema/query/event.ts";
import { flagInsert } from "../../../schema/query/flag.ts";
import { txnStatus, walletAdd } from "../../../schema/query/money.ts";
import { publishedInsert } from "../../../schema/query/published.ts";
import { settlementAdd } from "../../../schema/query/settlement.ts";
import type { Param, Statement } from "../../../schema/query/statement.ts";
import { topupCredited, topupSettle } from "../../../schema/query/topup.ts";
import type { Closing, Writes } from "./batch.ts";

export interface Write {
  readonly text: string;
  readonly params: readonly Param[];
}

type Sql = Pick<Statement, "sql">;

/** `?7` is `$7` there. */
export const dollars = (sql: string): string => sql.replace(/\?(\d+)/g, "$$$1");

const arrays = (count: number): string =>
  Array.from({ length: count }, (_, i) => `$${i + 1}::bigint[]`).join();

/** `INSERT … VALUES (?1, …)` for columns of integers; constants among the values stay. */
function insertMany({ sql }: Sql): string {
  const count = sql.match(/\?\d+/g)?.length ?? 0;
  const names = Array.from({ length: count }, (_, i) => `p${i + 1}`).join();
  return sql.replace(/VALUES \((.*?)\)/s, (_, list: string) => {
    const cells = list.replace(/\?(\d+)/g, "one.p$1");
    return `SELECT ${cells} FROM unnest(${arrays(count)}) AS one(${names})`;
  });
}

/** `UPDATE head …` for columns of integers. */
function updateMany({ sql }: Sql): string {
  const count = sql.match(/\?\d+/g)?.length ?? 0;
  const names = Array.from({ length: count }, (_, i) => `p${i + 1}`).join();
  return sql
    .replace(/\?(\d+)/g, "one.p$1")
    .replace("WHERE card_no", `FROM unnest(${arrays(count)}) AS one(${names}) WHERE head.card_no`)
    .replace("AND tenant_id", "AND head.tenant_id");
}

/** Rows of integers as columns, each in the text form of an array. */
function columnsOf(rows: readonly (readonly Param[])[]): string[] {
  const count = rows[0]?.length ?? 0;
  return Array.from({ length: count }, (_, column) => {
    let text = "{";
    for (const row of rows) text += `${text === "{" ? "" : ","}${row[column] ?? "NULL"}`;
    return `${text}}`;
  });
}

const bulk = [
  ["events", insertMany(eventInsert)],
  ["places", insertMany(placeInsert)],
  ["heads", updateMany(headUpdate)],
  ["holes", insertMany(holeInsert)],
] as const;

/** There the old value needs the name of its table. */
const added = settlementAdd.sql.replace(/= (\w+) \+/g, "= settlement.$1 +");

const single = [
  ["weeks", dollars(debitWeekPut.sql)],
  ["validated", dollars(cardUpdate.sql)],
  ["settled", dollars(topupSettle.sql)],
  ["completed", dollars(txnStatus.sql)],
  ["credited", dollars(topupCredited.sql)],
  ["flags", dollars(flagInsert.sql)],
  ["published", dollars(publishedInsert.sql)],
  ["settlements", dollars(added)],
] as const;

const wallet = dollars(walletAdd.sql);

export function tableWrites(writes: Writes): Write[] {
  const all: Write[] = [];
  for (const [name, text] of bulk) {
    if (writes[name].length > 0) all.push({ text, params: columnsOf(writes[name]) });
  }
  for (const [name, text] of single) {
    for (const params of writes[name]) all.push({ text, params });
  }
  all.push({ text: wallet, params: writes.walletAdd });
  return all;
}

const audit = dollars(auditInsert.sql);
const auditDetail = dollars(auditDetailInsert.sql);
const batch = dollars(batchInsert.sql);

export const closingWrites = (closing: Closing): Write[] => [
  { text: audit, params: closing.audit },
  { text: auditDetail, params: closing.auditDetail },
  { text: batch, params: closing.batch },
];
