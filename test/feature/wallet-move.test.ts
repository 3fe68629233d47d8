/** Movements by hand: each with its entries, balances, record and event; each refusal; each key once. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { walletService } from "../../src/feature/wallet/service.ts";
import { type Bank, nobody, openBank, type TransactionSeen, verdict } from "./bank.ts";

let bank: Bank;
beforeAll(async () => {
  bank = await openBank();
});
afterAll(async () => {
  await bank.venue.close();
  rmSync(bank.venue.dataDir, { recursive: true, force: true });
});

/** Entries as `wallet bucket amount`, wallets by the names given. */
function entriesOf(t: TransactionSeen, names: Readonly<Record<string, string>>): string[] {
  expect(t.entries.reduce((sum, { amount }) => sum + amount, 0)).toBe(0);
  return t.entries.map(({ walletId, bucket, amount }) => `${names[walletId]} ${bucket} ${amount}`);
}

const move = (path: string, body: object, key?: string) =>
  bank.call<TransactionSeen & Record<string, unknown>>("POST", path, {
    body,
    ...(key !== undefined && { key }),
  });

test("credit: cash −, wallet +; every member of the answer", async () => {
  const id = await bank.wallet();
  const body = {
    amount: 700,
    currency: "IDR",
    description: "Lunch",
    metadata: { order: ["A", 1] },
  };
  const made = await move(`/wallets/${id}/credit`, body);
  const cash = await bank.house("cash");
  const { id: txn, transactionId, createdAt, updatedAt, ...rest } = made.json;
  expect([made.status, transactionId, createdAt]).toEqual([201, txn, updatedAt]);
  expect(made.headers.get("location")).toBe(`/api/v1/transactions/${txn}`);
  expect(rest as object).toEqual({
    ...{ type: "credit", status: "completed", amount: 700, currency: "IDR", walletId: id },
    ...{ counterWalletId: cash, balanceAfter: { available: 700, pending: 0, frozen: 0 } },
    ...{ description: "Lunch", metadata: { order: ["A", 1] }, reason: null, reversed: false },
    ...{ referenceTransactionId: null, ttl: null, expiresAt: null, source: "platform" },
    createdBy: bank.ownerId,
  });
  const seen = await bank.transaction(txn);
  expect(seen).toMatchObject(made.json as never);
  expect(entriesOf(seen, { [id]: "wallet", [cash]: "cash" })).toEqual([
    "cash available -700",
    "wallet available 700",
  ]);
  const [record] = await bank.recorded(txn);
  expect(record?.action).toBe("money.wallet.credited");
  expect(record?.detail.before).toMatchObject({ [id]: { available: 0, pending: 0, frozen: 0 } });
  expect(record?.detail.after).toMatchObject({ [id]: { available: 700, pending: 0, frozen: 0 } });
  expect(await bank.told("transactionId", txn)).toEqual(["money.wallet.credited"]);
});

test("debit: wallet −, cash +", async () => {
  const id = await bank.wallet(700);
  const { json } = await move(`/wallets/${id}/debit`, { amount: 200 });
  const cash = await bank.house("cash");
  expect(json).toMatchObject({ type: "debit", status: "completed", walletId: id });
  expect(entriesOf(await bank.transaction(json.id), { [id]: "wallet", [cash]: "cash" })).toEqual([
    "wallet available -200",
    "cash available 200",
  ]);
  expect(await bank.holds(id)).toBe("500 0 0");
  expect(await bank.told("transactionId", json.id)).toEqual(["money.wallet.debited"]);
});

