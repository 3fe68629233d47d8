/**
 * Limits on both sides: at the edge accepted, beyond it refused, by the tables and by the contracts; and
 * where a table and a contract bound the same thing, they name the same limit.
 */
import { SQLiteError } from "bun:sqlite";
import { afterAll, describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { Check } from "@sinclair/typebox/value";
import * as bound from "../../schema/bound.ts";
import { type ColumnBound, columnBounds } from "./checks.ts";
import { requestFields } from "./fields.ts";
import { type Cell, filledDatabase, freshDatabase, insert, type Row, rows } from "./fresh.ts";

const db = freshDatabase();
db.run("PRAGMA foreign_keys = OFF");
afterAll(() => db.close());

const columns = columnBounds();
const fields = await requestFields();
const keyOf = ({ table, column }: ColumnBound): string => `${table}.${column}`;

const rowOf = (table: string): Row => {
  const found = rows.find(([name]) => name === table);
  if (found === undefined) throw new Error(`no valid row of ${table}`);
  return found[1];
};

/** What another CHECK wants changed along with a column. */
const along: Readonly<Record<string, (value: number) => Row>> = {
  "batch.events": (value) => ({ accepted: value, rejected: 0 }),
  "card.status": (value) => ({ blocked_at_sec: value === 0 ? null : 1 }),
  "txn.journal": (value) =>
    value === 3 ? { type: "hold", status: "held", expires_at_ms: 1, counter_card_no: null } : {},
  "event.booking": (value) => ({ topup_no: value === 2 || value === 4 ? 1 : null }),
};

/** A cell of this size: the number, or a text or bytes of that length. */
function sized({ of }: ColumnBound, now: Cell | undefined, size: bigint): Cell {
  if (of === "value") return size;
  return now instanceof Uint8Array ? new Uint8Array(Number(size)) : "x".repeat(Number(size));
}

/** Whether the table takes its valid row with this column changed. */
function isTaken(checked: ColumnBound, size: bigint): boolean {
  const { table, column } = checked;
  const row = rowOf(table);
  const more = along[keyOf(checked)]?.(Number(size)) ?? {};
  db.run("BEGIN");
  try {
    insert(db, table, { ...row, ...more, [column]: sized(checked, row[column], size) });
    return true;
  } catch (error) {
    if (error instanceof SQLiteError && error.code === "SQLITE_CONSTRAINT_CHECK") return false;
    throw error;
  } finally {
    db.run("ROLLBACK");
  }
}

test("each valid row is taken as it stands", () => {
  filledDatabase().close();
});

describe("a CHECK at its edges", () => {
  for (const checked of columns) {
    test(`${keyOf(checked)}: ${checked.min ?? "…"} to ${checked.max ?? "…"}`, () => {
      const { min, max, of } = checked;
      if (min !== null) {
        expect(isTaken(checked, BigInt(min))).toBe(true);
        if (of === "value" || min > 0) expect(isTaken(checked, BigInt(min) - 1n)).toBe(false);
      }
      if (max !== null) {
        expect(isTaken(checked, BigInt(max))).toBe(true);
        expect(isTaken(checked, BigInt(max) + 1n)).toBe(false);
      }
    });
  }
});

describe("a field of a request at its edges", () => {
  for (const { path, schema, of, min, max } of fields) {
    test(`${path}: ${min ?? "…"} to ${max ?? "…"}`, () => {
      const isFit = (size: number): boolean => {
        if (of === "value") return Check(schema, size);
        if (of === "length") return Check(schema, "x".repeat(size));
        const items = Array.from({ length: size }, (_, index) => index);
        return Check({ ...schema, items: Type.Unknown() }, items);
      };
      if (min !== null) {
        expect(isFit(min)).toBe(true);
        if (of === "value" || min > 0) expect(isFit(min - 1)).toBe(false);
      }
      expect(max).not.toBeNull();
      if (max !== null) {
        expect(isFit(max)).toBe(true);
        expect(isFit(max + 1)).toBe(false);
      }
    });
  }
});

interface Agreement {
  readonly limit: number;
  readonly columns: readonly string[];
  readonly fields?: readonly string[];
}

/** Where a column and a field of a request bound the same thing. */
const agreements: Readonly<Record<string, Agreement>> = {
  keyVersionMax: {
    limit: bound.keyVersionMax,
    columns: ["key_version.key_version", "session_grant.key_version", "card.key_version"],
    fields: [
      "card.registerRequest.keyVersion",
      "card.rekeyRequest.keyVersion",
      "card.reissueRequest.keyVersion",
      "session.grantQuery.keyVersion",
    ],
  },
  terminalIdMax: {
    limit: bound.terminalIdMax,
    columns: ["device.terminal_id"],
    fields: ["reconcile.batchRequest.terminalId", "report.reportRequest.terminalId"],
  },
  deviceIdMaxChars: {
    limit: bound.deviceIdMaxChars,
    columns: ["device.device_id"],
    fields: ["token.tokenRequest.deviceId"],
  },
  blockReasonMaxChars: {
    limit: bound.blockReasonMaxChars,
    columns: ["card.block_reason", "listing.reason"],
    fields: ["card.blockRequest.reason", "card.reissueRequest.reason"],
  },
  reportDetailsMaxChars: {
    limit: bound.reportDetailsMaxChars,
    columns: ["report.details"],
    fields: ["report.reportRequest.details"],
  },
  batchEventsMax: {
    limit: bound.batchEventsMax,
    columns: ["batch.events"],
    fields: ["reconcile.batchRequest.events"],
  },
  safeIntegerMax: {
    limit: bound.safeIntegerMax,
    columns: ["event.counter", "head.counter", "wallet.available", "posting.amount", "txn.amount"],
    fields: [
      "reconcile.batchRequest.events[].counter",
      "topup.topupRequest.counter",
      "report.reportRequest.counter",
    ],
  },
  uint32Max: {
    limit: bound.uint32Max,
    columns: [
      ...["event.timestamp_sec", "event.balance_after", "card.created_at_sec"],
      ...["card.expires_at_sec", "topup.amount", "member.user_id"],
    ],
    fields: [
      "reconcile.batchRequest.events[].timestamp",
      "reconcile.batchRequest.events[].balanceAfter",
      "card.registerRequest.createdAt",
      "card.registerRequest.expiresAt",
      "card.registerRequest.userId",
      "topup.topupRequest.amount",
    ],
  },
  uint24Max: { limit: bound.uint24Max, columns: ["event.amount"] },
  balanceHardCeilingMinor: {
    limit: bound.balanceHardCeilingMinor,
    columns: ["policy.max_balance", "policy.single_tx_limit"],
  },
  grantTtlMaxSec: { limit: bound.grantTtlMaxSec, columns: ["policy.grant_ttl_sec"] },
  deviceNameMaxChars: { limit: bound.deviceNameMaxChars, columns: ["device.name"] },
  nameMaxChars: {
    limit: bound.nameMaxChars,
    columns: [
      ...["tenant.name", "user_account.name", "member.name", "zone.name", "wallet.label"],
      ...["invitation.name", "api_key.name", "oauth_client.name"],
    ],
  },
  emailMaxChars: {
    limit: bound.emailMaxChars,
    columns: ["user_account.email", "member.email", "invitation.email", "mail_outbox.recipient"],
  },
  urlMaxChars: {
    limit: bound.urlMaxChars,
    columns: ["tenant.logo_url", "oauth_request.redirect_uri"],
  },
  descriptionMaxChars: { limit: bound.descriptionMaxChars, columns: ["role.description"] },
  roleNameMaxChars: { limit: bound.roleNameMaxChars, columns: ["role.name"] },
  roleDisplayNameMaxChars: {
    limit: bound.roleDisplayNameMaxChars,
    columns: ["role.display_name"],
  },
  noteMaxChars: { limit: bound.noteMaxChars, columns: ["flag.note"] },
  keyNoteMaxChars: { limit: bound.keyNoteMaxChars, columns: ["key_version.note"] },
};

describe("one limit, one number", () => {
  for (const [name, agreement] of Object.entries(agreements)) {
    test(name, () => {
      for (const column of agreement.columns) {
        const found = columns.find((checked) => keyOf(checked) === column);
        expect([column, found?.max]).toEqual([column, agreement.limit]);
      }
      for (const path of agreement.fields ?? []) {
        const found = fields.find((field) => field.path === path);
        expect([path, found?.max]).toEqual([path, agreement.limit]);
      }
    });
  }

  test("a grant lives an hour or more", () => {
    const ttl = columns.find((checked) => keyOf(checked) === "policy.grant_ttl_sec");
    expect(ttl?.min).toBe(bound.grantTtlMinSec);
  });
});

/** Sizes that are no limit but how a thing is made. */
const made: Readonly<Record<string, number>> = {
  "a UUID": 36,
  "a SHA-256": 32,
  "a sealed 32-byte secret": 72,
  "a salt": 16,
  "a card id in hex": 12,
  "an ISO 4217 code": 3,
  "the prefix of an API key": 8,
  "the last recovery code": 9,
  "a base64url SHA-256": 43,
  "the highest status, and booking": 4,
  "the last bucket": 2,
  "every op": 127,
  "every blocked status": 30,
  "48 bits": 2 ** 48 - 1,
  "the last 2xx": 299,
  "a leap year, for a development server's clock": 31_622_400,
};

/** Limits that stand in one table alone. */
const local: Readonly<Record<string, number>> = {
  "tenant.slug": 64,
  "txn.description": 500,
  "txn.reason": 500,
};

test("every other maximum is a limit with a name, or how a thing is made", () => {
  const known = new Set([...Object.values(bound), ...Object.values(made)]);
  const strange = columns.filter(
    (checked) =>
      checked.max !== null && !known.has(checked.max) && local[keyOf(checked)] !== checked.max,
  );
  expect(strange.map(keyOf)).toEqual([]);
  expect(fields.filter(({ max }) => max !== null && !known.has(max))).toEqual([]);
});
