/**
 * Looking for a part of a text without minding capitals, in every script: as a GLOB pattern, since the
 * database's own lower() knows ASCII alone. A letter becomes the set of its two cases.
 *
 *   `Öz*1` → `*[öÖ][zZ][*]1*`
 */

/** What GLOB reads as more than itself. */
const special: ReadonlySet<string> = new Set(["*", "?", "["]);

/** A pattern that fits every text in which `part` is. */
export function globOf(part: string): string {
  let pattern = "*";
  for (const letter of part) {
    const lower = letter.toLowerCase();
    const upper = letter.toUpperCase();
    if (special.has(letter)) pattern += `[${letter}]`;
    else if (lower === upper || [...upper].length !== 1) pattern += letter;
    else pattern += [...lower].length === 1 ? `[${lower}${upper}]` : letter;
  }
  return `${pattern}*`;
}
