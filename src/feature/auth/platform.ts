/** Signing in and out, tokens, and acting in another tenant. Nothing is decided here. */
import * as shape from "../../../schema/contract/auth.ts";
import { instantText } from "../../domain/instant.ts";
import { Problem } from "../../domain/problem.ts";
import { byOf } from "../../http/platform/by.ts";
import type { Caller } from "../../http/platform/caller.ts";
import { cookieToken, endedCookie, refreshCookie } from "../../http/platform/cookie.ts";
import { bearerOf } from "../../http/platform/pipeline.ts";
import {
  operation,
  type PlatformCall,
  type PlatformRoute,
  publicOperation,
} from "../../http/platform/route.ts";
import type { Tickets } from "../../http/platform/ticket.ts";
import type { AuthService, Origin, Pair, UserPair } from "./service.ts";

export interface AuthRouteDeps {
  readonly auth: Pick<
    AuthService,
    | "register"
    | "login"
    | "select"
    | "switchTo"
    | "acceptInvitation"
    | "refresh"
    | "logout"
    | "logoutAll"
    | "exchangeKey"
    | "exchangeCode"
    | "impersonate"
  >;
  readonly tickets: Pick<Tickets, "issue">;
}

const shared = { namespace: "iam", tag: "Sign-in" } as const;

type Called<C> = PlatformCall<unknown, unknown, unknown, C>;

const originOf = ({ address, userAgent, traceId }: Called<unknown>): Origin => ({
  ip: address,
  userAgent,
  traceId,
});

/** With where a refresh token goes that is not to be in the body. */
const viaOf = (call: Called<unknown>) => ({
  ...originOf(call),
  setCookie: (token: string) => {
    call.headers["set-cookie"] = refreshCookie(token);
  },
});

/** `access` has let only people with a token of their own through. */
function personOf({ caller }: Called<Caller>) {
  const { userNo, id, sid } = caller;
  if (userNo === null) throw new Problem("forbidden");
  return { userNo, userId: id, sid };
}

const emailOf = (text: string): string => text.trim().toLowerCase();

const tenantId = "01936d7a-0000-7000-8000-000000000001";
const userId = "01936d7a-0000-7000-8000-000000000002";
const refreshToken = "rt_3n0YqkX7Vw2mZ1uBf83OJ3D2xF1Bg8vub9tLe1gHMzU";
const at = "2026-11-21T16:33:00.000Z";

const pair = {
  accessToken: "eyJhbGciOiJFUzI1NiIsImtpZCI6InRva18…",
  refreshToken,
  tokenType: "Bearer",
  expiresIn: 900,
  expiresAt: "2026-11-21T16:48:00.000Z",
  tenantId,
} satisfies Pair;

const userPair = {
  ...pair,
  user: {
    id: userId,
    email: "dewi@example.com",
    name: "Dewi",
    locale: "id-ID",
    tenantId,
    roles: ["owner"],
    status: "active",
    emailVerified: true,
    mfaEnabled: false,
    lastLoginAt: at,
    createdAt: at,
    updatedAt: at,
    version: 1,
  },
} satisfies UserPair;

const credentials = { email: "dewi@example.com", password: "a long pass phrase" };

