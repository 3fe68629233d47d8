/** Histories of money: top-ups, refunds, cards in place of cards, limits, days that are closed. What is right is the auditor's to say. */
import { daySec, type History, looks, shop, uuid } from "./shop.ts";

const credits: History = async (at) => {
  const here = await shop(at);
  const { station, till, card } = here;
  const { cardId } = card;
  const { nowSec } = at;
  await at.topup(station, cardId, 100, { timestamp: nowSec, counter: 9 });
  await at.topup(station, cardId, 100, { timestamp: nowSec - 5_000 });
  await at.topup(station, cardId, 100, { timestamp: nowSec + 5_000 });
  await at.topup(station, cardId, 100, { timestamp: nowSec + 5_000 });
  await at.upload(station, card.credit(100, { at: nowSec }));
  await at.upload(station, card.credit(100, { at: nowSec + 1 }), card.credit(200));
  await at.upload(station, card.credit(100), card.credit(100), card.credit(100));
  await looks(at, here);
  await at.topup(till, cardId, 100);
  await at.topup(station, cardId, 200);
  await at.topup(station, cardId, 100, { timestamp: nowSec + 7 });
  await looks(at, here);
  await at.topup(station, cardId, 70, { timestamp: nowSec - 10 });
  await at.topup(station, cardId, 70, { timestamp: nowSec + 3_600 });
  await at.topup(station, cardId, 70, { timestamp: nowSec + 3_601 });
  await at.upload(station, card.credit(70, { at: nowSec }));
  await at.topup(station, cardId, 70, { timestamp: nowSec - 10 });
  const [first, second] = await at.flags("unauthorised_credit");
  if (first) await at.desk("POST", `/fleet/flags/${first}/dismiss`, { note: "no", block: false });
  if (second) await at.desk("POST", `/fleet/flags/${second}/approve`, { note: "yes" });
  await at.topup(station, cardId, 4_900_000);
  await at.topup(station, cardId, 4_949_600);
  await looks(at, here);
  await at.desk("GET", "/money/trial-balance");
};

const cancels: History = async (at) => {
  const here = await shop(at);
  const { station, card, path } = here;
  const other = await at.working("station");
  const { cardId } = card;
  const { nowSec } = at;
  const one = await at.topup(station, cardId, 100);
  const cancel = (id: unknown) => at.call(station, "POST", `${path}/topup/${id}/cancel`);
  await at.call(other, "POST", `${path}/topup/${one.topupId}/cancel`, { body: {} });
  await cancel(one.topupId);
  await cancel(one.topupId);
  await cancel(uuid());
  await at.topup(station, cardId, 100);
  const two = await at.topup(station, cardId, 300, { timestamp: nowSec - 10 });
  const three = await at.topup(station, cardId, 300, { timestamp: nowSec });
  await at.upload(station, card.credit(300, { at: nowSec - 10 }));
  await cancel(two.topupId);
  await cancel(two.topupId);
  await cancel(three.topupId);
  const four = await at.topup(station, cardId, 400);
  await at.upload(station, card.credit(400, { at: nowSec }));
  await cancel(four.topupId);
  await looks(at, here);
  await at.topup(station, cardId, 500);
  await at.pass(2 * daySec);
};

const reissues: History = async (at) => {
  const here = await shop(at);
  const { station, till, card, path } = here;
  await at.topup(station, card.cardId, 700);
  const pending = card.fork().credit(700);
  const body = { newCardId: "00000000000a", keyVersion: 1, operatorId: 1, timestamp: at.nowSec };
  await at.call(station, "POST", `${path}/reissue`, { body: { ...body, newCardId: card.cardId } });
  await at.call(station, "POST", `${path}/reissue`, { body: { ...body, keyVersion: 2 } });
  const whole = { ...body, chipBalance: 30_000 };
  await at.call(station, "POST", `${path}/reissue`, { body: whole });
  await at.call(station, "POST", `${path}/reissue`, { body: whole });
  await at.call(station, "POST", `${path}/reissue`, { body });
  await at.call(station, "POST", `${path}/reissue`, {
    body: { ...body, newCardId: "00000000000b" },
  });
  await at.upload(till, pending, card.debit(45_000));
  await looks(at, here);
  await at.call(till, "GET", "/api/cards/00000000000a");
  await at.desk("POST", `/fleet/cards/${card.cardId}/block`, { reason: "x" });
  await at.desk(
    "POST",
    `/fleet/cards/00000000000a/refund`,
    { reason: "x", amount: 30_001 },
    uuid(),
  );
  await at.desk(
    "POST",
    `/fleet/cards/00000000000a/refund`,
    { reason: "x", amount: 29_000 },
    uuid(),
  );
  await at.desk("POST", `/fleet/cards/00000000000a/refund`, { reason: "x" }, uuid());
  await at.desk("POST", `/fleet/cards/00000000000a/refund`, { reason: "x" }, uuid());
  await at.desk("GET", "/money/trial-balance");
};

