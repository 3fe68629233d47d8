/** API keys as rows. */
import {
  type ApiKeyRow,
  apiKeyByUuid,
  apiKeyCount,
  apiKeyInsert,
  apiKeyPage,
  apiKeyRevoke,
} from "../../../schema/query/apikey.ts";
import type { Reader, Writer } from "../../store/seam.ts";

export interface ApiKey {
  readonly apiKeyNo: number;
  readonly uuid: string;
  readonly name: string;
  /** First 8 characters of the key. */
  readonly prefix: string;
  readonly roles: readonly string[];
  /** Ranges of addresses; empty = from anywhere. */
  readonly allowedIps: readonly string[];
  readonly expiresAtMs: number | null;
  readonly lastUsedAtMs: number | null;
  readonly createdAtMs: number;
}

const apiKeyOf = (row: ApiKeyRow): ApiKey => ({
  apiKeyNo: row.api_key_no,
  uuid: row.uuid,
  name: row.name,
  prefix: row.prefix,
  roles: JSON.parse(row.roles) as string[],
  allowedIps: JSON.parse(row.allowed_ips) as string[],
  expiresAtMs: row.expires_at_ms,
  lastUsedAtMs: row.last_used_at_ms,
  createdAtMs: row.created_at_ms,
});

export async function findApiKey(
  q: Reader,
  tenantId: number,
  uuid: string,
): Promise<ApiKey | undefined> {
  const row = await q.get(apiKeyByUuid, tenantId, uuid);
  return row && apiKeyOf(row);
}

export async function pageApiKeys(
  q: Reader,
  tenantId: number,
  belowNo: number,
  limit: number,
): Promise<ApiKey[]> {
  return (await q.all(apiKeyPage, tenantId, belowNo, limit)).map(apiKeyOf);
}

export const countApiKeys = async (q: Reader, tenantId: number): Promise<number> =>
  (await q.get(apiKeyCount, tenantId))?.count ?? 0;

export interface NewApiKey {
  readonly uuid: string;
  readonly tenantId: number;
  readonly name: string;
  readonly hash: Uint8Array;
  readonly prefix: string;
  readonly roles: readonly string[];
  readonly allowedIps: readonly string[];
  readonly expiresAtMs: number | null;
  readonly createdBy: string;
}

export async function insertApiKey(tx: Writer, k: NewApiKey, nowMs: number): Promise<void> {
  await tx.run(
    apiKeyInsert,
    k.uuid,
    k.tenantId,
    k.name,
    k.hash,
    k.prefix,
    JSON.stringify(k.roles),
    JSON.stringify(k.allowedIps),
    k.expiresAtMs,
    k.createdBy,
    nowMs,
  );
}

export async function revokeApiKey(
  tx: Writer,
  tenantId: number,
  apiKeyNo: number,
  nowMs: number,
): Promise<void> {
  await tx.run(apiKeyRevoke, tenantId, apiKeyNo, nowMs);
}
