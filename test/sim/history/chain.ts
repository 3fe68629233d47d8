/** Histories of events: their order, holes, forks, what does not fit, what is kept out. What is right is the auditor's to say. */
import { daySec, type History, looks, shop } from "./shop.ts";

const order: History = async (at) => {
  const here = await shop(at);
  const { till, card } = here;
  const events = [
    ...[card.debit(1_000), card.debit(2_000, { skip: 2 }), card.checkout(), card.checkin()],
    ...[card.debit(3_000), card.admin({ skip: 1 }), card.debit(10), card.checkout(), card.admin()],
  ];
  for (const index of [3, 8, 0, 6, 5, 1, 4, 7, 2]) {
    const event = events[index];
    if (event) await at.upload(till, event);
    await looks(at, here);
  }
  await at.upload(till, ...events);
  await at.upload(till);
};

const holes: History = async (at) => {
  const here = await shop(at);
  const { till, card } = here;
  const lost = [card.debit(1_000), card.checkout(), card.checkin(), card.debit(5)];
  await at.upload(till, card.debit(7), card.credit(9), card.checkin(), card.debit(3));
  await at.pass(3 * daySec);
  await at.upload(till, ...lost.slice(1, 2));
  await at.pass(4 * daySec - 1);
  await at.pass(1);
  await at.pass(1);
  await at.pass(3 * daySec);
  await looks(at, here);
  await at.upload(till, ...lost);
  await looks(at, here);
  await at.flags();
};

const forks: History = async (at) => {
  const here = await shop(at);
  const { till, card } = here;
  const clone = card.fork();
  const mine = [card.debit(1_000), card.debit(2_000)];
  const theirs = [clone.debit(1_500), clone.debit(2_500), clone.checkout()];
  await at.upload(till, ...mine);
  await at.upload(till, ...theirs);
  await at.upload(till, ...theirs);
  await looks(at, here);
  for (const id of await at.flags("counter_conflict")) {
    await at.desk("POST", `/fleet/flags/${id}/approve`, { note: "seen" });
    await at.desk("POST", `/fleet/flags/${id}/dismiss`, { note: "again" });
  }
  await at.upload(till, ...theirs);
  await looks(at, here);
};

const tampered: History = async (at) => {
  const here = await shop(at);
  const { till, card } = here;
  const event = card.debit(1_000);
  await at.upload(till, { ...event, hash: "0123456789ab" });
  await at.upload(till, { ...card.debit(1_000), balanceAfter: 1 });
  await at.upload(till, { ...card.checkin(), hash: "0123456789ab" });
  await at.upload(till, { ...card.checkin(), amount: 5 }, { ...card.debit(7), amount: 0 });
  await at.upload(till, { ...card.debit(7), amount: 16_777_215 }, card.debit(1, { skip: 20_000 }));
  await at.upload(till, { ...card.credit(7), balanceAfter: 16_000_001 });
  await at.upload(till, { ...card.debit(7), balanceAfter: 16_000_001 });
  await at.upload(till, card.debit(1, { at: at.nowSec + 90_000 }), card.checkout());
  await looks(at, here);
  await at.flags();
};

const quarantine: History = async (at) => {
  const here = await shop(at);
  const { station, till, card } = here;
  const stranger = card.fork();
  const theirs = { ...stranger.debit(900), cardId: "00000000000f" };
  const leap = card.debit(60, { skip: 10_000 });
  await at.upload(till, theirs, leap, { ...card.checkin(), amount: 5 }, theirs);
  const all = await at.flags();
  const decide = (decision: string, ids: readonly string[]) =>
    at.desk("POST", "/fleet/flags/decide", { ids, decision, note: "x" });
  await decide("approve", all);
  await looks(at, here);
  await at.upload(till, leap);
  const userId = (await at.member()).userId;
  const draft = { userId, name: "x", createdAt: at.nowSec, keyVersion: 1 };
  await at.call(station, "POST", "/api/cards", { body: { ...draft, cardId: "00000000000f" } });
  await at.upload(till, theirs);
  await looks(at, here);
  await at.desk("GET", "/fleet/cards/00000000000f");
  await at.upload(till, theirs);
};

export const chainHistories: Readonly<Record<string, History>> = {
  order,
  holes,
  forks,
  tampered,
  quarantine,
};
