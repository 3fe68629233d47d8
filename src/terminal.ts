/**
 * The device surface on one page: every route that stations, gates, terminals and scouts can call. What
 * each does, who may call it and what it answers stands with its feature.
 */
import type { BlocklistService } from "./feature/blocklist/service.ts";
import { blocklistRoutes } from "./feature/blocklist/terminal.ts";
import type { CardService } from "./feature/card/service.ts";
import { cardRoutes } from "./feature/card/terminal.ts";
import type { PolicyService } from "./feature/policy/service.ts";
import { policyRoutes } from "./feature/policy/terminal.ts";
import type { ReconcileService } from "./feature/reconcile/service.ts";
import { reconcileRoutes } from "./feature/reconcile/terminal.ts";
import type { ReissueService } from "./feature/reissue/service.ts";
import { reissueRoutes } from "./feature/reissue/terminal.ts";
import type { ReportService } from "./feature/report/service.ts";
import { reportRoutes } from "./feature/report/terminal.ts";
import type { SessionService } from "./feature/session/service.ts";
import { sessionRoutes } from "./feature/session/terminal.ts";
import type { SigningService } from "./feature/signing/service.ts";
import { signingRoutes } from "./feature/signing/terminal.ts";
import type { TokenService } from "./feature/token/service.ts";
import { tokenRoutes } from "./feature/token/terminal.ts";
import type { TopupService } from "./feature/topup/service.ts";
import { topupRoutes } from "./feature/topup/terminal.ts";
import type { Route } from "./http/route.ts";

export interface TerminalServices {
  readonly token: TokenService;
  readonly session: SessionService;
  readonly signing: SigningService;
  readonly policy: PolicyService;
  readonly blocklist: BlocklistService;
  readonly card: CardService;
  readonly topup: TopupService;
  readonly reissue: ReissueService;
  readonly reconcile: ReconcileService;
  readonly report: ReportService;
}

/** In the order in which a device meets them. */
export const terminalRoutes = (s: TerminalServices): readonly Route[] => [
  // POST /api/auth/token
  ...tokenRoutes(s.token),
  // GET  /api/session-grant
  ...sessionRoutes(s.session),
  // GET  /.well-known/jwks.json
  ...signingRoutes(s.signing),
  // GET  /api/policy
  ...policyRoutes(s.policy),
  // GET  /api/blocklist
  ...blocklistRoutes(s.blocklist, s.card.expireDue),
  // POST /api/cards
  // GET  /api/cards/:cardId
  // GET  /api/cards/:cardId/events
  // POST /api/cards/:cardId/block
  // POST /api/cards/:cardId/rekey
  ...cardRoutes(s.card),
  // POST /api/cards/:cardId/topup
  // POST /api/cards/:cardId/topup/:topupId/cancel
  ...topupRoutes(s.topup),
  // POST /api/cards/:cardId/reissue
  ...reissueRoutes(s.reissue),
  // POST /api/reconcile
  ...reconcileRoutes(s.reconcile),
  // POST /api/terminal-report
  ...reportRoutes(s.report),
];

/** How the documents group them. */
export const terminalTags = [
  { name: "Devices", description: "Commissioning: a one-time secret becomes an access token." },
  { name: "Session", description: "The right to work offline, and the keys to check it with." },
  { name: "Policy", description: "Limits to work under, and the cards to refuse." },
  { name: "Cards", description: "Registering, reading, blocking, rekeying and replacing cards." },
  { name: "Top-ups", description: "Money that a member paid at a station, and taking it back." },
  { name: "Reconciliation", description: "What happened offline, handed in as batches." },
  { name: "Reports", description: "What a terminal saw and could not act on alone." },
] as const;