test("hold, confirm: available −, frozen +; frozen −, cash +; the metadata of both", async () => {
  const id = await bank.wallet(700);
  const metadata = { table: 4, guest: "A" };
  const { json } = await move(`/wallets/${id}/hold`, { amount: 200, ttl: 60, metadata });
  expect(json).toMatchObject({ type: "hold", status: "held", counterWalletId: null, ttl: 60 });
  const expiresAt = new Date(bank.venue.clock.nowMs() + 60_000).toISOString();
  expect(json.expiresAt as unknown).toBe(expiresAt);
  expect(await bank.holds(id)).toBe("500 0 200");
  const done = await move(`/holds/${json.id}/confirm`, { metadata: { guest: "B" } });
  const cash = await bank.house("cash");
  expect(done.status).toBe(200);
  expect(done.json).toMatchObject({
    ...{ id: json.id, status: "confirmed", counterWalletId: cash, reason: null },
    ...{ metadata: { table: 4, guest: "B" } },
    balanceAfter: { available: 500, pending: 0, frozen: 0 },
  });
  expect(entriesOf(await bank.transaction(json.id), { [id]: "wallet", [cash]: "cash" })).toEqual([
    ...["wallet available -200", "wallet frozen 200"],
    ...["wallet frozen -200", "cash available 200"],
  ]);
  for (const action of ["confirm", "cancel"]) {
    const again = await move(`/holds/${json.id}/${action}`, {});
    expect(verdict(again)).toBe("409 hold-not-active");
    expect(again.json.state as unknown).toBe("confirmed");
  }
  expect(await bank.told("transactionId", json.id)).toEqual([
    "money.hold.created",
    "money.hold.confirmed",
  ]);
});

test("hold, cancel: frozen −, available +", async () => {
  const id = await bank.wallet(700);
  const { json } = await move(`/wallets/${id}/hold`, { amount: 700 });
  expect(json.ttl as unknown).toBe(259_200);
  const { json: ended } = await move(`/holds/${json.id}/cancel`, {});
  expect(ended).toMatchObject({ status: "canceled", reason: null, counterWalletId: null });
  expect(entriesOf(await bank.transaction(json.id), { [id]: "w" })).toEqual([
    ...["w available -700", "w frozen 700", "w frozen -700", "w available 700"],
  ]);
  expect(await bank.holds(id)).toBe("700 0 0");
  expect(await bank.told("transactionId", json.id)).toContain("money.hold.canceled");
});

test("holds end by themselves; before that they are over all the same", async () => {
  const id = await bank.wallet(300);
  const first = (await move(`/wallets/${id}/hold`, { amount: 100, ttl: 60 })).json.id;
  const later = (await move(`/wallets/${id}/hold`, { amount: 100, ttl: 61 })).json.id;
  bank.venue.clock.advance(60);
  expect(verdict(await move(`/holds/${first}/confirm`, {}))).toBe("409 hold-expired");
  expect(verdict(await move(`/holds/${first}/cancel`, {}))).toBe("409 hold-expired");
  await bank.venue.clock.minute();
  expect(await bank.transaction(first)).toMatchObject({
    status: "canceled",
    reason: "expired",
  } as never);
  expect(await bank.transaction(later)).toMatchObject({ status: "held" });
  expect(await bank.holds(id)).toBe("200 0 100");
  expect(await bank.told("transactionId", first)).toEqual([
    "money.hold.created",
    "money.hold.canceled",
  ]);
  expect(verdict(await move(`/holds/${first}/confirm`, {}))).toBe("409 hold-not-active");
  expect(await bank.kartuHoldsLeft(bank.venue.clock.nowMs())).toBe(0);
});

test("100 live holds a wallet, not one more", async () => {
  const id = await bank.wallet(200);
  const ids: string[] = [];
  for (let i = 0; i < 100; i++) {
    ids.push((await bank.post<{ id: string }>(`/wallets/${id}/hold`, { amount: 1 })).id);
  }
  expect(verdict(await move(`/wallets/${id}/hold`, { amount: 1 }))).toBe("409 too-many-holds");
  await bank.post(`/holds/${ids[0]}/cancel`);
  expect(verdict(await move(`/wallets/${id}/hold`, { amount: 1 }))).toBe("201");
});

