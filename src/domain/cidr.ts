/**
 * Ranges of addresses as people write them (RFC 4632 §3.1, RFC 4291 §2.3): parsing one, and whether an
 * address lies in it. An IPv4 address inside IPv6 (`::ffff:192.0.2.1`) counts as the IPv4 address.
 */
export interface AddressRange {
  /** 4 or 16 bytes. */
  readonly base: Uint8Array;
  readonly prefixBits: number;
}

const mappedPrefix = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/** 4 or 16 bytes; undefined if the text is no address. A zone (`%eth0`) is left out. */
export function addressBytes(text: string): Uint8Array | undefined {
  const bare = text.replace(/%.*$/, "");
  if (!bare.includes(":")) return ipv4Bytes(bare);
  const bytes = ipv6Bytes(bare);
  const isMapped = bytes !== undefined && mappedPrefix.every((byte, at) => bytes[at] === byte);
  return isMapped ? bytes.subarray(12) : bytes;
}

function ipv4Bytes(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  const bytes = new Uint8Array(4);
  for (const [at, part] of parts.entries()) {
    if (!/^(?:0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return undefined;
    bytes[at] = Number(part);
  }
  return bytes;
}

function ipv6Bytes(text: string): Uint8Array | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const groups = halves.map((half) => (half === "" ? [] : groupsOf(half.split(":"))));
  const [head, tail] = groups;
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  const known = head.length + (tail?.length ?? 0);
  if (halves.length === 1 ? known !== 8 : known > 7) return undefined;
  const all = [...head, ...new Array<number>(8 - known).fill(0), ...(tail ?? [])];
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

/** 16 bits each; the last may be an IPv4 address, which is two. */
function groupsOf(parts: readonly string[]): number[] | undefined {
  const groups: number[] = [];
  for (const [at, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const last = at === parts.length - 1 ? ipv4Bytes(part) : undefined;
    if (last === undefined) return undefined;
    groups.push((last[0]! << 8) | last[1]!, (last[2]! << 8) | last[3]!);
  }
  return groups;
}

/** `192.0.2.0/24`, `2001:db8::/32`, or one address. Undefined if it is neither. */
export function parseRange(text: string): AddressRange | undefined {
  const [address = "", prefix, ...more] = text.split("/");
  const isV6 = address.includes(":");
  const base = isV6 ? ipv6Bytes(address) : ipv4Bytes(address);
  if (base === undefined || more.length > 0) return undefined;
  const bitsMax = base.length * 8;
  if (prefix === undefined) return unmapped({ base, prefixBits: bitsMax });
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(prefix) || Number(prefix) > bitsMax) return undefined;
  return unmapped({ base, prefixBits: Number(prefix) });
}

/** A range of mapped addresses is a range of IPv4. */
function unmapped(range: AddressRange): AddressRange {
  const { base, prefixBits } = range;
  const isMapped =
    base.length === 16 && prefixBits >= 96 && mappedPrefix.every((byte, at) => base[at] === byte);
  return isMapped ? { base: base.subarray(12), prefixBits: prefixBits - 96 } : range;
}

export function isInRange(address: string, { base, prefixBits }: AddressRange): boolean {
  const bytes = addressBytes(address);
  if (bytes === undefined || bytes.length !== base.length) return false;
  const whole = prefixBits >> 3;
  for (let at = 0; at < whole; at++) if (bytes[at] !== base[at]) return false;
  const rest = prefixBits & 7;
  return rest === 0 || bytes[whole]! >> (8 - rest) === base[whole]! >> (8 - rest);
}

/** Whether an address may call: it lies in one of the ranges, or there is none. */
export function isAllowed(address: string, ranges: readonly string[]): boolean {
  if (ranges.length === 0) return true;
  return ranges.some((text) => {
    const range = parseRange(text);
    return range !== undefined && isInRange(address, range);
  });
}
