/**
 * Recovery codes, for who has lost the second factor: 60 random bits in letters that are not mistaken
 * for each other (Crockford's base 32), `XXXX-XXXX-XXXX`. Hashing them is not here.
 */
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const letters = 12;

export const recoveryBytes = letters;

/** @param bytes 12 random ones, of which 5 bits each count. */
export function recoveryCode(bytes: Uint8Array): string {
  let code = "";
  for (let at = 0; at < letters; at++) {
    if (at > 0 && at % 4 === 0) code += "-";
    code += alphabet[bytes[at]! & 31];
  }
  return code;
}

/** As it was made: people type small letters, and O, I and L for 0 and 1. */
export const readRecoveryCode = (text: string): string =>
  text.toUpperCase().replaceAll("O", "0").replace(/[IL]/g, "1");
