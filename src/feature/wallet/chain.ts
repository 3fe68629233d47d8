/**
 * The transactions of a person's wallet, newest first: each names the one before, so that no index is kept
 * of them. What a filter leaves out is passed over a stretch at a time, so that other calls get on.
 */
import type { Reader } from "../../store/seam.ts";
import {
  type LinkRow,
  readChain,
  readLinks,
  readTransactionByNo,
  type Span,
  type TransactionRow,
} from "./store.ts";

export interface ChainScope {
  readonly walletNo: number;
  /** Newest transaction; 0: there is none. */
  readonly last: number;
  readonly count: number;
}

export interface Chained {
  readonly row: TransactionRow;
  /** The one before; 0: there is none. */
  readonly next: number;
}

/** Links that one statement follows. */
const stretch = 1_000;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const isWhole = ({ fromNo, belowNo, type, status }: Span): boolean =>
  fromNo === 0 && belowNo === Number.MAX_SAFE_INTEGER && type === null && status === null;

const fits = ({ belowNo, type, status }: Span, link: LinkRow): boolean =>
  link.txn_no < belowNo &&
  (type === null || link.type === type) &&
  (status === null || link.status === status);

/** Links that the filter lets through, until `each` has enough of them. */
async function follow(
  q: Reader,
  tenantId: number,
  walletNo: number,
  fromNo: number,
  span: Span,
  each: (link: LinkRow) => boolean,
): Promise<void> {
  for (let next = fromNo; next > 0; ) {
    const links = await readLinks(q, tenantId, walletNo, next, stretch);
    for (const link of links) {
      if (link.txn_no < span.fromNo) return;
      if (fits(span, link) && !each(link)) return;
      next = link.before_no;
    }
    if (links.length < stretch) return;
    await turn();
  }
}

/** At most `limit`, from transaction `fromNo` on. */
export async function chainBelow(
  q: Reader,
  tenantId: number,
  walletNo: number,
  fromNo: number,
  span: Span,
  limit: number,
): Promise<Chained[]> {
  if (fromNo === 0) return [];
  if (isWhole(span)) {
    const found = await readChain(q, tenantId, walletNo, fromNo, limit);
    return found.map((row) => ({ row, next: row.before_no }));
  }
  const links: LinkRow[] = [];
  await follow(q, tenantId, walletNo, fromNo, span, (link) => links.push(link) < limit);
  const found: Chained[] = [];
  for (const { txn_no: no, before_no: next } of links) {
    const row = await readTransactionByNo(q, tenantId, no);
    if (row !== undefined) found.push({ row, next });
  }
  return found;
}

/** How many there are; goes no further than one above `max`. */
export async function chainCount(
  q: Reader,
  tenantId: number,
  { walletNo, last, count }: ChainScope,
  span: Span,
  max: number,
): Promise<number> {
  if (isWhole(span)) return count;
  let sum = 0;
  await follow(q, tenantId, walletNo, last, span, () => ++sum <= max);
  return sum;
}
