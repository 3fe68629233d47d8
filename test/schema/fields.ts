/** The fields of every request that `schema/contract/` exports, each with the bounds it is under. */
import { join } from "node:path";
import { type TSchema, TypeGuard } from "@sinclair/typebox";
import { Glob } from "bun";

export interface RequestField {
  /** Such as `reconcile.batchRequest.events[].amount`. */
  readonly path: string;
  readonly schema: TSchema;
  /** Of what the bounds are: the number itself, or the length of a text or an array. */
  readonly of: "value" | "length" | "items";
  readonly min: number | null;
  readonly max: number | null;
}

const directory = join(import.meta.dir, "../../schema/contract");
const isNumber = (value: unknown): number | null => (typeof value === "number" ? value : null);

function fieldOf(path: string, schema: TSchema): RequestField | null {
  const { type, minimum, maximum, minLength, maxLength, minItems, maxItems } = schema;
  const made = (of: RequestField["of"], min: unknown, max: unknown): RequestField | null =>
    min === undefined && max === undefined
      ? null
      : { path, schema, of, min: isNumber(min), max: isNumber(max) };
  if (type === "integer") return made("value", minimum, maximum);
  if (type === "string") return made("length", minLength, maxLength);
  return type === "array" ? made("items", minItems, maxItems) : null;
}

function* walk(path: string, schema: TSchema): Generator<RequestField> {
  // Amounts, and items of a batch: what is wrong with one is not said by the contract.
  if (TypeGuard.IsUnknown(schema)) return;
  const field = fieldOf(path, schema);
  if (field !== null) yield field;
  if (TypeGuard.IsSchema(schema.items)) yield* walk(`${path}[]`, schema.items);
  for (const [name, inner] of Object.entries<unknown>(schema.properties ?? {})) {
    if (TypeGuard.IsSchema(inner)) yield* walk(`${path}.${name}`, inner);
  }
  for (const inner of (schema.anyOf ?? []) as unknown[]) {
    if (TypeGuard.IsSchema(inner)) yield* walk(path, inner);
  }
}

export async function requestFields(): Promise<RequestField[]> {
  const found: RequestField[] = [];
  for (const file of [...new Glob("*.ts").scanSync(directory)].sort()) {
    const exported: Record<string, unknown> = await import(join(directory, file));
    for (const [name, schema] of Object.entries(exported)) {
      if (!/(Request|Query)$/.test(name) || !TypeGuard.IsSchema(schema)) continue;
      found.push(...walk(`${file.slice(0, -3)}.${name}`, schema));
    }
  }
  return found;
}
