/**
 * The log: one JSON object a line, or a line for people. It never throws and never prints a value
 * whose key names a secret; that net is a last resort, not a licence to hand secrets in. Text of
 * messages is printed as it is. Not metrics, not the audit trail.
 */
export const logLevels = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];
export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A log that adds `fields` to every record. */
  with(fields: LogFields): Log;
}

export interface LogOptions {
  /** The lowest level that is printed. Default info. */
  readonly level?: LogLevel;
  /** false: a line for people. Default true. */
  readonly json?: boolean;
  readonly nowMs: () => number;
  /** Takes one line with its line end. Default stderr; stdout belongs to answers of commands. */
  readonly write?: (line: string) => void;
}

const secretKey =
  /(token|secret|password|passwd|passphrase|session[-_]?key|master[-_]?key|private[-_]?key|api[-_]?key|authorization|cookie)s?$/i;
const redacted = "[redacted]";
const depthMax = 6;
const listMax = 100;

const ofError = (error: Error, depth: number, seen: readonly object[]): unknown => {
  const { name, message, stack, cause } = error;
  if (cause === undefined) return { name, message, stack };
  return { name, message, stack, cause: printable(cause, depth + 1, seen) };
};

const ofObject = (value: object, depth: number, seen: readonly object[]): unknown => {
  if (seen.includes(value)) return "[circular]";
  if (depth >= depthMax) return "[deep]";
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    return `[${value.byteLength} bytes]`;
  }
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  const path = [...seen, value];
  if (value instanceof Error) return ofError(value, depth, path);
  if (Array.isArray(value)) {
    const out = value.slice(0, listMax).map((item) => printable(item, depth + 1, path));
    if (value.length > listMax) out.push(`[${value.length - listMax} more]`);
    return out;
  }
  const entries = value instanceof Map ? value.entries() : Object.entries(value);
  const out: Record<string, unknown> = {};
  for (const [key, item] of entries) out[String(key)] = field(String(key), item, depth + 1, path);
  return out;
};

/** What JSON can hold, with secrets, bytes and circles replaced. */
const printable = (value: unknown, depth: number, seen: readonly object[]): unknown => {
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "function" || typeof value === "symbol") return `[${typeof value}]`;
  if (typeof value !== "object" || value === null) return value;
  return ofObject(value, depth, seen);
};

const field = (key: string, value: unknown, depth: number, seen: readonly object[]): unknown =>
  secretKey.test(key) && value !== undefined && value !== null && typeof value !== "boolean"
    ? redacted
    : printable(value, depth, seen);

const fieldsOf = (fields: LogFields): Record<string, unknown> => {
  const out: Record<string, unknown> = {};
  for (const key of Object.keys(fields)) {
    try {
      out[key] = field(key, fields[key], 0, []);
    } catch (error) {
      out[key] = `[unprintable: ${String(error)}]`;
    }
  }
  return out;
};

const jsonLine = (time: string, level: LogLevel, message: string, fields: LogFields): string => {
  const fixed = { time, level, message };
  return JSON.stringify(Object.assign({ ...fixed }, fieldsOf(fields), fixed));
};

/** Control characters would let a value forge a line or steer a terminal. */
const oneLine = (text: string): string =>
  text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (character) =>
    character === "\n" ? "\\n" : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

const bareWord = /^[^\s"=\u0000-\u001f\u007f-\u009f]+$/;

const humanLine = (time: string, level: LogLevel, message: string, fields: LogFields): string => {
  let line = `${time} ${level.toUpperCase().padEnd(5)} ${oneLine(message)}`;
  for (const [key, value] of Object.entries(fieldsOf(fields))) {
    if (value === undefined) continue;
    const text = typeof value === "string" && bareWord.test(value) ? value : JSON.stringify(value);
    line += ` ${oneLine(key)}=${oneLine(text)}`;
  }
  return line;
};

let isGuarded = false;

/** Whoever reads the log may go away; what is logged then is lost, and nothing else is. */
function toStderr(line: string): void {
  if (!isGuarded) {
    isGuarded = true;
    process.stderr.on("error", () => undefined);
  }
  process.stderr.write(line);
}

export const createLog = (options: LogOptions, bound: LogFields = {}): Log => {
  const { json = true, nowMs } = options;
  const write = options.write ?? toStderr;
  const levelMin = logLevels.indexOf(options.level ?? "info");
  const lineOf = json ? jsonLine : humanLine;
  const record = (level: LogLevel, message: string, fields?: LogFields): void => {
    const time = new Date(nowMs()).toISOString();
    write(`${lineOf(time, level, message, { ...bound, ...fields })}\n`);
  };
  const recorder = (level: LogLevel): Log["info"] =>
    logLevels.indexOf(level) < levelMin
      ? () => undefined
      : (message, fields) => record(level, message, fields);
  return {
    debug: recorder("debug"),
    info: recorder("info"),
    warn: recorder("warn"),
    error: recorder("error"),
    with: (fields) => createLog(options, { ...bound, ...fields }),
  };
};
