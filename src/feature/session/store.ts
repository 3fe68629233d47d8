/** Session grants as rows. */
import { grantInsert, grantOpenUntil, grantWindows } from "../../../schema/query/session.ts";
import type { GrantWindow } from "../../domain/window.ts";
import type { Reader, Writer } from "../../store/seam.ts";

export interface GrantRow {
  readonly tenantId: number;
  readonly deviceNo: number;
  readonly keyVersion: number;
  /** Mask of operations. */
  readonly ops: number;
  readonly issuedAtMs: number;
  readonly expiresAtSec: number;
}

export async function insertGrant(tx: Writer, g: GrantRow): Promise<void> {
  await tx.run(
    grantInsert,
    g.tenantId,
    g.deviceNo,
    g.keyVersion,
    g.ops,
    g.issuedAtMs,
    g.expiresAtSec,
  );
}

/** A device's spans that end at `sinceSec` or later, by their beginning; some may overlap. */
export async function readWindows(
  q: Reader,
  deviceNo: number,
  sinceSec: number,
): Promise<GrantWindow[]> {
  const rows = await q.all(grantWindows, deviceNo, sinceSec);
  return rows.map((row) => ({
    issuedSec: Math.floor(row.issued_at_ms / 1000),
    expiresSec: row.expires_at_sec,
    ops: row.ops,
  }));
}

/** Latest expiry, at most `untilSec`, of the tenant's grants that were open at `atSec`, or null. */
export async function latestOpen(
  q: Reader,
  tenantId: number,
  atSec: number,
  untilSec: number,
): Promise<number | null> {
  const row = await q.get(grantOpenUntil, tenantId, atSec, untilSec, atSec * 1000 + 999);
  return row?.expires_at_sec ?? null;
}
