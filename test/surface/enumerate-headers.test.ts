/**
 * The headers of every kind of answer, read off the wire: what each must have (platform-wide, and the
 * REST and HTTP headers cheat sheets of OWASP), how long it may be kept and by whom, and that there is
 * nothing besides, since a header that nobody meant is what strangers look for.
 *
 * Not here: `Strict-Transport-Security`, which only who ends TLS may say, and the bare 400, 413, 431 and
 * 505 to what is no HTTP request, which come from below our code.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Answer, ask, headerOf } from "../wire/socket.ts";
import { type Asked, requestOf } from "./enumerate.ts";
import { Estate } from "./estate.ts";
import type { House } from "./house.ts";
import { parts } from "./knock/send.ts";
import { doorsOf } from "./knock/table.ts";

/** A machine may have much else to do. */
const slowMs = 60_000;

let estate: Estate;
let house: House;
beforeAll(async () => {
  estate = await Estate.open({ config: { KARTU_RATE_DEVICE_TOKEN_IP_PER_MIN: "0" } });
  house = await estate.house();
});
afterAll(() => estate.close());

/** Whatever is answered. */
const always: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY",
};
const dataPolicy = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/** Names that an answer may have besides, each where it belongs. */
const others = [
  ...["cache-control", "content-security-policy", "x-request-id", "x-trace-id", "date"],
  ...["content-type", "content-length", "transfer-encoding", "content-disposition"],
  ...["allow", "www-authenticate", "retry-after", "location", "etag", "vary", "set-cookie"],
  ...["kartu-key-id", "idempotent-replayed", "deprecation", "sunset", "link"],
  // Of streams: a proxy is to pass on what comes.
  "x-accel-buffering",
];

