/** Statements over whom and what a refund pays. */
import { statement } from "./statement.ts";

export const refundMember = statement<
  [tenantId: number, uuid: string],
  { member_no: number; user_id: number }
>("refund.member", "SELECT member_no, user_id FROM member WHERE uuid = ?2 AND tenant_id = ?1");

/** Every card that a member holds or has held, oldest first. */
export const refundCards = statement<[tenantId: number, memberNo: number], { card_id: string }>(
  "refund.cards",
  "SELECT card_id FROM card WHERE member_no = ?2 AND tenant_id = ?1 ORDER BY card_no",
);

/** Currency and wallets of a transaction between a card and the house. */
export const refundSides = statement<
  [tenantId: number, txnNo: number],
  { currency: string; wallet_id: string; counter_id: string }
>(
  "refund.sides",
  `SELECT t.currency, c.wallet_uuid AS wallet_id, w.uuid AS counter_id
   FROM txn t JOIN card c ON c.card_no = t.card_no JOIN wallet w ON w.wallet_no = t.counter_wallet_no
   WHERE t.txn_no = ?2 AND t.tenant_id = ?1`,
);
