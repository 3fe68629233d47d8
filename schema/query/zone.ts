/** Statements on `zone`, and the looks at who is in one. */
import { statement } from "./statement.ts";

export interface ZoneRow {
  zone_no: number;
  uuid: string;
  name: string;
  created_at_ms: number;
  version: number;
  /** Those in it that are not retired. */
  devices: number;
}

const zoneFrom = `SELECT z.zone_no, z.uuid, z.name, z.created_at_ms, z.version,
     (SELECT count(*) FROM device d WHERE d.zone_no = z.zone_no AND d.status <> 'retired') AS devices
   FROM zone z`;

export const zoneByName = statement<[tenantId: number, name: string], ZoneRow>(
  "zone.byName",
  `${zoneFrom} WHERE z.tenant_id = ?1 AND z.name = ?2`,
);

export const zoneByUuid = statement<[tenantId: number, uuid: string], ZoneRow>(
  "zone.byUuid",
  `${zoneFrom} WHERE z.uuid = ?2 AND z.tenant_id = ?1`,
);

/** By name. */
export const zonesOfTenant = statement<[tenantId: number], ZoneRow>(
  "zone.ofTenant",
  `${zoneFrom} WHERE z.tenant_id = ?1 ORDER BY z.name`,
);

/** Newest first, below a number. */
export const zonePage = statement<[tenantId: number, belowNo: number, limit: number], ZoneRow>(
  "zone.page",
  `${zoneFrom} WHERE z.tenant_id = ?1 AND z.zone_no < ?2 ORDER BY z.zone_no DESC LIMIT ?3`,
);

export const zoneCount = statement<[tenantId: number], { count: number }>(
  "zone.count",
  "SELECT count(*) AS count FROM zone WHERE tenant_id = ?1",
);

export const zoneInsert = statement<[uuid: string, tenantId: number, name: string, nowMs: number]>(
  "zone.insert",
  "INSERT INTO zone (uuid, tenant_id, name, created_at_ms, version) VALUES (?1, ?2, ?3, ?4, 1)",
);

export const zoneRename = statement<[tenantId: number, zoneNo: number, name: string]>(
  "zone.rename",
  "UPDATE zone SET name = ?3, version = version + 1 WHERE zone_no = ?2 AND tenant_id = ?1",
);

/** Limits of its own. */
export const zonePolicy = statement<[tenantId: number, zoneNo: number], { policy_no: number }>(
  "zone.policy",
  "SELECT policy_no FROM policy WHERE tenant_id = ?1 AND scope = 'zone' AND scope_no = ?2",
);

/** Retired devices leave a zone that is taken away. */
export const zoneLeave = statement<[tenantId: number, zoneNo: number]>(
  "zone.leave",
  "UPDATE device SET zone_no = NULL WHERE zone_no = ?2 AND status = 'retired' AND tenant_id = ?1",
);

export const zoneDelete = statement<[tenantId: number, zoneNo: number]>(
  "zone.delete",
  "DELETE FROM zone WHERE zone_no = ?2 AND tenant_id = ?1",
);
