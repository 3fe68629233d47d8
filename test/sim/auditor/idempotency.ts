/**
 * Idempotency keys: the answer of a call that went well is due again for a day when the same key comes with
 * the same body, and another body is refused.
 */
import { diverge } from "./call.ts";
import { type Asked, type Due, type Part, refuse } from "./due.ts";

const lifeSec = 86_400;

interface Answered {
  readonly body: string;
  readonly status: number;
  readonly json: Part;
  readonly atSec: number;
}

export class Kept {
  readonly #answers = new Map<string, Answered>();

  constructor(private readonly conflict: string) {}

  /** What is due for a call: what was answered before, or what `make` says. */
  once({ call, answer, nowSec }: Asked, path: string, make: () => Due): Due {
    if (call.key === undefined) return make();
    const scope = `${call.by} ${call.method} ${path} ${call.key.toLowerCase()}`;
    const body = JSON.stringify(call.body ?? {});
    const known = this.#answers.get(scope);
    if (known && nowSec < known.atSec + lifeSec) {
      if (known.body !== body) return refuse(409, this.conflict);
      const isReplayed = answer.headers.get("idempotent-replayed") === "true";
      if (!isReplayed) diverge(scope, "Idempotent-Replayed: true", null, "the header is missing");
      return { status: known.status, body: known.json };
    }
    const due = make();
    if (due.status < 300 && answer.status === due.status) {
      const json = answer.json as Part;
      this.#answers.set(scope, { body, status: due.status, json, atSec: nowSec });
    }
    return due;
  }
}