const entering = ({ auth }: AuthRouteDeps): PlatformRoute[] => [
  publicOperation({
    ...shared,
    method: "POST",
    path: "/auth/register",
    operationId: "register",
    summary: "Make a person with a tenant of their own",
    description: "A mail with a link to verify the address is on its way.",
    access: { public: true, bucket: "signup" },
    contract: { body: shape.registerRequest, response: shape.registerAnswer },
    status: 201,
    refusals: ["registration-closed", "already-exists"],
    examples: {
      request: { ...credentials, name: "Dewi", organization: "Kantin Utama" },
      response: { ...userPair, subscriptionId: null, subscription: null },
    },
    location: () => "/auth/me",
    handle: async (call) => {
      const draft = { ...call.body, email: emailOf(call.body.email) };
      const made = await auth.register(draft, originOf(call), call.nowMs);
      return { ...made, subscriptionId: null, subscription: null };
    },
  }),
  publicOperation({
    ...shared,
    method: "POST",
    path: "/auth/login",
    operationId: "login",
    summary: "Sign in with email and password",
    description:
      "Answers a pair of tokens, or the choice of a tenant where there are several and none is named or " +
      "remembered. A wrong password is answered before anything else about the account.",
    access: { public: true, bucket: "auth" },
    contract: { body: shape.loginRequest, response: shape.signInAnswer },
    status: 200,
    refusals: [
      ...(["invalid-credentials", "mfa-required", "mfa-invalid", "account-blocked"] as const),
      ...(["no-tenant", "tenant-not-allowed", "tenant-blocked"] as const),
    ],
    examples: { request: credentials, response: userPair },
    check: ({ mfaCode, recoveryCode }) =>
      mfaCode === undefined || recoveryCode === undefined
        ? []
        : [{ field: "recoveryCode", message: "Is in place of mfaCode", code: "NOT_ALLOWED" }],
    handle: async (call) => {
      const { tenantId: wanted, useCookie, email, ...proof } = call.body;
      const via = {
        ...viaOf(call),
        ...(wanted !== undefined && { tenantId: wanted }),
        ...(useCookie !== undefined && { useCookie }),
      };
      return await auth.login({ ...proof, email: emailOf(email) }, via, call.nowMs);
    },
  }),
  publicOperation({
    ...shared,
    method: "POST",
    path: "/auth/exchange",
    operationId: "exchangeCredential",
    summary: "An API key, or the code of a redirect, for tokens",
    access: { public: true, bucket: "auth" },
    contract: { body: shape.exchangeRequest, response: shape.exchangeAnswer },
    status: 200,
    refusals: [
      ...(["invalid-credentials", "account-blocked", "no-tenant"] as const),
      ...(["tenant-not-allowed", "tenant-blocked"] as const),
    ],
    examples: {
      request: { apiKey: "ak_3n0YqkX7Vw2mZ1uBf83OJ3D2xF1Bg8vub9tLe1gHMzU" },
      response: {
        accessToken: pair.accessToken,
        tokenType: "Bearer",
        expiresIn: 900,
        expiresAt: pair.expiresAt,
      },
    },
    check: ({ apiKey, code }) => {
      const message = "Exactly one of apiKey and code is due";
      if (apiKey === undefined && code === undefined) {
        return [{ field: "apiKey", message, code: "REQUIRED" }];
      }
      return apiKey === undefined || code === undefined
        ? []
        : [{ field: "code", message, code: "NOT_ALLOWED" }];
    },
    handle: async (call) => {
      const { apiKey, code = "" } = call.body;
      return apiKey === undefined
        ? await auth.exchangeCode(code, viaOf(call), call.nowMs)
        : await auth.exchangeKey(apiKey, call.address, call.nowMs);
    },
  }),
  publicOperation({
    ...shared,
    method: "POST",
    path: "/auth/select-tenant",
    operationId: "selectTenant",
    summary: "Answer the choice of a tenant",
    access: { public: true, bucket: "auth" },
    contract: { body: shape.selectRequest, response: shape.userPairAnswer },
    status: 200,
    refusals: [
      "session-token-invalid",
      "tenant-not-allowed",
      "tenant-blocked",
      "invalid-credentials",
    ],
    examples: {
      request: { sessionToken: "st_3n0YqkX7Vw2mZ1uBf83OJ3D2xF1Bg8vub9tLe1gHMzU", tenantId },
      response: userPair,
    },
    handle: async (call) => {
      const { remember = false, ...chosen } = call.body;
      return await auth.select({ ...chosen, remember }, viaOf(call), call.nowMs);
    },
  }),
  publicOperation({
    ...shared,
    method: "POST",
    path: "/auth/accept-invite",
    operationId: "acceptInvitation",
    summary: "Join a tenant by the link of an invitation",
    description:
      "Somebody known gives their own password, somebody new the one that they choose. The link proves " +
      "the address.",
    access: { public: true, bucket: "auth" },
    contract: { body: shape.acceptRequest, response: shape.userPairAnswer },
    status: 200,
    refusals: ["token-expired", "token-invalid", "invalid-credentials", "tenant-blocked"],
    examples: {
      request: {
        token: "in_3n0YqkX7Vw2mZ1uBf83OJ3D2xF1Bg8vub9tLe1gHMzU",
        password: credentials.password,
      },
      response: userPair,
    },
    handle: async (call) => await auth.acceptInvitation(call.body, originOf(call), call.nowMs),
  }),
  publicOperation({
    ...shared,
    method: "POST",
    path: "/auth/refresh",
    operationId: "refreshTokens",
    summary: "A new pair for a refresh token",
    description:
      "The token is used up. Within 10 s of its first use it yields the very same answer again; after " +
      "that it proves a theft, and its whole family ends.",
    access: { public: true, bucket: "refresh" },
    contract: { body: shape.refreshRequest, response: shape.pairAnswer },
    status: 200,
    refusals: ["refresh-token-invalid", "refresh-token-reused", "tenant-blocked"],
    examples: { request: { refreshToken }, response: pair },
    handle: async (call) => {
      const token = call.body.refreshToken ?? cookieToken(call.request) ?? "";
      const { body, cookie } = await auth.refresh(token, originOf(call), call.nowMs);
      if (cookie !== null) call.headers["set-cookie"] = refreshCookie(cookie);
      return JSON.parse(body) as Pair;
    },
  }),
];

