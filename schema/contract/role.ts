/** Shapes of roles, and of the permissions that they are made of. */
import { Type } from "@sinclair/typebox";
import {
  descriptionMaxChars,
  permissionsMax,
  roleDisplayNameMaxChars,
  roleNameMaxChars,
} from "../bound.ts";
import { closed, nullable } from "./common.ts";

const id = Type.String({ format: "uuid" });
const time = Type.String({ format: "date-time" });
const version = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });

const displayName = Type.String({ minLength: 1, maxLength: roleDisplayNameMaxChars });
const description = nullable(Type.String({ maxLength: descriptionMaxChars }));
const permissions = Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
  maxItems: permissionsMax,
  uniqueItems: true,
  description: "Permissions, prefixes of some (`fleet.*`), or `*`.",
});

export const roleAnswer = closed({
  id,
  name: Type.String(),
  displayName: Type.String(),
  description: nullable(Type.String()),
  permissions: Type.Array(Type.String()),
  scope: Type.Union([Type.Literal("tenant"), Type.Literal("platform")], {
    description: "Platform: every tenant has it, and it stays as it is.",
  }),
  builtIn: Type.Boolean(),
  users: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  tenantId: id,
  createdBy: Type.String({ description: "Id of the user or API key; a word for the server." }),
  createdAt: time,
  version,
});

export const roleParams = closed({ id });
export const roleCreateRequest = closed({
  name: Type.String({
    pattern: "^[a-z][a-z0-9-]{1,31}$",
    maxLength: roleNameMaxChars,
    title: "2 to 32 characters a–z, 0–9 and -, a letter first",
  }),
  displayName: Type.Optional(displayName),
  description: Type.Optional(description),
  permissions,
});
export const roleChangeRequest = closed({
  displayName: Type.Optional(displayName),
  description: Type.Optional(description),
  permissions: Type.Optional(permissions),
  version,
});

export const permissionQuery = closed({
  module: Type.Optional(
    Type.String({ minLength: 1, maxLength: 32, description: "Slug of a module." }),
  ),
});
export const permissionAnswer = closed({
  name: Type.String(),
  description: Type.String(),
  module: nullable(Type.String({ description: "Slug of the module; null: Kartu's own." })),
});
