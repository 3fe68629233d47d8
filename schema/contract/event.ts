/** Shapes of the stream of published events. */
import { Type } from "@sinclair/typebox";
import { closed } from "./common.ts";
import { whichTerminal } from "./operator.ts";

const pattern =
  "(\\*|[a-z][a-z0-9]*(\\.[a-z][a-z0-9_]*)?\\.\\*|[a-z][a-z0-9]*(\\.[a-z][a-z0-9_]*){2})";

export const fleetStreamQuery = closed({
  types: Type.Optional(
    Type.String({
      pattern: `^${pattern}(,${pattern}){0,49}$`,
      description:
        "Types or patterns, at most 50, with commas between them: `fleet.card.*,fleet.flag.raised`. Default: all.",
    }),
  ),
  terminalId: Type.Optional(whichTerminal),
});
