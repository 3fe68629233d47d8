/**
 * What each field that names something answers to another tenant's: by hand from the contract, as a second
 * opinion beside the routes. A field without a row is a fault; one that can't name anything of somebody
 * else's says why.
 */
import type { House } from "../house.ts";
import type { Knock } from "../knock/knock.ts";

interface Foreign {
  /** Status, and of a refusal its name: the same for theirs and for what nobody has. */
  readonly answers: string;
  /** Something of a house. */
  readonly of: (house: House) => Promise<unknown>;
  /** What nobody has; default: of the same form as theirs. */
  readonly unknown?: unknown;
  /** The call around it, where it is not the usual one. */
  readonly call?: (house: House) => Promise<Knock>;
  /** The call does something of one's own, so that only the status is the same. */
  readonly writes?: true;
}

interface Apart {
  /** Why it names nothing of another tenant's. */
  readonly apart: string;
}

export type ForeignRow = Foreign | Apart;

const secret: Apart = { apart: "whoever has it may use it: it is the credential" };
const numbered: Apart = { apart: "a number that each tenant counts for itself" };
const word: Apart = { apart: "a word of a closed list" };
const protocol: Apart = { apart: "the client's own, handed back as it came" };

const tenant = async (house: House): Promise<string> => house.id;
const person = async (house: House): Promise<string> => (await house.person()).id;
const zone = async (house: House): Promise<string> => {
  const { id: zoneId } = await house.fleet("zones");
  await house.made("/fleet/devices", { deviceId: house.name("gate"), role: "gate", zoneId });
  return zoneId;
};
const member = async (house: House): Promise<string> =>
  (await (await house.desk()).card()).memberId;
const card = async (house: House): Promise<string> => (await (await house.desk()).card()).cardId;
const wallet = (house: House): Promise<string> => house.wallet(5);
const roleNames = async (house: House): Promise<string[]> => [(await house.role()).name];
const holder = async (house: House): Promise<string> => {
  const { id: userId } = await house.person();
  await house.made("/wallets", { userId, currency: "IDR" });
  return userId;
};
/** The card that something is about. */
const cardOf =
  (noun: "flags" | "reports") =>
  async (house: House): Promise<string> => {
    const desk = await house.desk();
    const id = await (noun === "flags" ? desk.flag() : desk.report());
    const sent = { token: house.owner };
    return (await house.estate.ok<{ cardId: string }>("GET", `/fleet/${noun}/${id}`, sent)).cardId;
  };
const role = async (house: House): Promise<string> => {
  const { name } = await house.role();
  await house.person([name]);
  return name;
};
const refreshToken = async (house: House): Promise<string> =>
  (await house.pairOf(await house.person())).refreshToken;

const noOpaque = (prefix: string): string => `${prefix}_${"A".repeat(43)}`;
const noRole = "nobody-has-it";

const listed = (of: Foreign["of"]): Foreign => ({ answers: "200", of });
const missing = (of: Foreign["of"]): Foreign => ({ answers: "404 not-found", of });
const given: Foreign = {
  ...{ answers: "400 validation-error", of: roleNames, unknown: [noRole] },
};

const signInRows: Readonly<Record<string, ForeignRow>> = {
  "POST /auth/login body.tenantId": { answers: "403 tenant-not-allowed", of: tenant },
  "POST /auth/select-tenant body.tenantId": { answers: "403 tenant-not-allowed", of: tenant },
  "POST /auth/switch-tenant body.tenantId": { answers: "403 tenant-not-allowed", of: tenant },
  "POST /auth/switch-tenant body.refreshToken": {
    ...{ answers: "200", of: refreshToken, unknown: noOpaque("rt"), writes: true },
  },
  "POST /auth/logout body.refreshToken": {
    ...{ answers: "204", of: refreshToken, unknown: noOpaque("rt"), writes: true },
  },
  "POST /auth/impersonate body.tenantId": {
    apart: "the Platform Owner's alone, to whom every tenant is open",
  },
  "POST /auth/exchange body.apiKey": secret,
  "POST /auth/exchange body.code": secret,
  "POST /auth/select-tenant body.sessionToken": secret,
  "POST /auth/accept-invite body.token": secret,
  "POST /auth/refresh body.refreshToken": secret,
  "POST /auth/mfa/verify body.code": secret,
  "POST /auth/mfa/disable body.code": secret,
  "POST /auth/mfa/recovery-codes body.code": secret,
  "POST /auth/verify-email body.token": secret,
  "POST /auth/reset-password body.token": secret,
  "GET /verify-email query.token": secret,
  "GET /reset-password query.token": secret,
  "GET /accept-invite query.token": secret,
  "GET /auth/callback/:id query.code": secret,
  "GET /auth/callback/:id query.state": secret,
  "POST /auth/callback/:id body.state": secret,
};

