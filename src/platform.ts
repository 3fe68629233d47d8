/**
 * The operator surface on one page: every call that people, keys and applications can make, and how the
 * documents group them. What each does stands with its feature.
 */

import { apiKeyRoutes } from "./feature/apikey/platform.ts";
import type { ApiKeyService } from "./feature/apikey/service.ts";
import { type AuthRouteDeps, authRoutes } from "./feature/auth/platform.ts";
import { blocklistPlatformRoutes } from "./feature/blocklist/platform.ts";
import type { BlocklistService } from "./feature/blocklist/service.ts";
import { cardPlatformRoutes } from "./feature/card/platform.ts";
import type { CardService } from "./feature/card/service.ts";
import { type DeviceRouteDeps, deviceRoutes } from "./feature/device/platform.ts";
import { type EventRouteDeps, eventRoutes } from "./feature/event/platform.ts";
import { fleetRoutes } from "./feature/fleet/platform.ts";
import type { FleetService } from "./feature/fleet/service.ts";
import { type GatewayRouteDeps, gatewayRoutes } from "./feature/gateway/platform.ts";
import { invitationRoutes } from "./feature/invitation/platform.ts";
import type { InvitationService } from "./feature/invitation/service.ts";
import { type JobRouteDeps, jobRoutes } from "./feature/job/platform.ts";
import { keyRoutes } from "./feature/key/platform.ts";
import type { KeyService } from "./feature/key/service.ts";
import { mailRoutes } from "./feature/mail/platform.ts";
import { memberRoutes } from "./feature/member/platform.ts";
import type { MemberService } from "./feature/member/service.ts";
import { oauthRoutes } from "./feature/oauth/platform.ts";
import type { OAuthService } from "./feature/oauth/service.ts";
import { policyPlatformRoutes } from "./feature/policy/platform.ts";
import type { PolicyService } from "./feature/policy/service.ts";
import { type ProviderRouteDeps, providerRoutes } from "./feature/provider/platform.ts";
import { recordRoutes } from "./feature/reconcile/platform.ts";
import type { ReconcileService } from "./feature/reconcile/service.ts";
import { refundRoutes } from "./feature/refund/platform.ts";
import type { RefundService } from "./feature/refund/service.ts";
import { reportPlatformRoutes } from "./feature/report/platform.ts";
import type { ReportService } from "./feature/report/service.ts";
import { type ReviewRouteDeps, reviewRoutes } from "./feature/review/platform.ts";
import { roleRoutes } from "./feature/role/platform.ts";
import type { RoleService } from "./feature/role/service.ts";
import { type SelfRouteDeps, selfRoutes } from "./feature/self/platform.ts";
import { settlementRoutes } from "./feature/settlement/platform.ts";
import type { SettlementService } from "./feature/settlement/service.ts";
import { tenantRoutes } from "./feature/tenant/platform.ts";
import type { TenantService } from "./feature/tenant/service.ts";
import { userRoutes } from "./feature/user/platform.ts";
import type { UserService } from "./feature/user/service.ts";
import { walletRoutes } from "./feature/wallet/platform.ts";
import type { WalletService } from "./feature/wallet/service.ts";
import type { NamespaceInfo } from "./http/platform/openapi.ts";
import type { PlatformRoute } from "./http/platform/route.ts";

export interface PlatformServices
  extends AuthRouteDeps,
    SelfRouteDeps,
    ProviderRouteDeps,
    GatewayRouteDeps,
    JobRouteDeps,
    DeviceRouteDeps,
    ReviewRouteDeps,
    EventRouteDeps {
  readonly fleet: FleetService;
  readonly member: MemberService;
  readonly policy: PolicyService;
  readonly key: KeyService;
  readonly card: CardService;
  readonly blocklist: BlocklistService;
  readonly reconcile: ReconcileService;
  readonly report: ReportService;
  readonly user: UserService;
  readonly invitation: InvitationService;
  readonly role: RoleService;
  readonly tenant: TenantService;
  readonly apikey: ApiKeyService;
  readonly oauth: OAuthService;
  readonly settlement: SettlementService;
  readonly refund: RefundService;
  readonly wallet: WalletService;
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
  // fleet: what stands where, who holds cards, under which limits and keys
  ...fleetRoutes(s.fleet),
  ...deviceRoutes(s),
  ...memberRoutes(s.member),
  ...policyPlatformRoutes(s.policy),
  ...keyRoutes(s.key),
  // fleet: cards, what devices handed in, what waits for a decision
  ...cardPlatformRoutes(s.card),
  ...blocklistPlatformRoutes(s.blocklist, s.card.expireDue),
  ...recordRoutes(s.reconcile),
  ...reportPlatformRoutes(s.report),
  ...reviewRoutes(s),
  ...eventRoutes(s),
  // fleet: settlement and refunds
  ...settlementRoutes(s.settlement),
  ...refundRoutes(s.refund),
  // money
  ...walletRoutes(s.wallet),
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

const moneyTags = [
  { name: "Wallets", description: "Where money is kept: people's, cards', the house's." },
  { name: "Movements", description: "Credit, debit, holds, transfers, reversals." },
  { name: "Books", description: "What moved money, and whether it adds up." },
] as const;

const gatewayTags = [
  { name: "Health", description: "Probes, the state of every part, metrics." },
  {
    name: "Gateway",
    description: "Limits of routes, versions, the clock of a development server.",
  },
  { name: "Jobs", description: "Work that goes on after its answer." },
] as const;

const fleetTags = [
  { name: "Overview", description: "The venue at a glance." },
  { name: "Devices", description: "Stations, gates, terminals and scouts." },
  { name: "Zones", description: "Parts of the venue." },
  { name: "Members", description: "The people who hold cards." },
  { name: "Cards", description: "Cards, what happened to them, and blocking them." },
  { name: "Blocklist", description: "The cards that devices refuse offline." },
  { name: "Review", description: "What was flagged or refused, and deciding it." },
  { name: "Batches and reports", description: "What devices handed in and what they saw." },
  { name: "Stream", description: "What happens, as it happens." },
  { name: "Policies", description: "Limits by tenant, zone and device." },
  { name: "Keys", description: "Rotating the keys that cards are read with." },
  { name: "Settlement", description: "What terminals took by day, and closing days for good." },
  { name: "Refunds", description: "Paying out what cards hold." },
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
    namespace: "fleet",
    title: "Kartu fleet API",
    summary: "Devices, members, cards, policies, keys, review, settlement.",
    description: "Running a venue.",
    tags: fleetTags,
  },
  {
    namespace: "money",
    title: "Kartu money API",
    summary: "Wallets, holds, transfers, the books.",
    description: "The ledger: every movement of money is in it, and it sums to zero.",
    tags: moneyTags,
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
