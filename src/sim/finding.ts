/**
 * What a run found wrong: the first findings in full, the rest only counted. Empty means that every
 * answer was as the model says.
 */
const keptMax = 200;

export interface Finding {
  /** Which rule or call, in a few words. */
  readonly what: string;
  readonly expected: unknown;
  readonly got: unknown;
}

export class Findings {
  readonly list: Finding[] = [];
  count = 0;

  add(what: string, expected: unknown, got: unknown): void {
    this.count += 1;
    if (this.list.length < keptMax) this.list.push({ what, expected, got });
  }

  /** Compares two JSON values deeply; notes a finding where they differ. */
  same(what: string, expected: unknown, got: unknown): boolean {
    if (Bun.deepEquals(expected, got)) return true;
    this.add(what, expected, got);
    return false;
  }
}
