/** A UUID as its 16 bytes, in the order in which it is written (RFC 9562 §4). */
export const uuidBytes = (uuid: string): Uint8Array => {
  const bytes = Buffer.from(uuid.replaceAll("-", ""), "hex");
  if (bytes.length !== 16) throw new RangeError("uuid: 16 bytes expected");
  return bytes;
};

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A UUID of any version, in lower case. */
export const isUuid = (value: unknown): value is string =>
  typeof value === "string" && uuidPattern.test(value);
