/**
 * Variables of the environment as a table of rows: parsing them all, and saying everything that is
 * wrong at once. Knows no variable by name.
 */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What is wrong with a value, as "must be …". */
export class BadValue extends Error {
  override readonly name = "BadValue";

  /** @param hide the value itself must not be printed */
  constructor(
    message: string,
    readonly hide = false,
  ) {
    super(message);
  }
}

export interface Variable<T> {
  readonly name: `KARTU_${string}`;
  /** @throws BadValue */
  readonly parse: (text: string) => T;
  readonly fallback: T;
  /** The default in the README, where it is not the fallback itself. */
  readonly shown?: string;
  /** Its value is never printed. */
  readonly secret?: true;
  readonly meaning: string;
}

export const variable = <T>(
  name: `KARTU_${string}`,
  parse: (text: string) => T,
  fallback: NoInfer<T>,
  meaning: string,
  more: { shown?: string; secret?: true } = {},
): Variable<T> => ({ name, parse, fallback, meaning, ...more });

export const text = (value: string): string => {
  if (/[\u0000-\u001f\u007f]/.test(value)) {
    throw new BadValue("must be text without control characters");
  }
  return value;
};

export const host = (value: string): string => {
  const bare = value.replace(/^\[(.*)\]$/, "$1");
  if (!/^[A-Za-z0-9_.:%-]{1,253}$/.test(bare)) throw new BadValue("must be a host name or address");
  return bare;
};

export const integer =
  (min: number, max: number) =>
  (value: string): number => {
    const number = /^(0|[1-9][0-9]{0,15})$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= min && number <= max)) {
      throw new BadValue(`must be a whole number from ${min} to ${max}`);
    }
    return number;
  };

export const oneOf =
  <const T extends string>(...choices: readonly T[]) =>
  (value: string): T => {
    const found = choices.find((choice) => choice === value);
    if (found === undefined) throw new BadValue(`must be one of ${choices.join(", ")}`);
    return found;
  };

export const yesOrNo = (value: string): boolean => oneOf("true", "false")(value) === "true";

/** An absolute http or https address, without its last slash. */
export const address = (value: string): string => {
  const url = URL.parse(value);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new BadValue("must be an http or https address");
  }
  if (url.username || url.password || url.search || url.hash) {
    throw new BadValue("must be an address without user, query or fragment", true);
  }
  return url.href.replace(/\/+$/, "");
};

/** Number of single-character edits from `a` to `b`, a swap of neighbours counting as one. */
const distance = (a: string, b: string): number => {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + changed);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, before[j - 2]! + 1);
      }
      row.push(best);
    }
    before = last;
    last = row;
  }
  return last[b.length]!;
};

const nearMax = 3;

const unknownWarning = (name: string, knownNames: Iterable<string>): string => {
  let nearest = "";
  let least = nearMax + 1;
  for (const known of knownNames) {
    const edits = distance(name.toUpperCase(), known);
    if (edits < least) {
      least = edits;
      nearest = known;
    }
  }
  return `${name} is no setting of this version${nearest && `; did you mean ${nearest}?`}`;
};

const quotedMax = 80;

const badFault = (row: Variable<unknown>, value: string, bad: BadValue): string => {
  if (row.secret || bad.hide) return `${row.name}: ${bad.message} (the value is not shown)`;
  const short = value.length > quotedMax ? `${value.slice(0, quotedMax)}…` : value;
  return `${row.name}: ${bad.message}, not ${JSON.stringify(short)}`;
};

type Table = Readonly<Record<string, Variable<unknown>>>;
export type Values<T extends Table> = {
  readonly [K in keyof T]: T[K] extends Variable<infer V> ? V : never;
};

export type ReadVariables<T extends Table> =
  | { readonly values: Values<T>; readonly warnings: readonly string[] }
  | { readonly faults: readonly string[] };

/**
 * The value of every row of `table` from `env`, or everything that is wrong, a line each. An empty
 * value counts as absent. A name beginning with KARTU_ that no row has is most likely a typo, or a
 * setting of another version: it stops nothing, but `warnings` tells of it.
 */
export const readVariables = <T extends Table>(table: T, env: Environment): ReadVariables<T> => {
  const faults: string[] = [];
  const values: Record<string, unknown> = {};
  const known = new Set<string>();
  for (const [key, row] of Object.entries(table)) {
    known.add(row.name);
    const value = env[row.name] ?? "";
    values[key] = row.fallback;
    if (value === "") continue;
    try {
      values[key] = row.parse(value);
    } catch (error) {
      if (!(error instanceof BadValue)) throw error;
      faults.push(badFault(row, value, error));
    }
  }
  if (faults.length > 0) return { faults };
  const warnings = Object.keys(env)
    .filter((name) => /^kartu_/i.test(name) && !known.has(name))
    .map((name) => unknownWarning(name, known));
  return { values: values as Values<T>, warnings };
};
