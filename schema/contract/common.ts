/** Shapes that several contracts of the device surface share. */
import { type TSchema, Type } from "@sinclair/typebox";
import { keyVersionMax, safeIntegerMax, terminalIdMax, uint32Max } from "../bound.ts";

export const cardId = Type.String({
  pattern: "^[0-9a-f]{12}$",
  description: "12 lowercase hex characters: the chip's 6-byte id.",
});
export const uint32 = (description: string, minimum = 0) =>
  Type.Integer({ minimum, maximum: uint32Max, description });
export const timestamp = uint32("UTC seconds.");
export const operatorId = uint32("Who did it, as the station claims; recorded, not checked.");
export const keyVersion = Type.Integer({
  minimum: 1,
  maximum: keyVersionMax,
  description: "Version of the session key.",
});
export const terminalId = Type.Integer({
  minimum: 0,
  maximum: terminalIdMax,
  description: "The caller's own terminalId.",
});
export const counter = Type.Integer({
  minimum: 1,
  maximum: safeIntegerMax,
  description: "Number of the write on the card.",
});
export const balance = Type.Integer({
  minimum: -safeIntegerMax,
  maximum: safeIntegerMax,
  description: "Minor units; available and pending money of the card's wallet.",
});
export const chipBalance = uint32("Minor units, as written on the chip.");
export const userId = uint32("The member's number.");
export const statusName = Type.Union(
  [
    Type.Literal("ACTIVE"),
    Type.Literal("BLOCKED_TAMPER"),
    Type.Literal("BLOCKED_FRAUD"),
    Type.Literal("BLOCKED_EXPIRED"),
    Type.Literal("BLOCKED_ADMIN"),
  ],
  { description: "Status of the card." },
);
export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
export const closed = <P extends Record<string, TSchema>>(properties: P) =>
  Type.Object(properties, { additionalProperties: false });
export const cardParams = closed({ cardId });
