/** Strong validators and conditional reads (RFC 9110 §8.8.3, §13.1.2). Not caching policy. */

/** A strong tag over the bytes of an answer, with its quotes. */
export const etagOf = (text: string | Uint8Array): string =>
  `"${Bun.SHA256.hash(text as Bun.StringOrBuffer, "hex").slice(0, 32)}"`;

/**
 * Whether `If-None-Match` names `tag`: a list of tags or `*`, compared weakly as the RFC asks for
 * this header (a proxy that compresses may have made our tag weak).
 * @param tag with its quotes.
 */
export function isNoneMatch(header: string | null, tag: string): boolean {
  if (header === null) return false;
  if (header.trim() === "*") return true;
  // A tag may hold a comma, so the quoted parts are looked for, not the commas.
  for (const [, quoted] of header.matchAll(/(?:W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g)) {
    if (quoted === tag) return true;
  }
  return false;
}
