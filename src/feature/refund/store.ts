/** Whom and what a refund pays, as rows. */
import { refundCards, refundMember, refundSides } from "../../../schema/query/refund.ts";
import type { Reader } from "../../store/seam.ts";

export const findMember = async (
  q: Reader,
  tenantId: number,
  uuid: string,
): Promise<{ readonly memberNo: number; readonly userId: number } | undefined> => {
  const row = await q.get(refundMember, tenantId, uuid);
  return row && { memberNo: row.member_no, userId: row.user_id };
};

export const cardsOf = async (q: Reader, tenantId: number, memberNo: number): Promise<string[]> =>
  (await q.all(refundCards, tenantId, memberNo)).map((row) => row.card_id);

/** Currency of a transaction, and the wallets that it moved money between. */
export async function sidesOf(
  q: Reader,
  tenantId: number,
  txnNo: number,
): Promise<{
  readonly currency: string;
  readonly walletId: string;
  readonly counterWalletId: string;
}> {
  const row = await q.get(refundSides, tenantId, txnNo);
  if (row === undefined) throw new RangeError(`no transaction ${txnNo}`);
  const { currency, wallet_id: walletId, counter_id: counterWalletId } = row;
  return { currency, walletId, counterWalletId };
}
