/** Shapes of devices and zones, as those who run a venue see them. */
import { Type } from "@sinclair/typebox";
import {
  deviceIdMaxChars,
  deviceNameMaxChars,
  nameMaxChars,
  safeIntegerMax,
  searchMaxChars,
  searchMinChars,
  suspendReasonMaxChars,
  terminalIdMax,
} from "../bound.ts";
import { closed, nullable } from "./common.ts";

const id = Type.String({ format: "uuid" });
const time = Type.String({ format: "date-time" });
const version = Type.Integer({ minimum: 1, maximum: safeIntegerMax });
const count = Type.Integer({ minimum: 0, maximum: safeIntegerMax });
/** One line: no control characters, no half of a surrogate pair. */
const line = (maxLength: number) =>
  Type.String({
    minLength: 1,
    maxLength,
    pattern: "^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
    title: "one line of text",
  });
const name = line(deviceNameMaxChars);

const role = Type.Union([
  Type.Literal("terminal"),
  Type.Literal("gate"),
  Type.Literal("station"),
  Type.Literal("scout"),
]);
const status = Type.Union([
  Type.Literal("active"),
  Type.Literal("suspended"),
  Type.Literal("retired"),
]);

const exposureAnswer = closed({
  amount: Type.Integer({
    minimum: 0,
    maximum: safeIntegerMax,
    description: "Most that may have been taken and is not uploaded yet, in minor units.",
  }),
  since: nullable(
    Type.String({
      format: "date-time",
      description: "The last upload, else the first grant that lets it take payments.",
    }),
  ),
});

const deviceFields = {
  id,
  terminalId: Type.Integer({ minimum: 1, maximum: terminalIdMax }),
  deviceId: Type.String(),
  role,
  name: nullable(Type.String()),
  zoneId: nullable(id),
  status,
  commissioned: Type.Boolean({ description: "It has a token." }),
  secretExpiresAt: nullable(
    Type.String({ format: "date-time", description: "Of an unspent one." }),
  ),
  tokenIssuedAt: nullable(time),
  tokenExpiresAt: nullable(time),
  lastSeenAt: nullable(time),
  settlementWalletId: id,
  memberId: nullable(
    Type.String({ format: "uuid", description: "Whose cards alone a scout sees." }),
  ),
  exposure: exposureAnswer,
  lastUploadAt: nullable(time),
  createdAt: time,
  updatedAt: time,
  version,
};
export const deviceAnswer = closed(deviceFields);

const secretFields = {
  secret: Type.String({ description: "Good once, for seven days; shown in this answer alone." }),
  secretExpiresAt: time,
  qr: closed({
    payload: Type.String({ description: "Compact JSON: v, url, deviceId, role, secret." }),
    svg: Type.String({ description: "A QR code of exactly the payload, level M." }),
  }),
};
export const deviceMade = closed({ ...deviceFields, ...secretFields });
export const secretMade = closed(secretFields);

export const deviceParams = closed({ id });
export const deviceQuery = closed({
  status: Type.Optional(status),
  role: Type.Optional(role),
  zoneId: Type.Optional(id),
  q: Type.Optional(
    Type.String({
      minLength: searchMinChars,
      maxLength: searchMaxChars,
      description: "A part of its own id or its name; capitals are not minded.",
    }),
  ),
});
export const deviceCreateRequest = closed({
  deviceId: Type.String({
    minLength: 1,
    maxLength: deviceIdMaxChars,
    pattern: "^[A-Za-z0-9._:-]*$",
    title: "letters, digits and . _ : -",
    description: "The device's own id, unique on the whole server.",
  }),
  role,
  name: Type.Optional(name),
  zoneId: Type.Optional(id),
  memberId: Type.Optional(
    Type.String({ format: "uuid", description: "Of a scout: sees that member's cards alone." }),
  ),
});
export const deviceChangeRequest = closed({
  name: Type.Optional(nullable(name)),
  zoneId: Type.Optional(nullable(id)),
  version: Type.Optional(version),
});
export const deviceReasonRequest = closed({
  reason: Type.Optional(Type.String({ maxLength: suspendReasonMaxChars })),
});
export const deviceSecretRequest = closed({
  keepToken: Type.Optional(
    Type.Boolean({ default: false, description: "The device's tokens stay good." }),
  ),
});

export const zoneAnswer = closed({
  id,
  name: Type.String(),
  devices: Type.Integer({
    minimum: 0,
    maximum: terminalIdMax,
    description: "Devices in it that are not retired.",
  }),
  createdAt: time,
  version,
});
export const zoneParams = closed({ id });
export const zoneCreateRequest = closed({ name: line(nameMaxChars) });
export const zoneChangeRequest = closed({
  name: Type.Optional(line(nameMaxChars)),
  version: Type.Optional(version),
});

const sum = closed({ count, amount: count });
export const overviewAnswer = closed({
  devices: closed({
    active: count,
    suspended: count,
    retired: count,
    silent24h: Type.Integer({
      minimum: 0,
      maximum: safeIntegerMax,
      description: "Active, and unseen for 24 hours.",
    }),
  }),
  cards: closed({
    ACTIVE: count,
    BLOCKED_TAMPER: count,
    BLOCKED_FRAUD: count,
    BLOCKED_EXPIRED: count,
    BLOCKED_ADMIN: count,
  }),
  openFlags: count,
  pendingTopups: sum,
  today: closed({ debits: count, debitAmount: count, topups: count, topupAmount: count }),
  exposure: closed({ amount: count }),
  staleTopups: Type.Object(sum.properties, {
    additionalProperties: false,
    description: "Pending for more than 24 hours.",
  }),
  overdrawn: Type.Object(sum.properties, {
    additionalProperties: false,
    description: "Card wallets below zero, and what they lack together.",
  }),
});
