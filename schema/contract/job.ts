/** Shapes of jobs: work in the background. */
import { Type } from "@sinclair/typebox";
import { jobKindMaxChars, safeIntegerMax } from "../bound.ts";
import { closed, nullable } from "./common.ts";

const id = Type.String({ format: "uuid" });
const time = Type.String({ format: "date-time" });
const count = Type.Integer({ minimum: 0, maximum: safeIntegerMax });

const jobStatus = Type.Union([
  Type.Literal("queued"),
  Type.Literal("running"),
  Type.Literal("succeeded"),
  Type.Literal("failed"),
  Type.Literal("canceled"),
]);

export const jobParams = closed({ id });
export const jobQuery = closed({
  kind: Type.Optional(Type.String({ minLength: 1, maxLength: jobKindMaxChars })),
  status: Type.Optional(jobStatus),
});
export const jobAnswer = closed({
  id,
  kind: Type.String(),
  status: jobStatus,
  progress: closed({ done: count, total: count }),
  result: nullable(Type.Record(Type.String(), Type.Unknown())),
  problem: nullable(
    closed({
      type: Type.String(),
      title: Type.String(),
      status: Type.Integer(),
      detail: Type.String(),
    }),
  ),
  createdBy: Type.String(),
  createdAt: time,
  startedAt: nullable(time),
  finishedAt: nullable(time),
});
