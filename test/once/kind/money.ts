/** Calls of operators that move money: the ledger, refunds, decisions on flags, settlement runs. */
import type { Stand } from "../stand.ts";
import type { Call, Kinds, Made } from "./kind.ts";

const base = "/api/v1";
const amount = 5_000;
/** So many times `amount` is in a wallet that is drawn on. */
const draws = 5;

async function asOwner(stand: Stand, path: string, body: object = {}): Promise<Call> {
  const { token } = await stand.signedIn();
  return { path: base + path, token, body };
}

/** A call, and the same asked otherwise. */
async function described(stand: Stand, path: string, body: object, other: object): Promise<Made> {
  const call = await asOwner(stand, path, body);
  return { calls: [call], other: { ...call, body: { ...body, ...other } } };
}

async function hold(stand: Stand): Promise<string> {
  const wallet = await stand.wallet(amount);
  return (await stand.made(`/wallets/${wallet}/hold`, { amount })).id;
}

/** A flag with money that waits in suspense. */
async function parked(stand: Stand): Promise<string> {
  const { cardId, chain } = await stand.card();
  await stand.hand(await stand.station(), [chain.admin(), chain.credit(amount)]);
  const [flag] = stand.rows<{ uuid: string }>(
    "SELECT uuid FROM flag WHERE card_id = ? AND reason = 'unauthorised_credit'",
    cardId,
  );
  if (flag === undefined) throw new Error("a credit that nobody paid for was not flagged");
  return flag.uuid;
}

const own = { are: "own" } as const;
const drawn = { are: "own", exactly: draws, as: ["400 insufficient-funds"] } as const;
const settled = { are: "refused", as: ["409 hold-not-active"] } as const;
const decided = { are: "refused", as: ["409 wrong-state"] } as const;

const ledgerKinds: Kinds = {
  credit: {
    ...{ key: "due", status: 201, rivals: own },
    effect: { "txn credit completed": 1, "money user available": amount },
    make: async (stand) => {
      const path = `/wallets/${await stand.wallet()}/credit`;
      return await described(stand, path, { amount }, { description: "other" });
    },
    scopes: async (stand) => {
      const { key } = await stand.made<{ key: string }>("/api-keys", {
        ...{ name: stand.name("key"), roles: ["admin"] },
      });
      const body = { apiKey: key };
      const machine = await stand.ok<{ accessToken: string }>(
        ...(["POST", `${base}/auth/exchange`, { body }] as const),
      );
      const calls = [
        await asOwner(stand, `/wallets/${await stand.wallet()}/credit`, { amount }),
        await asOwner(stand, `/wallets/${await stand.wallet()}/credit`, { amount }),
      ];
      return [...calls, ...calls.map((call) => ({ ...call, token: machine.accessToken }))];
    },
  },
  debit: {
    ...{ key: "due", status: 201, rivals: drawn },
    effect: { "txn debit completed": 1, "money user available": -amount },
    make: async (stand) => {
      const path = `/wallets/${await stand.wallet(draws * amount + 1)}/debit`;
      return await described(stand, path, { amount }, { description: "other" });
    },
  },
  hold: {
    ...{ key: "due", status: 201, rivals: drawn },
    effect: {
      ...{ "txn hold held": 1, "money user available": -amount, "money user frozen": amount },
    },
    make: async (stand) => {
      const path = `/wallets/${await stand.wallet(draws * amount + 1)}/hold`;
      return await described(stand, path, { amount }, { ttl: 7_200 });
    },
  },
  "hold confirm": {
    ...{ key: "due", status: 200, rivals: settled },
    effect: { "txn hold held": -1, "txn hold confirmed": 1, "money user frozen": -amount },
    make: async (stand) => {
      const path = `/holds/${await hold(stand)}/confirm`;
      return await described(stand, path, {}, { metadata: { till: 7 } });
    },
  },
  "hold cancel": {
    ...{ key: "due", status: 200, rivals: settled },
    effect: { "txn hold held": -1, "txn hold canceled": 1, "money user available": amount },
    make: async (stand) => {
      const path = `/holds/${await hold(stand)}/cancel`;
      return await described(stand, path, {}, { metadata: { till: 7 } });
    },
  },
  "hold confirm or cancel": {
    ...{ key: "due", status: 200, rivals: settled },
    effect: { "txn hold held": -1, "money user frozen": -amount },
    make: async (stand) => {
      const id = await hold(stand);
      const calls = [`/holds/${id}/confirm`, `/holds/${id}/cancel`] as const;
      return { calls: [await asOwner(stand, calls[0]), await asOwner(stand, calls[1])] };
    },
  },
  transfer: {
    ...{ key: "due", status: 201, rivals: drawn },
    effect: { "txn transfer completed": 1, "money user available": 0 },
    make: async (stand) => {
      const fromWalletId = await stand.wallet(draws * amount + 1);
      const body = { fromWalletId, toWalletId: await stand.wallet(), amount };
      return await described(stand, "/transfers", body, { description: "other" });
    },
  },
  "transfer batch": {
    ...{ key: "due", status: 201, rivals: own },
    effect: { "txn transfer completed": 3, "money user available": 0 },
    make: async (stand) => {
      const fromWalletId = await stand.wallet(1_000 * amount);
      const item = { fromWalletId, toWalletId: await stand.wallet(), amount };
      const items = [item, { ...item, amount: 1 }, { ...item, amount: 2 }];
      const other = [item, { ...item, amount: 2 }, { ...item, amount: 1 }];
      return await described(stand, "/transfers/batch", { items }, { items: other });
    },
  },
  reversal: {
    ...{ key: "due", status: 201 },
    rivals: { are: "refused", as: ["409 already-reversed"] },
    effect: { "txn reversal completed": 1, "money user available": -amount },
    make: async (stand) => {
      const wallet = await stand.wallet(2 * amount);
      const { id } = await stand.made(`/wallets/${wallet}/credit`, { amount });
      const path = `/transactions/${id}/reversal`;
      return await described(stand, path, { reason: "a mistake" }, { reason: "other" });
    },
  },
};

