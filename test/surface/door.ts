/**
 * The doors of the server, written down from the outside: what is public, and which role may call what.
 * A second opinion beside the routes' own, so it is not made from them.
 */
import { type Role, roles } from "../../src/domain/identity.ts";

export const assets = "/api-docs/assets/";
/** Doors that open without a credential, and what a stranger gets there. */
export const publicDoors: Readonly<Record<string, number>> = {
  "GET /": 200,
  "GET /.well-known/jwks.json": 200,
  // The secret in the body is the credential.
  "POST /api/auth/token": 400,
  "GET /api-docs": 200,
  "GET /api-docs/terminal": 200,
  "GET /api-docs/terminal/redoc": 200,
  "GET /api/v1/terminal/openapi.json": 200,
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
  /** A grant must carry an op. */
  readonly op?: true;
}

export const deviceDoors: Readonly<Record<string, Door>> = {
  "GET /api/session-grant": { roles: field, suspended: false },
  "GET /api/policy": { roles: field, suspended: true },
  "GET /api/blocklist": { roles: field, suspended: true },
  "GET /api/cards/:cardId": { roles, suspended: true },
  "GET /api/cards/:cardId/events": { roles, suspended: true },
  "POST /api/cards": { roles: station, suspended: false, op: true },
  "POST /api/cards/:cardId/topup": { roles: station, suspended: false, op: true },
  "POST /api/cards/:cardId/topup/:topupId/cancel": { roles: station, suspended: false, op: true },
  "POST /api/cards/:cardId/block": { roles: station, suspended: false, op: true },
  "POST /api/cards/:cardId/rekey": { roles: station, suspended: false, op: true },
  "POST /api/cards/:cardId/reissue": { roles: station, suspended: false, op: true },
  "POST /api/reconcile": { roles: field, suspended: true },
  "POST /api/terminal-report": { roles: field, suspended: true },
};

export const nameOf = ({ method, path }: { method: string; path: string }): string =>
  `${method} ${path}`;
