/** Letting others in: long work that is done a piece at a time waits here between two pieces. */

/** Resolves once whatever waits for the event loop has had its turn. */
export const nextTurn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });
