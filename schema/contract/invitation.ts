/** Shapes of asking people into a tenant. */
import { Type } from "@sinclair/typebox";
import { closed } from "./common.ts";
import { emailGiven, nameGiven, rolesGiven } from "./user.ts";

const id = Type.String({ format: "uuid" });
const time = Type.String({ format: "date-time" });

const invitationStatus = Type.Union([
  Type.Literal("pending"),
  Type.Literal("accepted"),
  Type.Literal("revoked"),
  Type.Literal("expired"),
]);

export const invitationAnswer = closed({
  id,
  email: Type.String(),
  roles: Type.Array(Type.String()),
  status: invitationStatus,
  expiresAt: time,
  invitedBy: Type.String({ description: "Id of the user or API key; a word for the server." }),
  createdAt: time,
});

export const invitationParams = closed({ id });
export const invitationQuery = closed({ status: Type.Optional(invitationStatus) });
export const invitationRequest = closed({
  email: emailGiven,
  name: Type.Optional(nameGiven),
  roles: Type.Optional(rolesGiven),
});
