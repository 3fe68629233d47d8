/** What somebody sees and changes about themselves, and their mailed links. Nothing is decided here. */
import * as shape from "../../../schema/contract/self.ts";
import { instantText } from "../../domain/instant.ts";
import { type FieldFault, Problem } from "../../domain/problem.ts";
import { localeOf } from "../../domain/tenant.ts";
import { byOf } from "../../http/platform/by.ts";
import type { Caller } from "../../http/platform/caller.ts";
import { pageOf } from "../../http/platform/page.ts";
import {
  operation,
  type PlatformCall,
  type PlatformRoute,
  publicOperation,
} from "../../http/platform/route.ts";
import type { Me, Self, SelfService } from "./service.ts";

export interface SelfRouteDeps {
  readonly self: SelfService;
}

type Called<C> = PlatformCall<unknown, unknown, unknown, C>;

const shared = { namespace: "iam", tag: "Oneself" } as const;
const own = { self: true, own: true } as const;

/** `access.own` has let only people with a token of their own through. */
function selfOf(call: Called<Caller>): Self {
  const { userNo, id, tenantId, sid } = call.caller;
  if (userNo === null) throw new Problem("forbidden");
  return { userNo, userId: id, tenantId, sid, by: byOf(call) };
}

const strangerOf = ({ address, userAgent, traceId }: Called<null>) => ({
  ip: address,
  ...(userAgent !== "" && { userAgent }),
  traceId,
});

const emailOf = (text: string): string => text.trim().toLowerCase();

const tenantId = "01936d7a-0000-7000-8000-000000000001";
const at = "2026-11-21T16:33:00.000Z";
const password = "a long pass phrase";
const session = {
  id: "01936d7a-0000-7000-8000-000000000003",
  ip: "203.0.113.7",
  userAgent: "Mozilla/5.0",
  createdAt: at,
  lastUsedAt: at,
  current: true,
};

const me = {
  id: "01936d7a-0000-7000-8000-000000000002",
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
  tenant: {
    id: tenantId,
    name: "Kantin Utama",
    slug: "kantin-utama",
    type: "client",
    status: "active",
    logoUrl: null,
  },
  permissions: ["*"],
  memberships: [
    {
      tenantId,
      tenantName: "Kantin Utama",
      tenantSlug: "kantin-utama",
      logoUrl: null,
      roles: ["owner"],
      status: "active",
      isOwner: true,
    },
  ],
} satisfies Me;

const recoveryCodes = Array.from({ length: 10 }, (_, index) => `7KQ${index}-M2ZD-9TPA`);

function profileFaults(change: {
  readonly locale?: string;
  readonly email?: string;
  readonly currentPassword?: string;
}): FieldFault[] {
  const faults: FieldFault[] = [];
  if (change.locale !== undefined && localeOf(change.locale) === undefined) {
    const message = "Must be a language tag such as id-ID";
    faults.push({ field: "locale", message, code: "INVALID_FORMAT" });
  }
  if (change.email !== undefined && change.currentPassword === undefined) {
    const message = "Is due with email";
    faults.push({ field: "currentPassword", message, code: "REQUIRED" });
  }
  return faults;
}

