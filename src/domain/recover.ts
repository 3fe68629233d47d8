/**
 * Two looks behind an image: the card under a torn trailer, and whether the log agrees with itself.
 * A torn trailer mixes two writes, so its HMAC fails though one buffer is whole. Whether the finder
 * may mend it is not decided here (an older buffer could be an attacker's rollback).
 */
import type { CardKeys } from "./cardkey.ts";
import { EVENT_CODE, entryHash, startMarker } from "./chain.ts";
import { inactiveOf, type OpenCard, openBuffer, peek, trailerOf } from "./image.ts";
import { decodePlaintext, type LogEntry, logSlots, type Plaintext, slotOf } from "./plaintext.ts";
import { type BufferPtr, decodeTrailer } from "./trailer.ts";

/** Counters tried around the trailer's. */
const reach = 8;

interface Found {
  readonly ptr: BufferPtr;
  readonly plain: Plaintext;
}

function openAround(image: Uint8Array, ptr: BufferPtr, keys: CardKeys, bind: number): Found | null {
  for (let counter = bind + reach; counter >= Math.max(1, bind - reach); counter -= 1) {
    const bytes = openBuffer(image, ptr, keys, counter);
    const plain = bytes && decodePlaintext(bytes);
    if (plain?.counter === counter) return { ptr, plain };
  }
  return null;
}

/**
 * What holds under a torn trailer: both buffers are tried with every counter from counterBind − 8 to
 * counterBind + 8, the higher valid counter wins. Null: nothing opens; only that is tamper. The
 * trailer's own fields are then not proven.
 */
export function recoverImage(image: Uint8Array, keys: CardKeys): OpenCard | null {
  const trailer = decodeTrailer(trailerOf(image));
  if (!trailer || typeof peek(image) === "string") return null;
  const { counterBind, keyVersion, expiresAt } = trailer;
  const a = openAround(image, 0, keys, counterBind);
  const b = openAround(image, 1, keys, counterBind);
  const found = a && b ? (a.plain.counter > b.plain.counter ? a : b) : (a ?? b);
  if (!found) return null;
  const newest = found.plain.log[slotOf(found.plain.counter)];
  return {
    image,
    plain: found.plain,
    keyVersion,
    expiresAt,
    rootHash: newest ? newest.hash : 0,
    counterBind,
    active: found.ptr,
    inactive: inactiveOf(image, found.ptr === 0 ? 1 : 0, found.plain.counter, [keys]),
    torn: true,
  };
}

export type LogFault = "balance" | "chain" | "root";

const isCheckin = (entry: LogEntry): boolean => (entry.flags & 15) === EVENT_CODE.checkin;

/** Entries that the ring still holds, oldest first, skipped counters left out. */
function entriesOf(plain: Plaintext): { counter: number; entry: LogEntry }[] {
  const entries: { counter: number; entry: LogEntry }[] = [];
  for (let c = Math.max(1, plain.counter - logSlots + 1); c <= plain.counter; c += 1) {
    const entry = plain.log[slotOf(c)];
    if (entry) entries.push({ counter: c, entry });
  }
  return entries;
}

/**
 * Does the log agree with the card? Its balance is the newest entry's, each hash fits the one before,
 * the newest is the root. Null: it does. The oldest entry's predecessor and an earlier session's
 * start have left the card, so what hangs on them is not judged.
 */
export function logFault(card: OpenCard): LogFault | null {
  const { plain } = card;
  const entries = entriesOf(plain);
  const newest = plain.log[slotOf(plain.counter)];
  if (!newest || newest.balanceAfter !== plain.balance) return "balance";
  const lastCheckin = entries.findLastIndex(({ entry }) => isCheckin(entry));
  for (let i = 0; i < entries.length; i += 1) {
    const { counter, entry } = entries[i] as { counter: number; entry: LogEntry };
    const before = entries[i - 1];
    let previous: number;
    if (isCheckin(entry)) {
      if (i !== lastCheckin) continue;
      previous = startMarker(plain.startTime);
    } else if (before) previous = before.entry.hash;
    else if (counter === 1) previous = 0;
    else continue;
    const { delta, amount, balanceAfter, flags, hash } = entry;
    if (entryHash(delta, amount, balanceAfter, flags, previous) !== hash) return "chain";
  }
  return card.torn || newest.hash === card.rootHash ? null : "root";
}
