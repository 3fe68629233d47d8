/** Kartu as a provider of sign-ins: applications, the page, tokens, discovery. Nothing is decided here. */
import {
  authorizeQuery,
  clientAnswer,
  clientChange,
  clientDraft,
  clientParams,
  clientWithSecret,
  discoveryAnswer,
  requestAnswer,
  requestParams,
  revokeAnswer,
  revokeForm,
  tokenAnswer,
  tokenForm,
  userinfoAnswer,
} from "../../../schema/contract/oauth.ts";
import { instantText } from "../../domain/instant.ts";
import { invalid } from "../../domain/problem.ts";
import { scopeLine } from "../../domain/scope.ts";
import { byOf } from "../../http/platform/by.ts";
import type { Caller } from "../../http/platform/caller.ts";
import { consentResponse } from "../../http/platform/consent.ts";
import { pageOf } from "../../http/platform/page.ts";
import {
  operation,
  type PlatformCall,
  type PlatformRoute,
  publicOperation,
} from "../../http/platform/route.ts";
import {
  type Answerer,
  type Author,
  type Client,
  type ClientDraft,
  clientFaults,
  discoveryOf,
  type OAuthService,
  type Origin,
} from "./service.ts";

type Called = PlatformCall<unknown, unknown, unknown, Caller>;

const authorOf = (call: Called): Author => ({
  tenantId: call.caller.tenantId,
  permissions: call.caller.permissions,
  by: byOf(call),
});

/** `access.own` has let only people with a token of their own through: both are there. */
function answererOf(call: Called): Answerer {
  const { userNo, sid } = call.caller;
  if (userNo === null || sid === null) throw new Error("a person's own token without a session");
  return { ...authorOf(call), userNo, sid };
}

const originOf = ({
  address,
  userAgent,
  traceId,
}: PlatformCall<unknown, unknown, unknown, null>): Origin => ({ ip: address, userAgent, traceId });

const clientView = (client: Client) => ({
  id: client.uuid,
  name: client.name,
  type: client.type,
  redirectUris: [...client.redirectUris],
  grantTypes: [...client.grantTypes],
  scopes: [...client.scopes],
  createdBy: client.createdBy,
  createdAt: instantText(client.createdAtMs),
  updatedAt: instantText(client.updatedAtMs),
  version: client.version,
});

function check(draft: ClientDraft): void {
  const faults = clientFaults(draft);
  if (faults.length > 0) throw invalid(faults);
}

const id = "01936d7a-0000-7000-8000-000000000001";
const draftExample = {
  name: "Till reports",
  type: "confidential",
  redirectUris: ["https://reports.example/callback"],
  grantTypes: ["authorization_code", "refresh_token"],
  scopes: ["fleet.settlement.read"],
} as const;
const draft = {
  ...draftExample,
  redirectUris: [...draftExample.redirectUris],
  grantTypes: [...draftExample.grantTypes],
  scopes: [...draftExample.scopes],
};
const client = {
  id,
  ...draft,
  createdBy: "01936d7a-0000-7000-8000-000000000002",
  createdAt: "2026-11-21T16:33:00.000Z",
  updatedAt: "2026-11-21T16:33:00.000Z",
  version: 1,
};
const withSecret = { ...client, clientSecret: "cs_mUZ0cHqJc2h3Z2lkZXhhbXBsZXNlY3JldDAwMDAwMDA" };

const applications = { namespace: "iam", tag: "Applications" } as const;
const flow = { namespace: "iam", tag: "OpenID Connect" } as const;

export const oauthRoutes = (oauth: OAuthService): PlatformRoute[] => [
  ...clientRoutes(oauth),
  ...requestRoutes(oauth),
  ...tokenRoutes(oauth),
];

