/** Session grants: what a device may do offline, until when, and with which key. */
import { Type } from "@sinclair/typebox";
import { keyVersionMax, uint32Max } from "../bound.ts";

const keyVersion = Type.Integer({
  minimum: 1,
  maximum: keyVersionMax,
  description: "Version of the session key.",
});

export const grantQuery = Type.Object(
  {
    keyVersion: Type.Optional({
      ...keyVersion,
      description: "Another active version than the primary one, during a rotation.",
    }),
  },
  { additionalProperties: false },
);

const ops = ["read", "debit", "checkin", "checkout", "topup", "reissue", "block"] as const;

export const grantAnswer = Type.Object(
  {
    keyVersion,
    sessionKey: Type.String({ description: "32 bytes in base64." }),
    expiresAt: Type.Integer({ minimum: 0, maximum: uint32Max, description: "UTC seconds." }),
    allowedOps: Type.Array(Type.Union(ops.map((op) => Type.Literal(op))), {
      description: "In the order of the list of operations.",
    }),
    signature: Type.String({
      description:
        "64 bytes in base64: ECDSA P-256/SHA-256, raw r‖s, over the RFC 8785 form of the other four fields.",
    }),
  },
  { additionalProperties: false },
);