const leaving = ({ auth, tickets }: AuthRouteDeps): PlatformRoute[] => [
  operation({
    ...shared,
    method: "POST",
    path: "/auth/switch-tenant",
    operationId: "switchTenant",
    summary: "Tokens for another tenant",
    access: { self: true, own: true },
    contract: { body: shape.switchRequest, response: shape.userPairAnswer },
    status: 200,
    refusals: ["tenant-not-allowed", "invalid-credentials"],
    examples: { request: { tenantId }, response: userPair },
    secret: true,
    handle: async (call) =>
      await auth.switchTo(
        personOf(call),
        {
          tenantId: call.body.tenantId,
          ...(call.body.refreshToken !== undefined && { refreshToken: call.body.refreshToken }),
        },
        viaOf(call),
        byOf(call),
        call.write,
        call.nowMs,
      ),
  }),
  operation({
    ...shared,
    method: "POST",
    path: "/auth/logout",
    operationId: "logout",
    summary: "End one refresh family and its access tokens",
    access: { self: true },
    contract: { body: shape.logoutRequest, response: null },
    status: 204,
    refusals: [],
    examples: { request: {} },
    handle: async (call) => {
      const { caller, body, request } = call;
      const cookie = cookieToken(request);
      if (cookie !== undefined) call.headers["set-cookie"] = endedCookie;
      if (caller.userNo === null) return undefined;
      const shown = {
        ...(body.refreshToken !== undefined && { body: body.refreshToken }),
        ...(cookie !== undefined && { cookie }),
      };
      const who = personOf(call);
      const by = byOf(call);
      await call.write((tx) => auth.logout(tx, who, shown, by, call.nowMs));
      return undefined;
    },
  }),
  operation({
    ...shared,
    method: "POST",
    path: "/auth/logout-all",
    operationId: "logoutEverywhere",
    summary: "End every token of the person, in all tenants",
    access: { self: true, own: true },
    contract: { response: null },
    status: 204,
    refusals: [],
    examples: {},
    handle: async (call) => {
      if (cookieToken(call.request) !== undefined) call.headers["set-cookie"] = endedCookie;
      const who = personOf(call);
      const by = byOf(call);
      await call.write((tx) => auth.logoutAll(tx, who, by, call.nowMs));
      return undefined;
    },
  }),
  operation({
    ...shared,
    method: "POST",
    path: "/auth/stream-ticket",
    operationId: "createStreamTicket",
    summary: "A ticket that opens one stream",
    description: "For an `EventSource`, which can send no header. It ends with its access token.",
    access: { self: true, own: true },
    contract: { response: shape.ticketAnswer },
    status: 201,
    refusals: [],
    examples: {
      response: { ticket: "tk_3n0YqkX7Vw2mZ1uBf83OJ3D2xF1Bg8vub9tLe1gHMzU", expiresAt: at },
    },
    secret: true,
    handle: ({ request, nowMs }) => {
      const { ticket, expiresAtMs } = tickets.issue(bearerOf(request) ?? "", nowMs);
      return { ticket, expiresAt: instantText(expiresAtMs) };
    },
  }),
  operation({
    ...shared,
    method: "POST",
    path: "/auth/impersonate",
    operationId: "impersonate",
    summary: "Act in another tenant",
    description:
      "For the Platform Owner alone: an access token with the role `admin` there, without a refresh " +
      "token. Every call with it is recorded with who acts.",
    access: { permission: "users.impersonate", restricted: true },
    contract: { body: shape.impersonateRequest, response: shape.impersonateAnswer },
    status: 200,
    refusals: ["not-found"],
    examples: {
      request: { tenantId, reason: "support_request" },
      response: {
        accessToken: pair.accessToken,
        expiresAt: pair.expiresAt,
        tenantId,
        reason: "support_request",
      },
    },
    secret: true,
    check: ({ reason, note }) =>
      reason === "other" && note === undefined
        ? [{ field: "note", message: "Is due with the reason other", code: "REQUIRED" }]
        : [],
    handle: async (call) => {
      const { caller, body, write, nowMs } = call;
      if (!caller.isPlatformOwner) throw new Problem("forbidden");
      return await auth.impersonate(caller.id, body, byOf(call), write, nowMs);
    },
  }),
];

export const authRoutes = (deps: AuthRouteDeps): PlatformRoute[] => [
  ...entering(deps),
  ...leaving(deps),
];
