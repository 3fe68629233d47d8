/**
 * Lists: one keyset pager. A handler reads one row more than the page holds and says how its rows are
 * placed; cursors are signed, and bound to tenant, operation, filter and sort.
 */

/** Keyset position of a row: the values that the list is ordered by. */
export type Place = readonly (string | number)[];

/** What a list's query has besides its filters. */
export interface PageQuery {
  /** Rows wanted, 1 to 100. */
  readonly limit: number;
  /** Keyset position of the last row of the page before; undefined on the first page. */
  readonly after: Place | undefined;
}

/** A call of a list, as far as this needs it. */
export interface PageCall {
  readonly query: PageQuery;
  /** The signed cursor of a row's place in this very list. */
  readonly cursorOf: (place: Place) => string;
}

/** One page of a list as a handler answers it; `pageOf` makes it. */
export interface ListAnswer<T> {
  readonly data: readonly T[];
  readonly meta: {
    readonly cursor: string | null;
    readonly hasMore: boolean;
    readonly total: number;
    readonly totalCapped?: true;
  };
}

/** Counting goes no further on logs that only grow. */
export const totalMax = 100_000;

export interface PageSource<Row> {
  /** Rows behind `after` in the list's order, at most `limit`. */
  read(after: Place | undefined, limit: number): Promise<readonly Row[]>;
  /** Where a row stands: what the next page's `after` will be. */
  placeOf(row: Row): Place;
  /** Every row that the filter lets through. With `capped` it may stop at `totalMax` + 1. */
  count(): Promise<number>;
  /** The list is a log that only grows: counting stops at `totalMax`. */
  readonly capped?: true;
}

/** One page of a list, as its route answers it: rows as `item` shows them. */
export async function pageOf<Row, T>(
  call: PageCall,
  source: PageSource<Row>,
  item: (row: Row) => T,
): Promise<ListAnswer<T>> {
  const { limit, after } = call.query;
  // One row more than the page holds tells whether there is a next one.
  const rows = await source.read(after, limit + 1);
  const shown = rows.length > limit ? rows.slice(0, limit) : rows;
  const last = shown.at(-1);
  const hasMore = rows.length > limit && last !== undefined;
  // A first page without a next one is all there is.
  const isAll = after === undefined && !hasMore;
  const total = isAll ? rows.length : await source.count();
  const cursor = hasMore ? call.cursorOf(source.placeOf(last)) : null;
  const isCapped = source.capped === true && total > totalMax;
  return {
    data: shown.map(item),
    meta: isCapped
      ? { cursor, hasMore, total: totalMax, totalCapped: true }
      : { cursor, hasMore, total },
  };
}

/** A page of a list that is whole in memory, in its order; places are indexes. */
export function pageOfArray<T>(call: PageCall, rows: readonly T[]): ListAnswer<T> {
  const { limit, after } = call.query;
  const start = after === undefined ? 0 : Number(after[0]) + 1;
  const end = start + limit;
  const hasMore = end < rows.length;
  const cursor = hasMore ? call.cursorOf([end - 1]) : null;
  return { data: rows.slice(start, end), meta: { cursor, hasMore, total: rows.length } };
}
