/** Letters: one subject line, the link in both forms, nothing of a name read as HTML or as a header. */
import { describe, expect, test } from "bun:test";
import { type Letter, linkOf, writeLetter } from "../../src/domain/letter.ts";

const token = `in_${"x".repeat(43)}`;
const letters: readonly Letter[] = [
  { kind: "verify", token },
  { kind: "reset", token },
  { kind: "invite", token, tenantName: "Kantin <b>&\r\nBcc: x@y.z" },
  { kind: "setPassword", token, tenantName: "Kantin" },
  { kind: "emailChanged" },
  { kind: "passwordChanged" },
];
const paths: Partial<Record<Letter["kind"], string>> = {
  verify: "/verify-email",
  reset: "/reset-password",
  invite: "/accept-invite",
  setPassword: "/accept-invite",
};

describe("a letter of kind", () => {
  for (const letter of letters) {
    test(letter.kind, () => {
      const { subject, text, html } = writeLetter(letter, "https://k.example/base");
      const path = paths[letter.kind];
      const link = path && `https://k.example/base${path}?token=${token}`;
      expect(linkOf(letter, "https://k.example/base")).toBe(link);
      expect(subject).toMatch(/^[^\r\n]{5,}$/);
      expect(html).not.toContain("<b>");
      if (link === undefined) expect(`${text}${html}`).not.toContain("token");
      else for (const form of [text, html]) expect(form).toContain(link);
    });
  }
});
