/** Shapes of the keys that programs sign in with. */
import { Type } from "@sinclair/typebox";
import { allowedIpsMax, nameMaxChars } from "../bound.ts";
import { closed, nullable } from "./common.ts";
import { rolesGiven } from "./user.ts";

const id = Type.String({ format: "uuid" });
const time = Type.String({ format: "date-time" });
const name = Type.String({ minLength: 1, maxLength: nameMaxChars });

const members = {
  id,
  name: Type.String(),
  prefix: Type.String({ description: "First 8 characters, to tell keys apart." }),
  roles: Type.Array(Type.String()),
  allowedIps: Type.Array(Type.String(), { description: "Empty: from anywhere." }),
  expiresAt: nullable(time),
  lastUsedAt: nullable(time),
  createdAt: time,
};
export const apiKeyAnswer = closed(members);
export const apiKeyMade = closed({
  ...members,
  key: Type.String({ description: "Shown this once." }),
});

export const apiKeyParams = closed({ id });
export const apiKeyRequest = closed({
  name,
  roles: rolesGiven,
  expiresAt: Type.Optional(nullable(time)),
  allowedIps: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
      maxItems: allowedIpsMax,
      description: "CIDR ranges or single addresses.",
    }),
  ),
});
