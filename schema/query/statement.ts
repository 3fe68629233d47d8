/**
 * A named SQL statement with the types of its parameters and of its row. Parameters are positional
 * (`?1`, `?2`, …); the labels of the tuple say what each one is. The name shows up in errors and in
 * the plan test; two statements never share one.
 */
export type Param = number | string | Uint8Array | null;

export interface Statement<P extends readonly Param[] = readonly Param[], R = unknown> {
  readonly name: string;
  readonly sql: string;
  /** Never set: they carry the types of the parameters and of a row. */
  readonly params?: P;
  readonly row?: R;
}

export const statement = <P extends readonly Param[], R = never>(
  name: string,
  sql: string,
): Statement<P, R> => ({ name, sql });
