/** What walks have come to: calls by route and status, and what was found, each kind once. */
export interface Finding {
  readonly seed: number;
  /** How many calls came before. */
  readonly at: number;
  readonly operation: string;
  readonly why: string;
  readonly call: object;
  /** The call without all that may be left out, where it is wrong by itself. */
  readonly smallest?: object;
  readonly answer: object | null;
}

export class Tally {
  calls = 0;
  /** Calls that no request could be made of. */
  unsent = 0;
  readonly byStatus = new Map<number, number>();
  readonly byRoute = new Map<string, number>();
  /** Routes that were answered with a success. */
  readonly right = new Set<string>();
  readonly findings: Finding[] = [];
  /** Why people could not be made any more, and how often. */
  readonly ends = new Map<string, number>();
  readonly #seen = new Set<string>();

  constructor(private readonly onFinding: (finding: Finding) => void = () => undefined) {}

  gone(why: string): void {
    const kind = why.replaceAll(/[0-9a-f-]{8,}|\d+/g, "#").slice(0, 160);
    this.ends.set(kind, (this.ends.get(kind) ?? 0) + 1);
  }

  count(route: string, status: number): void {
    this.calls += 1;
    this.byStatus.set(status, (this.byStatus.get(status) ?? 0) + 1);
    this.byRoute.set(route, (this.byRoute.get(route) ?? 0) + 1);
    if (status < 400) this.right.add(route);
  }

  /** Whether something like it was found before. */
  knows(finding: Finding): boolean {
    return this.#seen.has(keyOf(finding));
  }

  /** Of findings that are alike the first is kept. */
  found(finding: Finding): void {
    if (this.knows(finding)) return;
    this.#seen.add(keyOf(finding));
    this.findings.push(finding);
    this.onFinding(finding);
  }
}

const keyOf = ({ operation, why }: Finding): string =>
  `${operation} ${why.replaceAll(/[0-9a-f-]{8,}|\d+/g, "#")}`;