test("transfer: from −, to +", async () => {
  const [from, to] = [await bank.wallet(700), await bank.wallet(50)];
  const body = { fromWalletId: from, toWalletId: to, amount: 200 };
  const { status, json } = await move("/transfers", body);
  expect(status).toBe(201);
  expect(json).toMatchObject({ type: "transfer", walletId: from, counterWalletId: to });
  expect(json.balanceAfter).toEqual({ available: 500, pending: 0, frozen: 0 });
  expect(entriesOf(await bank.transaction(json.id), { [from]: "from", [to]: "to" })).toEqual([
    "from available -200",
    "to available 200",
  ]);
  expect(`${await bank.holds(from)} / ${await bank.holds(to)}`).toBe("500 0 0 / 250 0 0");
  expect(await bank.told("transactionId", json.id)).toEqual(["money.transfer.completed"]);
});

test("reversal: the opposite, once; the original stays", async () => {
  const [a, b] = [await bank.wallet(700), await bank.wallet()];
  const cash = await bank.house("cash");
  const names = { [a]: "a", [b]: "b", [cash]: "cash" };
  const transfer = (await move("/transfers", { fromWalletId: a, toWalletId: b, amount: 200 })).json;
  const credit = (await move(`/wallets/${a}/credit`, { amount: 30 })).json;
  const debit = (await move(`/wallets/${a}/debit`, { amount: 40 })).json;
  const cases: [TransactionSeen, string[]][] = [
    [transfer, ["b available -200", "a available 200"]],
    [credit, ["a available -30", "cash available 30"]],
    [debit, ["cash available -40", "a available 40"]],
  ];
  for (const [original, entries] of cases) {
    const undone = await move(`/transactions/${original.id}/reversal`, { reason: "Wrong" });
    expect(undone.status).toBe(201);
    expect(undone.json).toMatchObject({
      ...{ type: "reversal", status: "completed", amount: original.amount, reason: "Wrong" },
      referenceTransactionId: original.id,
    } as never);
    expect(entriesOf(await bank.transaction(undone.json.id), names)).toEqual(entries);
    const after = await bank.transaction(original.id);
    expect([after.reversed, after.status]).toEqual([true, "completed"]);
    const again = await move(`/transactions/${original.id}/reversal`, { reason: "Wrong" });
    expect(verdict(again)).toBe("409 already-reversed");
    const back = await move(`/transactions/${undone.json.id}/reversal`, { reason: "Wrong" });
    expect(verdict(back)).toBe("409 not-reversible");
    expect(await bank.told("transactionId", undone.json.id)).toEqual([
      "money.transaction.reversed",
    ]);
  }
  expect(`${await bank.holds(a)} / ${await bank.holds(b)}`).toBe("700 0 0 / 0 0 0");
});

test("reversal: refused when the money is gone, or a year has passed", async () => {
  const [a, b] = [await bank.wallet(700), await bank.wallet()];
  const { id } = (await move("/transfers", { fromWalletId: a, toWalletId: b, amount: 200 })).json;
  await bank.post(`/wallets/${b}/debit`, { amount: 1 });
  const refused = await move(`/transactions/${id}/reversal`, { reason: "x" });
  expect(verdict(refused)).toBe("400 insufficient-funds");
  expect(refused.json.detail as unknown).toBe(
    "Available balance (199 cents) is less than requested amount (200 cents).",
  );
  await bank.post(`/wallets/${b}/credit`, { amount: 1 });
  const held = (await move(`/wallets/${a}/hold`, { amount: 1 })).json.id;
  expect(verdict(await move(`/transactions/${held}/reversal`, { reason: "x" }))).toBe(
    "409 not-reversible",
  );
});

