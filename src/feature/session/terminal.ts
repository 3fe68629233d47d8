/** `GET /api/session-grant`. */
import { grantAnswer, grantQuery } from "../../../schema/contract/session.ts";
import { JsonText, type Route, route } from "../../http/route.ts";
import type { SessionService } from "./service.ts";

export const sessionRoutes = (sessions: Pick<SessionService, "issue">): Route[] => [
  route({
    method: "GET",
    path: "/api/session-grant",
    operationId: "getSessionGrant",
    summary: "The right to work offline: operations, session key and expiry, signed",
    description:
      "Signed are exactly the four other fields, in their RFC 8785 form. `Kartu-Key-Id` names the key, " +
      "found at /.well-known/jwks.json; accept only those whose kid starts with grt_. Never cache it.",
    tag: "Session",
    access: {
      roles: ["station", "gate", "terminal"],
      suspended: false,
      bucket: "grant",
    },
    contract: { query: grantQuery, response: grantAnswer },
    status: 200,
    refusals: ["invalid_key_version"],
    examples: {
      response: {
        keyVersion: 3,
        sessionKey: "GkL0wqV1cZ5n8b2yT4mJ7dXeR9uFsPoAhIqKvMtNzYc=",
        expiresAt: 1746700000,
        allowedOps: ["read", "debit", "checkin", "checkout"],
        signature:
          "Jq8wN3rVb0mXcZ5yT7kLdF2gH4sPoAeRuIqKvMtNzYcBx1W6n9E0aUhGjDlSfOiPqTzRkVwMyXbCnJ5L8o2QeA==",
      },
    },
    handle: async ({ device, query, nowMs, headers }) => {
      const { text, kid } = await sessions.issue(device, query.keyVersion, nowMs);
      headers["cache-control"] = "no-store";
      headers["kartu-key-id"] = kid;
      return new JsonText(text);
    },
  }),
];