const fleetKinds: Kinds = {
  "card refund": {
    ...{ key: "due", status: 201 },
    rivals: { are: "refused", as: ["409 wallet-empty"] },
    effect: {
      "txn refund completed": 1,
      "card 0": -1,
      "card 4": 1,
      "money cash available": amount,
    },
    make: async (stand) => {
      const { cardId } = await stand.loaded(amount);
      const path = `/fleet/cards/${cardId}/refund`;
      return await described(stand, path, { reason: "leaves" }, { reason: "other" });
    },
  },
  "part of a card refunded": {
    ...{ key: "due", status: 201, rivals: drawn },
    effect: { "txn refund completed": 1, "card 4": 0, "money cash available": amount },
    make: async (stand) => {
      const { cardId } = await stand.loaded(draws * amount + 1);
      const reason = "leaves";
      await stand.made(`/fleet/cards/${cardId}/block`, { reason });
      return { calls: [await asOwner(stand, `/fleet/cards/${cardId}/refund`, { reason, amount })] };
    },
  },
  "member refund": {
    ...{ key: "due", status: 201 },
    rivals: { are: "refused", as: ["409 wallet-empty"] },
    effect: {
      "txn refund completed": 1,
      "card 0": -1,
      "card 4": 1,
      "money cash available": amount,
    },
    make: async (stand) => {
      const { memberId } = await stand.loaded(amount);
      const path = `/fleet/members/${memberId}/refund`;
      return await described(stand, path, { reason: "leaves" }, { reason: "other" });
    },
  },
  "flag approve": {
    ...{ key: "taken", status: 200, rivals: decided },
    effect: { "flag approved": 1, "flag open": -1, "money suspense available": -amount },
    make: async (stand) => {
      const path = `/fleet/flags/${await parked(stand)}/approve`;
      return await described(stand, path, { note: "paid" }, { note: "other" });
    },
  },
  "flag dismiss": {
    ...{ key: "taken", status: 200, rivals: decided },
    effect: {
      ...{ "flag dismissed": 1, "flag open": -1, "card 0": -1, "card 2": 1 },
      ...{ "money suspense available": -amount, "money cash available": amount },
    },
    make: async (stand) => {
      const path = `/fleet/flags/${await parked(stand)}/dismiss`;
      return await described(stand, path, { note: "nobody paid" }, { note: "other" });
    },
  },
  "flag approve or dismiss": {
    ...{ key: "taken", status: 200, rivals: decided },
    effect: { "flag open": -1, "money suspense available": -amount },
    make: async (stand) => {
      const path = `/fleet/flags/${await parked(stand)}`;
      const [yes, no] = [`${path}/approve`, `${path}/dismiss`];
      const body = { note: "decided" };
      return { calls: [await asOwner(stand, yes, body), await asOwner(stand, no, body)] };
    },
  },
  "settlement run": {
    ...{ key: "taken", status: 201 },
    rivals: { are: "refused", as: ["409 already-exists"] },
    effect: { "settlement run": 1 },
    make: async (stand) => {
      const ms = Date.now() - (stand.next() + 2) * 86_400_000;
      const day = new Date(ms).toISOString().slice(0, 10);
      const body = { from: day, to: day };
      return await described(stand, "/fleet/settlement/runs", body, { terminalId: 1 });
    },
  },
};

export const moneyKinds: Kinds = { ...ledgerKinds, ...fleetKinds };