const clientRoutes = (oauth: OAuthService): PlatformRoute[] => [
  operation({
    ...applications,
    method: "GET",
    path: "/oauth/clients",
    operationId: "listOAuthClients",
    summary: "Applications of the tenant",
    access: { permission: "oauth.list" },
    contract: { list: clientAnswer },
    status: 200,
    refusals: [],
    examples: { response: { data: [client], meta: { cursor: null, hasMore: false, total: 1 } } },
    handle: (call) => {
      const { tenantId } = call.caller;
      return pageOf(
        call,
        {
          read: (after, limit) =>
            oauth.client.page(tenantId, Number(after?.[0] ?? Number.MAX_SAFE_INTEGER), limit),
          placeOf: ({ clientNo }) => [clientNo],
          count: () => oauth.client.count(tenantId),
        },
        clientView,
      );
    },
  }),
  operation({
    ...applications,
    method: "POST",
    path: "/oauth/clients",
    operationId: "createOAuthClient",
    summary: "Register an application",
    description:
      "Its scopes are at most what the caller holds. The secret is shown in this answer and never again.",
    access: { permission: "oauth.manage" },
    contract: { body: clientDraft, response: clientWithSecret },
    status: 201,
    secret: true,
    location: ({ id }) => `/oauth/clients/${id}`,
    refusals: ["permission-escalation"],
    examples: { request: draft, response: withSecret },
    check: clientFaults,
    handle: (call) =>
      call.write(async (tx) => {
        const made = await oauth.client.create(tx, authorOf(call), call.body, call.nowMs);
        return { ...clientView(made.client), clientSecret: made.secret };
      }),
  }),
  operation({
    ...applications,
    method: "GET",
    path: "/oauth/clients/:id",
    operationId: "getOAuthClient",
    summary: "One application",
    access: { permission: "oauth.list" },
    contract: { params: clientParams, response: clientAnswer },
    status: 200,
    refusals: [],
    examples: { params: { id }, response: client },
    handle: async ({ caller, params }) =>
      clientView(await oauth.client.get(caller.tenantId, params.id)),
  }),
  operation({
    ...applications,
    method: "PATCH",
    path: "/oauth/clients/:id",
    operationId: "updateOAuthClient",
    summary: "Change an application",
    description: "An application that becomes public loses its secret.",
    access: { permission: "oauth.manage" },
    contract: { params: clientParams, body: clientChange, response: clientAnswer },
    status: 200,
    refusals: ["permission-escalation", "version-conflict"],
    examples: { params: { id }, request: { name: "Till reports", version: 1 }, response: client },
    handle: (call) =>
      call.write(async (tx) => {
        const { params, body, nowMs } = call;
        const author = authorOf(call);
        return clientView(await oauth.client.change(tx, author, params.id, body, check, nowMs));
      }),
  }),
  operation({
    ...applications,
    method: "DELETE",
    path: "/oauth/clients/:id",
    operationId: "deleteOAuthClient",
    summary: "Remove an application",
    description: "Its tokens are dead at once.",
    access: { permission: "oauth.manage" },
    contract: { params: clientParams, response: null },
    status: 204,
    refusals: [],
    examples: { params: { id } },
    handle: (call) =>
      call.write(async (tx) => {
        await oauth.client.remove(tx, authorOf(call), call.params.id, call.nowMs);
        return undefined;
      }),
  }),
  operation({
    ...applications,
    method: "POST",
    path: "/oauth/clients/:id/rotate-secret",
    operationId: "rotateOAuthClientSecret",
    summary: "A new secret for an application",
    description: "The one before works for 24 hours more.",
    access: { permission: "oauth.manage" },
    contract: { params: clientParams, response: clientWithSecret },
    status: 200,
    secret: true,
    refusals: ["wrong-state", "permission-escalation"],
    examples: { params: { id }, response: withSecret },
    handle: (call) =>
      call.write(async (tx) => {
        const made = await oauth.client.rotate(tx, authorOf(call), call.params.id, call.nowMs);
        return { ...clientView(made.client), clientSecret: made.secret };
      }),
  }),
];

const redirectExample = { redirectTo: "https://reports.example/callback?code=oc_…&state=xyz" };

const requestRoutes = (oauth: OAuthService): PlatformRoute[] => [
  publicOperation({
    ...flow,
    method: "GET",
    path: "/oauth/authorize",
    operationId: "authorizeOAuth",
    summary: "The page on which a person signs in and consents",
    description:
      "RFC 6749 §4.1 with PKCE by S256 for every application. What is wrong with the request goes back to the application; an unknown application or address is answered here.",
    access: { public: true },
    contract: { query: authorizeQuery },
    produces: "text/html",
    status: 200,
    alsoStatus: [302],
    refusals: [],
    examples: {
      query: {
        response_type: "code",
        client_id: id,
        redirect_uri: "https://reports.example/callback",
        scope: "openid fleet.settlement.read",
        state: "xyz",
        code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        code_challenge_method: "S256",
      },
    },
    handle: async ({ query, nowMs, base, requestId }) => {
      const answer = await oauth.authorize(query, nowMs);
      if ("redirectTo" in answer) return redirect(answer.redirectTo);
      const { asked } = answer;
      const lines = asked.scopes.map(scopeLine);
      return consentResponse({ ...asked, lines, base }, requestId);
    },
  }),
  operation({
    ...flow,
    method: "POST",
    path: "/oauth/requests/:id/approve",
    operationId: "approveOAuthRequest",
    summary: "Allow what an application asks for",
    description: "The code in the answer works once, within 60 s.",
    access: { self: true, own: true },
    contract: { params: requestParams, response: requestAnswer },
    status: 200,
    secret: true,
    refusals: ["wrong-state"],
    examples: { params: { id }, response: redirectExample },
    handle: (call) =>
      call.write(async (tx) => {
        const { params, nowMs } = call;
        return { redirectTo: await oauth.approve(tx, answererOf(call), params.id, nowMs) };
      }),
  }),
  operation({
    ...flow,
    method: "POST",
    path: "/oauth/requests/:id/deny",
    operationId: "denyOAuthRequest",
    summary: "Deny what an application asks for",
    access: { self: true, own: true },
    contract: { params: requestParams, response: requestAnswer },
    status: 200,
    refusals: ["wrong-state"],
    examples: {
      params: { id },
      response: { redirectTo: "https://reports.example/callback?error=access_denied&state=xyz" },
    },
    handle: (call) =>
      call.write(async (tx) => {
        const { params, nowMs } = call;
        return { redirectTo: await oauth.deny(tx, answererOf(call), params.id, nowMs) };
      }),
  }),
];

