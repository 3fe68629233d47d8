/** Shapes of key versions. No answer of these shows key material. */
import { Type } from "@sinclair/typebox";
import { keyNoteMaxChars, keyVersionMax, safeIntegerMax } from "../bound.ts";
import { closed, nullable } from "./common.ts";

const time = Type.String({ format: "date-time" });
const keyVersion = Type.Integer({ minimum: 1, maximum: keyVersionMax });

export const keyAnswer = closed({
  keyVersion,
  status: Type.Union([Type.Literal("created"), Type.Literal("active"), Type.Literal("retired")]),
  primary: Type.Boolean({ description: "What a grant is for where no version is asked for." }),
  activeCards: Type.Integer({
    minimum: 0,
    maximum: safeIntegerMax,
    description: "ACTIVE cards that carry it.",
  }),
  note: nullable(Type.String()),
  createdAt: time,
  activatedAt: nullable(time),
  retiredAt: nullable(time),
});
export const keyParams = closed({
  keyVersion: Type.String({ pattern: "^[1-9][0-9]{0,2}$", description: "A whole number." }),
});
export const keyCreateRequest = closed({
  note: Type.Optional(Type.String({ maxLength: keyNoteMaxChars })),
});
export const keyRetireRequest = closed({
  force: Type.Optional(
    Type.Boolean({
      default: false,
      description: "Also while ACTIVE cards carry it: nobody can read them then.",
    }),
  ),
});
