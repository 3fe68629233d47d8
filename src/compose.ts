/**
 * Every feature, from the bottom up: constructor wiring alone. What a feature needs of another is handed
 * in; no rule and no statement stands here.
 */
import { bucketsMax } from "../schema/bound.ts";
import type { Config } from "./config.ts";
import { accessService } from "./feature/access/service.ts";
import { accountService } from "./feature/account/service.ts";
import { apiKeyService } from "./feature/apikey/service.ts";
import { auditService } from "./feature/audit/service.ts";
import { authService } from "./feature/auth/service.ts";
import { blocklistService } from "./feature/blocklist/service.ts";
import { type BookOptions, cardService } from "./feature/card/service.ts";
import { deviceService } from "./feature/device/service.ts";
import { eventService } from "./feature/event/service.ts";
import { flagService } from "./feature/flag/service.ts";
import { fleetService } from "./feature/fleet/service.ts";
import { invitationService } from "./feature/invitation/service.ts";
import { jobService } from "./feature/job/service.ts";
import { keyService } from "./feature/key/service.ts";
import { mailService } from "./feature/mail/service.ts";
import { memberService } from "./feature/member/service.ts";
import { moneyService } from "./feature/money/service.ts";
import { oauthService } from "./feature/oauth/service.ts";
import { policyService } from "./feature/policy/service.ts";
import { providerService } from "./feature/provider/service.ts";
import { reconcileService } from "./feature/reconcile/service.ts";
import { refundService } from "./feature/refund/service.ts";
import { reissueService } from "./feature/reissue/service.ts";
import { reportService } from "./feature/report/service.ts";
import { reviewService } from "./feature/review/service.ts";
import { roleService } from "./feature/role/service.ts";
import { selfService } from "./feature/self/service.ts";
import { sessionService } from "./feature/session/service.ts";
import { settlementService } from "./feature/settlement/service.ts";
import { signingService } from "./feature/signing/service.ts";
import { tenantService } from "./feature/tenant/service.ts";
import { tokenService } from "./feature/token/service.ts";
import { topupService } from "./feature/topup/service.ts";
import { userService } from "./feature/user/service.ts";
import { verifyService } from "./feature/verify/service.ts";
import { walletService } from "./feature/wallet/service.ts";
import { Buckets } from "./http/rate.ts";
import type { Store } from "./store/seam.ts";
import { type Argon, argon, passwordCost } from "./system/argon.ts";
import type { Log } from "./system/log.ts";
import type { Mailer } from "./system/mail.ts";
import type { Random } from "./system/random.ts";

/** What the features are made of. */
export interface Parts {
  readonly store: Store;
  readonly masterKey: Uint8Array;
  readonly random: Random;
  readonly config: Config;
  /** Address that devices reach the server at; may change once a port is bound. */
  readonly publicUrl: () => string;
  /** `iss` of tokens; default the public address. */
  readonly issuer?: () => string;
  /** Absent: this process sends no mail. */
  readonly mailer?: Pick<Mailer, "send">;
  readonly log?: Pick<Log, "error">;
  /** How cards are kept in memory; default the bounds. */
  readonly book?: BookOptions;
  /** Hashes passwords; default: at the full cost. */
  readonly passwords?: Argon;
}

export type Services = ReturnType<typeof compose>;

const noMail: Pick<Mailer, "send"> = {
  send: () => Promise.reject(new Error("this process sends no mail")),
};

/** Every feature, from the bottom up. */
export function compose(parts: Parts) {
  const { store, masterKey, random, config, publicUrl, mailer, log, book } = parts;
  const issuer = parts.issuer ?? publicUrl;
  const audit = auditService({ store, random });
  const event = eventService({ random, store });
  const common = { store, random, audit, event };
  const signing = signingService({ store, random, masterKey });
  const key = keyService({ ...common, masterKey });
  const money = moneyService({ random });
  const member = memberService(common);
  const flag = flagService({ random, audit, event });
  const policy = policyService({
    ...common,
    onBlockedStatusesChanged: (tx, tenantId, mask) => blocklist.relist(tx, tenantId, mask),
  });
  const blocklist = blocklistService({ ...common, policy });
  const account = accountService({ store, random });
  const access = accessService({ store });
  const passwords = parts.passwords ?? argon({ cost: passwordCost });
  const mail = mailService({
    ...{ store, random, masterKey, publicUrl, mailer: mailer ?? noMail },
    failed: (what, error) => log?.error("a letter was not sent", { ...what, error }),
  });
  const role = roleService({ ...common, access });
  const people = { ...common, account, access, role, mail, passwords };
  const invitation = invitationService(people);
  const tenant = tenantService({
    ...{ ...people, invitation, settingsChanged: [policy.forget] },
    openTenant: [role.openTenant, policy.openTenant, key.openTenant],
    closeTenant: [(tx, tenantId, by, nowMs) => device.within.retireAll(tx, tenantId, by, nowMs)],
    openServer: [
      (tx, nowMs) => signing.create(tx, "grt_", nowMs),
      (tx, nowMs) => signing.create(tx, "tok_", nowMs),
    ],
  });
  const isOpen = config.registration === "open";
  const auth = authService({
    ...{ ...people, masterKey, signing, invitation, issuer },
    openOwned: tenant.open,
    isRegistrationOpen: isOpen,
  });
  const user = userService({ ...people, invitation, sessions: auth });
  const self = selfService({ ...people, masterKey, auth });
  const apikey = apiKeyService(people);
  const oauth = oauthService({ ...people, auth, signing, issuer, publicUrl });
  const { providers } = config;
  const provider = providerService({ ...people, masterKey, auth, providers, isOpen, publicUrl });
  const job = jobService(common);
  const token = tokenService({
    ...common,
    tokenTtlSec: config.tokenTtlSec,
    buckets: new Buckets(bucketsMax),
    perMin: config.rateDeviceTokenPerMin,
  });
  const device = deviceService({ ...common, tokens: token, money, policy, publicUrl });
  const session = sessionService({ store, policy, keys: key, signing });
  const card = cardService({ ...common, member, blocklist, key, ...(book && { book }) });
  const settlement = settlementService({ ...common, policy });
  const topup = topupService({
    store,
    card,
    member,
    money,
    policy,
    settlement,
    flag,
  });
  const reissue = reissueService({ random, card, topup, member, money, blocklist, key, session });
  const reconcile = reconcileService({
    ...common,
    policy,
    session,
    card,
    topup,
    money,
    flag,
    settlement,
  });
  const refund = refundService({ card, topup, money, session, settlement });
  const report = reportService({ ...common, card, flag });
  const review = reviewService({ store, money, card, flag, reconcile, settlement });
  const fleet = fleetService({ store, policy, session, card, settlement, tokens: token });
  const wallet = walletService({ ...common, money, card, topup });
  return {
    audit,
    event,
    signing,
    key,
    money,
    member,
    flag,
    policy,
    blocklist,
    ...{ account, access, role, tenant, user, invitation, apikey, mail, job },
    ...{ auth, self, oauth, provider, passwords },
    token,
    device,
    session,
    card,
    settlement,
    topup,
    ...{ reissue, refund },
    reconcile,
    report,
    review,
    ...{ fleet, wallet },
    verify: verifyService({ audit }),
  };
}
