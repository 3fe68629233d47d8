/** Statements over reissues. */
import { statement } from "./statement.ts";

export const reissueInsert = statement<
  [
    newCardNo: number,
    tenantId: number,
    oldCardNo: number,
    deviceNo: number,
    digest: Uint8Array,
    answer: string,
  ]
>(
  "reissue.insert",
  `INSERT INTO reissue (new_card_no, tenant_id, old_card_no, device_no, digest, answer)
   VALUES (?1, ?2, ?3, ?4, ?5, ?6)`,
);

export const reissueOfOld = statement<
  [tenantId: number, oldCardNo: number],
  { device_no: number; digest: Uint8Array; answer: string }
>(
  "reissue.ofOld",
  "SELECT device_no, digest, answer FROM reissue WHERE old_card_no = ?2 AND tenant_id = ?1",
);
