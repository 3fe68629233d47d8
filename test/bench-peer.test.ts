/** What of the benchmark's peers can be held against Kartu without running them. */
import { describe, expect, test } from "bun:test";
import { Value } from "@sinclair/typebox/value";
import fc from "fast-check";
import { postgresSchema } from "../bench/peer/schema.ts";
import { isBatch } from "../bench/peer/server/answer.ts";
import { batchRequest } from "../schema/contract/reconcile.ts";
import { tables } from "../schema/tables.ts";

const event = {
  cardId: "a1b2c3d4e5f6",
  counter: 17,
  type: "debit",
  amount: 15_000,
  balanceAfter: 485_000,
  timestamp: 1_746_690_000,
  hash: "0f1e2d3c4b5a",
};

describe("a batch by hand is a batch by contract", () => {
  const odd = fc.constantFrom<unknown>(
    ...[null, undefined, "", "17", "debit", "refund", "A1B2C3D4E5F6", "a1b2c3d4e5f"],
    ...[-1, 0, 0.5, 2 ** 32 - 1, 2 ** 32, 2 ** 53, Number.NaN, true, [], {}],
  );
  const name = fc.constantFrom(...Object.keys(event), "more");
  const agree = (body: unknown) => expect(isBatch(body)).toBe(Value.Check(batchRequest, body));

  test("with one field changed, or one too many", () => {
    expect(isBatch({ terminalId: 42, events: [event] })).toBe(true);
    fc.assert(
      fc.property(name, odd, (field, value) =>
        agree({ terminalId: 42, events: [event, { ...event, [field]: value }] }),
      ),
    );
  });

  test("with one field missing", () => {
    for (const field of Object.keys(event)) {
      const rest = Object.entries(event).filter(([each]) => each !== field);
      agree({ terminalId: 42, events: [Object.fromEntries(rest)] });
    }
  });

  test("with another shape around the events", () => {
    fc.assert(
      fc.property(odd, odd, (terminalId, events) => {
        agree({ terminalId, events: [event] });
        agree({ terminalId: 42, events });
        agree({ terminalId: 42, events: [events] });
        agree({ terminalId: 42, events: [], more: events });
        agree(events);
      }),
    );
  });

  test("with as many events as one may hold, and one more", () => {
    for (const length of [0, 1_000, 1_001]) {
      agree({ terminalId: 42, events: Array.from({ length }, () => event) });
    }
  });
});

test("PostgreSQL gets every column of the tables that a batch writes, and nothing of SQLite", () => {
  const schema = postgresSchema(tables);
  for (const table of ["event", "head", "batch", "audit", "settlement", "published_event"]) {
    const names = (text: string): string[] => {
      const bare = text.replace(/--.*/g, "");
      const body = new RegExp(`CREATE TABLE ${table} \\(([^;]*)`).exec(bare)?.[1] ?? "";
      return [...body.matchAll(/^\s+([a-z][a-z0-9_]*)\s+[A-Z]+/gm)].map(
        ([, column = ""]) => column,
      );
    };
    const own = tables.find((text) => text.includes(`CREATE TABLE ${table} (`)) ?? "";
    expect(names(own).length).toBeGreaterThan(4);
    expect(names(schema)).toEqual(names(own));
  }
  expect(schema).not.toMatch(/\bSTRICT\b|WITHOUT ROWID|\bBLOB\b|json_valid|CREATE (TRIGGER|VIEW)/);
});
