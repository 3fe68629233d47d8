/** What a service is told of the caller of an operation, for its record. */
import type { By } from "../../domain/by.ts";
import { actorOf, type Caller } from "./caller.ts";
import type { PlatformCall } from "./route.ts";

export const byOf = ({
  caller,
  address,
  userAgent,
  traceId,
}: Pick<
  PlatformCall<unknown, unknown, unknown, Caller>,
  "caller" | "address" | "userAgent" | "traceId"
>): By => ({
  actor: actorOf(caller),
  ip: address,
  ...(userAgent !== "" && { userAgent }),
  traceId,
  ...(caller.actorId !== null && { act: caller.actorId }),
});
