/** Work on a list, a bounded number of items at once. */

/** Runs `work` over a list, `width` at a time, started in order. The first failure is the caller's. */
export async function pooled<T>(
  list: readonly T[],
  width: number,
  work: (item: T, index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const lane = async () => {
    for (let i = next++; i < list.length; i = next++) await work(list[i] as T, i);
  };
  await Promise.all(Array.from({ length: Math.min(width, list.length) }, lane));
}
