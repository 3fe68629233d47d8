/** Histories of who may do what: blocks, expiry, grants, tokens, the same call twice. What is right is the auditor's to say. */
import { daySec, type History, looks, shop, uuid } from "./shop.ts";

const blocks: History = async (at) => {
  const here = await shop(at);
  const { station, till, card, path } = here;
  const seen = await at.call(till, "GET", "/api/blocklist");
  await at.report(till, "write_failure", card.cardId);
  await looks(at, here);
  await at.upload(till, card.debit(5));
  await at.pass(60);
  await at.report(till, "tamper", card.cardId, { counter: 3 });
  await at.report(till, "tamper", card.cardId, { counter: 3 });
  await at.report(till, "replay", card.cardId);
  await at.report(till, "replay", card.cardId, { counter: 4 });
  await at.report(till, "write_failure", card.cardId);
  await at.report(till, "write_failure", "0123456789ab");
  await at.call(till, "GET", `/api/blocklist?since=${seen.version}`);
  const list = await at.call(till, "GET", "/api/blocklist");
  await at.call(till, "GET", "/api/blocklist", { etag: String(list.etag) });
  await at.desk("POST", "/fleet/blocklist", { cardId: "0123456789ab", reason: "found" });
  await at.desk("POST", "/fleet/blocklist", { cardId: "0123456789ab", reason: "found" });
  await at.call(till, "GET", `/api/blocklist?since=${list.version}`);
  await at.call(till, "GET", "/api/blocklist", { etag: String(list.etag) });
  await at.desk("DELETE", "/fleet/blocklist/0123456789ab");
  await at.desk("DELETE", "/fleet/blocklist/0123456789ab");
  await at.desk("DELETE", `/fleet/blocklist/${card.cardId}`);
  await at.call(till, "GET", `/api/blocklist?since=${list.version}`);
  const edges = [at.nowSec, at.nowSec - 3_600, at.nowSec - 3_601];
  await at.upload(till, ...edges.map((each) => card.debit(5, { at: each })));
  const body = { reason: "lost", operatorId: 1, timestamp: at.nowSec };
  await at.call(station, "POST", `${path}/block`, { body });
  await at.desk("POST", `${path.replace("/api", "/fleet")}/block`, { reason: "x" });
  await at.desk("POST", `${path.replace("/api", "/fleet")}/unblock`);
  await at.topup(station, card.cardId, 5);
  await looks(at, here);
  await at.desk("GET", "/fleet/blocklist?limit=100");
};

const expiry: History = async (at) => {
  const station = await at.working("station");
  const till = await at.working("terminal");
  const card = await at.card(station, { expiresAt: at.nowSec + 1_000 });
  const path = `/api/cards/${card.cardId}`;
  await at.upload(station, card.admin(), card.checkin());
  at.venue.clock.advance(999);
  await at.call(till, "GET", path);
  at.venue.clock.advance(1);
  await at.call(till, "GET", path);
  await at.call(till, "GET", "/api/blocklist");
  await at.topup(station, card.cardId, 5);
  await at.upload(till, card.checkout({ at: at.nowSec }), card.checkout({ at: at.nowSec + 1 }));
  const edges = [at.nowSec - 3_600, at.nowSec - 3_601];
  await at.upload(till, card.admin(), ...edges.map((each) => card.checkout({ at: each })));
  await at.call(till, "GET", path);
  const body = { reason: "lost", operatorId: 1, timestamp: at.nowSec };
  await at.call(station, "POST", `${path}/block`, { body });
  await at.pass(60);
  await at.call(till, "GET", "/api/blocklist");
  await at.call(till, "GET", path);
  const next = { newCardId: "00000000000e", keyVersion: 1, operatorId: 1, timestamp: at.nowSec };
  await at.call(station, "POST", `${path}/reissue`, { body: { ...next, expiresAt: 5 } });
  await at.call(till, "GET", "/api/cards/00000000000e");
};

