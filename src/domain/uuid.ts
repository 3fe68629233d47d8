/** A UUID as its 16 bytes, in the order in which it is written (RFC 9562 §4). */
export const uuidBytes = (uuid: string): Uint8Array => {
  const bytes = Buffer.from(uuid.replaceAll("-", ""), "hex");
  if (bytes.length !== 16) throw new RangeError("uuid: 16 bytes expected");
  return bytes;
};
