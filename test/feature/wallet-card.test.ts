/**
 * One ledger: what devices move is seen among the transactions, leads back to its rows, and what is left
 * of it is moved by hand once the card is blocked. Every look at the books proves the ledger.
 */
import { afterEach, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { type Bank, openBank, type TransactionSeen, verdict } from "./bank.ts";

const open: Bank[] = [];
afterEach(async () => {
  for (const bank of open.splice(0)) {
    await bank.venue.close();
    rmSync(bank.venue.dataDir, { recursive: true, force: true });
  }
});

/** A card with 50 000 on it, checked in: credit, then check-in. */
async function loaded() {
  const bank = await openBank();
  open.push(bank);
  const { venue } = bank;
  const station = await venue.working("station");
  const terminal = await venue.working("terminal");
  const chain = await venue.loaded(station, terminal, 50_000);
  const wallet = await bank.walletOfCard(chain.cardId);
  const settlement = await bank.house(`settlement:${terminal.terminalId}`);
  const names: Record<string, string> = {
    [wallet]: "card",
    [settlement]: "terminal",
    [await bank.house("cash")]: "cash",
  };
  /** Transactions of a wallet, or of all, each as `type status amount`. */
  const list = async (query = ""): Promise<string[]> => {
    const { data } = await bank.get<{ data: TransactionSeen[] }>(
      `/transactions?limit=100&${query}`,
    );
    return data.map(({ type, status, amount }) => `${type} ${status} ${amount}`);
  };
  const entries = async (id: string): Promise<string[]> => {
    const seen = await bank.transaction(id);
    return seen.entries.map((e) => `${names[e.walletId] ?? "?"} ${e.bucket} ${e.amount}`);
  };
  return { bank, venue, station, terminal, chain, wallet, settlement, names, list, entries };
}

interface Page {
  readonly data: TransactionSeen[];
  readonly meta: { readonly cursor: string | null; readonly total: number };
}

test("a device's debit is a transaction with two entries, found by its id", async () => {
  const { bank, terminal, chain, wallet, settlement, list, entries } = await loaded();
  await terminal.hand(chain.debit(3_000), chain.debit(2_000));
  const due = ["card_debit completed 2000", "card_debit completed 3000", "topup completed 50000"];
  expect(await list(`walletId=${wallet}`)).toEqual(due);
  expect(await list()).toEqual(due);
  expect(await list(`walletId=${settlement}`)).toEqual(due.slice(0, 2));
  expect(await list(`walletId=${await bank.house("cash")}`)).toEqual(due.slice(2));
  const { data, meta } = await bank.get<Page>(`/transactions?walletId=${wallet}`);
  expect(meta.total).toBe(3);
  const [newest] = data;
  expect(newest).toMatchObject({
    ...{ walletId: wallet, counterWalletId: settlement, source: "device", reversed: false },
    ...{ createdBy: terminal.deviceId, balanceAfter: { available: 45_000, pending: 0, frozen: 0 } },
  } as never);
  const seen = await bank.transaction(newest?.id ?? "");
  expect(seen).toMatchObject(newest as never);
  expect(await entries(seen.id)).toEqual(["card available -2000", "terminal available 2000"]);
  const reversal = await bank.call("POST", `/transactions/${seen.id}/reversal`, {
    body: { reason: "x" },
  });
  expect(verdict(reversal)).toBe("409 not-reversible");
  expect(verdict(await bank.call("POST", `/holds/${seen.id}/confirm`, { body: {} }))).toBe(
    "404 not-found",
  );
  // A check-in moves nothing: its id is no transaction's.
  const other = await bank.venue.rows<{ uuid: string }>("SELECT uuid FROM batch ORDER BY batch_no");
  for (const { uuid } of other) {
    expect(verdict(await bank.call("GET", `/transactions/${uuid}`))).toBe("404 not-found");
  }
});

test("a top-up: pending with two entries, then the credit's two more", async () => {
  const { bank, venue, station, chain, list, entries, wallet } = await loaded();
  const { topupId } = (await station.topup(chain.cardId, 20_000)).json;
  expect((await list(`walletId=${wallet}`))[0]).toBe("topup pending 20000");
  expect(await bank.holds(wallet)).toBe("50000 20000 0");
  const pending = ["cash available -20000", "card pending 20000"];
  expect(await entries(topupId)).toEqual(pending);
  await station.hand(chain.credit(20_000));
  expect(await entries(topupId)).toEqual([
    ...pending,
    ...["card pending -20000", "card available 20000"],
  ]);
  expect((await bank.transaction(topupId)).status).toBe("completed");
  expect(await venue.books()).toMatchObject({ cash: -70_000 });
  const late = await bank.call("POST", `/transactions/${topupId}/reversal`, {
    body: { reason: "x" },
  });
  expect(verdict(late)).toBe("409 not-reversible");
});

test("a pending top-up taken back: the card's later credit has no top-up", async () => {
  const { bank, venue, station, chain, entries, wallet } = await loaded();
  const { topupId } = (await station.topup(chain.cardId, 20_000)).json;
  const undo = () =>
    bank.call<TransactionSeen & Record<string, unknown>>(
      "POST",
      `/transactions/${topupId}/reversal`,
      {
        body: { reason: "Paid twice" },
      },
    );
  const undone = await undo();
  expect(undone.status).toBe(201);
  expect(undone.json).toMatchObject({
    ...{ type: "reversal", status: "completed", amount: 20_000, walletId: wallet },
    ...{ referenceTransactionId: topupId, reason: "Paid twice", source: "platform" },
  } as never);
  expect(await entries(undone.json.id)).toEqual(["card pending -20000", "cash available 20000"]);
  expect(await bank.transaction(topupId)).toMatchObject({ status: "canceled", reversed: true });
  expect(await venue.books()).toEqual({ cash: -50_000, [`${chain.cardId} available`]: 50_000 });
  expect(verdict(await undo())).toBe("409 already-reversed");
  const canceled = await station.cancel(chain.cardId, topupId);
  expect([canceled.status, canceled.json.status]).toEqual([200, "CANCELED"]);
  expect(await station.hand(chain.credit(20_000))).toEqual(["4 unauthorised_credit"]);
  expect(await bank.told("transactionId", undone.json.id)).toEqual(["money.transaction.reversed"]);
  const [record] = await bank.recorded(undone.json.id);
  expect(record?.detail).toMatchObject({
    before: { [wallet]: { available: 50_000, pending: 20_000, frozen: 0 } },
    after: { [wallet]: { available: 50_000, pending: 0, frozen: 0 } },
  });
});

test("an unannounced credit: parked; approved completes it, dismissed cancels it", async () => {
  const { bank, venue, station, chain, wallet, names, list, entries } = await loaded();
  await station.hand(chain.credit(7_000));
  names[await bank.house("suspense")] = "suspense";
  const parked = `walletId=${wallet}&type=card_credit`;
  expect(await list(parked)).toEqual(["card_credit parked 7000"]);
  expect(await list(`walletId=${await bank.house("suspense")}`)).toEqual([
    "card_credit parked 7000",
  ]);
  const { data } = await bank.get<Page>(`/transactions?${parked}`);
  const id = data[0]?.id ?? "";
  expect(await entries(id)).toEqual(["cash available -7000", "suspense available 7000"]);
  await venue.approve((await venue.flag("unauthorised_credit")).id);
  expect(await list(parked)).toEqual(["card_credit completed 7000"]);
  expect(await entries(id)).toEqual([
    ...["cash available -7000", "suspense available 7000"],
    ...["suspense available -7000", "card available 7000"],
  ]);
  await station.hand(chain.credit(900));
  await venue.dismiss((await venue.flag("unauthorised_credit")).id, false);
  expect(await list(`${parked}&status=canceled`)).toEqual(["card_credit canceled 900"]);
  expect(await list(`${parked}&status=completed`)).toEqual(["card_credit completed 7000"]);
});

test("a live card's wallet is on its chip; once blocked it is moved like any other", async () => {
  const { bank, venue, station, chain, wallet } = await loaded();
  const other = await bank.wallet(100);
  const calls: [string, object][] = [
    [`/wallets/${wallet}/credit`, { amount: 1 }],
    [`/wallets/${wallet}/debit`, { amount: 1 }],
    [`/wallets/${wallet}/hold`, { amount: 1 }],
    ["/transfers", { fromWalletId: wallet, toWalletId: other, amount: 1 }],
    ["/transfers", { fromWalletId: other, toWalletId: wallet, amount: 1 }],
  ];
  for (const [path, body] of calls) {
    expect(verdict(await bank.call("POST", path, { body }))).toBe("409 card-wallet-live");
  }
  await station.block(chain.cardId);
  for (const [path, body] of calls) {
    expect(verdict(await bank.call("POST", path, { body }))).toBe("201");
  }
  expect(await bank.holds(wallet)).toBe("49999 0 1");
  const all = { fromWalletId: wallet, toWalletId: await bank.house("cash"), amount: 49_999 };
  await bank.post("/transfers", all);
  const more = await bank.call("POST", "/transfers", { body: { ...all, amount: 1 } });
  expect(verdict(more)).toBe("400 insufficient-funds");
  await venue.prove();
  // What a hold gives back returns to where it came from, replaced or not.
  await station.reissue(chain.cardId, "0000000000aa");
  const { data } = await bank.get<Page>(`/transactions?walletId=${wallet}&status=held`);
  await bank.post(`/holds/${data[0]?.id}/cancel`);
  expect(await bank.holds(wallet)).toBe("1 0 0");
});

test("a wallet below zero is written off from cash, once the card is blocked", async () => {
  const { bank, station, terminal, chain, wallet } = await loaded();
  await station.topup(chain.cardId, 30_000);
  // The station that wrote the credit has not reported yet.
  chain.credit(30_000);
  await terminal.hand(chain.debit(60_000));
  await station.block(chain.cardId);
  expect(await bank.holds(wallet)).toBe("-10000 30000 0");
  const cash = await bank.house("cash");
  const body = { fromWalletId: cash, toWalletId: wallet, amount: 10_000 };
  const token = await bank.holder("money.transfer");
  expect(verdict(await bank.call("POST", "/transfers", { token, body }))).toBe("403 forbidden");
  expect(verdict(await bank.call("POST", "/transfers", { body }))).toBe("201");
  expect(await bank.holds(wallet)).toBe("0 30000 0");
});

test("paying a terminal out is a transfer to cash; a suspended one pays nothing", async () => {
  const { bank, venue, terminal, chain, settlement } = await loaded();
  await terminal.hand(chain.debit(3_000));
  const cash = await bank.house("cash");
  const pay = (amount: number) =>
    bank.call<Record<string, unknown>>("POST", "/transfers", {
      body: { fromWalletId: settlement, toWalletId: cash, amount },
    });
  expect(verdict(await pay(3_001))).toBe("400 insufficient-funds");
  expect(verdict(await pay(1_000))).toBe("201");
  const { data } = await bank.get<{ data: { id: string; deviceId: string }[] }>("/fleet/devices");
  const device = data.find(({ deviceId }) => deviceId === terminal.deviceId);
  await bank.post(`/fleet/devices/${device?.id}/suspend`);
  const refused = await pay(1_000);
  expect(verdict(refused)).toBe("409 wrong-state");
  expect(refused.json.state).toBe("suspended");
  await bank.post(`/fleet/devices/${device?.id}/resume`);
  expect(verdict(await pay(2_000))).toBe("201");
  await venue.prove();
});

test("pages of a mixed list neither repeat nor hide, whatever comes in between; each filter", async () => {
  const { bank, venue, station, terminal, chain, wallet, settlement, list } = await loaded();
  for (let i = 1; i <= 12; i++) {
    venue.clock.advance(60);
    await terminal.hand(chain.debit(i));
    if (i % 3 === 0) await station.topup(chain.cardId, i, { timestamp: venue.clock.nowSec() });
    if (i % 4 === 0) await bank.wallet(i);
  }
  const walk = async (query: string, limit: number): Promise<string[]> => {
    const ids: string[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const at: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const page: Page = await bank.get<Page>(`/transactions?${query}&limit=${limit}${at}`);
      ids.push(...page.data.map(({ id }) => id));
      if (ids.length === limit) await terminal.hand(chain.debit(1));
      cursor = page.meta.cursor;
    }
    return ids;
  };
  for (const query of ["type=card_debit", `walletId=${wallet}`, `walletId=${settlement}`, "a"]) {
    const filter = query === "a" ? "" : query;
    const { data, meta } = await bank.get<Page>(`/transactions?limit=100&${filter}`);
    const whole = data.map(({ id }) => id);
    expect(meta.total).toBe(whole.length);
    expect(whole).toEqual([...whole].sort().reverse());
    for (const limit of [1, 3, 7]) {
      const before = (await bank.get<Page>(`/transactions?limit=100&${filter}`)).data;
      expect(await walk(filter, limit)).toEqual(before.map(({ id }) => id));
    }
  }
  const from = new Date(venue.clock.nowMs() - 5 * 60_000).toISOString();
  const to = new Date(venue.clock.nowMs() - 2 * 60_000).toISOString();
  for (const scope of ["", `walletId=${wallet}&`, `walletId=${settlement}&`]) {
    const all = (await bank.get<Page>(`/transactions?limit=100&${scope}`)).data as unknown as {
      id: string;
      createdAt: string;
    }[];
    const due = all.filter(({ createdAt }) => createdAt >= from && createdAt < to);
    const { data, meta } = await bank.get<Page>(
      `/transactions?limit=100&${scope}from=${from}&to=${to}`,
    );
    expect(data.map(({ id }) => id)).toEqual(due.map(({ id }) => id));
    expect([meta.total, due.length > 1]).toEqual([due.length, true]);
  }
  expect(await list(`walletId=${wallet}&status=held`)).toEqual([]);
  expect((await list("type=topup&status=pending")).length).toBe(4);
});

test("a person's wallet: its own chain, filters, and how many there are", async () => {
  const { bank, venue } = await loaded();
  const [a, b] = [await bank.wallet(1_000), await bank.wallet()];
  for (let i = 1; i <= 6; i++) {
    venue.clock.advance(60);
    await bank.post("/transfers", { fromWalletId: a, toWalletId: b, amount: i });
    await bank.post(`/wallets/${b}/debit`, { amount: 1 });
  }
  const hold = await bank.post<{ id: string }>(`/wallets/${a}/hold`, { amount: 1 });
  const seen = async (query: string) => {
    const { data, meta } = await bank.get<Page>(`/transactions?limit=100&${query}`);
    expect(meta.total).toBe(data.length);
    return data.map(({ type, amount }) => `${type} ${amount}`);
  };
  const transfers = [6, 5, 4, 3, 2, 1].map((i) => `transfer ${i}`);
  expect(await seen(`walletId=${a}`)).toEqual(["hold 1", ...transfers, "credit 1000"]);
  expect(await seen(`walletId=${b}&type=transfer`)).toEqual(transfers);
  expect(await seen(`walletId=${a}&status=held`)).toEqual(["hold 1"]);
  const from = new Date(venue.clock.nowMs() - 120_000).toISOString();
  const to = new Date(venue.clock.nowMs()).toISOString();
  expect(await seen(`walletId=${b}&from=${from}&to=${to}`)).toEqual([
    ...["debit 1", "transfer 5", "debit 1", "transfer 4"],
  ]);
  const ids: string[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const at: string = cursor === "" ? "" : `&cursor=${cursor}`;
    const page: Page = await bank.get<Page>(`/transactions?walletId=${b}&type=debit&limit=2${at}`);
    ids.push(...page.data.map(({ id }) => id));
    cursor = page.meta.cursor;
  }
  expect(new Set(ids).size).toBe(6);
  await bank.post(`/holds/${hold.id}/confirm`);
  expect(await seen(`walletId=${a}&status=held`)).toEqual([]);
});

test("without money.ledger.read a wallet must be named; unknown ones are 404", async () => {
  const { bank, wallet } = await loaded();
  const token = await bank.holder("money.wallets.read");
  const whole = await bank.call<{ errors: object[] }>("GET", "/transactions", { token });
  expect(verdict(whole)).toBe("400 validation-error");
  expect(whole.json.errors).toMatchObject([{ field: "walletId", code: "REQUIRED" }]);
  expect(verdict(await bank.call("GET", `/transactions?walletId=${wallet}`, { token }))).toBe(
    "200",
  );
  for (const [query, field, code] of [
    ["walletId=x", "walletId", "INVALID_FORMAT"],
    ["type=gift", "type", "NOT_ALLOWED"],
    ["status=lost", "status", "NOT_ALLOWED"],
    ["from=2025-05-08T10:00:00", "from", "INVALID_FORMAT"],
    ["to=yesterday", "to", "INVALID_FORMAT"],
    ["limit=0", "limit", "TOO_SMALL"],
  ]) {
    const answer = await bank.call<{ errors: object[] }>("GET", `/transactions?${query}`);
    expect(verdict(answer)).toBe("400 validation-error");
    expect(answer.json.errors).toMatchObject([{ field, code }]);
  }
  expect(verdict(await bank.call("GET", `/transactions?walletId=${bank.ownerId}`))).toBe(
    "404 not-found",
  );
  expect(verdict(await bank.call("GET", "/transactions?cursor=AAAA"))).toBe("400 invalid-cursor");
  expect(verdict(await bank.call("GET", "/money/trial-balance?currency=rp"))).toBe(
    "400 validation-error",
  );
});

test("the trial balance: every account of the house, people and cards by their sums; zero", async () => {
  const { bank, terminal, chain } = await loaded();
  await terminal.hand(chain.debit(3_000));
  await bank.wallet(700);
  await bank.wallet(40, "EUR");
  interface Trial {
    readonly data: {
      readonly currency: string;
      readonly sum: number;
      readonly accounts: readonly Record<string, unknown>[];
    }[];
  }
  const { data } = await bank.get<Trial>("/money/trial-balance");
  const lines = data.map(({ currency, sum, accounts }) => [
    `${currency} ${sum}`,
    ...accounts.map((a) => `${a.kind} ${a.systemKey} ${a.wallets} ${a.available}`).sort(),
  ]);
  expect(lines).toEqual([
    ["EUR 0", "system cash 1 -40", "user null 1 40"],
    [
      ...["IDR 0", "card null 1 47000", "system cash 1 -50700", "system settlement:1 1 0"],
      ...["system settlement:2 1 3000", "user null 1 700"],
    ],
  ]);
  const { data: euro } = await bank.get<Trial>("/money/trial-balance?currency=EUR");
  expect(euro.map(({ currency }) => currency)).toEqual(["EUR"]);
});
