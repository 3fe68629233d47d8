/** Key versions as rows; their secrets are sealed. */
import {
  type KeyVersionRow,
  keyActiveCards,
  keyCarried,
  keyTenant,
  keyVersionActivate,
  keyVersionInsert,
  keyVersionRetire,
  keyVersionStatus,
  keyVersions,
} from "../../../schema/query/key.ts";
import type { Reader, Writer } from "../../store/seam.ts";

/** @throws Error if there is no such tenant. */
export async function tenantUuid(q: Reader, tenantId: number): Promise<string> {
  const row = await q.get(keyTenant, tenantId);
  if (row === undefined) throw new Error(`key: no tenant ${tenantId}`);
  return row.uuid;
}

export const versionsOf = (q: Reader, tenantId: number): Promise<KeyVersionRow[]> =>
  q.all(keyVersions, tenantId);

export async function statusOf(
  q: Reader,
  tenantId: number,
  version: number,
): Promise<string | undefined> {
  return (await q.get(keyVersionStatus, tenantId, version))?.status;
}

export async function insertVersion(
  tx: Writer,
  tenantId: number,
  version: number,
  sealedSecret: Uint8Array,
  note: string | null,
  nowMs: number,
): Promise<void> {
  await tx.run(keyVersionInsert, tenantId, version, sealedSecret, note, nowMs);
}

export async function activateVersion(
  tx: Writer,
  tenantId: number,
  version: number,
  atMs: number,
): Promise<void> {
  await tx.run(keyVersionActivate, tenantId, version, atMs);
}

export async function retireVersion(
  tx: Writer,
  tenantId: number,
  version: number,
  atMs: number,
): Promise<void> {
  await tx.run(keyVersionRetire, tenantId, version, atMs);
}

/** Numbers of ACTIVE, unexpired cards, by the version that they carry. */
export async function activeCards(
  q: Reader,
  tenantId: number,
  nowSec: number,
): Promise<ReadonlyMap<number, number>> {
  const rows = await q.all(keyActiveCards, tenantId, nowSec);
  return new Map(rows.map((row) => [row.key_version, row.cards]));
}

export async function isCarried(
  q: Reader,
  tenantId: number,
  version: number,
  nowSec: number,
): Promise<boolean> {
  return (await q.get(keyCarried, tenantId, version, nowSec)) !== undefined;
}