const peopleRows: Readonly<Record<string, ForeignRow>> = {
  "GET /users query.role": { ...listed(role), unknown: noRole },
  "POST /users body.roles": given,
  "POST /users/:id/assign-roles body.roles": given,
  "POST /invitations body.roles": given,
  "POST /api-keys body.roles": given,
  "POST /tenants body.parentId": missing(tenant),
  "POST /tenants/:id/transfer-ownership body.userId": {
    ...{ answers: "400 validation-error", of: person },
  },
};

const client = async (house: House): Promise<{ client_id: string; client_secret: string }> => {
  const { id, clientSecret } = await house.client();
  return { client_id: id, client_secret: clientSecret };
};
const codeOf = async (house: House): Promise<string> => (await house.codeForm()).code ?? "";
const badGrant = "400 validation-error";
const noClient = "401 invalid-credentials";
const clientId = async (house: House): Promise<string> => (await house.client()).id;

const oauthRows: Readonly<Record<string, ForeignRow>> = {
  "POST /oauth/token body.client_id": { answers: noClient, of: clientId },
  "POST /oauth/token body.code": { answers: badGrant, of: codeOf, unknown: "A".repeat(43) },
  "POST /oauth/token body.refresh_token": {
    ...{ answers: badGrant, unknown: noOpaque("rt") },
    of: async (house) => (await house.application()).refresh_token,
    call: async (house) => ({
      path: "/oauth/token",
      form: { grant_type: "refresh_token", ...(await client(house)) },
    }),
  },
  "POST /oauth/token body.tenant_id": {
    ...{ answers: badGrant, of: tenant },
    call: async (house) => ({
      path: "/oauth/token",
      form: { grant_type: "client_credentials", ...(await client(house)) },
    }),
  },
  "POST /oauth/revoke body.token": {
    ...{ answers: "200", unknown: noOpaque("rt") },
    of: async (house) => (await house.application()).access_token,
  },
  "POST /oauth/revoke body.client_id": { answers: noClient, of: clientId },
  "GET /oauth/authorize query.client_id": {
    apart: "anybody may be asked by any application, and answers for themselves",
  },
  "GET /oauth/authorize query.state": protocol,
};

const fleetRows: Readonly<Record<string, ForeignRow>> = {
  "GET /fleet/devices query.zoneId": listed(zone),
  "POST /fleet/devices body.zoneId": missing(zone),
  "POST /fleet/devices body.memberId": missing(member),
  "PATCH /fleet/devices/:id body.zoneId": missing(zone),
  "GET /fleet/policies query.scopeId": listed(async (house) => {
    const { id } = await house.fleet("policies");
    const sent = { token: house.owner };
    return (await house.estate.ok<{ scopeId: string }>("GET", `/fleet/policies/${id}`, sent))
      .scopeId;
  }),
  "POST /fleet/policies body.scopeId": missing(zone),
  "GET /fleet/cards query.memberId": listed(member),
  "POST /fleet/blocklist body.cardId": { answers: "201", of: card, writes: true },
  "GET /fleet/batches/:id/events query.cardId": listed(card),
  "GET /fleet/events query.cardId": listed(card),
  "GET /fleet/reports query.cardId": listed(cardOf("reports")),
  "GET /fleet/flags query.cardId": listed(cardOf("flags")),
  "POST /fleet/flags/decide body.ids": {
    ...{ answers: "207", writes: true, unknown: ["01936d7a-0000-7000-8000-000000000001"] },
    of: async (house) => [await (await house.desk()).flag()],
  },
  "POST /fleet/devices body.deviceId": {
    apart: "unique over the whole server, so that what another tenant has is taken",
  },
  "GET /fleet/devices query.role": word,
  "POST /fleet/devices body.role": word,
  "POST /fleet/devices/:id/secret body.keepToken": { apart: "a yes or no" },
  "GET /fleet/members query.userId": numbered,
  "POST /fleet/members body.userId": numbered,
  "GET /fleet/cards query.userId": numbered,
  "GET /fleet/cards query.keyVersion": numbered,
  "GET /fleet/batches query.terminalId": numbered,
  "GET /fleet/batches/:id/events query.terminalId": numbered,
  "GET /fleet/events query.terminalId": numbered,
  "GET /fleet/reports query.terminalId": numbered,
  "GET /fleet/flags query.terminalId": numbered,
  "GET /fleet/stream query.terminalId": numbered,
  "GET /fleet/stream query.ticket": secret,
  "GET /fleet/stream query.lastEventId": numbered,
  "GET /fleet/settlement query.terminalId": numbered,
  "POST /fleet/settlement/runs body.terminalId": numbered,
};

