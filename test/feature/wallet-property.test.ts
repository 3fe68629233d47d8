/**
 * Any interleaving of movements by 64 callers: the books sum to zero, no bucket goes below zero that may
 * not, every balance is what its entries come to, and a call under one key has one effect however often
 * it is made. A plain model says what must be there in the end.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import fc from "fast-check";
import type { Answer } from "../caller.ts";
import { type Bank, openBank, type TransactionSeen } from "./bank.ts";

let bank: Bank;
beforeAll(async () => {
  bank = await openBank();
});
afterAll(async () => {
  await bank.venue.close();
  rmSync(bank.venue.dataDir, { recursive: true, force: true });
});

const walletsMade = 5;
const callers = 64;

type Step =
  | { readonly kind: "credit" | "debit" | "hold"; readonly at: number; readonly amount: number }
  | {
      readonly kind: "transfer" | "batch";
      readonly at: number;
      readonly to: number;
      readonly amount: number;
    }
  | { readonly kind: "confirm" | "cancel" | "reverse"; readonly pick: number }
  | { readonly kind: "expire" };

const at = fc.nat({ max: walletsMade - 1 });
const amount = fc.integer({ min: 1, max: 60 });
const pick = fc.nat({ max: 1_000 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constantFrom("credit" as const, "debit" as const, "hold" as const),
    at,
    amount,
  }),
  fc.record({ kind: fc.constantFrom("transfer" as const, "batch" as const), at, to: at, amount }),
  fc.record({
    kind: fc.constantFrom("confirm" as const, "cancel" as const, "reverse" as const),
    pick,
  }),
  fc.constant({ kind: "expire" as const }),
);

/** Drives one run: so many calls at a time, some of them twice under their key. */
class Run {
  readonly wallets: string[] = [];
  readonly holds: string[] = [];
  readonly reversible: string[] = [];
  /** Every transaction that an answer told of. */
  readonly told = new Map<string, TransactionSeen>();

  async open(): Promise<void> {
    await bank.signIn();
    for (let i = 0; i < walletsMade; i++) this.wallets.push(await bank.wallet(100));
  }

  #wallet(index: number): string {
    return this.wallets[index % this.wallets.length] ?? "";
  }

  async step(s: Step, repeats: number): Promise<void> {
    if (s.kind === "expire") {
      bank.venue.clock.advance(12);
      await bank.kartuHoldsLeft(bank.venue.clock.nowMs());
      return;
    }
    const [path, body] = this.#call(s);
    if (path === "") return;
    const key = randomUUID();
    const once = () => bank.call<TransactionSeen & { data?: unknown }>("POST", path, { body, key });
    const answers = await Promise.all(Array.from({ length: repeats }, once));
    const made = answers.filter(({ status }) => status < 300);
    for (const { status, json } of answers) {
      // Of calls at once under one key, one runs and the others hear so.
      const isFair = status < 300 || [400, 404, 409, 422].includes(status);
      if (!isFair) throw new Error(`${path}: ${status} ${JSON.stringify(json)}`);
    }
    expect(new Set(made.map(({ json }) => JSON.stringify(json))).size).toBeLessThanOrEqual(1);
    for (const { json } of made.slice(0, 1)) this.#note(s, json);
  }

  #call(s: Exclude<Step, { kind: "expire" }>): [path: string, body: object] {
    switch (s.kind) {
      case "credit":
      case "debit":
        return [`/wallets/${this.#wallet(s.at)}/${s.kind}`, { amount: s.amount }];
      case "hold":
        return [`/wallets/${this.#wallet(s.at)}/hold`, { amount: s.amount, ttl: 30 }];
      case "transfer":
      case "batch": {
        const [fromWalletId, toWalletId] = [this.#wallet(s.at), this.#wallet(s.to)];
        const item = { fromWalletId, toWalletId, amount: s.amount };
        return s.kind === "transfer"
          ? ["/transfers", item]
          : ["/transfers/batch", { items: [item, { ...item, amount: 1 }, item] }];
      }
      case "reverse": {
        const id = this.reversible[s.pick % Math.max(1, this.reversible.length)];
        return id === undefined ? ["", {}] : [`/transactions/${id}/reversal`, { reason: "x" }];
      }
      default: {
        const id = this.holds[s.pick % Math.max(1, this.holds.length)];
        return id === undefined ? ["", {}] : [`/holds/${id}/${s.kind}`, {}];
      }
    }
  }

  #note(s: Step, json: TransactionSeen & { data?: unknown }): void {
    if (s.kind === "batch") {
      for (const { result } of json.data as { result?: TransactionSeen }[]) {
        if (result !== undefined) this.told.set(result.id, result);
      }
      return;
    }
    this.told.set(json.id, json);
    if (s.kind === "hold") this.holds.push(json.id);
    else if (s.kind !== "confirm" && s.kind !== "cancel" && s.kind !== "reverse") {
      this.reversible.push(json.id);
    }
  }

  /** What each wallet must hold by what the answers told, and the state of what they told of. */
  async check(): Promise<void> {
    const due = new Map(this.wallets.map((id) => [id, { available: 100, frozen: 0 }]));
    const add = (id: string | null, available: number, frozen = 0): void => {
      const wallet = id === null ? undefined : due.get(id);
      if (wallet === undefined) return;
      wallet.available += available;
      wallet.frozen += frozen;
    };
    const reversed = new Set<string>();
    for (const [id] of this.told) {
      const t = (await bank.transaction(id)) as TransactionSeen & {
        referenceTransactionId: string;
      };
      expect(t.entries.reduce((sum, entry) => sum + entry.amount, 0)).toBe(0);
      for (const entry of t.entries) {
        if (entry.bucket === "frozen") add(entry.walletId, 0, entry.amount);
        else add(entry.walletId, entry.amount);
      }
      if (t.type !== "reversal") continue;
      expect(reversed.has(t.referenceTransactionId)).toBe(false);
      reversed.add(t.referenceTransactionId);
    }
    for (const [id, { available, frozen }] of due) {
      expect([id, await bank.holds(id)]).toEqual([id, `${available} 0 ${frozen}`]);
      expect(available).toBeGreaterThanOrEqual(0);
      expect(frozen).toBeGreaterThanOrEqual(0);
    }
    // Entries against balances, read from the tables; then the whole of it.
    await bank.venue.books();
    const trial = await bank.get<{ data: { sum: number }[] }>("/money/trial-balance");
    expect(trial.data.map(({ sum }) => sum)).toEqual(trial.data.map(() => 0));
  }
}