const profile = ({ self }: SelfRouteDeps): PlatformRoute[] => [
  operation({
    ...shared,
    method: "GET",
    path: "/auth/me",
    operationId: "getMe",
    summary: "Who one is, where, and what one may do",
    access: { self: true },
    contract: { response: shape.meAnswer },
    status: 200,
    refusals: [],
    examples: { response: me },
    handle: async ({ caller }) => await self.me(caller),
  }),
  operation({
    ...shared,
    method: "PATCH",
    path: "/auth/me",
    operationId: "updateMe",
    summary: "Change name, locale or email",
    description: "A changed email is unverified again: a link goes to it, and the old one is told.",
    access: own,
    contract: { body: shape.meRequest, response: shape.meAnswer },
    status: 200,
    refusals: ["already-exists", "invalid-credentials"],
    examples: { request: { name: "Dewi", locale: "id-ID" }, response: me },
    check: profileFaults,
    handle: async (call) => {
      const { name, locale, email, currentPassword } = call.body;
      const canonical = locale === undefined ? undefined : localeOf(locale);
      const change = {
        ...(name !== undefined && { name }),
        ...(canonical !== undefined && { locale: canonical }),
        ...(email !== undefined && { email: emailOf(email) }),
        ...(currentPassword !== undefined && { currentPassword }),
      };
      await self.change(selfOf(call), change, call.nowMs);
      return await self.me(call.caller);
    },
  }),
  operation({
    ...shared,
    method: "POST",
    path: "/auth/change-password",
    operationId: "changePassword",
    summary: "Set another password",
    description:
      "Every other refresh family ends, and every access token made until then is dead: go on with the " +
      "refresh token.",
    access: own,
    contract: { body: shape.passwordRequest, response: null },
    status: 204,
    refusals: ["invalid-credentials"],
    examples: { request: { currentPassword: password, password: "another pass phrase" } },
    handle: async (call) => {
      await self.changePassword(selfOf(call), call.body, call.write, call.nowMs);
      return undefined;
    },
  }),
  operation({
    ...shared,
    method: "GET",
    path: "/auth/sessions",
    operationId: "listSessions",
    summary: "Where one is signed in",
    access: { self: true },
    contract: { list: shape.sessionItem },
    status: 200,
    refusals: [],
    examples: {
      response: { data: [session], meta: { cursor: null, hasMore: false, total: 1 } },
    },
    handle: async (call) => {
      const { caller, nowMs } = call;
      const userNo = caller.userNo ?? 0;
      return await pageOf(
        call,
        {
          read: (after, limit) =>
            self.sessions(userNo, Number(after?.[0] ?? Number.MAX_SAFE_INTEGER), limit, nowMs),
          placeOf: ({ sessionNo }) => [sessionNo],
          count: () => self.countSessions(userNo, nowMs),
        },
        ({ sid, ip, userAgent, createdAtMs, lastUsedAtMs }) => ({
          id: sid,
          ip,
          userAgent,
          createdAt: instantText(createdAtMs),
          lastUsedAt: instantText(lastUsedAtMs),
          current: sid === caller.sid,
        }),
      );
    },
  }),
  operation({
    ...shared,
    method: "DELETE",
    path: "/auth/sessions/:id",
    operationId: "endSession",
    summary: "Sign out elsewhere",
    access: own,
    contract: { params: shape.sessionParams, response: null },
    status: 204,
    refusals: [],
    examples: { params: { id: session.id } },
    handle: async (call) => {
      await self.endSession(selfOf(call), call.params.id, call.write, call.nowMs);
      return undefined;
    },
  }),
];

const factor = ({ self: { mfa } }: SelfRouteDeps): PlatformRoute[] => [
  operation({
    ...shared,
    method: "POST",
    path: "/auth/mfa/enable",
    operationId: "enableMfa",
    summary: "Begin with a second factor",
    description: "Shown once, and not in force before `/auth/mfa/verify`.",
    access: own,
    contract: { response: shape.mfaEnableAnswer },
    status: 200,
    refusals: ["wrong-state"],
    secret: true,
    examples: {
      response: {
        secret: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
        otpauthUri: "otpauth://totp/Kartu:dewi%40example.com?secret=GEZDGNBVGY3TQOJQ&issuer=Kartu",
        qrCodeSvg: "<svg …/>",
        recoveryCodes,
      },
    },
    handle: async (call) => await mfa.enable(selfOf(call), call.write, call.nowMs),
  }),
  operation({
    ...shared,
    method: "POST",
    path: "/auth/mfa/verify",
    operationId: "verifyMfa",
    summary: "Put the second factor in force",
    access: own,
    contract: { body: shape.mfaVerifyRequest, response: shape.mfaVerifyAnswer },
    status: 200,
    refusals: ["mfa-invalid", "wrong-state"],
    examples: {
      request: { code: "287082" },
      response: { mfaEnabled: true, recoveryCodesRemaining: 10 },
    },
    handle: async (call) => await mfa.verify(selfOf(call), call.body.code, call.write, call.nowMs),
  }),
  operation({
    ...shared,
    method: "POST",
    path: "/auth/mfa/disable",
    operationId: "disableMfa",
    summary: "Take the second factor away",
    access: own,
    contract: { body: shape.mfaDisableRequest, response: null },
    status: 204,
    refusals: ["mfa-invalid", "invalid-credentials", "wrong-state"],
    examples: { request: { password, code: "287082" } },
    handle: async (call) => {
      await mfa.disable(selfOf(call), call.body, call.write, call.nowMs);
      return undefined;
    },
  }),
  operation({
    ...shared,
    method: "POST",
    path: "/auth/mfa/recovery-codes",
    operationId: "renewRecoveryCodes",
    summary: "New recovery codes; the old ones are dead",
    access: own,
    contract: { body: shape.mfaCodesRequest, response: shape.mfaCodesAnswer },
    status: 200,
    refusals: ["mfa-invalid", "wrong-state"],
    secret: true,
    examples: { request: { code: "287082" }, response: { recoveryCodes } },
    handle: async (call) =>
      await mfa.renewCodes(selfOf(call), call.body.code, call.write, call.nowMs),
  }),
];

