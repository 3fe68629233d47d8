/** Shapes of members, the people who hold cards. */
import { Type } from "@sinclair/typebox";
import {
  nameMaxChars,
  safeIntegerMax,
  searchMaxChars,
  searchMinChars,
  uint32Max,
} from "../bound.ts";
import { closed, nullable } from "./common.ts";

const id = Type.String({ format: "uuid" });
const time = Type.String({ format: "date-time" });
const version = Type.Integer({ minimum: 1, maximum: safeIntegerMax });
const name = Type.String({
  minLength: 1,
  maxLength: nameMaxChars,
  pattern: "^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
  title: "one line of text",
});
/** Trimmed and made lower case by whoever reads it. */
const email = Type.String({ format: "email" });
const userId = Type.Integer({
  minimum: 1,
  maximum: uint32Max,
  description: "The number on the member's cards.",
});
const status = Type.Union([
  Type.Literal("active"),
  Type.Literal("suspended"),
  Type.Literal("closed"),
]);

export const memberAnswer = closed({
  id,
  userId,
  name: Type.String(),
  email: nullable(Type.String()),
  status,
  activeCardId: nullable(Type.String({ description: "The card that can be used now." })),
  createdAt: time,
  updatedAt: time,
  version,
});

export const memberParams = closed({ id });
export const memberQuery = closed({
  status: Type.Optional(status),
  userId: Type.Optional(userId),
  q: Type.Optional(
    Type.String({
      minLength: searchMinChars,
      maxLength: searchMaxChars,
      description: "A part of name or email; capitals are not minded.",
    }),
  ),
});
export const memberCreateRequest = closed({
  name,
  userId: Type.Optional(userId),
  email: Type.Optional(email),
});
export const memberChangeRequest = closed({
  name: Type.Optional(name),
  email: Type.Optional(nullable(email)),
  status: Type.Optional(Type.Union([Type.Literal("active"), Type.Literal("suspended")])),
  version: Type.Optional(version),
});
