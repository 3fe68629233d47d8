/** A `Problem` said in an operator's sentence, with the input at fault where there is one. */
import type { FieldCode, ProblemSlug } from "../../schema/problem.ts";
import { Problem } from "./problem.ts";

export class OperatorRefused extends Problem {
  constructor(slug: ProblemSlug, message: string, field?: string, code?: FieldCode) {
    super(slug, message, {
      ...(field !== undefined && { field }),
      ...(code !== undefined && { code }),
    });
  }
}
