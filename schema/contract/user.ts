/** Shapes of the users of a tenant, as those who run it see them. */
import { Type } from "@sinclair/typebox";
import {
  nameMaxChars,
  passwordMaxChars,
  passwordMinChars,
  roleNameMaxChars,
  rolesGivenMax,
  searchMaxChars,
  searchMinChars,
} from "../bound.ts";
import { closed, nullable } from "./common.ts";

const id = Type.String({ format: "uuid" });
const time = Type.String({ format: "date-time" });
const version = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });

/** Trimmed and made lower case by whoever reads it. */
export const emailGiven = Type.String({ format: "email" });
export const nameGiven = Type.String({ minLength: 1, maxLength: nameMaxChars });
const roleName = Type.String({ minLength: 1, maxLength: roleNameMaxChars });
export const rolesGiven = Type.Array(roleName, {
  minItems: 1,
  maxItems: rolesGivenMax,
  description: "Names of roles of the tenant.",
});
const searched = Type.String({
  minLength: searchMinChars,
  maxLength: searchMaxChars,
  description: "A part of it; capitals are not minded.",
});

const userStatus = Type.Union([
  Type.Literal("active"),
  Type.Literal("invited"),
  Type.Literal("blocked"),
  Type.Literal("deleted"),
]);

export const userAnswer = closed({
  id,
  email: Type.String(),
  name: Type.String(),
  locale: Type.String({ description: "BCP 47." }),
  tenantId: id,
  roles: Type.Array(Type.String()),
  status: userStatus,
  emailVerified: Type.Boolean(),
  mfaEnabled: Type.Boolean(),
  lastLoginAt: nullable(time),
  createdAt: time,
  updatedAt: time,
  version,
});

export const userParams = closed({ id });
export const userQuery = closed({
  q: Type.Optional(searched),
  status: Type.Optional(userStatus),
  role: Type.Optional(roleName),
});
export const userCreateRequest = closed({
  email: emailGiven,
  name: Type.Optional(nameGiven),
  roles: rolesGiven,
  password: Type.Optional(
    Type.String({ minLength: passwordMinChars, maxLength: passwordMaxChars }),
  ),
});
export const userChangeRequest = closed({
  name: Type.Optional(nameGiven),
  email: Type.Optional(emailGiven),
  version: Type.Optional(version),
});
export const userRolesRequest = closed({ roles: rolesGiven });