const links = ({ self }: SelfRouteDeps): PlatformRoute[] => [
  operation({
    ...shared,
    method: "POST",
    path: "/auth/request-verify-email",
    operationId: "requestVerifyEmail",
    summary: "Mail a link that verifies the address",
    description: "At most 3 an hour; to an address that is verified none is sent.",
    access: own,
    contract: { response: shape.queuedAnswer },
    status: 202,
    refusals: [],
    examples: { response: { status: "queued" } },
    handle: async (call) => await self.requestVerify(selfOf(call), call.write, call.nowMs),
  }),
  publicOperation({
    ...shared,
    method: "POST",
    path: "/auth/verify-email",
    operationId: "verifyEmail",
    summary: "Verify an address by its mailed link",
    access: { public: true, bucket: "signup" },
    contract: { body: shape.verifyEmailRequest, response: shape.verifyEmailAnswer },
    status: 200,
    refusals: ["token-expired", "token-invalid"],
    examples: {
      request: { token: "ev_3n0YqkX7Vw2mZ1uBf83OJ3D2xF1Bg8vub9tLe1gHMzU" },
      response: { emailVerified: true },
    },
    handle: async (call) => {
      await self.verifyEmail(call.body.token, strangerOf(call), call.nowMs);
      return { emailVerified: true };
    },
  }),
  publicOperation({
    ...shared,
    method: "POST",
    path: "/auth/request-reset",
    operationId: "requestReset",
    summary: "Mail a link that sets a new password",
    description: "The answer is the same whether or not the address is somebody's.",
    access: { public: true },
    contract: { body: shape.requestResetRequest, response: shape.queuedAnswer },
    status: 202,
    refusals: [],
    examples: { request: { email: me.email }, response: { status: "queued" } },
    handle: async (call) => {
      await self.requestReset(emailOf(call.body.email), strangerOf(call), call.nowMs);
      return { status: "queued" as const };
    },
  }),
  publicOperation({
    ...shared,
    method: "POST",
    path: "/auth/reset-password",
    operationId: "resetPassword",
    summary: "Set a new password by a mailed link",
    description: "Every refresh family of the person ends.",
    access: { public: true, bucket: "signup" },
    contract: { body: shape.resetRequest, response: null },
    status: 204,
    refusals: ["token-expired", "token-invalid"],
    examples: {
      request: { token: "pr_3n0YqkX7Vw2mZ1uBf83OJ3D2xF1Bg8vub9tLe1gHMzU", password },
    },
    handle: async (call) => {
      await self.resetPassword(call.body, strangerOf(call), call.nowMs);
      return undefined;
    },
  }),
];

export const selfRoutes = (deps: SelfRouteDeps): PlatformRoute[] => [
  ...profile(deps),
  ...factor(deps),
  ...links(deps),
];
