/** Shapes that several contracts of the operators' side of the device world share. */
import { Type } from "@sinclair/typebox";
import { safeIntegerMax, terminalIdMax, uint32Max } from "../bound.ts";

export const id = Type.String({ format: "uuid" });
export const time = Type.String({ format: "date-time" });
export const count = Type.Integer({ minimum: 0, maximum: safeIntegerMax });
/** Minor units, below zero too. */
export const money = Type.Integer({ minimum: -safeIntegerMax, maximum: safeIntegerMax });
export const amount = Type.Integer({ minimum: 0, maximum: uint32Max, description: "Minor units." });
export const whichTerminal = Type.Integer({ minimum: 1, maximum: terminalIdMax });

/** The two ends of a time filter. */
export const between = (what: string) => ({
  from: Type.Optional(Type.String({ format: "date-time", description: `${what}, from then on.` })),
  to: Type.Optional(Type.String({ format: "date-time", description: `${what}, before then.` })),
});
