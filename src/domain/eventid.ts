/**
 * The id of a card's event: made from its batch's id and its place in the batch, so that no id is stored
 * and no index is kept for one. It is a UUID of version 7 like every other, and sorts with them by the
 * time at which the batch was taken. Finding the row is not here.
 *
 *   batch   tttttttt-tttt-7ccc-vccc-rrrrrrrrrrrr
 *   event   tttttttt-tttt-7ccc-vccc-ssssssssssss     s = (r + 1 + place in the batch) mod 2^48
 *
 * The first 24 characters are the batch's own; no two batches share them, because one source makes their
 * ids and counts within the millisecond.
 */
const headChars = 24;
const tailBase = 2 ** 48;

const tailOf = (uuid: string): number => Number.parseInt(uuid.slice(headChars), 16);

/** @param place 0 for the first accepted event of the batch. */
export const eventId = (batchId: string, place: number): string => {
  const tail = (tailOf(batchId) + 1 + place) % tailBase;
  return batchId.slice(0, headChars) + tail.toString(16).padStart(12, "0");
};

/** Ids between these two, both included, may be of the batch that an event's id was made from. */
export const batchIdRange = (id: string): readonly [least: string, greatest: string] => {
  const head = id.slice(0, headChars);
  return [`${head}000000000000`, `${head}ffffffffffff`];
};

/** The place in the batch that an event's id stands for; 0 or more, and perhaps beyond its end. */
export const placeIn = (batchId: string, id: string): number =>
  (tailOf(id) - tailOf(batchId) - 1 + tailBase) % tailBase;

/** When an id of version 7 was made, in ms. */
export const uuidMs = (uuid: string): number =>
  Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16);

/** Every id of version 7 made at `ms` or later is at or above this text. */
export const uuidFrom = (ms: number): string => {
  const time = Math.min(Math.max(Math.floor(ms), 0), tailBase - 1)
    .toString(16)
    .padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`;
};