describe("limits", () => {
  const limited = (json: Record<string, unknown>) => [json.code, json.limit];

  test("a transaction, a balance", async () => {
    const id = await bank.wallet(99_999_999);
    const over = await move(`/wallets/${id}/credit`, { amount: 10_000_001 });
    expect(verdict(over)).toBe("422 amount-limit-exceeded");
    expect(limited(over.json)).toEqual(["LIMIT_EXCEEDED", 10_000_000]);
    const full = await move(`/wallets/${id}/credit`, { amount: 2 });
    expect(verdict(full)).toBe("422 balance-limit-exceeded");
    expect(limited(full.json)).toEqual(["LIMIT_EXCEEDED", 100_000_000]);
    expect(verdict(await move(`/wallets/${id}/credit`, { amount: 1 }))).toBe("201");
    for (const action of ["debit", "hold"]) {
      const answer = await move(`/wallets/${id}/${action}`, { amount: 10_000_001 });
      expect(verdict(answer)).toBe("422 amount-limit-exceeded");
    }
    const other = await bank.wallet(10);
    const body = { fromWalletId: other, toWalletId: id, amount: 1 };
    expect(verdict(await move("/transfers", body))).toBe("422 balance-limit-exceeded");
  });

  test("that can't be read: 503, nothing done", async () => {
    const { kartu, tenantId, clock } = bank.venue;
    const id = await bank.wallet(10);
    const { store, random, audit, event, money, card, topup } = kartu;
    const parts = { store, random, audit, event, money, card, topup };
    const service = walletService({ ...parts, limits: () => undefined });
    const by = { actor: { type: "user", id: "x" } } as const;
    const pending = store.write((tx) =>
      service.credit(tx, tenantId, id, { amount: 1 }, by, clock.nowMs()),
    );
    await expect(pending).rejects.toMatchObject({ slug: "limits-unavailable", status: 503 });
    expect(await bank.holds(id)).toBe("10 0 0");
  });
});

test("refused by what is there, in fixed words; another currency; the same wallet", async () => {
  const [id, euro] = [await bank.wallet(12_500), await bank.wallet(5, "EUR")];
  const poor = await move(`/wallets/${id}/debit`, { amount: 50_000 });
  expect(verdict(poor)).toBe("400 insufficient-funds");
  expect(poor.json.detail as unknown).toBe(
    "Available balance (12500 cents) is less than requested amount (50000 cents).",
  );
  for (const action of ["credit", "debit", "hold"]) {
    const answer = await move(`/wallets/${id}/${action}`, { amount: 1, currency: "EUR" });
    expect(verdict(answer)).toBe("400 currency-mismatch");
  }
  const across = { fromWalletId: id, toWalletId: euro, amount: 1 };
  expect(verdict(await move("/transfers", across))).toBe("400 currency-mismatch");
  const same = await move("/transfers", { ...across, toWalletId: id });
  expect(verdict(same)).toBe("400 validation-error");
  expect(same.json.errors as unknown).toMatchObject([{ field: "toWalletId", code: "NOT_ALLOWED" }]);
  const lost = { ...across, toWalletId: nobody };
  expect(verdict(await move("/transfers", lost))).toBe("404 not-found");
});

test("accounts of the house move with money.system alone; cash may go below zero", async () => {
  const [cash, wallet] = [await bank.house("cash"), await bank.wallet(100)];
  const token = await bank.holder("money.transfer", "money.reverse", "money.wallets.read");
  const out = { fromWalletId: cash, toWalletId: wallet, amount: 40 };
  const back = { fromWalletId: wallet, toWalletId: cash, amount: 40 };
  for (const body of [out, back]) {
    expect(verdict(await bank.call("POST", "/transfers", { token, body }))).toBe("403 forbidden");
  }
  const { id } = (await move("/transfers", out)).json;
  expect(await bank.holds(wallet)).toBe("140 0 0");
  const body = { reason: "x" };
  const undo = `/transactions/${id}/reversal`;
  expect(verdict(await bank.call("POST", undo, { token, body }))).toBe("403 forbidden");
  expect(verdict(await bank.call("POST", undo, { body }))).toBe("201");
});

