/**
 * A fresh database of the whole schema, and one valid row of every table, in an order in which they
 * can be put in. What the rows say does not matter; that each is accepted as it stands does.
 */
import { Database } from "bun:sqlite";
import { schemaVersion, tables } from "../../schema/tables.ts";
import { migrate } from "../../src/store/migrate.ts";

export type Cell = number | bigint | string | Uint8Array | null;
export type Row = Readonly<Record<string, Cell>>;

/** In memory, empty, with foreign keys enforced. */
export function freshDatabase(): Database {
  const db = new Database(":memory:", { strict: true });
  migrate(db, { tables, migrations: [], version: schemaVersion });
  db.run("PRAGMA foreign_keys = ON");
  return db;
}

const uuid = "01971d3e-7a00-7cc3-98c4-dc0c0c07398f";
const cardId = "a1b2c3d4e5f6";
const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(7);
const made = { created_at_ms: 1, updated_at_ms: 1, version: 1 };
const days = { d0: 0, d1: 0, d2: 0, d3: 0, d4: 0, d5: 0, d6: 0 };

export const rows: readonly (readonly [table: string, row: Row])[] = [
  [
    "tenant",
    {
      ...{ tenant_id: 1, uuid, slug: "kantin", name: "Kantin", type: "platform", parent_id: null },
      ...{
        depth: 0,
        status: "active",
        block_reason: "unpaid",
        logo_url: "https://k.example/l.png",
      },
      ...{ currency: "IDR", timezone: "Asia/Jakarta", locale: "en", policy_version: 1 },
      ...{ blocklist_version: 0, ...made },
    },
  ],
  ["tenant_closure", { ancestor_id: 1, descendant_id: 1, distance: 0 }],
  [
    "user_account",
    {
      ...{ user_no: 1, uuid, email: "owner@example.com", name: "Owner", locale: "en" },
      ...{ password_hash: "x", email_verified_at_ms: 1, mfa_sealed: bytes(60), mfa_enabled: 1 },
      ...{ mfa_step: 1, remembered_tenant_id: 1, last_login_at_ms: 1, tokens_from_ms: 0, ...made },
    },
  ],
  [
    "membership",
    {
      ...{ membership_no: 1, tenant_id: 1, user_no: 1, status: "deleted", tokens_from_ms: 0 },
      ...{ deleted_at_ms: 1, joined_at_ms: 1, ...made },
    },
  ],
  [
    "role",
    {
      ...{ role_no: 1, uuid, tenant_id: 1, name: "owner", display_name: "Owner" },
      ...{ description: "Everything.", permissions: '["*"]', built_in: 1, created_by: "system" },
      ...made,
    },
  ],
  ["membership_role", { membership_no: 1, role_no: 1, tenant_id: 1 }],
  ["tenant_owner", { tenant_id: 1, membership_no: 1 }],
  [
    "session",
    {
      ...{ session_no: 1, uuid, tenant_id: 1, user_no: 1, client_no: null, scopes: null },
      ...{ cookie: 0, ip: "127.0.0.1", user_agent: "curl", created_at_ms: 1, last_used_at_ms: 1 },
      ...{ expires_at_ms: 1, revoked_at_ms: null },
    },
  ],
  [
    "refresh_token",
    { hash: bytes(32), session_no: 1, expires_at_ms: 1, used_at_ms: 1, grace_no: 1 },
  ],
  ["refresh_grace", { grace_no: 1, used_at_ms: 1, sealed: bytes(40) }],
  [
    "proof",
    {
      ...{ hash: bytes(32), kind: "verify", user_no: 1, data: "{}", expires_at_ms: 1 },
      ...{ used_at_ms: null, created_at_ms: 1 },
    },
  ],
  ["recovery_code", { user_no: 1, place: 0, hash: "x", used_at_ms: null }],
  [
    "invitation",
    {
      ...{ invitation_no: 1, uuid, tenant_id: 1, email: "siti@example.com", name: "Siti" },
      ...{ roles: '["member"]', token_hash: bytes(32), status: "pending", expires_at_ms: 1 },
      ...{ invited_by: uuid, created_at_ms: 1, updated_at_ms: 1 },
    },
  ],
  [
    "api_key",
    {
      ...{ api_key_no: 1, uuid, tenant_id: 1, name: "Till", hash: bytes(32), prefix: "ak_12345" },
      ...{ roles: '["member"]', allowed_ips: "[]", expires_at_ms: null, last_used_at_ms: null },
      ...{ revoked_at_ms: null, created_by: uuid, created_at_ms: 1 },
    },
  ],
  [
    "mail_outbox",
    {
      ...{ mail_no: 1, uuid, tenant_id: 1, recipient: "siti@example.com", attempts: 0 },
      ...{ sealed_letter: bytes(60), next_at_ms: 1, created_at_ms: 1 },
    },
  ],
  [
    "oauth_client",
    {
      ...{ client_no: 1, uuid, tenant_id: 1, name: "Shop", type: "confidential" },
      ...{ redirect_uris: "[]", grant_types: "[]", scopes: "[]", secret_hash: bytes(32) },
      ...{ old_secret_hash: bytes(32), old_secret_until_ms: 1, deleted_at_ms: null },
      ...{ created_by: uuid, ...made },
    },
  ],
  [
    "oauth_request",
    {
      ...{ request_no: 1, uuid, client_no: 1, redirect_uri: "https://shop.example/cb" },
      ...{ scopes: "[]", state: "s", nonce: "n", code_challenge: "c".repeat(43) },
      ...{ signed_in_from_ms: 1, status: "approved", user_no: 1, tenant_id: 1 },
      ...{ signed_in_at_ms: 1, code_hash: bytes(32), expires_at_ms: 1, spent_at_ms: 1, sid: uuid },
      created_at_ms: 1,
    },
  ],
  ["identity_link", { provider_id: "google", subject: "12345", user_no: 1, created_at_ms: 1 }],
  [
    "member",
    {
      ...{
        member_no: 1,
        uuid,
        tenant_id: 1,
        user_id: 1001,
        name: "Siti",
        email: "siti@example.com",
      },
      ...{ status: "active", ...made },
    },
  ],
  ["member_count", { tenant_id: 1, status: "closed", members: 1 }],
  [
    "key_version",
    {
      ...{
        tenant_id: 1,
        key_version: 1,
        status: "active",
        sealed_secret: bytes(72),
        note: "first",
      },
      ...{ created_at_ms: 1, activated_at_ms: 1, retired_at_ms: null },
    },
  ],
  [
    "signing_key",
    {
      ...{ kid: "grt_1", public_jwk: "{}", sealed_private: bytes(72), created_at_ms: 1 },
      retired_at_ms: null,
    },
  ],
  [
    "policy",
    {
      ...{ policy_no: 1, uuid, tenant_id: 1, scope: "tenant", scope_no: 0, max_balance: 5_000_000 },
      ...{ single_tx_limit: 1_000_000, daily_limit: 2_000_000, weekly_limit: 5_000_000 },
      ...{ blocked_statuses: 30, clock_drift_allowance_sec: 3_600, grant_ttl_sec: 28_800 },
      ...{ terminal_ops: 15, gate_ops: 13, station_ops: 113, ...made },
    },
  ],
  [
    "wallet",
    {
      ...{ wallet_no: 1, uuid, tenant_id: 1, kind: "system", user_no: null, system_key: "cash" },
      ...{ currency: "IDR", label: "Cash", status: "active", available: 0, pending: 0, frozen: 0 },
      ...made,
    },
  ],
  ["zone", { zone_no: 1, uuid, tenant_id: 1, name: "Hall", created_at_ms: 1, version: 1 }],
  [
    "device",
    {
      ...{
        device_no: 1,
        uuid,
        tenant_id: 1,
        device_id: "till-1",
        terminal_id: 1,
        role: "terminal",
      },
      ...{ name: "Till", zone_no: 1, member_no: null, settlement_wallet_no: 1, status: "active" },
      ...{ suspended_at_sec: null, last_seen_at_ms: null, ...made },
    },
  ],
  [
    "device_secret",
    {
      ...{ secret_no: 1, tenant_id: 1, device_no: 1, secret_hash: bytes(32), created_at_ms: 1 },
      ...{ expires_at_sec: 1, spent_at_ms: null, killed_at_ms: null },
    },
  ],
  [
    "device_token",
    {
      ...{ token_hash: bytes(32), tenant_id: 1, device_no: 1, secret_no: 1, issued_at_ms: 1 },
      ...{ expires_at_sec: 1, used_at_ms: null, revoked_at_ms: null },
    },
  ],
  [
    "session_grant",
    {
      ...{ grant_no: 1, tenant_id: 1, device_no: 1, key_version: 1, ops: 15, issued_at_ms: 1 },
      expires_at_sec: 1,
    },
  ],
  [
    "card",
    {
      ...{
        card_no: 1,
        tenant_id: 1,
        card_id: cardId,
        wallet_uuid: uuid,
        member_no: 1,
        user_id: 1001,
      },
      ...{ name: "Siti", status: 4, key_version: 1, created_at_sec: 1, expires_at_sec: 2 },
      ...{ blocked_at_sec: 1, block_reason: "lost", blocked_by: "x", replaces_no: null },
      ...{ replaced_by_no: null, needs_validation: 0, registered_at_ms: 1 },
    },
  ],
  ["card_count", { tenant_id: 1, status: 0, key_version: 1, needs_validation: 0, cards: 1 }],
  [
    "head",
    {
      ...{ card_no: 1, tenant_id: 1, event_id: 0, counter: 0, type: 0, amount: 0, chip_balance: 0 },
      ...{ timestamp_sec: 0, hash: 0, flags: 0, linked: 1, start_sec: 0, state: 0, shown_state: 0 },
      ...{ shown_counter: 0, opening_balance: 0, depth: 0, late: 0, quarantined: 0, available: 0 },
      ...{ pending: 0, frozen: 0, week: 0, ...days, applied: 0 },
    },
  ],
  ["head_round", { round: 1, through: 0 }],
  ["debit_week", { card_no: 1, week: 1, tenant_id: 1, ...days }],
  [
    "card_change",
    {
      ...{ change_no: 1, tenant_id: 1, card_no: 1, at_ms: 1, kind: "registered", terminal_id: 1 },
      ...{ actor: "x", amount: null, detail: "{}" },
    },
  ],
  [
    "reissue",
    { new_card_no: 1, tenant_id: 1, old_card_no: 1, device_no: 1, digest: bytes(32), answer: "{}" },
  ],
  [
    "batch",
    {
      ...{
        batch_no: 1,
        uuid,
        tenant_id: 1,
        device_no: 1,
        received_at_ms: 1,
        events: 1,
        accepted: 1,
      },
      ...{
        rejected: 0,
        flagged: 0,
        debit_amount: 1,
        credit_amount: 0,
        digest: bytes(32),
        clean: 1,
      },
      ...{ first_event: 1, audit_seq: 1 },
    },
  ],
  [
    "event",
    {
      ...{ event_id: 1, tenant_id: 1, card_no: 1, batch_no: 1, device_no: 1, counter: 1, type: 0 },
      ...{
        amount: 1,
        balance_after: 1,
        timestamp_sec: 1,
        hash: 1,
        flags: 0,
        linked: 1,
        start_sec: 1,
      },
      ...{ state: 1, prev: 0, late: 0, booking: 1, topup_no: null },
    },
  ],
  ["event_place", { card_no: 1, late: 0, counter: 1, event_id: 1, tenant_id: 1 }],
  ["event_amend", { event_id: 1, tenant_id: 1, flags: 0, linked: 1, start_sec: 1, state: 1 }],
  ["event_hole", { card_no: 1, counter: 1, tenant_id: 1, event_id: 1, since_sec: 1, flagged: 0 }],
  [
    "quarantine",
    {
      ...{ quarantine_no: 1, tenant_id: 1, device_no: 1, batch_no: 1, card_id: cardId, counter: 1 },
      ...{
        type: 0,
        amount: 1,
        balance_after: 1,
        timestamp_sec: 1,
        hash: 1,
        reason: "unknown_card",
      },
      ...{ status: "open", side: 0, received_at_ms: 1 },
    },
  ],
  [
    "flag",
    {
      ...{ flag_no: 1, uuid, tenant_id: 1, kind: "quarantine", reason: "unknown_card" },
      ...{ severity: "low", status: "approved", card_no: 1, card_id: cardId, device_no: 1 },
      ...{ event_id: 1, quarantine_no: 1, batch_no: 1, counter: 1, amount: 1, raised_at_ms: 1 },
      ...{ decided_at_ms: 1, decided_by: "x", note: "seen", evidence: "{}" },
    },
  ],
  [
    "alert",
    {
      ...{ alert_no: 1, uuid, tenant_id: 1, severity: "low", reason: "x", card_id: cardId },
      ...{ terminal_id: 1, detail: "{}", at_ms: 1 },
    },
  ],
  [
    "report",
    {
      ...{ report_no: 1, uuid, tenant_id: 1, device_no: 1, card_id: cardId, event_type: "tamper" },
      ...{ details: "x", counter: 1, timestamp_sec: 1, received_at_ms: 1, action: "none" },
    },
  ],
  [
    "listing",
    {
      ...{ tenant_id: 1, card_id: cardId, version: 1, listed: 1, status: 1, by_hand: 0 },
      ...{ reason: "lost", at_sec: 1 },
    },
  ],
  [
    "txn",
    {
      ...{ txn_no: 1, uuid, tenant_id: 1, type: "topup", status: "pending", amount: 1 },
      ...{ journal: 0, prev_no: null, counter_prev_no: null },
      ...{ currency: "IDR", wallet_no: 1, card_no: null, counter_wallet_no: null },
      ...{ counter_card_no: 1, after_available: 0, after_pending: 0, after_frozen: 0 },
      ...{ description: "x", metadata: "{}", reason: "x", reference_txn_no: null },
      ...{ quarantine_no: null, ttl_sec: null, expires_at_ms: null, source: "device" },
      ...{ created_by: "x", created_at_ms: 1, updated_at_ms: 1 },
    },
  ],
  ["card_label", { card_no: 1, tenant_id: 1, label: "x", updated_at_ms: 1, version: 1 }],
  [
    "posting",
    {
      ...{ posting_no: 1, tenant_id: 1, txn_no: 1, event_id: null, wallet_no: 1, card_no: null },
      ...{ bucket: 0, amount: 1, at_ms: 1 },
    },
  ],
  [
    "topup",
    {
      ...{ topup_no: 1, tenant_id: 1, card_no: 1, device_no: 1, amount: 1, operator_id: 1 },
      ...{ made_at_ms: 1, stale: 0 },
      ...{ timestamp_sec: 1, counter: 1, status: "pending", settled_by: null, event_id: null },
      ...{ answer_balance: 1, answer_counter: 1, cancel_balance: null, canceled_instead: null },
    },
  ],
  [
    "settlement",
    {
      ...{ tenant_id: 1, layer: 0, day: 9, device_no: 1, checkins: 0, checkouts: 0, debits: 0 },
      ...{ debit_amount: 0, credits: 0, credit_amount: 0, topups: 0, topup_amount: 0, rejected: 0 },
      ...{ flagged: 0, late_events: 0, refunds: 0, refund_amount: 0, parked_amount: 0 },
      ...{ released_amount: 0, returned_amount: 0 },
    },
  ],
  [
    "settlement_run",
    {
      ...{ run_no: 1, uuid, tenant_id: 1, number: 1, from_day: 1, to_day: 1, device_no: null },
      ...{ rows: 0, totals: "{}", sha256: bytes(32), closed_at_ms: 1, closed_by: "cli" },
    },
  ],
  [
    "settlement_export",
    { export_no: 1, tenant_id: 1, run_no: 1, format: "csv", sha256: bytes(32), bytes: bytes(9) },
  ],
  [
    "audit",
    {
      ...{ tenant_id: 1, seq: 1, uuid, at_ms: 1, action: "x", entity_type: "x", entity_id: "x" },
      ...{ detail_hash: bytes(32), pii_hash: bytes(32), prev_hash: bytes(32), hash: bytes(32) },
    },
  ],
  [
    "audit_detail",
    {
      ...{ tenant_id: 1, seq: 1, actor_type: "system", actor_id: "x", trace_id: null },
      ...{ detail_salt: bytes(16), detail: "{}", pii_salt: bytes(16), pii: "{}", redacted: 0 },
    },
  ],
  ["published_event", { event_no: 1, uuid, tenant_id: 1, type: "x", data: "{}", at_ms: 1 }],
  [
    "idempotency",
    {
      ...{ scope: bytes(32), tenant_id: 1, digest: bytes(32), status: 200, body: "{}" },
      expires_at: 1,
    },
  ],
  [
    "job",
    {
      ...{ job_no: 1, uuid, tenant_id: 1, kind: "x", status: "running", input: "{}", done: 0 },
      ...{ total: 1, result: null, problem: null, created_by: "x", created_at_ms: 1 },
      ...{ started_at_ms: 1, finished_at_ms: null },
    },
  ],
  [
    "rate_rule",
    {
      ...{ rate_rule_no: 1, uuid, tenant_id: 1, route: "listUsers", group_by: "user" },
      ...{ requests: 1, admin_requests: 1, window_sec: 60, ...made },
    },
  ],
  [
    "api_version",
    {
      ...{ version: 1, deprecated_at_ms: 1, sunset_at_ms: 2, successor: "2" },
      document_hash: bytes(32),
    },
  ],
];

export function insert(db: Database, table: string, row: Row): void {
  const columns = Object.keys(row);
  const places = columns.map((column) => `$${column}`);
  db.prepare<unknown, [Row]>(
    `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${places.join(", ")})`,
  ).run(row);
}

/** A fresh database that holds each row of `rows`. */
export function filledDatabase(): Database {
  const db = freshDatabase();
  for (const [table, row] of rows) insert(db, table, row);
  return db;
}
