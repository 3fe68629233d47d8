/**
 * Members, their cards and what they paid, as registering and topping up write them: each with its
 * audit record, its line in the card's timeline and its published event. Heads come last, from the
 * history, because a head is written over and over and only its last state stays.
 */
import { cardChangeInsert, cardInsert } from "../../schema/query/card.ts";
import { memberInsert } from "../../schema/query/member.ts";
import {
  postingInsert,
  systemWallet,
  systemWalletInsert,
  walletAdd,
} from "../../schema/query/money.ts";
import { settlementAdd } from "../../schema/query/settlement.ts";
import { statement } from "../../schema/query/statement.ts";
import { topupInsert } from "../../schema/query/topup.ts";
import type { Actor } from "../../src/domain/audit.ts";
import { cardIdOf, extraMinor, hasExtra, openingMinor, openingTimeSec } from "../domain/card.ts";
import type { Ground } from "./ground.ts";

/** As `txn.insert`, which asks for the number and the currency that are known here: four times as fast. */
const topupTxn = statement<
  [
    txnNo: number,
    uuid: string,
    tenantId: number,
    amount: number,
    currency: string,
    cardNo: number,
    cashNo: number,
    available: number,
    pending: number,
    createdBy: string,
    nowMs: number,
  ]
>(
  "bench.topupTxn",
  `INSERT INTO txn (txn_no, uuid, tenant_id, type, status, amount, currency, card_no, counter_wallet_no,
     after_available, after_pending, after_frozen, source, created_by, created_at_ms, updated_at_ms)
   VALUES (?1, ?2, ?3, 'topup', 'pending', ?4, ?5, ?6, ?7, ?8, ?9, 0, 'device', ?10, ?11, ?11)`,
);

const bench: Actor = { type: "system", id: "bench" };
const name = "Member";
const keyVersion = 1;
const operatorId = 1;

/** Every member with a card, made the day before the venue's first. */
export function addPeople(ground: Ground, openSec: number): void {
  const { bulk, record, random, tenantId, station, cards, firstMemberNo } = ground;
  const insertMember = bulk.use(memberInsert);
  const insertCard = bulk.use(cardInsert);
  const insertChange = bulk.use(cardChangeInsert);
  const createdAt = openSec - 86_400;
  const nowMs = createdAt * 1000;
  const by: Actor = { type: "device", id: station.device_id };
  const status = "active";
  for (let index = 0; index < cards.count; index++) {
    const memberId = random.uuid(nowMs);
    const userId = index + 1;
    insertMember(memberId, tenantId, userId, name, null, nowMs);
    const joined = "fleet.member.created";
    const after = { userId, status, name, email: null };
    const member = { entityType: "member", entityId: memberId } as const;
    record.append({ atMs: nowMs, action: joined, ...member, actor: bench, after });
    record.publish(joined, { memberId, userId, status }, nowMs);
  }
  for (let index = 0; index < cards.count; index++) {
    const cardId = cardIdOf(index);
    const userId = index + 1;
    const holder = [firstMemberNo + index, userId, name] as const;
    const card = [keyVersion, createdAt, null, null, nowMs] as const;
    insertCard(tenantId, cardId, random.uuid(nowMs), ...holder, ...card);
    const detail = { userId, keyVersion };
    const { device_id: actor, terminal_id: terminalId } = station;
    const line = [actor, null, JSON.stringify(detail)] as const;
    insertChange(tenantId, index + ground.firstCardNo, nowMs, "registered", terminalId, ...line);
    const action = "fleet.card.registered";
    const what = { atMs: nowMs, action, entityType: "card", entityId: cardId, actor: by };
    record.append({ ...what, metadata: { ...detail, terminalId } });
    record.publish(action, { cardId, userId, terminalId, amount: 0, balance: 0 }, nowMs);
  }
}

/** Takes money for cards at the station. */
export class Desk {
  readonly #insertTxn;
  readonly #insertTopup;
  readonly #post;
  readonly #settle;
  readonly #change;
  readonly #cashNo: number;
  #txnNo: number;
  #takenMinor = 0;

