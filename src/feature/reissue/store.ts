/** Rows of reissues, as asked for and answered. */
import { reissueInsert, reissueOfOld } from "../../../schema/query/reissue.ts";
import type { Reader, Writer } from "../../store/seam.ts";

export interface StoredReissue {
  readonly deviceNo: number;
  readonly digest: Uint8Array;
  readonly answer: string;
}

export async function readReissue(
  q: Reader,
  tenantId: number,
  oldCardNo: number,
): Promise<StoredReissue | undefined> {
  const row = await q.get(reissueOfOld, tenantId, oldCardNo);
  return row === undefined
    ? undefined
    : { deviceNo: row.device_no, digest: row.digest, answer: row.answer };
}

export async function insertReissue(
  tx: Writer,
  tenantId: number,
  newCardNo: number,
  oldCardNo: number,
  reissue: StoredReissue,
): Promise<void> {
  const { deviceNo, digest, answer } = reissue;
  await tx.run(reissueInsert, newCardNo, tenantId, oldCardNo, deviceNo, digest, answer);
}
