/**
 * An audit record as bytes: its two commitments and its link in the tenant's chain. Layout version 1;
 * frozen. Integers are big-endian, text is UTF-8, what is absent has length 0.
 *
 *   hash = SHA-256 of
 *     01 | tenant uuid (16) | seq (8) | record uuid (16) | timestamp ms (8)
 *        | length (4) action | length (4) entityType | length (4) entityId
 *        | detailHash (32) | piiHash (32) | prevHash (32)      of seq 1: 32 zero bytes
 *
 *   detailHash = SHA-256( salt (16) | {"actorType":…,"userId":…,"before":…,"after":…,"metadata":…} )
 *   piiHash    = SHA-256( salt (16) | {"name":…,"email":…,"ip":…,"userAgent":…} )
 *                or 32 zero bytes for a record without any of the four
 *
 * The JSON is hashed as the text that is stored, members in this order, null for what is absent.
 */
export type ActorType = "user" | "apiKey" | "module" | "device" | "system";

export interface Actor {
  readonly type: ActorType;
  /** Uuid of a user, key or module; deviceId of a device; a word such as `cli` of the system. */
  readonly id: string;
  readonly name?: string;
  readonly email?: string;
}

/** Values of JSON; never a secret, a token or a key. */
export type AuditJson = Readonly<Record<string, unknown>>;

export interface AuditRecord {
  readonly tenantId: number;
  readonly atMs: number;
  readonly action: string;
  readonly entityType?: string;
  readonly entityId?: string;
  readonly actor: Actor;
  readonly before?: AuditJson;
  readonly after?: AuditJson;
  readonly metadata?: AuditJson;
  readonly ip?: string;
  readonly userAgent?: string;
  readonly traceId?: string;
}

export interface AuditLink {
  /** 16 bytes. */
  readonly tenant: Uint8Array;
  readonly seq: number;
  /** 16 bytes. */
  readonly id: Uint8Array;
  readonly atMs: number;
  readonly action: string;
  readonly entityType: string;
  readonly entityId: string;
  readonly detailHash: Uint8Array;
  readonly piiHash: Uint8Array;
  readonly prevHash: Uint8Array;
}

export const auditSaltBytes = 16;
const hashBytes = 32;
const linkVersion = 1;
const fixedBytes = 1 + 16 + 8 + 16 + 8 + 3 * 4 + 3 * hashBytes;

/** Start of every chain, and the commitment to an absent personal part. */
export const zeroHash: Uint8Array = new Uint8Array(hashBytes);

/** What detailHash commits to, and what is stored. */
export const detailText = (record: AuditRecord): string =>
  JSON.stringify({
    actorType: record.actor.type,
    userId: record.actor.id,
    before: record.before ?? null,
    after: record.after ?? null,
    metadata: record.metadata ?? null,
  });

/** What piiHash commits to, held apart so that it can be deleted; null when there is nothing personal. */
export function personalText({ actor, ip, userAgent }: AuditRecord): string | null {
  if (actor.name === undefined && actor.email === undefined && ip === undefined) {
    if (userAgent === undefined) return null;
  }
  return JSON.stringify({
    name: actor.name ?? null,
    email: actor.email ?? null,
    ip: ip ?? null,
    userAgent: userAgent ?? null,
  });
}

/** SHA-256(salt ‖ text). */
export function commitment(salt: Uint8Array, text: string): Uint8Array {
  return new Bun.CryptoHasher("sha256").update(salt).update(text).digest();
}

/** 32 bytes: the record's place in the chain, as drawn above. */
export function linkHash(link: AuditLink): Uint8Array {
  const texts = [link.action, link.entityType, link.entityId];
  let size = fixedBytes;
  for (const text of texts) size += Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(size);
  let at = bytes.writeUInt8(linkVersion, 0);
  bytes.set(link.tenant, at);
  at = writeUint64(bytes, link.seq, at + 16);
  bytes.set(link.id, at);
  at = writeUint64(bytes, link.atMs, at + 16);
  for (const text of texts) {
    const length = bytes.write(text, at + 4);
    bytes.writeUInt32BE(length, at);
    at += 4 + length;
  }
  for (const hash of [link.detailHash, link.piiHash, link.prevHash]) {
    bytes.set(hash, at);
    at += hashBytes;
  }
  return new Bun.CryptoHasher("sha256").update(bytes).digest();
}

/** A safe integer needs no BigInt; returns the offset behind it. */
function writeUint64(bytes: Buffer, value: number, at: number): number {
  bytes.writeUInt32BE(Math.floor(value / 0x1_0000_0000), at);
  return bytes.writeUInt32BE(value % 0x1_0000_0000, at + 4);
}