  constructor(readonly ground: Ground) {
    const { bulk, tenantId, firstTxnNo, random } = ground;
    this.#insertTxn = bulk.use(topupTxn);
    this.#insertTopup = bulk.use(topupInsert);
    this.#post = bulk.use(postingInsert);
    this.#settle = bulk.use(settlementAdd);
    this.#change = bulk.use(cardChangeInsert);
    const made = (): number => {
      const nowMs = Date.now();
      bulk.use(systemWalletInsert)(random.uuid(nowMs), tenantId, "cash", null, nowMs);
      return bulk.last("wallet", "wallet_no");
    };
    this.#cashNo = bulk.get(systemWallet, tenantId, "cash", null)?.wallet_no ?? made();
    this.#txnNo = firstTxnNo;
  }

  /** The top-up that every card begins with, in the order of the cards. */
  takeOpenings(openSec: number): void {
    const { count } = this.ground.cards;
    for (let index = 0; index < count; index++) this.#take(index, openingMinor, 0, openSec);
  }

  /** The second one of every fourth. Returns the number of the first; the others follow. */
  takeExtras(openSec: number): number {
    const { cards } = this.ground;
    const first = this.#txnNo;
    for (let index = 0; index < cards.count; index++) {
      if (!hasExtra(index)) continue;
      const { counter, chipBalance } = cards.facts(index);
      // Before its first event a card still awaits the opening money: then that is what it is worth.
      this.#take(index, extraMinor, counter === 0 ? openingMinor : chipBalance, openSec, counter);
    }
    return first;
  }

  #take(index: number, amount: number, worth: number, openSec: number, counter = 0): void {
    const { tenantId, currency, station, random, record, calendar, cards, firstCardNo } =
      this.ground;
    const { device_no: deviceNo, device_id: deviceId, terminal_id: terminalId } = station;
    const timestamp = openingTimeSec(index, openSec) - 1;
    const nowMs = openSec * 1000;
    const cardNo = firstCardNo + index;
    const cardId = cardIdOf(index);
    const topupId = random.uuid(nowMs);
    const chip = cards.facts(index).chipBalance;
    const balance = worth + amount;
    const txnNo = this.#txnNo;
    this.#txnNo += 1;
    const sides = [cardNo, this.#cashNo, chip, balance - chip] as const;
    this.#insertTxn(txnNo, topupId, tenantId, amount, currency, ...sides, deviceId, nowMs);
    this.#post(tenantId, txnNo, null, this.#cashNo, null, 0, -amount, nowMs);
    this.#post(tenantId, txnNo, null, null, cardNo, 1, amount, nowMs);
    this.#takenMinor += amount;
    const made = [amount, operatorId, timestamp, null, balance, counter, nowMs] as const;
    this.#insertTopup(txnNo, tenantId, cardNo, deviceNo, ...made);
    const day = calendar.dayOf(timestamp);
    this.#settle(tenantId, day, deviceNo, 0, 0, 0, 0, 0, 0, 1, amount, 0, 0, 0);
    const detail = { topupId, operatorId, balance };
    const line = [deviceId, amount, JSON.stringify(detail)] as const;
    this.#change(tenantId, cardNo, nowMs, "topup", terminalId, ...line);
    const action = "fleet.card.topped_up";
    const actor: Actor = { type: "device", id: deviceId };
    const told = { atMs: nowMs, action, entityType: "card", entityId: cardId, actor };
    record.append({ ...told, metadata: { ...detail, amount, terminalId } });
    record.publish(action, { cardId, userId: index + 1, terminalId, amount, balance }, nowMs);
  }

  /** What the house took in, in one go. */
  close(nowMs: number): void {
    const { bulk, tenantId } = this.ground;
    bulk.use(walletAdd)(tenantId, this.#cashNo, -this.#takenMinor, 0, 0, nowMs);
  }
}
