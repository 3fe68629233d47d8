/** Commissioning: a device's one-time secret for an access token. */
import { Type } from "@sinclair/typebox";
import { deviceIdMaxChars, deviceSecretMaxChars, terminalIdMax, uint32Max } from "../bound.ts";

export const tokenRequest = Type.Object(
  {
    deviceId: Type.String({
      minLength: 1,
      maxLength: deviceIdMaxChars,
      description: "The name under which the operator registered the device.",
    }),
    secret: Type.String({
      minLength: 1,
      maxLength: deviceSecretMaxChars,
      description: "The one-time secret that the operator was shown.",
    }),
    role: Type.String({
      description: "The role of the registration: station, gate, terminal or scout.",
    }),
  },
  { additionalProperties: false },
);

export const tokenAnswer = Type.Object(
  {
    token: Type.String({ description: "Bearer token of every other call." }),
    expiresAt: Type.Integer({ minimum: 0, maximum: uint32Max, description: "UTC seconds." }),
    deviceId: Type.String(),
    role: Type.Union([
      Type.Literal("station"),
      Type.Literal("gate"),
      Type.Literal("terminal"),
      Type.Literal("scout"),
    ]),
    terminalId: Type.Integer({
      minimum: 1,
      maximum: terminalIdMax,
      description: "The tenant's number for the device; batches and reports name it.",
    }),
  },
  { additionalProperties: false },
);
