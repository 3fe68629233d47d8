/** The pages behind mailed links. What they ask for is done by the calls that they make. */
import { linkQuery } from "../../../schema/contract/mail.ts";
import { linkPaths } from "../../domain/letter.ts";
import { type LinkPage, linkPageResponse } from "../../http/platform/linkpage.ts";
import { type PlatformRoute, publicOperation } from "../../http/platform/route.ts";

const page = (kind: LinkPage, operationId: string, summary: string): PlatformRoute =>
  publicOperation({
    method: "GET",
    path: linkPaths[kind],
    root: true,
    namespace: "iam",
    tag: "Sign-in",
    operationId,
    summary,
    description: "A page for people; opening it changes nothing and spends no link.",
    access: { public: true },
    contract: { query: linkQuery },
    status: 200,
    refusals: [],
    produces: "text/html",
    examples: { query: { token: "ev_3n0YqkX7Vw2mZ1uBf83OJ3D2xF1Bg8vub9tLe1gHMzU" } },
    handle: ({ requestId }) => linkPageResponse(kind, requestId),
  });

export const mailRoutes = (): PlatformRoute[] => [
  page("verify", "verifyEmailPage", "Where the link that verifies an address leads"),
  page("reset", "resetPasswordPage", "Where the link that sets a password leads"),
  page("invite", "acceptInvitationPage", "Where the link of an invitation leads"),
];
