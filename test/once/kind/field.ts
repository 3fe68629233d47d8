/** Calls of devices: batches, top-ups, cards, reports, commissioning. */
import { type Held, nowSec, type Post, type Stand } from "../stand.ts";
import type { Call, Kinds } from "./kind.ts";

/** What a card that is blocked already records of being asked again. */
export const asked = { "audit fleet.card.blocked": 1, "change status": 1 } as const;

const amount = 20_000;

const batchOf = ({ token, terminalId }: Post, events: readonly object[]): Call => ({
  path: "/api/reconcile",
  ...{ token, body: { terminalId, events } },
});

const topupOf = ({ token }: Post, { cardId }: Held, more: object = {}): Call => ({
  path: `/api/cards/${cardId}/topup`,
  ...{ token, body: { amount, operatorId: 7, timestamp: nowSec(), ...more } },
});

/** A call of the station about a card. */
async function atStation(stand: Stand, path: string, body: object = {}): Promise<Call> {
  const { token } = await stand.station();
  const timestamp = nowSec();
  return { path: `/api/cards/${path}`, token, body: { operatorId: 7, timestamp, ...body } };
}

async function cancelOf(stand: Stand, { cardId }: Held, topupId: string): Promise<Call> {
  const { token } = await stand.station();
  return { path: `/api/cards/${cardId}/topup/${topupId}/cancel`, token };
}

const cardKinds: Kinds = {
  "top-up": {
    ...{ key: "taken", status: 200, rivals: { are: "same" } },
    effect: { "topup pending": 1, "txn topup pending": 1, "money cash available": -amount },
    make: async (stand) => {
      const [station, held] = [await stand.station(), await stand.card()];
      const call = topupOf(station, held);
      return { calls: [call], other: { ...call, body: { ...call.body, operatorId: 8 } } };
    },
    scopes: async (stand) => {
      const [a, b] = [await stand.card(), await stand.card()];
      const stations = [await stand.station(), await stand.post("station")];
      return stations.flatMap((station) => [topupOf(station, a), topupOf(station, b)]);
    },
  },
  "top-up of a parked credit": {
    ...{ key: "taken", status: 200, rivals: { are: "same" } },
    effect: {
      "topup completed": 1,
      "flag open": -1,
      "money suspense available": -amount,
      "money cash available": 0,
    },
    make: async (stand) => {
      const [station, held] = [await stand.station(), await stand.card()];
      const call = topupOf(station, held);
      await stand.hand(station, [held.chain.admin(), held.chain.credit(amount)]);
      return { calls: [call] };
    },
  },
  "top-up cancel": {
    ...{ key: "taken", status: 200, rivals: { are: "same" } },
    effect: { "topup pending": -1, "topup canceled": 1, "money cash available": amount },
    make: async (stand) => {
      const held = await stand.card();
      return { calls: [await cancelOf(stand, held, await stand.topup(held, amount))] };
    },
  },
  "top-up cancel in another's place": {
    ...{ key: "taken", status: 200, rivals: { are: "same" } },
    effect: { "topup pending": -1, "topup canceled": 1, "money cash available": amount },
    make: async (stand) => {
      const held = await stand.card();
      const topupId = await stand.topup(held, amount);
      const { chain } = held;
      await stand.hand(await stand.station(), [chain.admin(), chain.credit(amount)]);
      // Two that may be cancelled in its place, and one must.
      for (const _ of "ab") await stand.topup(held, amount);
      return { calls: [await cancelOf(stand, held, topupId)] };
    },
  },
  register: {
    ...{ key: "taken", status: 201 },
    rivals: { are: "refused", as: ["409 card_already_registered"] },
    effect: { "card 0": 1 },
    make: async (stand) => {
      const [cardId, { userId }] = [stand.cardId(), await stand.member()];
      const { token } = await stand.station();
      const body = { cardId, userId, name: "Siti", createdAt: nowSec(), keyVersion: 1 };
      const call = { path: "/api/cards", token, body };
      return { calls: [call], other: { ...call, body: { ...body, name: "Budi" } } };
    },
  },
  "two cards of one member": {
    ...{ key: "taken", status: 201 },
    rivals: {
      ...{ are: "refused", as: ["409 card_already_registered", "409 user_has_active_card"] },
    },
    effect: { "card 0": 1 },
    make: async (stand) => {
      const { userId } = await stand.member();
      const { token } = await stand.station();
      const of = (cardId: string): Call => {
        const body = { cardId, userId, name: "Siti", createdAt: nowSec(), keyVersion: 1 };
        return { path: "/api/cards", token, body };
      };
      return { calls: [of(stand.cardId()), of(stand.cardId())] };
    },
  },
  block: {
    ...{ key: "taken", status: 200, rivals: { are: "same", each: asked } },
    effect: { "card 0": -1, "card 4": 1 },
    make: async (stand) => {
      const { cardId } = await stand.card();
      return { calls: [await atStation(stand, `${cardId}/block`, { reason: "lost" })] };
    },
  },
  rekey: {
    ...{ key: "taken", status: 200, rivals: { are: "same" } },
    effect: { "card key 1": -1, "card key 2": 1 },
    make: async (stand) => {
      const { cardId } = await stand.card();
      return { calls: [await atStation(stand, `${cardId}/rekey`, { keyVersion: 2 })] };
    },
  },
  reissue: {
    ...{ key: "taken", status: 201, rivals: { are: "same" } },
    effect: {
      "card 0": 0,
      "card 4": 1,
      "card replaced": 1,
      reissue: 1,
      "txn reissue completed": 1,
    },
    make: async (stand) => {
      const { cardId } = await stand.loaded(amount);
      const body = { newCardId: stand.cardId(), keyVersion: 1, chipBalance: 5_000 };
      const call = await atStation(stand, `${cardId}/reissue`, body);
      return { calls: [call], other: { ...call, body: { ...call.body, operatorId: 8 } } };
    },
  },
  "reissue to two cards": {
    ...{ key: "taken", status: 201 },
    rivals: { are: "same", others: ["409 card_replaced"] },
    effect: { "card 0": 0, "card replaced": 1, reissue: 1, "txn reissue completed": 1 },
    make: async (stand) => {
      const { cardId } = await stand.loaded(amount);
      const of = () =>
        atStation(stand, `${cardId}/reissue`, { newCardId: stand.cardId(), keyVersion: 1 });
      return { calls: [await of(), await of()] };
    },
  },
};

