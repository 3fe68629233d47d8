/**
 * The setting that a peer starts with, out of the venue's own data directory: its tenant, its limits,
 * and its keys, opened with the master key. A venue has the tenant's limits alone, no zone's or device's.
 */
import { Database } from "bun:sqlite";
import { join } from "node:path";
import { keyVersions } from "../../schema/query/key.ts";
import { policiesOfTenant, policyTenant } from "../../schema/query/policy.ts";
import { signingKeys } from "../../schema/query/signing.ts";
import type { Param, Statement } from "../../schema/query/statement.ts";
import { emptyPolicyRow, policyOf, resolvePolicy } from "../../src/domain/policy.ts";
import { unseal } from "../../src/domain/seal.ts";
import { readMasterKey } from "../../src/system/masterkey.ts";
import type { Setting } from "./server/setting.ts";

/** @param store where the peer finds its data */
export function settingOf(template: string, store: string): Setting {
  const db = new Database(join(template, "kartu.db"), { readonly: true });
  const all = <P extends readonly Param[], R>({ sql }: Statement<P, R>, ...params: P): R[] =>
    db.query<R, Param[]>(sql).all(...params);
  try {
    const master = readMasterKey(template, undefined);
    const [first] = db.query<{ id: number }, []>("SELECT min(tenant_id) AS id FROM device").all();
    const tenantId = first?.id ?? 0;
    const [tenant] = all(policyTenant, tenantId);
    const rows = all(policiesOfTenant, tenantId);
    const version = all(keyVersions, tenantId).at(-1);
    const signer = all(signingKeys, "grt_", "grt_\u{10ffff}").at(-1);
    const [own] = rows;
    if (!tenant || !own || rows.length !== 1 || !version || !signer) {
      throw new Error("not a venue that a peer can stand in for");
    }
    const row = {
      ...emptyPolicyRow,
      maxBalance: own.max_balance,
      singleTxLimit: own.single_tx_limit,
      dailyLimit: own.daily_limit,
      weeklyLimit: own.weekly_limit,
      blockedStatuses: own.blocked_statuses,
      clockDriftAllowanceSec: own.clock_drift_allowance_sec,
      grantTtlSec: own.grant_ttl_sec,
      "allowedOps.terminal": own.terminal_ops,
      "allowedOps.gate": own.gate_ops,
      "allowedOps.station": own.station_ops,
    };
    const { currency, timezone, policy_version: policyVersion } = tenant;
    const place = { table: "key_version", column: "sealed_secret" };
    const secretPlace = { ...place, row: `${tenant.uuid}:${version.key_version}` };
    const keyPlace = { table: "signing_key", row: signer.kid, column: "sealed_private" };
    return {
      tenantId,
      tenantUuid: tenant.uuid,
      policy: policyOf(resolvePolicy({ tenant: row }).values, {
        currency,
        timezone,
        policyVersion,
      }),
      keyVersion: version.key_version,
      secret: unseal(master, secretPlace, version.sealed_secret).toBase64(),
      kid: signer.kid,
      signingKey: unseal(master, keyPlace, signer.sealed_private).toBase64(),
      jwks: { keys: [JSON.parse(signer.public_jwk)] },
      store,
    };
  } finally {
    db.close();
  }
}
