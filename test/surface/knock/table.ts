/**
 * Every knock there is, by operation, and the walk over the operations that are served: one without a row
 * is found here, and so is a row whose operation is gone.
 */
import type { PlatformRoute } from "../../../src/http/platform/route.ts";
import type { Served } from "../served.ts";
import { fleetKnocks } from "./fleet.ts";
import { gatewayKnocks } from "./gateway.ts";
import type { Knocks, Row } from "./knock.ts";
import { moneyKnocks } from "./money.ts";
import { oauthKnocks } from "./oauth.ts";
import { peopleKnocks } from "./people.ts";
import { signinKnocks } from "./signin.ts";

/** By the namespaces of the documents. */
export const tables: Readonly<Record<string, Knocks>> = {
  iam: { ...signinKnocks, ...peopleKnocks, ...oauthKnocks },
  fleet: fleetKnocks,
  money: moneyKnocks,
  gateway: gatewayKnocks,
};

export const knocks: Knocks = Object.assign({}, ...Object.values(tables)) as Knocks;

const nameOf = ({ method, path }: { method: string; path: string }): string => `${method} ${path}`;

export interface Door {
  readonly name: string;
  readonly route: PlatformRoute;
  readonly row: Row;
  /** What the path stands below. */
  readonly base: string;
}

/** Each operation that is served and has a row. */
export const doorsOf = ({ routes }: Pick<Served, "routes">): Door[] =>
  routes.flatMap((route) => {
    const name = nameOf(route);
    const row = knocks[name];
    return row === undefined ? [] : [{ name, route, row, base: row.root ? "" : "/api/v1" }];
  });

/** Operations without a row, by namespace, and rows without an operation. */
export function unlisted({ routes }: Pick<Served, "routes">): string[] {
  const served = new Set(routes.map(nameOf));
  return [
    ...routes
      .filter((route) => knocks[nameOf(route)] === undefined)
      .map((route) => `${route.namespace}: ${nameOf(route)} has no row`),
    ...Object.keys(knocks)
      .filter((name) => !served.has(name))
      .map((name) => `${name} is not served`),
  ];
}
