/** Every statement that `schema/query/` exports, with the name under which it is imported. */
import { join } from "node:path";
import { Glob } from "bun";
import type { Statement } from "../../schema/query/statement.ts";

export interface Exported {
  /** Such as `card.ts`. */
  readonly file: string;
  readonly exportName: string;
  readonly statement: Statement;
}

const directory = join(import.meta.dir, "../../schema/query");

const isStatement = (value: unknown): value is Statement =>
  typeof value === "object" && value !== null && "name" in value && "sql" in value;

export async function allStatements(): Promise<Exported[]> {
  const found: Exported[] = [];
  for (const file of [...new Glob("*.ts").scanSync(directory)].sort()) {
    const exported: Record<string, unknown> = await import(join(directory, file));
    for (const [exportName, value] of Object.entries(exported)) {
      if (isStatement(value)) found.push({ file, exportName, statement: value });
    }
  }
  return found;
}
