/**
 * Where did this money go: from any card, event, top-up, flag or transaction one call leads to the next,
 * all the way round to the settlement row and the audit record, by ids in the answers alone.
 */
import { expect, test } from "bun:test";
import { venues } from "../harness.ts";
import { Desk, dataOf } from "./desk.ts";

const open = venues();

type Json = Record<string, unknown>;
const text = (value: unknown): string => String(value);

async function day() {
  const venue = await open();
  const at = new Desk(venue);
  const station = await venue.working("station");
  const till = await venue.working("terminal");
  const chain = await venue.card(station);
  const admin = chain.admin();
  const { topupId } = (await station.topup(chain.cardId, 50_000)).json;
  await station.hand(admin, chain.credit(50_000));
  await till.hand(chain.checkin(), chain.debit(8_000), chain.credit(3_000));
  const get = async (path: string): Promise<Json> => {
    const answer = await at.get(path);
    expect([path, answer.outcome]).toEqual([path, "200"]);
    return answer.json;
  };
  const list = async (path: string): Promise<Json[]> => dataOf({ json: await get(path) } as never);
  return { venue, at, station, till, cardId: chain.cardId, topupId, get, list };
}

/** The audit record that a sequence number names. */
async function auditOf(venue: Awaited<ReturnType<typeof open>>, seq: unknown) {
  const [record] = await venue.rows<{ action: string; entity: string }>(
    `SELECT action, entity_id AS entity FROM audit WHERE tenant_id = 1 AND seq = ${text(seq)}`,
  );
  return record;
}

test("card → timeline → event → batch → audit, and event → transaction → entries → wallets → card", async () => {
  const { venue, till, cardId, get, list } = await day();
  const card = await get(`/fleet/cards/${cardId}`);
  const line = await list(`/fleet/cards/${cardId}/timeline?kind=event&limit=100`);
  const debit = line.find(({ amount }) => amount === 8_000) as Json;
  const detail = debit.detail as Json;

  const events = await list(`/fleet/batches/${text(detail.batchId)}/events`);
  const event = events.find(({ id }) => id === debit.id) as Json;
  expect(event).toMatchObject({ cardId, type: "debit", amount: 8_000, auditSeq: detail.auditSeq });
  const batch = await get(`/fleet/batches/${text(event.batchId)}`);
  expect(batch).toMatchObject({ terminalId: till.terminalId, auditSeq: event.auditSeq });
  expect(await auditOf(venue, batch.auditSeq)).toEqual({
    ...{ action: "fleet.batch.reconciled", entity: text(batch.id) },
  });

  expect(detail.transactionId).toBe(event.id);
  const transaction = await get(`/transactions/${text(detail.transactionId)}`);
  const { id: wallet } = card.wallet as Json;
  expect(transaction).toMatchObject({
    ...{ id: event.id, type: "card_debit", amount: 8_000, walletId: wallet, source: "device" },
  });
  const entries = transaction.entries as Json[];
  expect(entries.map(({ amount }) => amount).toSorted()).toEqual([-8_000, 8_000]);
  expect(entries.map(({ walletId }) => walletId)).toContain(wallet);
  expect(await get(`/wallets/${text(transaction.walletId)}`)).toMatchObject({
    kind: "card",
    cardId,
  });
  expect(await get(`/wallets/${text(transaction.counterWalletId)}`)).toMatchObject({
    systemKey: `settlement:${till.terminalId}`,
  });
  const moved = await list(`/transactions?walletId=${text(wallet)}&limit=100`);
  expect(moved.map(({ id }) => id)).toContain(event.id);
});

test("event → settlement row, and back to the events of its day", async () => {
  const { till, cardId, get, list } = await day();
  const [event] = await list(`/fleet/events?cardId=${cardId}&type=debit`);
  const { terminalId, timestamp } = event as { terminalId: number; timestamp: string };
  // The venue's zone is seven hours ahead.
  const local = new Date(Date.parse(timestamp) + 7 * 3_600_000).toISOString().slice(0, 10);
  const range = `from=${local}&to=${local}`;
  const rows = await list(`/fleet/settlement?${range}&terminalId=${terminalId}`);
  expect(rows).toMatchObject([
    { date: local, terminalId, deviceId: till.deviceId, debitAmount: 8_000 },
  ]);
  const from = new Date(Date.parse(`${local}T00:00:00+07:00`)).toISOString();
  const to = new Date(Date.parse(from) + 86_400_000).toISOString();
  const ofDay = await list(
    `/fleet/events?terminalId=${terminalId}&from=${from}&to=${to}&type=debit`,
  );
  expect(ofDay.map(({ id }) => id)).toEqual([event?.id]);
  expect(await get("/fleet/overview")).toHaveProperty("today.debitAmount", 8_000);
});

