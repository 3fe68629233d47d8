/**
 * The doors of the server, written down from the outside: what is public, and which role may call what.
 * A second opinion beside the routes' own, so it is not made from them.
 */
import type { Op } from "../../src/domain/grant.ts";
import { type Role, roles } from "../../src/domain/identity.ts";

export const assets = "/api-docs/assets/";
/** Namespaces that have a document. */
const documented = ["iam", "fleet", "money", "gateway", "terminal"] as const;

/** Of the operator surface, below both bases; what is public asks for a credential in its body. */
const publicCalls: Readonly<Record<string, number>> = {
  "POST /auth/register": 400,
  "POST /auth/login": 400,
  "POST /auth/login/:id": 404,
  "GET /auth/callback/:id": 404,
  "POST /auth/callback/:id": 400,
  "POST /auth/exchange": 400,
  "POST /auth/select-tenant": 400,
  "POST /auth/accept-invite": 400,
  "POST /auth/refresh": 401,
  "POST /auth/verify-email": 400,
  "POST /auth/request-reset": 400,
  "POST /auth/reset-password": 400,
  "GET /auth/providers": 200,
  "GET /oauth/authorize": 400,
  "POST /oauth/token": 401,
  "POST /oauth/revoke": 401,
  ...Object.fromEntries(documented.map((name) => [`GET /${name}/openapi.json`, 200])),
};

const bases = ["/api/v1", "/v1"] as const;

/** `POST /auth/login` below each base. */
export const belowBases = (name: string): string[] =>
  bases.map((base) => name.replace(" ", ` ${base}`));

/** Doors that open without a credential, and what a stranger gets there. */
export const publicDoors: Readonly<Record<string, number>> = {
  "GET /": 200,
  "GET /.well-known/jwks.json": 200,
  "GET /.well-known/openid-configuration": 200,
  // The secret in the body is the credential.
  "POST /api/auth/token": 400,
  "GET /live": 200,
  "GET /ready": 200,
  "GET /health/live": 200,
  "GET /health/ready": 200,
  // From this machine.
  "GET /metrics": 200,
  "GET /problems": 200,
  "GET /problems/:slug": 404,
  // Where links of letters lead.
  "GET /verify-email": 200,
  "GET /reset-password": 200,
  "GET /accept-invite": 200,
  ...Object.fromEntries(
    Object.entries(publicCalls).flatMap(([name, status]) =>
      belowBases(name).map((each) => [each, status]),
    ),
  ),
  "GET /api-docs": 200,
  ...Object.fromEntries(
    documented.flatMap((name) => [
      [`GET /api-docs/${name}`, 200],
      [`GET /api-docs/${name}/redoc`, 200],
    ]),
  ),
  // Of a version that nobody has ended there is none.
  "GET /api-docs/v0": 404,
  "GET /api-docs/v1": 404,
  [`GET ${assets}swagger-ui-bundle.js`]: 200,
  [`GET ${assets}swagger-ui.css`]: 200,
  [`GET ${assets}favicon.png`]: 200,
  [`GET ${assets}start-swagger.js`]: 200,
  [`GET ${assets}redoc.standalone.js`]: 200,
  [`GET ${assets}start-redoc.js`]: 200,
  [`GET ${assets}page.css`]: 200,
};

const field: readonly Role[] = ["station", "gate", "terminal"];
const station: readonly Role[] = ["station"];

export interface Door {
  readonly roles: readonly Role[];
  /** It still opens for a suspended device. */
  readonly suspended: boolean;
  /** A grant must carry it. */
  readonly op?: Op;
}

export const deviceDoors: Readonly<Record<string, Door>> = {
  "GET /api/session-grant": { roles: field, suspended: false },
  "GET /api/policy": { roles: field, suspended: true },
  "GET /api/blocklist": { roles: field, suspended: true },
  "GET /api/cards/:cardId": { roles, suspended: true },
  "GET /api/cards/:cardId/events": { roles, suspended: true },
  "POST /api/cards": { roles: station, suspended: false, op: "reissue" },
  "POST /api/cards/:cardId/topup": { roles: station, suspended: false, op: "topup" },
  "POST /api/cards/:cardId/topup/:topupId/cancel": {
    roles: station,
    suspended: false,
    op: "topup",
  },
  "POST /api/cards/:cardId/block": { roles: station, suspended: false, op: "block" },
  "POST /api/cards/:cardId/rekey": { roles: station, suspended: false, op: "reissue" },
  "POST /api/cards/:cardId/reissue": { roles: station, suspended: false, op: "reissue" },
  "POST /api/reconcile": { roles: field, suspended: true },
  "POST /api/terminal-report": { roles: field, suspended: true },
};

export const nameOf = ({ method, path }: { method: string; path: string }): string =>
  `${method} ${path}`;