const grants: History = async (at) => {
  const here = await shop(at);
  const { till, card, station } = here;
  const gate = await at.working("gate");
  const scout = await at.device("scout");
  await at.call(scout, "GET", "/api/session-grant");
  await at.upload(gate, card.debit(5), card.checkout(), card.admin());
  await at.upload(scout, card.checkin());
  const { nowSec } = at;
  const edges = [nowSec - 3_600, nowSec - 3_601, nowSec + 32_400, nowSec + 32_401];
  await at.upload(till, ...edges.map((each) => card.debit(1, { at: each })));
  await at.pass(28_799);
  await at.topup(station, card.cardId, 5);
  await at.pass(1);
  await at.topup(station, card.cardId, 5);
  await at.desk("POST", `/fleet/devices/${till.id}/suspend`);
  await at.call(till, "GET", "/api/session-grant");
  const late = [at.nowSec, at.nowSec - 3_599, at.nowSec - 3_600];
  await at.upload(till, ...late.map((each) => card.debit(5, { at: each })));
  await at.report(till, "tamper", card.cardId);
  await looks(at, here);
  await at.desk("POST", `/fleet/devices/${till.id}/resume`);
  await at.call(till, "GET", "/api/session-grant?keyVersion=2");
  await at.desk("POST", "/fleet/key-versions", {});
  await at.call(till, "GET", "/api/session-grant?keyVersion=2");
  await at.desk("POST", "/fleet/key-versions/2/activate");
  await at.call(till, "GET", "/api/session-grant?keyVersion=1");
  await at.call(till, "GET", "/api/session-grant");
  await at.desk("POST", "/fleet/key-versions/2/retire");
  await at.desk("POST", "/fleet/key-versions/1/retire");
  await at.call(station, "GET", "/api/session-grant");
  const body = { keyVersion: 2, operatorId: 1, timestamp: at.nowSec };
  const path = `/api/cards/${card.cardId}/rekey`;
  await at.call(station, "POST", path, { body: { ...body, keyVersion: 3 } });
  await at.call(station, "POST", path, { body });
  await at.call(station, "POST", path, { body });
  await at.desk("POST", "/fleet/key-versions/1/retire");
  await at.call(till, "GET", "/api/session-grant?keyVersion=1");
};

const doors: History = async (at) => {
  const here = await shop(at);
  const { till, station, card, path } = here;
  await at.call(undefined, "GET", path);
  await at.call(till, "POST", path);
  await at.call(till, "GET", "/api/nothing");
  await at.call(till, "GET", "/api/cards/0123456789ab");
  await at.call(till, "GET", `${path}/events?limit=0`);
  await at.call(till, "POST", `${path}/topup`, { body: {} });
  await at.call(station, "POST", `${path}/topup`, { body: { amount: 0 } });
  await at.upload({ ...till, terminalId: 77 }, card.debit(1));
  const { id } = await at.member();
  const bound = await at.device("scout", { memberId: id });
  await at.call(bound, "GET", path);
  await at.desk("POST", `/fleet/devices/${till.id}/revoke-token`);
  await at.call(till, "GET", path);
  const { secret } = await at.desk("POST", `/fleet/devices/${till.id}/secret`, {});
  await at.commission(till);
  await at.commission(till, String(secret));
  await at.commission(till, String(secret));
  await at.call(till, "GET", path);
  await at.commission(till, String(secret));
  await at.upload(till, card.debit(1));
  const kept = await at.desk("POST", `/fleet/devices/${till.id}/secret`, { keepToken: true });
  await at.call(till, "GET", path);
  await at.pass(7 * daySec);
  await at.commission(till, String(kept.secret));
  await at.desk("DELETE", `/fleet/devices/${till.id}`);
  await at.desk("DELETE", `/fleet/devices/${till.id}`);
  await at.call(till, "GET", path);
};

const repeats: History = async (at) => {
  const here = await shop(at);
  const { station, till, card, path } = here;
  const key = uuid();
  const body = { amount: 5, operatorId: 1, timestamp: at.nowSec };
  const send = (more = {}) =>
    at.call(station, "POST", `${path}/topup`, { body: { ...body, ...more }, key });
  await send();
  await send();
  await send({ amount: 6 });
  const batch = { terminalId: till.terminalId, events: [card.debit(4)] };
  const again = { body: batch, key: uuid() };
  await at.call(till, "POST", "/api/reconcile", again);
  await at.call(till, "POST", "/api/reconcile", again);
  await at.call(till, "POST", "/api/reconcile", { body: batch });
  await at.call(till, "POST", "/api/reconcile", { body: batch, key: "no" });
  await at.pass(daySec - 1);
  await at.call(till, "POST", "/api/reconcile", again);
  await at.pass(1);
  await at.call(till, "POST", "/api/reconcile", again);
};

export const doorHistories: Readonly<Record<string, History>> = {
  blocks,
  expiry,
  grants,
  doors,
  repeats,
};
