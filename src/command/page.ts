/** Lists too long for one read: page after page, each from the key of the last row before. */
const pageRows = 1_000;

/** @param read rows after a key, in ascending order of it. */
export async function* pages<T>(
  read: (after: number, limit: number) => Promise<readonly T[]>,
  keyOf: (row: T) => number,
): AsyncGenerator<readonly T[]> {
  for (let after = 0; ; ) {
    const rows = await read(after, pageRows);
    yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < pageRows) return;
    after = keyOf(last);
  }
}

/** The same newest first: @param read rows below a key, in descending order of it. */
export async function* pagesDown<R, T>(
  read: (below: number, limit: number) => Promise<readonly R[]>,
  keyOf: (row: R) => number,
  shownOf: (row: R) => T,
): AsyncGenerator<readonly T[]> {
  for (let below = Number.MAX_SAFE_INTEGER; ; ) {
    const rows = await read(below, pageRows);
    yield rows.map(shownOf);
    const last = rows.at(-1);
    if (last === undefined || rows.length < pageRows) return;
    below = keyOf(last);
  }
}

/** A list that one read holds whole. */
export async function* onePage<T>(rows: Promise<readonly T[]>): AsyncGenerator<readonly T[]> {
  yield await rows;
}