const handedKinds: Kinds = {
  batch: {
    ...{ key: "taken", status: 200 },
    rivals: { are: "refused", as: ["409 duplicate_counter"] },
    effect: {
      ...{ batch: 1, "record 0": 1, "record 1": 2, "record 2": 1 },
      ...{ "topup pending": -1, "topup completed": 1 },
      ...{
        "money settlement available": 3_000,
        "settled debits": 2,
        "settled debit_amount": 3_000,
      },
    },
    make: async (stand) => {
      const held = await stand.loaded(amount);
      await stand.topup(held, 4_000);
      const { chain } = held;
      const events = [chain.credit(4_000), chain.debit(1_000), chain.debit(2_000)];
      const till = await stand.till();
      const at = nowSec();
      const other = chain.fork().checkout({ at: at + 1 });
      return {
        calls: [batchOf(till, [...events, chain.checkout({ at })])],
        other: batchOf(till, [...events, other]),
      };
    },
  },
  "batch with a fork": {
    ...{ key: "taken", status: 200 },
    // What is refused is judged anew each time; it adds no row.
    rivals: {
      are: "own",
      once: [
        ...["quarantine open", "flag open", "alert", "event fleet.flag.raised"],
        "event fleet.alert.raised",
      ],
    },
    effect: { batch: 1, "quarantine open": 1, "money settlement available": 0 },
    make: async (stand) => {
      const { chain } = await stand.loaded(amount);
      const fork = chain.fork();
      const till = await stand.till();
      await stand.hand(till, [chain.debit(1_000)]);
      return { calls: [batchOf(till, [fork.debit(2_000)])] };
    },
  },
  report: {
    ...{ key: "taken", status: 204, rivals: { are: "same" } },
    effect: { "report tamper": 1, "card 0": -1, "card 1": 1, alert: 1 },
    make: async (stand) => {
      const { cardId } = await stand.card();
      // So many cards a device may block in a day.
      const { token, terminalId } = await stand.post("terminal");
      const rest = { details: "seal broken", counter: 3, timestamp: nowSec() };
      const body = { terminalId, cardId, eventType: "tamper", ...rest };
      return { calls: [{ path: "/api/terminal-report", token, body }] };
    },
  },
  "report of a replay": {
    ...{ key: "taken", status: 204, rivals: { are: "same" } },
    effect: { "report replay": 1, "card 0": -1, "card 2": 1, alert: 1, "flag open": 1 },
    make: async (stand) => {
      const { cardId } = await stand.card();
      const { token, terminalId } = await stand.post("terminal");
      const rest = { details: "", counter: null, timestamp: nowSec() };
      const body = { terminalId, cardId, eventType: "replay", ...rest };
      return { calls: [{ path: "/api/terminal-report", token, body }] };
    },
  },
  commissioning: {
    ...{ key: "ignored", status: 200 },
    // Each retry with an unspent secret yields a token and revokes the one before.
    rivals: { are: "own", once: ["token live"] },
    effect: { token: 1, "token live": 1, "secret live": 0 },
    make: async (stand) => {
      const [deviceId, role] = [stand.name("gate"), "gate"];
      const { secret } = await stand.made<{ secret: string }>("/fleet/devices", { deviceId, role });
      return { calls: [{ path: "/api/auth/token", body: { deviceId, secret, role } }] };
    },
  },
};

export const fieldKinds: Kinds = { ...cardKinds, ...handedKinds };
