/** The bytes of the audit chain against vectors of a separate program, and what they depend on. */
import { describe, expect, test } from "bun:test";
import {
  type AuditLink,
  type AuditRecord,
  commitment,
  detailText,
  linkHash,
  personalText,
  zeroHash,
} from "../../src/domain/audit.ts";
import { uuidBytes } from "../../src/domain/uuid.ts";

const record: AuditRecord = {
  tenantId: 1,
  atMs: 1_746_700_000_123,
  action: "fleet.zone.changed",
  entityType: "zone",
  entityId: "Gerbang é",
  actor: { type: "user", id: "0196b0a0-0000-7000-8000-0000000000aa", email: "a@b.c" },
  after: { name: "Gerbang é" },
  metadata: { n: 1 },
  ip: "10.0.0.1",
};
const salt = (from: number): Uint8Array => Uint8Array.from({ length: 16 }, (_, i) => from + i);
const detailHash = commitment(salt(0), detailText(record));
const piiHash = commitment(salt(16), personalText(record) ?? "");
const link: AuditLink = {
  tenant: uuidBytes("0196b0a0-0000-7000-8000-000000000001"),
  seq: 1,
  id: uuidBytes("0196b0a0-0000-7000-8000-000000000002"),
  atMs: record.atMs,
  action: record.action,
  entityType: record.entityType ?? "",
  entityId: record.entityId ?? "",
  detailHash,
  piiHash,
  prevHash: zeroHash,
};

describe("audit bytes", () => {
  test("texts that are committed to", () => {
    expect(detailText(record)).toBe(
      '{"actorType":"user","userId":"0196b0a0-0000-7000-8000-0000000000aa","before":null,' +
        '"after":{"name":"Gerbang é"},"metadata":{"n":1}}',
    );
    expect(personalText(record)).toBe(
      '{"name":null,"email":"a@b.c","ip":"10.0.0.1","userAgent":null}',
    );
    expect(personalText({ ...record, actor: { type: "system", id: "x" }, ip: "::1" })).toBe(
      '{"name":null,"email":null,"ip":"::1","userAgent":null}',
    );
    const { ip: _, ...rest } = { ...record, actor: { type: "system", id: "x" } as const };
    expect(personalText(rest)).toBeNull();
  });

  test("hashes of an independent implementation", () => {
    expect(detailHash.toHex()).toBe(
      "9cbc4c44840bcfc9d9cfa1544ee1f2fd2cdd56354aafc7803fbb62b8ae1d71ac",
    );
    expect(piiHash.toHex()).toBe(
      "7295c8f0c042cc962b04dd63ebaf98fdede1fca6786fcbc7c47decb788c4a718",
    );
    const first = linkHash(link);
    expect(first.toHex()).toBe("d790e356407fc422408733177983ed3763613ec43c6923d8f3d6d0fe1acd2235");
    const wide = {
      ...{ seq: 4_294_967_298, atMs: 9_007_199_254_740_991, action: "a.b.c" },
      ...{ entityType: "", entityId: "", piiHash: zeroHash, prevHash: first },
    };
    expect(linkHash({ ...link, ...wide }).toHex()).toBe(
      "eab4d1b0311385bde39eaf0b3b780276ad398a577a7ec28343dfa16272dd6b05",
    );
  });

  const changes: [string, Partial<AuditLink>][] = [
    ["tenant", { tenant: salt(1) }],
    ["seq", { seq: 2 }],
    ["id", { id: salt(1) }],
    ["time", { atMs: link.atMs + 1 }],
    ["action", { action: "fleet.zone.change" }],
    ["border of texts", { action: "fleet.zone.changedz", entityType: "one" }],
    ["entity", { entityId: "Gerbang" }],
    ["detail", { detailHash: piiHash }],
    ["personal part", { piiHash: zeroHash }],
    ["record before", { prevHash: detailHash }],
  ];
  for (const [what, change] of changes) {
    test(`another ${what} is another hash`, () => {
      expect(linkHash({ ...link, ...change })).not.toEqual(linkHash(link));
    });
  }
});
