/** Records as the commands show them: camelCase, times as ISO 8601 in UTC, nulls written out. */
import type { Device } from "../feature/device/service.ts";
import type { FlagRow } from "../feature/flag/service.ts";
import type { KeyVersion } from "../feature/key/service.ts";
import type { Member } from "../feature/member/service.ts";
import type { Tenant } from "../feature/tenant/service.ts";

export const isoOfMs = (ms: number): string => new Date(ms).toISOString();
const orNull = (ms: number | null): string | null => (ms === null ? null : isoOfMs(ms));
export const isoOfSec = (sec: number): string => isoOfMs(sec * 1000);
const secOrNull = (sec: number | null): string | null => (sec === null ? null : isoOfSec(sec));

export const deviceView = (d: Device) => ({
  id: d.id,
  terminalId: d.terminalId,
  deviceId: d.deviceId,
  role: d.role,
  name: d.name,
  zone: d.zone,
  userId: d.userId,
  status: d.status,
  commissioned: d.tokenIssuedAtMs !== null,
  secretExpiresAt: secOrNull(d.secretExpiresAtSec),
  tokenIssuedAt: orNull(d.tokenIssuedAtMs),
  tokenExpiresAt: secOrNull(d.tokenExpiresAtSec),
  lastSeenAt: orNull(d.lastSeenAtMs),
  createdAt: isoOfMs(d.createdAtMs),
  updatedAt: isoOfMs(d.updatedAtMs),
});

export const memberView = (m: Member) => ({
  userId: m.userId,
  name: m.name,
  email: m.email,
  status: m.status,
  createdAt: isoOfMs(m.createdAtMs),
  updatedAt: isoOfMs(m.updatedAtMs),
});

export const keyView = (k: KeyVersion) => ({
  keyVersion: k.keyVersion,
  status: k.status,
  primary: k.primary,
  activeCards: k.activeCards,
  note: k.note,
  createdAt: isoOfMs(k.createdAtMs),
  activatedAt: orNull(k.activatedAtMs),
  retiredAt: orNull(k.retiredAtMs),
});

export const tenantView = (t: Tenant) => ({
  tenantId: t.uuid,
  slug: t.slug,
  name: t.name,
  type: t.type,
  status: t.status,
  currency: t.currency,
  timezone: t.timezone,
  createdAt: isoOfMs(t.createdAtMs),
});

export const flagView = (f: FlagRow) => ({
  id: f.uuid,
  kind: f.kind,
  reason: f.reason,
  severity: f.severity,
  status: f.status,
  cardId: f.card_id,
  terminalId: f.terminal_id,
  batchId: f.batch_uuid,
  counter: f.counter,
  amount: f.amount,
  raisedAt: isoOfMs(f.raised_at_ms),
  decidedAt: orNull(f.decided_at_ms),
  decidedBy: f.decided_by,
  note: f.note,
  evidence: JSON.parse(f.evidence) as unknown,
});
