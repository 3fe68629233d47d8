/** Shapes of tenants, one's own and those below it. */
import { Type } from "@sinclair/typebox";
import {
  blockTenantReasonMaxChars,
  nameMaxChars,
  passwordMaxChars,
  slugMaxChars,
} from "../bound.ts";
import { closed, nullable } from "./common.ts";
import { emailGiven, nameGiven } from "./user.ts";

const id = Type.String({ format: "uuid" });
const time = Type.String({ format: "date-time" });
const version = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
const name = Type.String({ minLength: 1, maxLength: nameMaxChars });
const currency = Type.String({ pattern: "^[A-Z]{3}$", title: "three capital letters" });
/** The longest of either is far below. */
const word = Type.String({ minLength: 1, maxLength: 64 });

export const tenantAnswer = closed({
  id,
  parentId: nullable(id),
  type: Type.Union([Type.Literal("platform"), Type.Literal("partner"), Type.Literal("client")]),
  name: Type.String(),
  slug: Type.String(),
  logoUrl: nullable(Type.String()),
  status: Type.Union([Type.Literal("active"), Type.Literal("blocked"), Type.Literal("deleted")]),
  currency: Type.String({ description: "ISO 4217." }),
  timezone: Type.String({ description: "IANA." }),
  locale: Type.String({ description: "BCP 47." }),
  depth: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  ownerId: nullable(id),
  createdAt: time,
  updatedAt: time,
  version,
});

export const tenantParams = closed({
  id: Type.Union([Type.Literal("current"), id], { description: "`current`: one's own." }),
});
export const tenantCreateRequest = closed({
  name,
  slug: Type.Optional(
    Type.String({
      pattern: "^[a-z][a-z0-9-]{1,31}$",
      maxLength: slugMaxChars,
      title: "2 to 32 characters a–z, 0–9 and -, a letter first",
    }),
  ),
  type: Type.Union([Type.Literal("partner"), Type.Literal("client")]),
  parentId: Type.Optional(id),
  ownerEmail: emailGiven,
  ownerName: Type.Optional(nameGiven),
  currency: Type.Optional(currency),
  timezone: Type.Optional(word),
});
export const tenantChangeRequest = closed({
  name: Type.Optional(name),
  logoUrl: Type.Optional(nullable(Type.String({ format: "uri" }))),
  timezone: Type.Optional(word),
  locale: Type.Optional(word),
  currency: Type.Optional(currency),
  version: Type.Optional(version),
});
export const tenantReasonRequest = closed({
  reason: Type.Optional(Type.String({ maxLength: blockTenantReasonMaxChars })),
});
export const tenantTransferRequest = closed({
  userId: id,
  password: Type.String({ minLength: 1, maxLength: passwordMaxChars }),
});