async function inWaves<T>(all: readonly T[], width: number, work: (one: T) => Promise<void>) {
  for (let from = 0; from < all.length; from += width) {
    await Promise.all(all.slice(from, from + width).map(work));
  }
}

test("64 callers, in any order, some of them twice", async () => {
  const steps = fc.array(fc.record({ step, repeats: fc.constantFrom(1, 1, 1, 2, 3) }), {
    minLength: 64,
    maxLength: 160,
  });
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const run = new Run();
      await run.open();
      await inWaves(all, callers, (one) => run.step(one.step, one.repeats));
      await run.check();
    }),
    { numRuns: 8 },
  );
  await bank.venue.prove();
}, 60_000);

test("every call that moves money, made many times over at once and later: one effect", async () => {
  const answers = async (path: string, body: object): Promise<Answer[]> => {
    const key = randomUUID();
    const once = () => bank.call("POST", path, { body, key });
    const wave = await Promise.all(Array.from({ length: 10 }, once));
    return [...wave, await once(), await once()];
  };
  await bank.signIn();
  const [a, b] = [await bank.wallet(1_000), await bank.wallet(1_000)];
  const { id: hold } = await bank.post<{ id: string }>(`/wallets/${a}/hold`, { amount: 7 });
  const { id: other } = await bank.post<{ id: string }>(`/wallets/${a}/hold`, { amount: 9 });
  const { id: credited } = await bank.post<{ id: string }>(`/wallets/${b}/credit`, { amount: 30 });
  const item = { fromWalletId: a, toWalletId: b, amount: 10 };
  const cases: [path: string, body: object, a: string, b: string][] = [
    [`/wallets/${a}/credit`, { amount: 5 }, "989 0 16", "1030 0 0"],
    [`/wallets/${a}/debit`, { amount: 9 }, "980 0 16", "1030 0 0"],
    [`/wallets/${a}/hold`, { amount: 80 }, "900 0 96", "1030 0 0"],
    [`/holds/${hold}/confirm`, {}, "900 0 89", "1030 0 0"],
    [`/holds/${other}/cancel`, {}, "909 0 80", "1030 0 0"],
    ["/transfers", item, "899 0 80", "1040 0 0"],
    ["/transfers/batch", { items: [item, item] }, "879 0 80", "1060 0 0"],
    [`/transactions/${credited}/reversal`, { reason: "x" }, "879 0 80", "1030 0 0"],
  ];
  for (const [path, body, holdsA, holdsB] of cases) {
    const all = await answers(path, body);
    const made = all.filter(({ status }) => status < 300);
    expect(new Set(made.map(({ json }) => JSON.stringify(json))).size).toBe(1);
    expect(made.length).toBeGreaterThanOrEqual(3);
    for (const { status, json } of all) {
      if (status < 300) continue;
      expect([status, (json as { type: string }).type]).toEqual([
        409,
        expect.stringContaining("idempotency-in-flight"),
      ]);
    }
    expect([path, await bank.holds(a), await bank.holds(b)]).toEqual([path, holdsA, holdsB]);
  }
});
