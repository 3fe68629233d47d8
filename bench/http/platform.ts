/**
 * What operators' calls cost: `auth-get`, a page of a list in memory behind a token, both layers of
 * limits, permissions and the pager, so their cost alone, with an answer about as long as that of the
 * yardstick; `auth-list`, the same manners and a list out of the database; each over 10 000 tenants; the
 * first with every answer held against its contract as in staging; `refresh`, a durable rotation of a
 * refresh token.
 */
import { rowsOf } from "../check.ts";
import { Random } from "../domain/random.ts";
import type { SignedIn } from "../store/people.ts";
import { copyVenue, type Site, type Workload } from "../workload.ts";
import { closedLoop } from "./load.ts";
import { runScript, serve, serverEnv } from "./process.ts";
import { leadMs, smallConnections, warmUpMs } from "./read.ts";
import { type Answer, bearer, once, requestBytes } from "./wire.ts";

/** Tokens are made before the server has an address. */
const issuer = "https://bench.kartu.invalid";
/** The largest setting there is, so that limits count and never refuse. */
const limits = { KARTU_RATE_PER_MIN: "1000000", KARTU_RATE_ADMIN_PER_MIN: "1000000" };
const off = { KARTU_RATE_REFRESH_PER_MIN: "0", KARTU_RATE_AUTH_PER_MIN: "0" };

/** What is asked, and whether its answer is right. */
interface Asked {
  readonly path: string;
  /** @throws when it is not the answer that `email` is to get */
  check(answer: Answer, email: string): void;
}

interface Desk {
  readonly name: string;
  readonly tenants: number;
  readonly tokens: number;
  readonly env?: Readonly<Record<string, string>>;
}

async function openDesk(site: Site, { name, tenants, tokens, env }: Desk) {
  const dataDir = copyVenue(site, name);
  const settings = { KARTU_ISSUER: issuer };
  const args = ["bench/store/people.ts", dataDir, String(tenants), String(tokens)];
  const people = (await runScript(args, settings)) as SignedIn[];
  const served = await serve(
    ["src/main.ts", "serve", "--data", dataDir, "--port", "0", "--json"],
    site.pins.server,
    { ...serverEnv, ...limits, ...off, ...settings, ...env },
  );
  return { dataDir, people, served };
}

interface Page<T> {
  readonly data: readonly T[];
  readonly meta: { readonly cursor: string | null; readonly total: number };
}

const permissions: Asked = {
  path: "/api/v1/permissions?limit=2",
  check: ({ status, body }) => {
    const { data, meta } = JSON.parse(body) as Page<{ name: string }>;
    const isRight = data.length === 2 && meta.cursor !== null && meta.total > 2;
    const isOrdered = (data[0]?.name ?? "") < (data[1]?.name ?? "");
    if (status !== 200 || !isRight || !isOrdered) throw new Error(`permissions: ${status} ${body}`);
  },
};

/** The one user of the tenant, in a list of one page. */
const users: Asked = {
  path: "/api/v1/users",
  check: ({ status, body }, email) => {
    const { data, meta } = JSON.parse(body) as Page<{ email: string; roles: string[] }>;
    const [user] = data;
    const isRight = user?.email === email && user.roles[0] === "owner" && meta.total === 1;
    if (status !== 200 || !isRight) throw new Error(`users: ${status} ${body}`);
  },
};

const listing = (desk: Desk, asked: Asked, about: string): Workload => ({
  name: desk.name,
  unit: "reads/s",
  about,
  start: async (site) => {
    const { people, served } = await openDesk(site, desk);
    const { url } = served;
    const random = new Random(site.seed);
    const requests = people.map(({ accessToken }) =>
      requestBytes(url, "GET", asked.path, bearer(accessToken)),
    );
    const judged: string[] = [];
    const drawn = new Uint32Array(smallConnections);
    const sample = (windowMs: number) =>
      closedLoop({
        url,
        connections: smallConnections,
        leadMs,
        windowMs,
        next: (connection) => {
          const at = random.below(requests.length);
          drawn[connection] = at;
          return requests[at] ?? new Uint8Array(0);
        },
        check: (answer, connection) => {
          const at = drawn[connection] ?? 0;
          if (answer.status !== 200 || answer.body !== judged[at]) {
            asked.check(answer, people[at]?.email ?? "");
            judged[at] = answer.body;
          }
          return 1;
        },
      });
    return {
      warmUp: async () => {
        // Each token's signature is checked once; that is a sign-in's cost, not a call's.
        for (const request of requests) await once(url, request);
        await sample(warmUpMs);
      },
      sample,
      finish: () => served.stop(),
    };
  },
});

const refresh: Workload = {
  name: "refresh",
  unit: "refreshes/s",
  about: "POST /api/v1/auth/refresh: a new pair, signed, the rotation durable",
  start: async (site) => {
    const desk = { name: "refresh", tenants: 1, tokens: smallConnections };
    const { dataDir, people, served } = await openDesk(site, desk);
    const { url } = served;
    const tokens = people.map(({ refreshToken }) => refreshToken);
    let count = 0;
    const sample = (windowMs: number) =>
      closedLoop({
        url,
        connections: smallConnections,
        leadMs,
        windowMs,
        next: (connection) => {
          const body = JSON.stringify({ refreshToken: tokens[connection] });
          return requestBytes(url, "POST", "/api/v1/auth/refresh", {}, body);
        },
        check: ({ status, body }, connection) => {
          const pair = JSON.parse(body) as { refreshToken: string; accessToken: string };
          const isNew = pair.refreshToken !== tokens[connection];
          if (status !== 200 || !isNew || pair.accessToken.split(".").length !== 3) {
            throw new Error(`refresh: ${status} ${body}`);
          }
          tokens[connection] = pair.refreshToken;
          count += 1;
          return 1;
        },
      });
    return {
      warmUp: async () => {
        await sample(warmUpMs);
      },
      sample,
      finish: async () => {
        await served.stop();
        const rows = rowsOf(dataDir, "refresh_token");
        const expected = smallConnections + count;
        if (rows !== expected) throw new Error(`refresh: ${rows} tokens for ${expected}`);
      },
    };
  },
};

const manyTenants = 10_000;

export const platformWorkloads: readonly Workload[] = [
  listing(
    { name: "auth-get", tenants: 1, tokens: 64 },
    permissions,
    "GET /api/v1/permissions?limit=2 with a token, one tenant",
  ),
  {
    ...listing(
      { name: "auth-get-10k", tenants: manyTenants, tokens: manyTenants },
      permissions,
      "the same over 10 000 tenants, a token of each",
    ),
    over: "auth-get",
  },
  {
    ...listing(
      { name: "auth-get-staging", tenants: 1, tokens: 64, env: { KARTU_ENV: "staging" } },
      permissions,
      "the same with every answer held against its contract",
    ),
    over: "auth-get",
  },
  listing(
    { name: "auth-list", tenants: 1, tokens: 64 },
    users,
    "GET /api/v1/users with a token, one tenant",
  ),
  {
    ...listing(
      { name: "auth-list-10k", tenants: manyTenants, tokens: manyTenants },
      users,
      "the same over 10 000 tenants, a token of each",
    ),
    over: "auth-list",
  },
  refresh,
];
