/**
 * What a server has recorded, as numbers by name: rows by table and state, audit records by action,
 * events by type, sums of money by account. The difference of two is the effect of what was done between.
 */
import type { Stand } from "./stand.ts";

export type Tally = Readonly<Record<string, number>>;

const states = (name: string, table: string, state: string): string =>
  `SELECT '${name} ' || ${state} AS name, count(*) AS n FROM ${table} GROUP BY ${state}`;

const count = (name: string, from: string): string =>
  `SELECT '${name}' AS name, count(*) AS n FROM ${from}`;

const settled = ["checkins", "debits", "debit_amount", "credit_amount", "topups", "topup_amount"];
const repaid = ["refunds", "refund_amount", "parked_amount", "released_amount", "returned_amount"];

const sql = [
  // Repeats and refusals are counted together, once a minute.
  states(
    "audit",
    "(SELECT action FROM audit WHERE action NOT IN ('fleet.batch.duplicate', 'fleet.device.token_refused'))",
    "action",
  ),
  states("event", "published_event", "type"),
  count("batch", "batch"),
  states("record", "event", "booking"),
  states("quarantine", "quarantine", "status"),
  states("flag", "flag", "status"),
  count("alert", "alert"),
  states("report", "report", "event_type"),
  states("card", "card", "status"),
  count("card replaced", "card WHERE replaced_by_no IS NOT NULL"),
  states("card key", "card", "key_version"),
  states("change", "card_change", "kind"),
  count("reissue", "reissue"),
  states("topup", "topup", "status"),
  states("txn", "txn", "type || ' ' || status"),
  count("posting", "posting"),
  states("member", "member", "status"),
  states("device", "device", "status"),
  count("secret", "device_secret"),
  count("secret live", "device_secret WHERE spent_at_ms IS NULL AND killed_at_ms IS NULL"),
  count("token", "device_token"),
  count("token live", "device_token WHERE revoked_at_ms IS NULL"),
  count("wallet", "wallet WHERE kind = 'user' OR system_key LIKE 'settlement:%'"),
  ...["available", "pending", "frozen"].map(
    (
      bucket,
    ) => `SELECT 'money ' || rtrim(coalesce(system_key, kind), ':0123456789') || ' ${bucket}',
      sum(${bucket}) FROM wallet GROUP BY 1`,
  ),
  ...[...settled, ...repaid].map(
    (column) => `SELECT 'settled ${column}', coalesce(sum(${column}), 0) FROM settlement`,
  ),
  count("settlement run", "settlement_run"),
  count("listing", "listing WHERE listed = 1"),
  states("membership", "membership", "status"),
  count("user", "user_account"),
  count("role", "role"),
  count("tenant", "tenant"),
  states("invitation", "invitation", "status"),
  count("session live", "session WHERE revoked_at_ms IS NULL"),
  count("session", "session"),
  count("refresh", "refresh_token"),
  count("refresh unused", "refresh_token WHERE used_at_ms IS NULL"),
  count("api key live", "api_key WHERE revoked_at_ms IS NULL"),
  count("recovery code spent", "recovery_code WHERE used_at_ms IS NOT NULL"),
  count("code spent", "oauth_request WHERE spent_at_ms IS NOT NULL"),
  "SELECT 'client versions', coalesce(sum(version), 0) FROM oauth_client",
  states("key", "key_version", "status"),
  count("kept clear", "idempotency WHERE body IS NOT NULL"),
  count("kept sealed", "idempotency WHERE sealed IS NOT NULL"),
].join("\nUNION ALL ");

export function tallyOf(stand: Stand): Tally {
  const rows = stand.rows<{ name: string; n: number }>(sql);
  return Object.fromEntries(rows.map(({ name, n }) => [name, n]));
}

const namesOf = (...tallies: readonly Tally[]): string[] => [
  ...new Set(tallies.flatMap((tally) => Object.keys(tally))),
];

/** What is in `after` beyond `before`, without what did not change. */
export function changeOf(before: Tally, after: Tally): Tally {
  const changed = namesOf(before, after).map(
    (name) => [name, (after[name] ?? 0) - (before[name] ?? 0)] as const,
  );
  return Object.fromEntries(changed.filter(([, n]) => n !== 0));
}

/** The sum of all, without what comes to nothing. */
export function sumOf(tallies: readonly Tally[]): Tally {
  const sums = namesOf(...tallies).map(
    (name) => [name, tallies.reduce((sum, tally) => sum + (tally[name] ?? 0), 0)] as const,
  );
  return Object.fromEntries(sums.filter(([, n]) => n !== 0));
}

export const times = (tally: Tally, factor: number): Tally =>
  sumOf(Array.from({ length: Math.max(0, factor) }, () => tally));

/** Every tenant's entries sum to zero. @throws Error if not */
export function proveBalance(stand: Stand): void {
  const wrong = stand.rows(
    "SELECT tenant_id FROM entry GROUP BY tenant_id HAVING sum(amount) <> 0",
  );
  if (wrong.length > 0) throw new Error(`books that do not balance: ${JSON.stringify(wrong)}`);
}