describe("batches", () => {
  test("each item by itself; 201 whole, 207 otherwise", async () => {
    const [a, b] = [await bank.wallet(100), await bank.wallet()];
    const item = (amount: unknown, more = {}) => ({
      fromWalletId: a,
      toWalletId: b,
      amount,
      ...more,
    });
    interface Answer {
      readonly data: {
        status: number;
        problem?: Record<string, unknown>;
        result?: TransactionSeen;
      }[];
      readonly meta: object;
    }
    const send = (items: unknown[]) =>
      bank.call<Answer>("POST", "/transfers/batch", { body: { items } });
    const whole = await send([item(10), item(20)]);
    expect([whole.status, whole.json.meta]).toEqual([201, { succeeded: 2, failed: 0 }]);
    expect(whole.json.data.map(({ result }) => result?.balanceAfter.available)).toEqual([90, 70]);
    const mixed = await send([
      item(60),
      item(20),
      item("5"),
      item(10, { currency: "EUR" }),
      item(1, { colour: "red" }),
      item(1, { toWalletId: nobody }),
      item(1, { toWalletId: a }),
      { amount: 1 },
      null,
      item(10),
    ]);
    expect([mixed.status, mixed.json.meta]).toEqual([207, { succeeded: 2, failed: 8 }]);
    const slugs = mixed.json.data.map(({ status, problem }) =>
      problem === undefined ? status : String(problem.type).replace(/^.*\//, ""),
    );
    expect(slugs).toEqual([
      ...[201, "insufficient-funds", "invalid-amount", "currency-mismatch", "validation-error"],
      ...["not-found", "validation-error", "validation-error", "validation-error", 201],
    ]);
    expect(mixed.json.data[1]?.problem?.instance).toBe("/api/v1/transfers/batch#/1");
    expect(`${await bank.holds(a)} / ${await bank.holds(b)}`).toBe("0 0 0 / 100 0 0");
    const none = await send([item(1), item(2)]);
    expect([none.status, none.json.meta]).toEqual([207, { succeeded: 0, failed: 2 }]);
  });

  test("an event each; one record of the whole, with what there was before and after", async () => {
    const [a, b] = [await bank.wallet(100), await bank.wallet()];
    const item = { fromWalletId: a, toWalletId: b, amount: 10 };
    const { data } = await bank.post<{ data: { result: { id: string } }[] }>("/transfers/batch", {
      items: [item, item, item],
    });
    const ids = data.map(({ result }) => result.id);
    for (const id of ids) {
      expect(await bank.told("transactionId", id)).toEqual(["money.transfer.completed"]);
    }
    const [last] = await bank.venue.rows<{ action: string; entity_type: string; detail: string }>(
      `SELECT a.action, a.entity_type, d.detail FROM audit a
       JOIN audit_detail d ON d.tenant_id = a.tenant_id AND d.seq = a.seq ORDER BY a.seq DESC LIMIT 1`,
    );
    expect([last?.action, last?.entity_type]).toEqual(["money.transfer.completed", "batch"]);
    const detail = JSON.parse(last?.detail ?? "{}");
    expect(detail.before).toMatchObject({ [a]: { available: 100 }, [b]: { available: 0 } });
    expect(detail.after).toMatchObject({ [a]: { available: 70 }, [b]: { available: 30 } });
    expect(detail.metadata.transactions).toMatchObject(
      ids.map((transactionId) => ({ transactionId, amount: 10, walletId: a, counterWalletId: b })),
    );
  });

  const bad: [unknown, string, string][] = [
    [{}, "items", "REQUIRED"],
    [{ items: [] }, "items", "TOO_FEW"],
    [{ items: Array(501).fill({}) }, "items", "TOO_MANY"],
    [{ items: {} }, "items", "INVALID_TYPE"],
    [{ items: [{}], more: 1 }, "more", "UNKNOWN_FIELD"],
  ];
  for (const [body, field, code] of bad) {
    test(`a wrong envelope is 400 for all: ${JSON.stringify(body).slice(0, 30)}`, async () => {
      const answer = await bank.call<{ errors: object[] }>("POST", "/transfers/batch", { body });
      expect(verdict(answer)).toBe("400 validation-error");
      expect(answer.json.errors).toContainEqual(expect.objectContaining({ field, code }));
    });
  }
});

describe("Idempotency-Key", () => {
  test("required on every call that moves money; of its form", async () => {
    const id = await bank.wallet();
    for (const [path, body] of [
      [`/wallets/${id}/credit`, { amount: 1 }],
      [`/wallets/${id}/debit`, { amount: 1 }],
      [`/wallets/${id}/hold`, { amount: 1 }],
      [`/holds/${id}/confirm`, {}],
      [`/holds/${id}/cancel`, {}],
      ["/transfers", { fromWalletId: id, toWalletId: nobody, amount: 1 }],
      ["/transfers/batch", { items: [{}] }],
      [`/transactions/${id}/reversal`, { reason: "x" }],
    ] as const) {
      const missing = await bank.call("POST", path, { body, key: null });
      expect(verdict(missing)).toBe("400 idempotency-key-required");
      const wrong = await bank.call("POST", path, { body, key: "abc" });
      expect(verdict(wrong)).toBe("400 idempotency-key-invalid");
    }
  });

  test("each call replayed has one effect, and the same answer", async () => {
    const [a, b] = [await bank.wallet(1_000), await bank.wallet()];
    const transfer = { fromWalletId: a, toWalletId: b, amount: 10 };
    const credited = (await bank.post<{ id: string }>(`/wallets/${a}/credit`, { amount: 5 })).id;
    const hold = (await bank.post<{ id: string }>(`/wallets/${a}/hold`, { amount: 20 })).id;
    const calls: [string, object][] = [
      [`/wallets/${a}/credit`, { amount: 7 }],
      [`/wallets/${a}/debit`, { amount: 3 }],
      [`/wallets/${a}/hold`, { amount: 2 }],
      [`/holds/${hold}/confirm`, {}],
      ["/transfers", transfer],
      ["/transfers/batch", { items: [transfer, { ...transfer, amount: 10_000 }, transfer] }],
      [`/transactions/${credited}/reversal`, { reason: "x" }],
    ];
    for (const [path, body] of calls) {
      const key = randomUUID();
      const first = await move(path, body, key);
      expect(first.status).toBeLessThan(300);
      const books = await bank.venue.books();
      for (let i = 0; i < 3; i++) {
        const again = await move(path, body, key.toUpperCase());
        expect(again.headers.get("idempotent-replayed")).toBe("true");
        expect([again.status, again.json]).toEqual([first.status, first.json]);
      }
      expect(await bank.venue.books()).toEqual(books);
      const other = await move(path, { ...body, more: 1, amount: 8, reason: "y" }, key);
      expect(other.status).toBeGreaterThanOrEqual(400);
    }
    const key = randomUUID();
    expect(verdict(await move(`/wallets/${a}/credit`, { amount: 1 }, key))).toBe("201");
    expect(verdict(await move(`/wallets/${a}/credit`, { amount: 2 }, key))).toBe(
      "409 idempotency-key-conflict",
    );
  });

  test("a refused call leaves its key free", async () => {
    const id = await bank.wallet();
    const key = randomUUID();
    expect(verdict(await move(`/wallets/${id}/debit`, { amount: 5 }, key))).toBe(
      "400 insufficient-funds",
    );
    await bank.post(`/wallets/${id}/credit`, { amount: 5 });
    expect(verdict(await move(`/wallets/${id}/debit`, { amount: 5 }, key))).toBe("201");
  });
});

const amounts: [unknown, string][] = [
  ["1", "invalid-amount"],
  [0, "invalid-amount"],
  [-5, "invalid-amount"],
  [1.5, "invalid-amount"],
  [null, "invalid-amount"],
  [true, "invalid-amount"],
  [{}, "invalid-amount"],
  [undefined, "validation-error"],
];
describe("amounts", () => {
  for (const [amount, slug] of amounts) {
    test(`${JSON.stringify(amount)} is 400 ${slug}, everywhere, and nothing is stored`, async () => {
      const [a, b] = [await bank.wallet(10), await bank.wallet()];
      const books = await bank.venue.books();
      for (const path of [`/wallets/${a}/credit`, `/wallets/${a}/debit`, `/wallets/${a}/hold`]) {
        expect(verdict(await move(path, { amount }))).toBe(`400 ${slug}`);
      }
      const body = { fromWalletId: a, toWalletId: b, amount };
      expect(verdict(await move("/transfers", body))).toBe(`400 ${slug}`);
      expect(await bank.venue.books()).toEqual(books);
    });
  }
});

const big = { text: "x".repeat(16_384) };
const bad: [path: string, body: object, field: string, code: string][] = [
  ["/wallets/:id/credit", { amount: 1, currency: "rp" }, "currency", "INVALID_FORMAT"],
  ["/wallets/:id/credit", { amount: 1, description: "x".repeat(501) }, "description", "TOO_LONG"],
  ["/wallets/:id/credit", { amount: 1, metadata: [] }, "metadata", "INVALID_TYPE"],
  ["/wallets/:id/credit", { amount: 1, metadata: big }, "metadata", "TOO_LONG"],
  ["/wallets/:id/debit", { amount: 1, colour: "red" }, "colour", "UNKNOWN_FIELD"],
  ["/wallets/:id/hold", { amount: 1, ttl: 0 }, "ttl", "TOO_SMALL"],
  ["/wallets/:id/hold", { amount: 1, ttl: 604_801 }, "ttl", "TOO_LARGE"],
  ["/wallets/:id/hold", { amount: 1, ttl: "60" }, "ttl", "INVALID_TYPE"],
  ["/holds/:id/confirm", { amount: 1 }, "amount", "UNKNOWN_FIELD"],
  ["/holds/:id/cancel", { metadata: "x" }, "metadata", "INVALID_TYPE"],
  ["/transfers", { toWalletId: nobody, amount: 1 }, "fromWalletId", "REQUIRED"],
  [
    "/transfers",
    { fromWalletId: "x", toWalletId: nobody, amount: 1 },
    "fromWalletId",
    "INVALID_FORMAT",
  ],
  ["/transactions/:id/reversal", {}, "reason", "REQUIRED"],
  ["/transactions/:id/reversal", { reason: "" }, "reason", "TOO_SHORT"],
  ["/transactions/:id/reversal", { reason: "x".repeat(501) }, "reason", "TOO_LONG"],
];
describe("bad input", () => {
  for (const [path, body, field, code] of bad) {
    test(`${path} ${JSON.stringify(body).slice(0, 60)}`, async () => {
      const id = await bank.wallet(10);
      const answer = await move(path.replace(":id", id), body);
      expect(verdict(answer)).toBe("400 validation-error");
      expect(answer.json.errors as unknown).toContainEqual(
        expect.objectContaining({ field, code }),
      );
    });
  }
});

test("what is in the way of a person: an unproved address, somebody acting as them", async () => {
  const moving = bank.venue.serving.routes.filter(
    ({ namespace, idempotency }) => namespace === "money" && idempotency === "required",
  );
  expect(moving.map(({ path }) => path).sort()).toEqual([
    ...["/holds/:id/cancel", "/holds/:id/confirm", "/transactions/:id/reversal", "/transfers"],
    ...["/transfers/batch", "/wallets/:id/credit", "/wallets/:id/debit", "/wallets/:id/hold"],
  ]);
  for (const { access } of moving) expect(access).toMatchObject({ balance: true });
});
