/**
 * A value of JSON as YAML, in blocks. Every text is quoted as JSON quotes it, and so are keys that look
 * like anything but a name: no reader, of YAML 1.1 or 1.2, takes a text for a date, a number or a truth.
 */
const plainKey = /^[A-Za-z][A-Za-z0-9]*$/;
/** What some version of YAML takes for a truth or for nothing. */
const taken = /^(?:y|n|yes|no|on|off|true|false|null)$/i;
/** JSON lets these stand as they are; YAML does not, or reads them as ends of lines. */
const unprintable = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

const quoted = (text: string): string =>
  JSON.stringify(text).replace(
    unprintable,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

const keyOf = (name: string): string =>
  plainKey.test(name) && !taken.test(name) ? name : quoted(name);

const isBlock = (value: unknown): value is object =>
  value !== null && typeof value === "object" && Object.keys(value).length > 0;

/** On the line of its key or dash. @throws RangeError it is no value of JSON */
function inlineOf(value: unknown): string {
  if (typeof value === "string") return quoted(value);
  if (Array.isArray(value)) return "[]";
  if (value !== null && typeof value === "object") return "{}";
  if (value === null || typeof value === "boolean" || Number.isFinite(value)) return String(value);
  throw new RangeError(`${typeof value} is no value of JSON`);
}

function block(value: object, indent: string, lines: string[]): void {
  const isList = Array.isArray(value);
  for (const [name, item] of Object.entries(value)) {
    if (item === undefined) continue;
    const head = isList ? `${indent}-` : `${indent}${keyOf(name)}:`;
    if (isBlock(item)) {
      lines.push(head);
      block(item, `${indent}  `, lines);
    } else lines.push(`${head} ${inlineOf(item)}`);
  }
}

/** The text, ending with a line end. */
export function yamlText(value: unknown): string {
  const lines: string[] = [];
  if (isBlock(value)) block(value, "", lines);
  else lines.push(inlineOf(value));
  return `${lines.join("\n")}\n`;
}
