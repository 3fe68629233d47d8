/** Signing in with an account elsewhere: what there is, leaving for it, coming back. */
import { signInAnswer } from "../../../schema/contract/auth.ts";
import {
  beginBody,
  begunAnswer,
  callbackQuery,
  providerParams,
  providersAnswer,
  walletBody,
} from "../../../schema/contract/provider.ts";
import { instantText } from "../../domain/instant.ts";
import { Problem } from "../../domain/problem.ts";
import { isOwnToken } from "../../http/platform/caller.ts";
import { bearerOf } from "../../http/platform/pipeline.ts";
import {
  type PlatformCall,
  type PlatformRoute,
  publicOperation,
} from "../../http/platform/route.ts";
import type { AdmitCaller } from "../../http/platform/surface.ts";
import type { Origin, ProviderService, UserPair } from "./service.ts";

export interface ProviderRouteDeps {
  readonly provider: ProviderService;
  /** Reads the token of a person who links a wallet; such calls need none. */
  readonly admit: AdmitCaller;
}

type Called = PlatformCall<unknown, unknown, unknown, null>;

const originOf = ({ address, userAgent, traceId }: Called): Origin => ({
  ip: address,
  userAgent,
  traceId,
});

/**
 * Row of the person whose token the call carries; null without a token.
 * @throws Problem `unauthorized` `token-expired` `token-revoked` `forbidden`
 */
async function personOf(admit: AdmitCaller, call: Called): Promise<number | null> {
  if (!call.request.headers.has("authorization")) return null;
  const token = bearerOf(call.request);
  if (token === undefined) throw new Problem("unauthorized");
  const caller = await admit({ token, address: call.address }, call.nowMs);
  if (!isOwnToken(caller)) throw new Problem("forbidden", "A person's own token is due.");
  return caller.userNo;
}

const shared = { namespace: "iam", tag: "Sign-in elsewhere" } as const;
const access = { public: true, bucket: "auth" } as const;
const state = "os_mUZ0cHqJc2h3Z2lkZXhhbXBsZXN0YXRlMDAwMDAwMDA";
const expiresAt = "2026-11-21T16:43:00.000Z";
const at = "2026-11-21T16:33:00.000Z";
const tenantId = "01936d7a-0000-7000-8000-000000000003";
const pair = {
  accessToken: "eyJhbGciOiJFUzI1NiJ9…",
  refreshToken: "rt_mUZ0cHqJc2h3Z2lkZXhhbXBsZXRva2VuMDAwMDAwMDA",
  tokenType: "Bearer",
  expiresIn: 900,
  expiresAt: "2026-11-21T16:48:00.000Z",
  tenantId,
  user: {
    id: "01936d7a-0000-7000-8000-000000000002",
    email: "siti@example.com",
    name: "Siti",
    locale: "en",
    tenantId,
    roles: ["admin"],
    status: "active",
    emailVerified: true,
    mfaEnabled: false,
    lastLoginAt: at,
    createdAt: at,
    updatedAt: at,
    version: 1,
  },
} satisfies UserPair;
const withToken = ["unauthorized", "token-expired", "token-revoked", "forbidden"] as const;
const entering = [
  ...["account-blocked", "no-tenant", "tenant-blocked", "tenant-not-allowed"],
] as const;

export const providerRoutes = ({ provider, admit }: ProviderRouteDeps): PlatformRoute[] => [
  publicOperation({
    ...shared,
    method: "GET",
    path: "/auth/providers",
    operationId: "listProviders",
    summary: "Where else one can sign in",
    access: { public: true },
    contract: { response: providersAnswer },
    status: 200,
    refusals: [],
    examples: {
      response: {
        data: [
          { id: "google", name: "Google", type: "oauth" },
          { id: "wallet", name: "Wallet", type: "wallet" },
        ],
      },
    },
    handle: () => ({ data: provider.list() }),
  }),
  publicOperation({
    ...shared,
    method: "POST",
    path: "/auth/login/:id",
    operationId: "beginProviderSignIn",
    summary: "Leave for a provider, or get a message for a wallet to sign",
    description:
      "With a person's own token a wallet is linked to them; without one it must be linked already.",
    access,
    contract: { params: providerParams, body: beginBody, response: begunAnswer },
    status: 200,
    refusals: ["provider-not-found", "upstream-unavailable", ...withToken],
    examples: {
      params: { id: "google" },
      request: { redirectUri: "https://app.example/signed-in" },
      response: {
        redirectUrl: "https://accounts.google.com/o/oauth2/v2/auth?client_id=…",
        state,
        expiresAt,
        message: null,
      },
    },
    handle: async (call) => {
      const userNo = await personOf(admit, call);
      const begun = await provider.begin(call.params.id, { ...call.body, userNo }, call.nowMs);
      const { redirectUrl, expiresAtMs, message } = begun;
      return { redirectUrl, state: begun.state, expiresAt: instantText(expiresAtMs), message };
    },
  }),
  publicOperation({
    ...shared,
    method: "GET",
    path: "/auth/callback/:id",
    operationId: "returnFromProvider",
    summary: "Come back from a provider",
    description:
      "Signs in, or leads on to the `redirectUri` of the beginning with `login`, a code for `/auth/exchange`, and `state`.",
    access,
    contract: { params: providerParams, query: callbackQuery, response: signInAnswer },
    status: 200,
    alsoStatus: [302],
    refusals: ["provider-not-found", "invalid-credentials", "upstream-unavailable", ...entering],
    examples: { params: { id: "google" }, query: { code: "4/0AX4", state }, response: pair },
    handle: async (call) => {
      const { search } = new URL(call.request.url);
      const returned = await provider.returnOidc(
        call.params.id,
        search,
        originOf(call),
        call.nowMs,
      );
      if ("signedIn" in returned) return returned.signedIn;
      return new Response(null, { status: 302, headers: { location: returned.redirectTo } });
    },
  }),
  publicOperation({
    ...shared,
    method: "POST",
    path: "/auth/callback/:id",
    operationId: "returnFromWallet",
    summary: "Sign in with a message that a wallet has signed",
    access,
    contract: { params: providerParams, body: walletBody, response: signInAnswer },
    status: 200,
    refusals: ["provider-not-found", "invalid-credentials", ...withToken, ...entering],
    examples: {
      params: { id: "wallet" },
      request: {
        state,
        address: "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23",
        signature: `0x${"5f".repeat(64)}1b`,
      },
      response: pair,
    },
    handle: async (call) => {
      const callerNo = await personOf(admit, call);
      const { params, body, nowMs } = call;
      return await provider.returnWallet(params.id, body, callerNo, originOf(call), nowMs);
    },
  }),
];
