/**
 * What a run met: calls, events, restarts, and each flag reason, rejection and refusal by name; and a digest
 * of all answers, which is the same whenever a seed is played again.
 */
import type { Answer } from "../../caller.ts";

/** The server did what it never may: an answer of status 500 or above. */
class ServerFault extends Error {
  override readonly name = "ServerFault";
}

/** Reasons of flags that devices are told of or the review queue gets. */
const flagReasons = [
  ...["single_tx_limit_exceeded", "daily_limit_exceeded", "weekly_limit_exceeded"],
  ...["balance_limit_exceeded", "card_blocked", "card_expired", "clock_drift", "late_submission"],
  ...["op_not_allowed", "balance_mismatch", "chain_mismatch", "invalid_transition"],
  ...["unauthorised_credit", "overdrawn", "terminal_suspended", "missing_events", "under_review"],
] as const;

const rejectionReasons = [
  ...["unknown_card", "invalid_amount", "counter_leap", "duplicate", "counter_conflict"],
] as const;

/** Codes that a device can be refused with where limits are off and nothing fails inside. */
const refusalCodes = [
  ...["not_found", "method_not_allowed", "payload_too_large", "invalid_token", "insufficient_role"],
  ...["terminal_suspended", "op_not_granted", "unsupported_media_type", "malformed_payload"],
  ...["batch_too_large", "invalid_role", "invalid_credentials", "device_suspended"],
  ...["terminal_mismatch", "idempotency_key_conflict", "card_not_found", "topup_not_found"],
  ...["card_already_registered", "card_replaced", "user_has_active_card", "topup_settled"],
  ...["duplicate_counter", "invalid_user", "invalid_key_version", "card_blocked"],
  "balance_limit_exceeded",
] as const;

interface BatchAnswer {
  readonly flags?: readonly { readonly reason: string }[];
  readonly rejections?: readonly { readonly reason: string }[];
}

export type Counts = Record<string, number>;

/** Everything that was counted, names sorted by kind: `flag overdrawn`, `refusal card_blocked`. */
export interface Met {
  calls: number;
  events: number;
  restarts: number;
  readonly counts: Counts;
}

const isOfDevice = (path: string): boolean => !path.startsWith("/api/v1/");

export class Tally implements Met {
  calls = 0;
  events = 0;
  restarts = 0;
  readonly counts: Counts = {};
  readonly #digest = new Bun.CryptoHasher("sha256");
  /** Told of each call and its answer. */
  onCall: (line: string) => void = () => undefined;

  count(name: string): void {
    this.counts[name] = (this.counts[name] ?? 0) + 1;
  }

  restarted(): void {
    this.restarts += 1;
  }

  answered(by: string, method: string, path: string, body: unknown, answer: Answer): void {
    const { status, json } = answer;
    this.calls += 1;
    // Signatures and trace ids are never the same twice.
    const text = JSON.stringify(json, (name, value) =>
      name === "signature" || name === "traceId" ? undefined : (value as unknown),
    );
    this.#digest.update(`${method} ${path} ${status} ${text}\n`);
    this.onCall(`${by} ${method} ${path} ${JSON.stringify(body) ?? ""} → ${status} ${text ?? ""}`);
    if (status >= 500) throw new ServerFault(`${method} ${path}: ${status} ${text}`);
    if (!isOfDevice(path)) {
      this.#operated(method, path, answer);
      return;
    }
    if (status >= 400) this.count(`refusal ${(json as { error: string }).error}`);
    if (answer.headers.get("idempotent-replayed") === "true") this.count("replayed");
    if (path !== "/api/reconcile") return;
    const events = (body as { events?: readonly unknown[] } | undefined)?.events;
    if (status === 200 || status === 409) this.events += events?.length ?? 0;
    if (status !== 200) return;
    const { flags = [], rejections = [] } = json as BatchAnswer;
    for (const { reason } of flags) this.count(`flag ${reason}`);
    for (const { reason } of rejections) this.count(`rejection ${reason}`);
  }

  #operated(method: string, path: string, { status, json }: Answer): void {
    const slug = String((json as { type?: string } | undefined)?.type ?? "").replace(/^.*\//, "");
    this.count(status < 400 ? `operator ${method} ${shapeOf(path)}` : `operator ${slug}`);
  }

  digest(): string {
    return this.#digest.copy().digest("hex");
  }
}

/** A path without its query, ids left out. */
const shapeOf = (path: string): string =>
  path
    .replace(/\?.*$/, "")
    .replace("/api/v1", "")
    .replaceAll(/\/([0-9a-f]{12}|[0-9a-f-]{36}|\d+)(?=\/|$)/g, "/:id");

/** Names that were expected and never met. */
export function unmet(counts: Counts): string[] {
  const wanted = [
    ...flagReasons.map((name) => `flag ${name}`),
    ...rejectionReasons.map((name) => `rejection ${name}`),
    ...refusalCodes.map((name) => `refusal ${name}`),
  ];
  return wanted.filter((name) => counts[name] === undefined);
}

export function addCounts(into: Counts, more: Counts): void {
  for (const [name, count] of Object.entries(more)) into[name] = (into[name] ?? 0) + count;
}
