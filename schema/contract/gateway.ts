/** Shapes of the gateway's calls: for now, moving a development server's clock. */
import { Type } from "@sinclair/typebox";

/** A leap year. */
const advanceMaxSec = 31_622_400;

export const clockRequest = Type.Object(
  {
    advanceSec: Type.Integer({
      minimum: 1,
      maximum: advanceMaxSec,
      description: "How far to move the clock, in seconds.",
    }),
  },
  { additionalProperties: false },
);

export const clockAnswer = Type.Object(
  { now: Type.String({ description: "The server's time after the move, ISO 8601 in UTC." }) },
  { additionalProperties: false },
);
