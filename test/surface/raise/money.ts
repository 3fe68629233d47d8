/** Refusals of the ledger. */
import type { Raises, Stage } from "./raise.ts";

type Sent = Readonly<Record<string, unknown>>;

const send = ({ estate, house }: Stage, path: string, body: Sent): Promise<Response> => {
  const headers = { "idempotency-key": crypto.randomUUID() };
  return estate.send("POST", path, { token: house.owner, body, headers });
};

export const moneyRaises: Raises = {
  "idempotency-key-required": [
    400,
    "no",
    async ({ estate, house }) => {
      const path = `/wallets/${await house.wallet()}/credit`;
      return estate.send("POST", path, { token: house.owner, body: { amount: 1 } });
    },
  ],
  "invalid-amount": [
    400,
    "no",
    async (stage) => send(stage, `/wallets/${await stage.house.wallet()}/credit`, { amount: 0 }),
  ],
  "insufficient-funds": [
    400,
    "no",
    async (stage) => send(stage, `/wallets/${await stage.house.wallet(10)}/debit`, { amount: 11 }),
  ],
  "currency-mismatch": [
    400,
    "no",
    async (stage) =>
      send(stage, `/wallets/${await stage.house.wallet()}/credit`, { amount: 1, currency: "USD" }),
  ],
  "email-not-verified": [
    403,
    "no",
    async ({ other }) => {
      const stage = await other({ KARTU_REQUIRE_VERIFIED_EMAIL: "true" });
      const { estate, house } = stage;
      const headers = { "idempotency-key": crypto.randomUUID() };
      const token = await house.token(["admin"]);
      const path = `/wallets/${await house.wallet()}/credit`;
      return estate.send("POST", path, { token, body: { amount: 1 }, headers });
    },
  ],
  "wallet-not-empty": [
    409,
    "no",
    async (stage) => send(stage, `/wallets/${await stage.house.wallet(10)}/close`, {}),
  ],
  "wallet-closed": [
    409,
    "no",
    async (stage) => {
      const id = await stage.house.wallet();
      await stage.house.moved(`/wallets/${id}/close`);
      return send(stage, `/wallets/${id}/credit`, { amount: 1 });
    },
  ],
  "system-wallet": [
    409,
    "no",
    async (stage) => {
      const { estate, house } = stage;
      await house.wallet(10);
      const { data } = await estate.ok<{ data: { id: string }[] }>("GET", "/wallets?kind=system", {
        token: house.owner,
      });
      return send(stage, `/wallets/${data[0]?.id}/close`, {});
    },
  ],
  "too-many-holds": [
    409,
    "later",
    async (stage) => {
      const id = await stage.house.wallet(1_000);
      for (let count = 0; count < 100; count++) {
        await stage.house.moved(`/wallets/${id}/hold`, { amount: 1 });
      }
      return send(stage, `/wallets/${id}/hold`, { amount: 1 });
    },
  ],
  "hold-expired": [
    409,
    "no",
    async (stage) => {
      const { clock } = stage.estate;
      const id = await stage.house.wallet(10);
      const hold = await stage.house.moved(`/wallets/${id}/hold`, { amount: 1, ttl: 1 });
      clock.advance(1);
      const response = await send(stage, `/holds/${hold.id}/confirm`, {});
      clock.advance(-1);
      return response;
    },
  ],
  "hold-not-active": [
    409,
    "no",
    async (stage) => {
      const id = await stage.house.wallet(10);
      const hold = await stage.house.moved(`/wallets/${id}/hold`, { amount: 1 });
      await stage.house.moved(`/holds/${hold.id}/cancel`);
      return send(stage, `/holds/${hold.id}/confirm`, {});
    },
  ],
  "not-reversible": [
    409,
    "no",
    async (stage) => {
      const id = await stage.house.wallet(10);
      const hold = await stage.house.moved(`/wallets/${id}/hold`, { amount: 1 });
      return send(stage, `/transactions/${hold.id}/reversal`, { reason: "A mistake" });
    },
  ],
  "already-reversed": [
    409,
    "no",
    async (stage) => {
      const id = await stage.house.wallet();
      const credit = await stage.house.moved(`/wallets/${id}/credit`, { amount: 5 });
      const path = `/transactions/${credit.id}/reversal`;
      await stage.house.moved(path, { reason: "A mistake" });
      return send(stage, path, { reason: "A mistake" });
    },
  ],
  "amount-limit-exceeded": [
    422,
    "no",
    async (stage) =>
      send(stage, `/wallets/${await stage.house.wallet()}/credit`, { amount: 10_000_001 }),
  ],
  "balance-limit-exceeded": [
    422,
    "no",
    async (stage) => {
      const path = `/wallets/${await stage.house.wallet()}/credit`;
      for (let count = 0; count < 10; count++) {
        await stage.house.moved(path, { amount: 10_000_000 });
      }
      return send(stage, path, { amount: 1 });
    },
  ],
  "in-use": [
    409,
    "no",
    async ({ estate }) => {
      const house = await estate.house();
      await house.wallet(10);
      return estate.send("DELETE", `/tenants/${house.id}`, { token: estate.root.owner });
    },
  ],
};
