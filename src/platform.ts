/**
 * The operator surface on one page: every call that people, keys and applications can make, and how the
 * documents group them. What each does stands with its feature.
 */

import { apiKeyRoutes } from "./feature/apikey/platform.ts";
import type { ApiKeyService } from "./feature/apikey/service.ts";
import { type AuthRouteDeps, authRoutes } from "./feature/auth/platform.ts";
import { type GatewayRouteDeps, gatewayRoutes } from "./feature/gateway/platform.ts";
import { invitationRoutes } from "./feature/invitation/platform.ts";
import type { InvitationService } from "./feature/invitation/service.ts";
import { type JobRouteDeps, jobRoutes } from "./feature/job/platform.ts";
import { mailRoutes } from "./feature/mail/platform.ts";
import { oauthRoutes } from "./feature/oauth/platform.ts";
import type { OAuthService } from "./feature/oauth/service.ts";
import { type ProviderRouteDeps, providerRoutes } from "./feature/provider/platform.ts";
import { roleRoutes } from "./feature/role/platform.ts";
import type { RoleService } from "./feature/role/service.ts";
import { type SelfRouteDeps, selfRoutes } from "./feature/self/platform.ts";
import { tenantRoutes } from "./feature/tenant/platform.ts";
import type { TenantService } from "./feature/tenant/service.ts";
import { userRoutes } from "./feature/user/platform.ts";
import type { UserService } from "./feature/user/service.ts";
import type { NamespaceInfo } from "./http/platform/openapi.ts";
import type { PlatformRoute } from "./http/platform/route.ts";

export interface PlatformServices
  extends AuthRouteDeps,
    SelfRouteDeps,
    ProviderRouteDeps,
    GatewayRouteDeps,
    JobRouteDeps {
  readonly user: UserService;
  readonly invitation: InvitationService;
  readonly role: RoleService;
  readonly tenant: TenantService;
  readonly apikey: ApiKeyService;
  readonly oauth: OAuthService;
}

export const platformRoutes = (s: PlatformServices): readonly PlatformRoute[] => [
  // iam: signing in, and oneself
  ...authRoutes(s),
  ...selfRoutes(s),
  ...mailRoutes(),
  ...providerRoutes(s),
  // iam: people, what they may do, and where
  ...userRoutes(s.user),
  ...invitationRoutes(s.invitation),
  ...roleRoutes(s.role),
  ...tenantRoutes(s.tenant),
  // iam: machines and applications
  ...apiKeyRoutes(s.apikey),
  ...oauthRoutes(s.oauth),
  // gateway
  ...gatewayRoutes(s),
  ...jobRoutes(s),
];

const iamTags = [
  { name: "Sign-in", description: "Tokens: getting, refreshing and giving them up." },
  { name: "Oneself", description: "What somebody sees and changes about themselves." },
  { name: "Sign-in elsewhere", description: "Accounts of other providers, and wallets." },
  { name: "Users", description: "People of a tenant." },
  { name: "Invitations", description: "People who are asked in." },
  { name: "Roles", description: "Named sets of permissions." },
  { name: "Tenants", description: "Venues, and the organisations above them." },
  { name: "API keys", description: "Machines that act for a tenant." },
  { name: "Applications", description: "Clients that sign people in through Kartu." },
  {
    name: "OpenID Connect",
    description: "Authorization code with PKCE, refresh, client credentials.",
  },
] as const;

const gatewayTags = [
  { name: "Health", description: "Probes, the state of every part, metrics." },
  {
    name: "Gateway",
    description: "Limits of routes, versions, the clock of a development server.",
  },
  { name: "Jobs", description: "Work that goes on after its answer." },
] as const;

/** What is documented, in the order of the index. */
export const namespaces: readonly NamespaceInfo[] = [
  {
    namespace: "iam",
    title: "Kartu iam API",
    summary: "Sign-in, people, roles, tenants, keys.",
    description: "Who may call, for whom, and what they may do.",
    tags: iamTags,
  },
  {
    namespace: "gateway",
    title: "Kartu gateway API",
    summary: "Health, limits, versions, jobs.",
    description: "How the server is, and how much of it anybody may have.",
    tags: gatewayTags,
  },
];

/** All of version 1 as one document. */
export const wholePlatform: NamespaceInfo = {
  namespace: "v1",
  title: "Kartu API",
  summary: "All of version 1.",
  description: "What people, keys and applications call.",
  tags: namespaces.flatMap(({ tags }) => tags),
};