const limits: History = async (at) => {
  const here = await shop(at, 4_000_000);
  const { till, card } = here;
  const policy = await at.desk("GET", "/fleet/policies?scope=tenant");
  const [own] = policy.data as { id: string; version: number }[];
  await at.desk("PATCH", `/fleet/policies/${own?.id}`, {
    ...{ singleTxLimit: 1_000, dailyLimit: 2_500, weeklyLimit: 3_000, version: own?.version },
  });
  await at.call(till, "GET", "/api/policy");
  const { nowSec } = at;
  await at.upload(till, card.debit(1_000), card.debit(1_001), card.debit(499), card.debit(1));
  await at.upload(till, card.debit(300, { at: nowSec + 3_000 }), card.debit(200, { at: nowSec }));
  const scope = { scope: "device", scopeId: till.id };
  await at.desk("POST", "/fleet/policies", {
    ...scope,
    singleTxLimit: 10,
    clockDriftAllowanceSec: 0,
  });
  await at.desk("POST", "/fleet/policies", { ...scope, singleTxLimit: 10 });
  await at.desk("POST", "/fleet/policies", { scope: "device", scopeId: uuid() });
  await at.upload(till, card.debit(11, { at: nowSec + 1 }), card.debit(10, { at: nowSec }));
  await at.call(till, "GET", "/api/policy");
  await at.pass(7 * daySec);
  await at.upload(till, card.debit(3, { at: at.nowSec }), card.checkout(), card.checkin());
  await looks(at, here);
};

const members: History = async (at) => {
  const here = await shop(at);
  const { station, card, path } = here;
  const shown = await at.desk("GET", path.replace("/api", "/fleet"));
  const member = `/fleet/members/${shown.memberId}`;
  await at.desk("DELETE", member);
  await at.desk("PATCH", member, { status: "suspended" });
  await at.topup(station, card.cardId, 5);
  const reissue = { newCardId: "00000000000a", keyVersion: 1, operatorId: 1, timestamp: at.nowSec };
  await at.call(station, "POST", `${path}/reissue`, { body: reissue });
  await at.desk("PATCH", member, { status: "active" });
  const draft = { userId: shown.userId, name: "x", createdAt: at.nowSec, keyVersion: 1 };
  await at.call(station, "POST", "/api/cards", { body: { ...draft, cardId: "00000000000a" } });
  await at.topup(station, card.cardId, 5);
  await at.desk("POST", `${member}/refund`, { reason: "left" }, uuid());
  await at.desk("POST", `${member}/refund`, { reason: "left" }, uuid());
  await at.call(station, "POST", "/api/cards", { body: { ...draft, cardId: "00000000000a" } });
  await at.desk("POST", "/fleet/cards/00000000000a/block", { reason: "x", as: "BLOCKED_FRAUD" });
  await at.desk("DELETE", member);
  await at.desk("GET", member);
  await at.call(station, "POST", "/api/cards", { body: { ...draft, cardId: "00000000000b" } });
};

const days: History = async (at) => {
  const here = await shop(at);
  const { station, till, card } = here;
  const date = (ago: number): string =>
    new Date((at.nowSec + 7 * 3_600 - ago * daySec) * 1000).toISOString().slice(0, 10);
  const days = (from: number, to: number) => ({ from: date(from), to: date(to) });
  const look = () => at.desk("GET", `/fleet/settlement?from=${date(5)}&to=${date(0)}`);
  await at.upload(till, card.debit(100), card.debit(200), card.credit(5));
  await at.desk("POST", "/fleet/settlement/runs", days(0, 0));
  await at.pass(daySec);
  await at.upload(
    till,
    card.debit(1, { at: at.nowSec }),
    card.debit(2, { at: at.nowSec - daySec }),
  );
  await at.desk("POST", "/fleet/settlement/runs", { ...days(1, 1), terminalId: till.terminalId });
  await at.desk("POST", "/fleet/settlement/runs", days(2, 1));
  await at.pass(daySec);
  await at.upload(
    till,
    card.debit(3, { at: at.nowSec - 2 * daySec }),
    card.debit(4, { skip: 20_000 }),
  );
  const [leap] = await at.flags("counter_leap");
  await at.desk("POST", `/fleet/flags/${leap}/approve`, { note: "seen" });
  await look();
  await at.desk("POST", "/fleet/settlement/runs", { ...days(1, 1), terminalId: till.terminalId });
  await at.desk("POST", "/fleet/settlement/runs", { ...days(2, 1), terminalId: 1 });
  await at.call(station, "GET", "/api/session-grant");
  const { topupId } = await at.topup(station, card.cardId, 900);
  const reverse = () =>
    at.desk("POST", `/transactions/${topupId}/reversal`, { reason: "mistake" }, uuid());
  await reverse();
  await reverse();
  await at.call(station, "POST", `/api/cards/${card.cardId}/topup/${topupId}/cancel`);
  for (const path of ["cards", "key-versions", `devices/${till.id}/policy`, "overview"]) {
    await at.desk("GET", `/fleet/${path}`);
  }
  await looks(at, here);
};

export const moneyHistories: Readonly<Record<string, History>> = {
  credits,
  cancels,
  reissues,
  limits,
  members,
  days,
};