test("top-up → its transaction → the credit that settled it", async () => {
  const { cardId, topupId, get, list } = await day();
  const [topup] = await list(`/fleet/cards/${cardId}/timeline?kind=topup`);
  expect(topup).toMatchObject({ amount: 50_000, detail: { topupId } });
  const transaction = await get(`/transactions/${topupId}`);
  expect(transaction).toMatchObject({ type: "topup", status: "completed", amount: 50_000 });
  expect(await get(`/wallets/${text(transaction.walletId)}`)).toMatchObject({ cardId });
  const line = await list(`/fleet/cards/${cardId}/timeline?kind=event`);
  const credit = line.find(({ amount }) => amount === 50_000);
  expect(credit?.detail).toMatchObject({ type: "credit", transactionId: topupId });
});

test("flag → its event, batch and card → the decision → the money that moved", async () => {
  const { venue, at, cardId, get, list } = await day();
  const [flag] = await list("/fleet/flags?reason=unauthorised_credit");
  const { id, eventId, batchId } = flag as { id: string; eventId: string; batchId: string };
  const events = await list(`/fleet/batches/${batchId}/events`);
  expect(events.find((event) => event.id === eventId)).toMatchObject({
    ...{ cardId, amount: 3_000, outcome: "flagged" },
  });
  const parked = await get(`/transactions/${eventId}`);
  expect(parked).toMatchObject({ type: "card_credit", status: "parked", amount: 3_000 });
  await at.post(`/fleet/flags/${id}/approve`, { note: "x" });
  const booked = await get(`/transactions/${eventId}`);
  expect(booked).toMatchObject({ status: "completed" });
  const { wallet } = (await get(`/fleet/cards/${cardId}`)) as { wallet: Json };
  expect(booked.entries).toContainEqual(
    expect.objectContaining({ walletId: wallet.id, bucket: "available", amount: 3_000 }),
  );
  const [decision] = await list(`/fleet/cards/${cardId}/timeline?kind=decision`);
  expect(decision?.detail).toMatchObject({ flagId: id, decision: "approved" });
  const shown = await list(`/fleet/cards/${cardId}/timeline?kind=flag`);
  expect(shown.map(({ id }) => id)).toContain(id);
  expect(await venue.actions("fleet.flag.decided")).toHaveLength(1);
});

test("a refused event has an id too: flag → event → batch, and → the money booked for it", async () => {
  const { at, cardId, till, get, list } = await day();
  const [event] = await list(`/fleet/events?cardId=${cardId}&type=debit`);
  const { counter, hash, timestamp, balanceAfter } = event as Json;
  const seconds = Date.parse(text(timestamp)) / 1000;
  const wire = {
    cardId,
    counter,
    hash,
    balanceAfter,
    type: "debit",
    amount: 1,
    timestamp: seconds,
  };
  await till.upload(wire as never);
  const [flag] = await list("/fleet/flags?kind=quarantine");
  const [refused] = await list("/fleet/events?outcome=rejected");
  expect(flag).toMatchObject({ eventId: refused?.id, batchId: refused?.batchId });
  expect(await get(`/fleet/batches/${text(refused?.batchId)}`)).toMatchObject({ rejected: 1 });
  await at.post(`/fleet/flags/${text(flag?.id)}/approve`, { note: "x" });
  const [decision] = await list(`/fleet/cards/${cardId}/timeline?kind=decision`);
  const detail = decision?.detail as Json;
  expect(detail).toMatchObject({ flagId: flag?.id, eventId: refused?.id, batchId: flag?.batchId });
  const booked = await get(`/transactions/${text(detail.transactionId)}`);
  expect(booked).toMatchObject({ type: "card_debit", amount: 1 });
  expect(await get(`/wallets/${text(booked.walletId)}`)).toMatchObject({ cardId });
});