const moneyRows: Readonly<Record<string, ForeignRow>> = {
  "GET /wallets query.userId": listed(holder),
  "GET /wallets query.cardId": listed(card),
  "POST /wallets body.userId": { answers: "400 validation-error", of: person },
  "POST /transfers body.fromWalletId": missing(wallet),
  "POST /transfers body.toWalletId": missing(wallet),
  "POST /transfers/batch body.items[].fromWalletId": { answers: "207", of: wallet, writes: true },
  "POST /transfers/batch body.items[].toWalletId": { answers: "207", of: wallet, writes: true },
  "GET /transactions query.walletId": missing(wallet),
};

/** Places in lists and ids in paths follow from the routes. */
export const foreignRows: Readonly<Record<string, ForeignRow>> = {
  ...signInRows,
  ...peopleRows,
  ...oauthRows,
  ...fleetRows,
  ...moneyRows,
};

/** Lists that no call of this surface fills: the path of one with more than a page of one row. */
export const longLists: Readonly<Record<string, (house: House) => Promise<string>>> = {
  "GET /jobs": async (house) => {
    await house.job();
    await house.job();
    return "/jobs";
  },
  "GET /fleet/reports": async (house) => {
    const desk = await house.desk();
    await desk.report();
    await desk.report();
    return "/fleet/reports";
  },
  "GET /fleet/batches/:id/events": async (house) => {
    await (await house.desk()).card();
    const sent = { token: house.owner };
    const { data } = await house.estate.ok<{ data: { id: string; events: number }[] }>(
      ...(["GET", "/fleet/batches", sent] as const),
    );
    return `/fleet/batches/${data.find(({ events }) => events > 1)?.id}/events`;
  },
};

interface OfDevice {
  readonly answers: string;
}

const noCard: OfDevice = { answers: "404 card_not_found" };
const mismatch: OfDevice = { answers: "403 terminal_mismatch" };
const claimed: Apart = { apart: "recorded as claimed" };
const ownCard: Apart = {
  apart: "ids of cards are unique within a tenant: another may have the same",
};

/** The same of the device surface: a station with a grant, at what is another tenant's. */
export const foreignOfDevices: Readonly<Record<string, OfDevice | Apart>> = {
  "GET /api/cards/:cardId path.cardId": noCard,
  "GET /api/cards/:cardId/events path.cardId": noCard,
  "POST /api/cards/:cardId/topup path.cardId": noCard,
  "POST /api/cards/:cardId/topup/:topupId/cancel path.cardId": noCard,
  "POST /api/cards/:cardId/topup/:topupId/cancel path.topupId": { answers: "404 topup_not_found" },
  "POST /api/cards/:cardId/block path.cardId": noCard,
  "POST /api/cards/:cardId/rekey path.cardId": noCard,
  "POST /api/cards/:cardId/reissue path.cardId": noCard,
  "POST /api/cards body.userId": { answers: "422 invalid_user" },
  "POST /api/reconcile body.terminalId": mismatch,
  "POST /api/reconcile body.events[].cardId": { answers: "200" },
  "POST /api/terminal-report body.terminalId": mismatch,
  "POST /api/terminal-report body.cardId": { answers: "204" },
  "POST /api/cards body.cardId": ownCard,
  "POST /api/cards/:cardId/reissue body.newCardId": ownCard,
  "POST /api/cards body.keyVersion": numbered,
  "POST /api/cards/:cardId/rekey body.keyVersion": numbered,
  "POST /api/cards/:cardId/reissue body.keyVersion": numbered,
  "GET /api/session-grant query.keyVersion": numbered,
  "GET /api/blocklist query.since": numbered,
  "POST /api/cards/:cardId/block body.operatorId": claimed,
  "POST /api/cards/:cardId/rekey body.operatorId": claimed,
  "POST /api/cards/:cardId/topup body.operatorId": claimed,
  "POST /api/cards/:cardId/reissue body.operatorId": claimed,
  "POST /api/auth/token body.deviceId": { apart: "it is nobody's without its secret" },
  "POST /api/auth/token body.role": word,
};
