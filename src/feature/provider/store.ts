/** Links of accounts elsewhere to people here, and taking from a person what somebody else may have set. */
import {
  accountStrip,
  linkInsert,
  linkOf,
  linksDelete,
  placesOf,
  recoveryDelete,
} from "../../../schema/query/provider.ts";
import type { Reader, Writer } from "../../store/seam.ts";

/** Row of the linked person. */
export async function findLink(
  q: Reader,
  providerId: string,
  subject: string,
): Promise<number | undefined> {
  return (await q.get(linkOf, providerId, subject))?.user_no;
}

export async function insertLink(
  tx: Writer,
  providerId: string,
  subject: string,
  userNo: number,
  nowMs: number,
): Promise<void> {
  await tx.run(linkInsert, providerId, subject, userNo, nowMs);
}

/** Password, second factor and links go; the address counts as proved. */
export async function stripAccount(tx: Writer, userNo: number, nowMs: number): Promise<void> {
  await tx.run(accountStrip, userNo, nowMs);
  await tx.run(recoveryDelete, userNo);
  await tx.run(linksDelete, userNo);
}

/** Tenants that the person is in, or was asked into. */
export async function tenantsOf(q: Reader, userNo: number): Promise<number[]> {
  return (await q.all(placesOf, userNo)).map((row) => row.tenant_id);
}
