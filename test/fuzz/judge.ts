/** Values against the schemas of documents, each schema compiled once. */
import Ajv, { type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import type { Operation, Schema } from "./document.ts";

/** In letters of any script, its domain without a dot too, with blanks around it. */
const email = /^\s*[^\s@\p{Cc}]+@[^\s@\p{Cc}]+\s*$/u;

/**
 * Formats as a caller may write them, which is more than what answers keep to: a time in any form of ISO
 * 8601 that has a zone, and 24:00 as the end of a day.
 */
export const asked: Readonly<Record<string, RegExp>> = {
  email,
  "date-time":
    /^\d{4}-?\d\d-?\d\d[Tt]\d\d(:?[0-5]\d(:?[0-5]\d([.,]\d{1,9})?)?)?([Zz]|[+-]\d\d(:?[0-5]\d)?)$/,
};

export class Judge {
  readonly #ajv = addFormats(new Ajv({ strict: false, allErrors: false }));
  readonly #checks = new WeakMap<Schema, ValidateFunction>();
  /** Many answers are described in the same words. */
  readonly #byText = new WeakMap<object, Map<string, ValidateFunction>>();

  /** @param formats in place of those of JSON Schema */
  constructor(formats: Readonly<Record<string, RegExp>> = { email }) {
    for (const [name, format] of Object.entries(formats)) this.#ajv.addFormat(name, format);
  }

  /** What a value has against a schema of an operation's document; empty: nothing. */
  faults({ schemas }: Operation, schema: Schema, value: unknown): string {
    let check = this.#checks.get(schema);
    if (check === undefined) {
      const known = this.#byText.get(schemas) ?? new Map<string, ValidateFunction>();
      this.#byText.set(schemas, known);
      const text = JSON.stringify(schema);
      check = known.get(text) ?? this.#ajv.compile({ ...schema, components: { schemas } });
      known.set(text, check);
      this.#checks.set(schema, check);
    }
    return check(value) ? "" : this.#ajv.errorsText(check.errors);
  }
}
