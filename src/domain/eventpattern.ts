/**
 * Patterns that choose published events by type: a whole type (`fleet.card.blocked`), all that begin so
 * (`fleet.card.*`, `fleet.*`), or all (`*`). Pure text.
 */

/** Whether a type fits one of the patterns. */
export const fitsPattern = (type: string, patterns: readonly string[]): boolean =>
  patterns.some((pattern) =>
    pattern.endsWith("*") ? type.startsWith(pattern.slice(0, -1)) : type === pattern,
  );
