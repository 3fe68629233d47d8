/**
 * Looking for secrets in what a server leaves behind: each in every spelling in which it could have
 * slipped out, at any place of a pile of bytes.
 */

/** A secret by a name that says where it belongs. */
export interface Needle {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Base64 of bytes that stand `shift` bytes into something longer, without the letters they share. */
function inner64(bytes: Uint8Array, shift: number, alphabet: "base64" | "base64url"): string {
  const text = Buffer.concat([new Uint8Array(shift), bytes])
    .toString(alphabet)
    .replace(/=+$/, "");
  const start = Math.ceil((shift * 8) / 6);
  return text.slice(start, Math.floor(((shift + bytes.length) * 8) / 6));
}

/** How a secret could be spelt. */
function spellings({ bytes }: Needle): [spelling: string, text: Uint8Array][] {
  const raw = Buffer.from(bytes);
  const hex = raw.toString("hex");
  const texts: [string, string][] = [
    ["hex", hex],
    ["upper hex", hex.toUpperCase()],
    ["spaced hex", hex.replaceAll(/..(?=.)/g, "$& ")],
    ["a list of numbers", [...raw].join(",")],
    ["percent", hex.replaceAll(/../g, "%$&")],
  ];
  const plain = raw.toString("utf8");
  const inUrl = encodeURIComponent(plain);
  if (!plain.includes("\ufffd") && inUrl !== plain) {
    texts.push(["in a URL", inUrl], ["in a form", inUrl.replaceAll("%20", "+")]);
  }
  for (const shift of [0, 1, 2]) {
    texts.push([`base64 at ${shift}`, inner64(bytes, shift, "base64")]);
    texts.push([`base64url at ${shift}`, inner64(bytes, shift, "base64url")]);
  }
  return [
    ["raw", bytes],
    ["UTF-16", Buffer.from(raw.toString("latin1"), "utf16le")],
    ...texts.map(([name, text]): [string, Uint8Array] => [name, Buffer.from(text)]),
  ];
}

/** Each needle that is in the hay, with its spelling. */
export function found(hay: Uint8Array | string, needles: readonly Needle[]): string[] {
  const bytes = Buffer.from(typeof hay === "string" ? Buffer.from(hay) : hay);
  return needles.flatMap((needle) =>
    spellings(needle)
      .filter(([, text]) => bytes.includes(text))
      .map(([spelling]) => `${needle.name} as ${spelling}`),
  );
}
