/**
 * What a call can name things by: the parameters and body members of the live contracts whose names say
 * that they hold an id, a place in a list or a secret that stands for something.
 */
import { type TSchema, Type } from "@sinclair/typebox";
import type { PlatformRoute } from "../../../src/http/platform/route.ts";
import { querySchemaOf } from "../../../src/http/platform/surface.ts";
import type { Route } from "../../../src/http/route.ts";

const naming =
  /^(?:id|ids|cursor|code|state|ticket|since|roles?)$|(?:Id|_id|Version|[tT]oken|apiKey)$/;

/** `userId`, `items[].toWalletId`: the way to each member that names something. */
function* waysIn(schema: TSchema | null | undefined, way = ""): Generator<string> {
  if (schema == null) return;
  const { properties, items, anyOf } = schema as {
    properties?: Record<string, TSchema>;
    items?: TSchema;
    anyOf?: TSchema[];
  };
  for (const [name, inner] of Object.entries(properties ?? {})) {
    if (naming.test(name)) yield `${way}${name}`;
    yield* waysIn(inner, `${way}${name}.`);
  }
  yield* waysIn(items, `${way.replace(/\.$/, "")}[].`);
  for (const each of anyOf ?? []) yield* waysIn(each, way);
}

const fieldsOf = (name: string, params: TSchema, query: TSchema | null, body: TSchema | null) => [
  ...[...waysIn(params)].map((way) => `${name} path.${way}`),
  ...[...waysIn(query)].map((way) => `${name} query.${way}`),
  ...[...waysIn(body)].map((way) => `${name} body.${way}`),
];

/** `GET /fleet/devices query.zoneId`, of every operation that is served. */
export const fieldsOfOperators = (routes: readonly PlatformRoute[]): string[] =>
  routes.flatMap((route) => {
    const { params = Type.Object({}), body = null } = route.contract;
    return fieldsOf(`${route.method} ${route.path}`, params, querySchemaOf(route), body);
  });

/** The same of the device surface. */
export const fieldsOfDevices = (routes: readonly Route[]): string[] =>
  routes.flatMap(({ method, path, contract }) => {
    const { params = Type.Object({}), query = null, body = null } = contract;
    return fieldsOf(`${method} ${path}`, params, query, body);
  });