const redirect = (location: string): Response =>
  new Response(null, { status: 302, headers: { location } });

const tokenRoutes = (oauth: OAuthService): PlatformRoute[] => [
  publicOperation({
    ...flow,
    method: "POST",
    path: "/oauth/token",
    operationId: "issueOAuthToken",
    summary: "Tokens for a code, a refresh token, or an application itself",
    description:
      "RFC 6749; the application by HTTP Basic or in the body. A refused call carries `error` and `error_description` too.",
    access: { public: true, bucket: "auth" },
    media: "form",
    contract: { body: tokenForm, response: tokenAnswer },
    status: 200,
    refusals: ["invalid-credentials"],
    examples: {
      request: {
        grant_type: "authorization_code",
        client_id: id,
        client_secret: withSecret.clientSecret,
        code: "oc_mUZ0cHqJc2h3Z2lkZXhhbXBsZWNvZGUwMDAwMDAwMDA",
        redirect_uri: "https://reports.example/callback",
        code_verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
      },
      response: {
        access_token: "eyJhbGciOiJFUzI1NiJ9…",
        token_type: "Bearer",
        expires_in: 900,
        refresh_token: "rt_mUZ0cHqJc2h3Z2lkZXhhbXBsZXRva2VuMDAwMDAwMDA",
        scope: "openid fleet.settlement.read",
      },
    },
    handle: (call) => {
      const authorization = call.request.headers.get("authorization");
      return oauth.token(call.body, authorization, originOf(call), call.nowMs);
    },
  }),
  publicOperation({
    ...flow,
    method: "POST",
    path: "/oauth/revoke",
    operationId: "revokeOAuthToken",
    summary: "End the session of a token",
    description:
      "RFC 7009. A token that is not the application's own is left alone and not told of.",
    access: { public: true },
    media: "form",
    contract: { body: revokeForm, response: revokeAnswer },
    status: 200,
    refusals: ["invalid-credentials"],
    examples: {
      request: { token: "rt_mUZ0cHqJc2h3Z2lkZXhhbXBsZXRva2VuMDAwMDAwMDA", client_id: id },
      response: {},
    },
    handle: async (call) => {
      const authorization = call.request.headers.get("authorization");
      await oauth.revoke(call.body, authorization, originOf(call), call.nowMs);
      return {};
    },
  }),
  operation({
    ...flow,
    method: "GET",
    path: "/oauth/userinfo",
    operationId: "getUserinfo",
    summary: "Who the token is of",
    description: "For tokens with scope openid; email and profile tell more.",
    access: { self: true },
    contract: { response: userinfoAnswer },
    status: 200,
    refusals: [],
    examples: {
      response: {
        sub: id,
        email: "siti@example.com",
        email_verified: true,
        name: "Siti",
        tenant_id: "01936d7a-0000-7000-8000-000000000003",
      },
    },
    handle: ({ caller }) => oauth.userinfo(caller),
  }),
  publicOperation({
    ...flow,
    method: "GET",
    path: "/.well-known/openid-configuration",
    root: true,
    operationId: "getOpenidConfiguration",
    summary: "What an OpenID client needs to know of this server",
    access: { public: true },
    contract: { response: discoveryAnswer },
    status: 200,
    refusals: [],
    examples: { response: discoveryOf("https://kartu.example", "https://kartu.example") },
    handle: ({ headers }) => {
      headers["cache-control"] = "public, max-age=300";
      return oauth.discovery();
    },
  }),
];
