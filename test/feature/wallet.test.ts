/** Wallets: opening, naming, closing, listing; who may, what is not theirs, and what is refused. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { type Bank, nobody, openBank, verdict } from "./bank.ts";

let bank: Bank;
beforeAll(async () => {
  bank = await openBank();
});
afterAll(async () => {
  await bank.venue.close();
  rmSync(bank.venue.dataDir, { recursive: true, force: true });
});

interface Page {
  readonly data: { id: string; kind: string; systemKey: string | null; cardId: string | null }[];
  readonly meta: { cursor: string | null; hasMore: boolean; total: number };
}

test("every member, Location; at 0/0/0; audit and event", async () => {
  const body = { userId: bank.ownerId, currency: "IDR", label: "Canteen" };
  const made = await bank.call<Record<string, unknown>>("POST", "/wallets", { body });
  expect(made.status).toBe(201);
  const { id, tenantId, createdAt, updatedAt, ...rest } = made.json;
  expect(rest).toEqual({
    ...{ kind: "user", userId: bank.ownerId, cardId: null, systemKey: null, currency: "IDR" },
    ...{ label: "Canteen", status: "active", version: 1 },
    balance: { available: 0, pending: 0, frozen: 0 },
  });
  expect(createdAt).toBe(updatedAt as string);
  expect(made.headers.get("location")).toBe(`/api/v1/wallets/${id}`);
  expect(await bank.get(`/wallets/${id}`)).toEqual(made.json as never);
  expect((await bank.recorded(String(id))).map(({ action }) => action)).toEqual([
    "money.wallet.created",
  ]);
  expect(await bank.told("walletId", String(id))).toEqual(["money.wallet.created"]);
});

test("PATCH: the label, under a version; audit; movements leave the version alone", async () => {
  const id = await bank.wallet(500);
  const patch = (body: object) =>
    bank.call<Record<string, unknown>>("PATCH", `/wallets/${id}`, { body });
  const renamed = await patch({ label: "Till", version: 1 });
  expect([renamed.status, renamed.json.label, renamed.json.version]).toEqual([200, "Till", 2]);
  const stale = await patch({ label: "x", version: 1 });
  expect(verdict(stale)).toBe("409 version-conflict");
  expect(stale.json.currentVersion).toBe(2);
  expect((await patch({ label: null })).json.label).toBeNull();
  const [, , last] = await bank.recorded(id);
  expect(last?.action).toBe("money.wallet.updated");
  expect(last?.detail).toMatchObject({ before: { label: "Till" }, after: { label: null } });
});

test("close: for good, once it is empty", async () => {
  const id = await bank.wallet(500);
  const close = () => bank.call<Record<string, unknown>>("POST", `/wallets/${id}/close`);
  expect(verdict(await close())).toBe("409 wallet-not-empty");
  const { id: hold } = await bank.post<{ id: string }>(`/wallets/${id}/hold`, { amount: 500 });
  expect(verdict(await close())).toBe("409 wallet-not-empty");
  await bank.post(`/holds/${hold}/confirm`);
  const closed = await close();
  expect([closed.status, closed.json.status, closed.json.version]).toEqual([200, "closed", 2]);
  expect(verdict(await close())).toBe("409 wallet-closed");
  for (const [action, body] of [
    ["credit", { amount: 1 }],
    ["debit", { amount: 1 }],
    ["hold", { amount: 1 }],
  ] as const) {
    const answer = await bank.call<Record<string, unknown>>("POST", `/wallets/${id}/${action}`, {
      body,
    });
    expect(verdict(answer)).toBe("409 wallet-closed");
    expect(answer.json.state).toBe("closed");
  }
  const other = await bank.wallet(10);
  for (const [fromWalletId, toWalletId] of [
    [id, other],
    [other, id],
  ]) {
    const body = { fromWalletId, toWalletId, amount: 1 };
    expect(verdict(await bank.call("POST", "/transfers", { body }))).toBe("409 wallet-closed");
  }
  const body = { label: "x" };
  expect(verdict(await bank.call("PATCH", `/wallets/${id}`, { body }))).toBe("409 wallet-closed");
  expect(await bank.told("walletId", id)).toContain("money.wallet.closed");
});

test("the house: opened on first use, in each currency; never closed, never credited", async () => {
  await bank.wallet(100, "EUR");
  const cash = await bank.house("cash", "EUR");
  const { balance, kind, systemKey } = await bank.get<{
    balance: object;
    kind: string;
    systemKey: string;
  }>(`/wallets/${cash}`);
  expect({ balance, kind, systemKey }).toEqual({
    ...{ kind: "system", systemKey: "cash" },
    balance: { available: -100, pending: 0, frozen: 0 },
  });
  for (const action of ["close", "credit", "debit", "hold"]) {
    const body = action === "close" ? {} : { amount: 1 };
    const answer = await bank.call("POST", `/wallets/${cash}/${action}`, { body });
    expect(verdict(answer)).toBe("409 system-wallet");
  }
});

test("lists: newest first, each filter, pages that neither repeat nor hide", async () => {
  const ids: string[] = [];
  for (let i = 0; i < 5; i++) ids.push(await bank.wallet(0, i % 2 === 0 ? "CHF" : "NOK"));
  const station = await bank.venue.working("station");
  const chain = await bank.venue.card(station);
  const list = (query: string) => bank.get<Page>(`/wallets?${query}`);
  const seen = async (query: string) => (await list(query)).data.map(({ id }) => id);
  expect(await seen("currency=CHF")).toEqual([ids[4], ids[2], ids[0]] as string[]);
  expect((await list("currency=NOK&kind=user")).meta.total).toBe(2);
  expect(await seen("currency=NOK&status=closed")).toEqual([]);
  const ofCard = await list(`cardId=${chain.cardId}`);
  expect(ofCard.data).toMatchObject([{ kind: "card", cardId: chain.cardId, userId: null }]);
  expect(ofCard.meta.total).toBe(1);
  expect((await list("kind=card")).data).toEqual(ofCard.data);
  const everything = await list("limit=100");
  expect(everything.meta.total).toBe(everything.data.length);
  expect(await seen(`userId=${bank.ownerId}&limit=100`)).toEqual(
    everything.data.filter(({ kind }) => kind === "user").map(({ id }) => id),
  );
  expect(await seen(`userId=${nobody}`)).toEqual([]);
  expect(everything.data.map(({ id }) => id)).toEqual(
    everything.data
      .map(({ id }) => id)
      .sort()
      .reverse(),
  );
  const walked: string[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page: Page = await list(`limit=2${cursor === "" ? "" : `&cursor=${cursor}`}`);
    walked.push(...page.data.map(({ id }) => id));
    cursor = page.meta.cursor;
  }
  expect(walked).toEqual(everything.data.map(({ id }) => id));
});

test("a card's wallet: named, never closed", async () => {
  const station = await bank.venue.working("station");
  const { cardId } = await bank.venue.card(station);
  const id = await bank.walletOfCard(cardId);
  expect((await bank.get<{ label: string }>(`/wallets/${id}`)).label).toBe("Siti Rahayu");
  const patch = (body: object) =>
    bank.call<Record<string, unknown>>("PATCH", `/wallets/${id}`, { body });
  expect((await patch({ label: "Guest", version: 1 })).json).toMatchObject({
    label: "Guest",
    version: 2,
  });
  expect(verdict(await patch({ version: 1 }))).toBe("409 version-conflict");
  expect((await patch({ label: null, version: 2 })).json).toMatchObject({
    label: null,
    version: 3,
  });
  expect(verdict(await bank.call("POST", `/wallets/${id}/close`))).toBe("409 card-wallet-live");
});

const fine = { currency: "IDR" };
const bad: [method: string, path: string, body: object | undefined, field: string, code: string][] =
  [
    ["POST", "", { ...fine }, "userId", "REQUIRED"],
    ["POST", "", { ...fine, userId: "x" }, "userId", "INVALID_FORMAT"],
    ["POST", "", { ...fine, userId: nobody }, "userId", "NOT_ALLOWED"],
    ["POST", "", { userId: nobody }, "currency", "REQUIRED"],
    ["POST", "", { userId: nobody, currency: "idr" }, "currency", "INVALID_FORMAT"],
    ["POST", "", { userId: nobody, currency: 7 }, "currency", "INVALID_TYPE"],
    ["POST", "", { ...fine, userId: nobody, label: "x".repeat(101) }, "label", "TOO_LONG"],
    ["POST", "", { ...fine, userId: nobody, kind: "user" }, "kind", "UNKNOWN_FIELD"],
    ["PATCH", "/:id", { label: 7 }, "label", "INVALID_TYPE"],
    ["PATCH", "/:id", { label: "x".repeat(101) }, "label", "TOO_LONG"],
    ["PATCH", "/:id", { version: 0 }, "version", "TOO_SMALL"],
    ["PATCH", "/:id", { currency: "EUR" }, "currency", "UNKNOWN_FIELD"],
    ["POST", "/:id/close", { reason: "x" }, "reason", "UNKNOWN_FIELD"],
    ["GET", "?kind=people", undefined, "kind", "NOT_ALLOWED"],
    ["GET", "?userId=x", undefined, "userId", "INVALID_FORMAT"],
    ["GET", "?cardId=X", undefined, "cardId", "INVALID_FORMAT"],
    ["GET", "?currency=rupiah", undefined, "currency", "INVALID_FORMAT"],
    ["GET", "?status=open", undefined, "status", "NOT_ALLOWED"],
    ["GET", "?limit=101", undefined, "limit", "TOO_LARGE"],
    ["GET", "?colour=red", undefined, "colour", "UNKNOWN_PARAMETER"],
  ];

describe("bad input stores nothing", () => {
  let id = "";
  beforeAll(async () => {
    id = await bank.wallet();
  });
  for (const [method, path, body, field, code] of bad) {
    test(`${method} ${path} ${JSON.stringify(body)?.slice(0, 60)}`, async () => {
      const count = () => bank.venue.rows("SELECT count(*) AS n, sum(version) AS v FROM wallet");
      const before = await count();
      const sent = body === undefined ? {} : { body };
      const answer = await bank.call<{ errors: object[] }>(
        method,
        `/wallets${path.replace(":id", id)}`,
        sent,
      );
      expect(verdict(answer)).toBe("400 validation-error");
      expect(answer.json.errors).toContainEqual(expect.objectContaining({ field, code }));
      expect(await count()).toEqual(before);
    });
  }
});

describe("who may", () => {
  const rows: [method: string, path: string, body: object | undefined, permission: string][] = [
    ["GET", "/wallets", undefined, "money.wallets.read"],
    ["GET", "/wallets/:id", undefined, "money.wallets.read"],
    ["GET", "/wallets/:id/balance", undefined, "money.wallets.read"],
    ["POST", "/wallets", { userId: nobody, currency: "IDR" }, "money.wallets.write"],
    ["PATCH", "/wallets/:id", { label: "x" }, "money.wallets.write"],
    ["POST", "/wallets/:id/close", {}, "money.wallets.write"],
    ["POST", "/wallets/:id/credit", { amount: 1 }, "money.credit"],
    ["POST", "/wallets/:id/debit", { amount: 1 }, "money.debit"],
    ["POST", "/wallets/:id/hold", { amount: 1 }, "money.hold"],
    ["POST", "/holds/:id/confirm", {}, "money.hold"],
    ["POST", "/holds/:id/cancel", {}, "money.hold"],
    [
      "POST",
      "/transfers",
      { fromWalletId: nobody, toWalletId: ":id", amount: 1 },
      "money.transfer",
    ],
    ["POST", "/transfers/batch", { items: [{}] }, "money.transfer"],
    ["POST", "/transactions/:id/reversal", { reason: "x" }, "money.reverse"],
    ["GET", "/transactions?walletId=:id", undefined, "money.wallets.read"],
    ["GET", "/transactions/:id", undefined, "money.wallets.read"],
    ["GET", "/money/trial-balance", undefined, "money.ledger.read"],
  ];
  const all = [...new Set(rows.map(([, , , permission]) => permission))];
  /** A token for each permission: it has all the others. */
  const without = new Map<string, string>();
  let stranger = "";
  let id = "";
  beforeAll(async () => {
    id = await bank.wallet(100);
    for (const each of all) {
      without.set(each, await bank.holder("roles.list", ...all.filter((other) => other !== each)));
    }
    const { kartu, clock } = bank.venue;
    const made = await kartu.tenant.addTenant(
      { name: "Elsewhere" },
      { actor: { type: "system", id: "test" } },
      clock.nowMs(),
    );
    const { userNo } = (await kartu.access.userByUuid(bank.ownerId)) ?? { userNo: 0 };
    await kartu.store.write(async (tx) => {
      const draft = {
        tenantId: made.tenantId,
        userNo,
        status: "active",
        roles: ["admin"],
      } as const;
      await kartu.account.join(tx, draft, clock.nowMs());
      kartu.access.forget(tx, { userNo });
    });
    const tenant = await kartu.access.tenant(made.tenantId);
    const { json } = await bank.venue.call<{ accessToken: string }>("POST", "/api/v1/auth/login", {
      body: {
        email: "owner@example.com",
        password: "a long password",
        tenantId: tenant?.uuid,
      },
    });
    stranger = json.accessToken;
  });

  for (const [method, path, body, permission] of rows) {
    const at = (text: string): string => text.replaceAll(":id", id);
    const sent = () => (body === undefined ? {} : { body: JSON.parse(at(JSON.stringify(body))) });

    test(`403 without ${permission}: ${method} ${path}`, async () => {
      const token = without.get(permission) ?? "";
      expect(verdict(await bank.call(method, at(path), { token, ...sent() }))).toBe(
        "403 forbidden",
      );
    });

    if (!path.includes(":id") && path !== "/transfers") continue;
    test(`404 in another tenant: ${method} ${path}`, async () => {
      const answer = await bank.call(method, at(path), { token: stranger, ...sent() });
      expect(verdict(answer)).toBe("404 not-found");
    });
  }

  test("another tenant sees nothing of it", async () => {
    for (const path of ["/wallets", "/transactions"]) {
      const { data, meta } = await bank.get<Page>(path, stranger);
      expect([data, meta.total]).toEqual([[], 0]);
    }
    expect(await bank.get<{ data: object[] }>("/money/trial-balance", stranger)).toMatchObject({
      data: [],
    });
    const body = { items: [{ fromWalletId: id, toWalletId: nobody, amount: 1 }] };
    const answer = await bank.call<{ data: { status: number }[] }>("POST", "/transfers/batch", {
      ...{ token: stranger, body },
    });
    expect([answer.status, answer.json.data[0]?.status]).toEqual([207, 404]);
  });

  test("ids that are none, and nobody's, are 404", async () => {
    for (const [method, path, body] of rows) {
      if (!path.includes("/:id")) continue;
      for (const wrong of ["x", nobody]) {
        const sent = body === undefined ? {} : { body };
        const answer = await bank.call(method, path.replace(":id", wrong), sent);
        expect([path, verdict(answer)]).toEqual([path, "404 not-found"]);
      }
    }
  });

  test("401 for a stranger", async () => {
    for (const [method, path] of rows) {
      expect(verdict(await bank.call(method, at(path), { token: "x" }))).toBe("401 unauthorized");
    }
    function at(path: string): string {
      return path.replace(":id", id);
    }
  });
});
