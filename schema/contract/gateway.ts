/** Shapes of the gateway's calls: limits of routes, versions that end, the clock, and the probes. */
import { Type } from "@sinclair/typebox";
import {
  apiVersionMax,
  rateRequestsMax,
  rateRouteMaxChars,
  rateWindowMaxSec,
  safeIntegerMax,
} from "../bound.ts";
import { closed, nullable } from "./common.ts";

const id = Type.String({ format: "uuid" });
const time = Type.String({ format: "date-time" });
const version = Type.Integer({ minimum: 1, maximum: safeIntegerMax });

const route = Type.String({
  minLength: 1,
  maxLength: rateRouteMaxChars,
  description: "An `operationId`, or `/m/{module}`.",
});
const groupBy = Type.Union(
  [Type.Literal("ip"), Type.Literal("user"), Type.Literal("tenant"), Type.Literal("apiKey")],
  {
    description:
      "Whose calls are counted together; who has no API key counts as a user, who is no user by address.",
  },
);
const requests = Type.Integer({
  minimum: 1,
  maximum: rateRequestsMax,
  description: "Calls a window.",
});
const adminRequests = nullable(
  Type.Integer({
    minimum: 1,
    maximum: rateRequestsMax,
    description: "Of owner and admins, counted apart; null: as many as the others.",
  }),
);
const windowSec = Type.Integer({ minimum: 1, maximum: rateWindowMaxSec });

export const rateLimitParams = closed({ id });
export const rateLimitRequest = closed({
  route,
  groupBy,
  requests,
  adminRequests: Type.Optional(adminRequests),
  windowSec: Type.Optional(windowSec),
});
export const rateLimitChangeRequest = closed({
  groupBy: Type.Optional(groupBy),
  requests: Type.Optional(requests),
  adminRequests: Type.Optional(adminRequests),
  windowSec: Type.Optional(windowSec),
  version: Type.Optional(version),
});
export const rateLimitAnswer = closed({
  id,
  route,
  groupBy,
  requests,
  adminRequests,
  windowSec,
  createdAt: time,
  updatedAt: time,
  version,
});

const apiVersion = Type.Integer({
  minimum: 0,
  maximum: apiVersionMax,
  description: "0 is the device surface.",
});

export const versionParams = closed({
  version: Type.String({ pattern: "^(0|[1-9][0-9]{0,2})$", description: "Number of the version." }),
});
export const deprecateRequest = closed({
  sunsetAt: Type.String({
    format: "date-time",
    description: "From here on the version answers 410; at least 6 calendar months ahead.",
  }),
  successor: Type.Optional(
    Type.Union([apiVersion, Type.String({ minLength: 1, maxLength: 100 })], {
      description: "The version to move to.",
    }),
  ),
});
export const versionAnswer = closed({
  version: apiVersion,
  status: Type.Union([Type.Literal("current"), Type.Literal("deprecated"), Type.Literal("sunset")]),
  deprecatedAt: nullable(time),
  sunsetAt: nullable(time),
  snapshotUrl: nullable(Type.String({ description: "Its frozen document." })),
});

/** A leap year. */
const advanceMaxSec = 31_622_400;

export const clockRequest = closed({
  advanceSec: Type.Integer({
    minimum: 1,
    maximum: advanceMaxSec,
    description: "How far to move the clock, in seconds.",
  }),
});
export const clockAnswer = closed({
  now: Type.String({
    format: "date-time",
    description: "The server's time after the move, ISO 8601 in UTC.",
  }),
});

const healthStatus = Type.Union([
  Type.Literal("ok"),
  Type.Literal("degraded"),
  Type.Literal("error"),
]);

export const liveAnswer = closed({ status: Type.Literal("ok") });
export const readyAnswer = closed({ status: Type.Literal("ready") });
/** Their 503: machines that know no problem documents read them. */
export const deadAnswer = closed({ status: Type.Literal("error"), reason: Type.String() });
export const unreadyAnswer = closed({ status: Type.Literal("not_ready"), reason: Type.String() });
export const healthAnswer = closed({
  status: healthStatus,
  version: Type.String(),
  environment: Type.String(),
  uptimeSec: Type.Integer({ minimum: 0 }),
  time,
  components: Type.Array(
    closed({
      name: Type.String(),
      status: healthStatus,
      latencyMs: Type.Number({ minimum: 0 }),
      detail: nullable(Type.String()),
    }),
  ),
});
