/** Shapes of bodies of the device surface: whether a body is one that may be judged at all. */
import { type Fit, isObject } from "./due.ts";

const uint32Max = 4_294_967_295;

const int =
  (min: number, max: number): Fit =>
  (met) =>
    Number.isInteger(met) && (met as number) >= min && (met as number) <= max;
const text =
  (min: number, max: number): Fit =>
  (met) =>
    typeof met === "string" && [...met].length >= min && [...met].length <= max;
const hex: Fit = (met) => typeof met === "string" && /^[0-9a-f]{12}$/.test(met);
const word =
  (...words: readonly string[]): Fit =>
  (met) =>
    words.includes(met as string);
const orNull =
  (fit: Fit): Fit =>
  (met) =>
    met === null || fit(met);

interface Shape {
  readonly must: Readonly<Record<string, Fit>>;
  readonly may?: Readonly<Record<string, Fit>>;
}

const object =
  ({ must, may = {} }: Shape): Fit =>
  (met) => {
    if (!isObject(met)) return false;
    const names = Object.keys(met);
    return (
      names.every((name) => name in must || name in may) &&
      Object.entries(must).every(([name, fit]) => name in met && fit(met[name])) &&
      Object.entries(may).every(([name, fit]) => !(name in met) || fit(met[name]))
    );
  };

const uint32 = int(0, uint32Max);
const keyVersion = int(1, 255);
const counter = int(1, Number.MAX_SAFE_INTEGER);
const byteLength = (value: unknown): number => new TextEncoder().encode(String(value)).length;
const name: Fit = (met) => text(1, 31)(met) && byteLength(met) <= 31;

const batchEvent = object({
  must: {
    ...{ cardId: hex, counter, amount: uint32, balanceAfter: uint32 },
    ...{ timestamp: uint32, hash: hex },
    type: word("debit", "credit", "checkin", "checkout", "admin"),
  },
});

export const shapes = {
  token: object({ must: { deviceId: text(1, 128), secret: text(1, 256), role: text(0, 1e6) } }),
  register: object({
    must: { cardId: hex, userId: uint32, name, createdAt: uint32, keyVersion },
    may: { expiresAt: uint32 },
  }),
  topup: object({
    must: { amount: int(1, uint32Max), operatorId: uint32, timestamp: uint32 },
    may: { counter },
  }),
  empty: (met) => met === undefined || object({ must: {} })(met),
  block: object({ must: { reason: text(1, 256), operatorId: uint32, timestamp: uint32 } }),
  rekey: object({ must: { keyVersion, operatorId: uint32, timestamp: uint32 } }),
  reissue: object({
    must: { newCardId: hex, keyVersion, operatorId: uint32, timestamp: uint32 },
    may: { chipBalance: uint32, expiresAt: uint32, reason: text(1, 256) },
  }),
  batch: object({
    must: {
      terminalId: int(0, 65_535),
      events: (met) => Array.isArray(met) && met.every(batchEvent),
    },
  }),
  report: object({
    must: {
      ...{ terminalId: int(0, 65_535), cardId: orNull(hex), details: text(0, 256) },
      ...{ counter: orNull(int(0, Number.MAX_SAFE_INTEGER)), timestamp: uint32 },
      eventType: word(
        ...["tamper", "replay", "invalid_transition", "write_failure"],
        ...["session_expired", "terminal_error"],
      ),
    },
  }),
} satisfies Record<string, Fit>;