/** By whom an answer may be kept, where it is no one but the caller for this once. */
const cached: readonly (readonly [path: RegExp, keeping: string])[] = [
  [/^\/\.well-known\//, "public, max-age=300"],
  [/^\/problems(?:\/|$)/, "public, max-age=300"],
  [/^\/api-docs\/assets\//, "no-cache"],
  [/\/openapi\.json$/, "no-cache"],
  [/^\/api\/(?:policy|blocklist)$/, "no-cache"],
];

const isDevice = (path: string): boolean => /^\/api(?:$|\/(?!v1(?:$|\/)))/.test(path);

function policyFaults(policy: string): string[] {
  const faults: string[] = [];
  for (const due of ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"]) {
    if (!policy.includes(due)) faults.push(`lacks ${due}`);
  }
  if (!policy.includes("form-action 'none'")) faults.push("lacks form-action 'none'");
  if (/unsafe|\*|https?:|wss?:/.test(policy)) faults.push(`allows too much: ${policy}`);
  return faults;
}

/** What is wrong with an answer's headers. */
function faultsOf({ method = "POST", path: target }: Asked, answer: Answer): string[] {
  const faults: string[] = [];
  const [path = ""] = target.split("?");
  const { status, headers } = answer;
  const of = (name: string): string => headerOf(answer, name);
  const expectHeader = (name: string, wanted: string): void => {
    if (of(name) !== wanted) faults.push(`${name}: ${of(name)}, not ${wanted}`);
  };
  for (const [name, wanted] of Object.entries(always)) expectHeader(name, wanted);
  const names = headers.map(([name]) => name.toLowerCase());
  for (const name of names) {
    if (names.indexOf(name) !== names.lastIndexOf(name)) faults.push(`${name} twice`);
    if (!(name in always) && !others.includes(name)) faults.push(`${name}: ${of(name)}`);
  }
  if (!/^[0-9a-f-]{36}$/.test(of("x-request-id"))) faults.push("no request id");
  if (!isDevice(path) && !/^[0-9a-f]{32}$/.test(of("x-trace-id"))) faults.push("no trace id");
  const keeping = cached.find(([each]) => each.test(path))?.[1];
  const isKept = status < 400 && method !== "OPTIONS" && keeping !== undefined;
  expectHeader("cache-control", isKept ? keeping : "no-store");
  const type = of("content-type");
  if (type.startsWith("text/html")) {
    faults.push(...policyFaults(of("content-security-policy")));
    if (type !== "text/html; charset=utf-8") faults.push(`type ${type}`);
  } else {
    expectHeader("content-security-policy", dataPolicy);
  }
  const hasBody = answer.body !== "";
  if (hasBody && type === "") faults.push("no type");
  if (hasBody && status >= 400 && !/^\/(?:live|ready|health)/.test(path)) {
    const isOAuth = /\/oauth\/(?:token|revoke)$/.test(path);
    const wanted = isDevice(path) || isOAuth ? "application/json" : "application/problem+json";
    if (type !== wanted && !isOAuth) faults.push(`type ${type}, not ${wanted}`);
  }
  if (status === 401 && method !== "HEAD" && of("www-authenticate") === "") {
    faults.push("no challenge");
  }
  if (status === 405 && of("allow") === "") faults.push("no Allow");
  return faults;
}

const look = async (asked: Asked): Promise<string[]> => {
  const answer = await ask(estate.serving.url, requestOf(asked));
  const { method = "POST", path } = asked;
  return faultsOf(asked, answer).map((fault) => `${method} ${path}: ${answer.status} ${fault}`);
};

async function looks(all: readonly Asked[]): Promise<string[]> {
  const faults: string[] = [];
  for (const asked of all) faults.push(...(await look(asked)));
  return faults;
}

const nobody = "01971d3e-7a00-7cc3-98c4-dc0c0c07398f";
const filled = (path: string): string =>
  path.replace(":cardId", "0123456789ab").replaceAll(/:\w+/g, nobody);

/** Every path that is mounted, and what is nearly one. */
const paths = (): string[] => {
  const mounted = estate.serving.app.routes.map(({ path }) => filled(path));
  return [...new Set([...mounted, "/nothing", "/api/nothing", "/api/v1/nothing", "/api", "//"])];
};

describe("the headers of an answer", () => {
  test(
    "to a stranger, whatever the path and the verb",
    async () => {
      const verbs = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"];
      const all = paths().flatMap((path) =>
        verbs.map((method): Asked => ({ method, path, ...(method === "POST" && { body: {} }) })),
      );
      expect(all.length).toBeGreaterThan(1_000);
      expect(await looks(all)).toEqual([]);
    },
    slowMs,
  );

  test(
    "to what is too large, not JSON, or broken",
    async () => {
      const posts = estate.serving.app.routes.filter(({ method }) => method === "POST");
      const all = posts.flatMap(({ path }): Asked[] => [
        { path: filled(path), headers: { "content-length": "99999999999" } },
        { path: filled(path), token: house.owner, text: "{", type: "application/json" },
        { path: filled(path), token: house.owner, text: "x", type: "text/plain" },
      ]);
      expect(await looks(all)).toEqual([]);
    },
    slowMs,
  );

  test(
    "to every call of the operators' that succeeds, and to a page's look at it",
    async () => {
      const faults: string[] = [];
      for (const door of doorsOf(estate)) {
        const [method, path, sent] = parts(door, await door.row.make(house), house);
        const origin = { origin: "https://elsewhere.example" };
        const { token, ...rest } = sent;
        const headers = { ...sent.headers, ...origin };
        const asked = { ...rest, method, path, headers, ...(token != null && { token }) };
        faults.push(...(await look(asked)));
      }
      expect(faults).toEqual([]);
    },
    slowMs,
  );

  test(
    "to a device",
    async () => {
      const { station, till } = await house.desk();
      const { cardId } = await (await house.desk()).card();
      const { token, terminalId } = station;
      const all: Asked[] = [
        { path: "/api/session-grant" },
        { path: "/api/policy" },
        { path: "/api/blocklist" },
        { path: "/api/blocklist?since=x" },
        { path: `/api/cards/${cardId}` },
        { path: `/api/cards/${cardId}/events` },
        { path: `/api/cards/${nobody}` },
      ].map((each) => ({ ...each, method: "GET", token }));
      all.push(
        { path: "/api/reconcile", token, body: { terminalId, events: [] } },
        { path: "/api/reconcile", token, body: { terminalId: terminalId + 7, events: [] } },
        { path: "/api/cards", token: till.token, body: {} },
      );
      expect(await looks(all)).toEqual([]);
      const first = await ask(
        estate.serving.url,
        requestOf({ method: "GET", path: "/api/policy", token }),
      );
      const same = { "if-none-match": headerOf(first, "etag") };
      const asked: Asked = { method: "GET", path: "/api/policy", token, headers: same };
      expect((await ask(estate.serving.url, requestOf(asked))).status).toBe(304);
      expect(await look(asked)).toEqual([]);
    },
    slowMs,
  );
});
