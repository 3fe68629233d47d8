/** Refusals that belong to no feature: of how a call is made, of limits, of what breaks inside. */
import { Database } from "bun:sqlite";
import { databasePath } from "../../../src/app.ts";
import type { Served } from "../served.ts";
import type { Raises } from "./raise.ts";

/** While `work` runs a table takes no row; what that leaves in the log is taken out. */
async function broken(
  estate: Served,
  table: string,
  work: () => Promise<Response>,
): Promise<Response> {
  const db = new Database(databasePath(estate.dataDir), { readwrite: true });
  try {
    db.run(`CREATE TRIGGER broken BEFORE INSERT ON ${table}
      BEGIN SELECT RAISE(ABORT, 'broken'); END`);
    return await work();
  } finally {
    db.run("DROP TRIGGER broken");
    db.close();
    estate.faults.length = 0;
  }
}

/** Of many calls at once, made without a socket between, the first answer that is so. */
async function first(estate: Served, status: number, calls: readonly Request[]): Promise<Response> {
  const { app } = estate.serving;
  const answers = await Promise.all(calls.map((call) => app.handle(call)));
  const found = answers.find((answer) => answer.status === status);
  if (found === undefined) throw new Error(`none is ${status}`);
  // Made by hand, an answer does not know where it came from.
  return Object.defineProperty(found, "url", { value: calls[0]?.url });
}

const post = (estate: Served, path: string, body: object, headers: Record<string, string>) =>
  new Request(`${estate.serving.url}/api/v1${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });

export const mannerRaises: Raises = {
  "validation-error": [
    400,
    "no",
    ({ estate, house }) => estate.send("GET", "/users?canary=1", { token: house.owner }),
  ],
  "malformed-json": [400, "no", ({ estate }) => estate.send("POST", "/auth/login", { body: "{" })],
  "invalid-cursor": [
    400,
    "no",
    ({ estate, house }) => estate.send("GET", "/users?cursor=x", { token: house.owner }),
  ],
  "idempotency-key-invalid": [
    400,
    "no",
    ({ estate, house }) => {
      const headers = { "idempotency-key": "x" };
      return estate.send("POST", "/roles", { token: house.owner, body: {}, headers });
    },
  ],
  "idempotency-key-conflict": [
    409,
    "no",
    async ({ estate, house }) => {
      const headers = { "idempotency-key": crypto.randomUUID() };
      const body = { name: house.name("role"), permissions: [] };
      await estate.ok("POST", "/roles", { token: house.owner, body, headers });
      const other = { ...body, name: house.name("role") };
      return estate.send("POST", "/roles", { token: house.owner, body: other, headers });
    },
  ],
  "idempotency-in-flight": [
    409,
    "wait, key",
    ({ estate, house }) => {
      const headers = {
        authorization: `Bearer ${house.owner}`,
        "idempotency-key": crypto.randomUUID(),
      };
      const email = `${house.name("twice")}@example.com`;
      const body = { email, roles: ["member"], password: "a long password" };
      const calls = [0, 1].map(() => post(estate, "/users", body, headers));
      return first(estate, 409, calls);
    },
  ],
  "not-found": [
    404,
    "no",
    ({ estate, house }) => estate.send("GET", "/users/nobody", { token: house.owner }),
  ],
  "method-not-allowed": [405, "no", ({ estate }) => estate.send("PUT", "/users")],
  "payload-too-large": [
    413,
    "no",
    ({ estate }) => estate.send("POST", "/auth/login", { body: " ".repeat(1_048_577) }),
  ],
  "unsupported-media-type": [
    415,
    "no",
    ({ estate }) => {
      const headers = { "content-type": "text/plain" };
      return estate.send("POST", "/auth/login", { body: "x", headers });
    },
  ],
  "rate-limit-exceeded": [
    429,
    "wait",
    async ({ estate, house }) => {
      const { email } = await house.person();
      const body = { email, password: "a wrong password" };
      for (let count = 0; count < 5; count++) {
        await (await estate.send("POST", "/auth/login", { body })).body?.cancel();
      }
      return estate.send("POST", "/auth/login", { body });
    },
  ],
  "sunset-too-soon": [
    400,
    "no",
    ({ estate }) => {
      const sunsetAt = new Date(estate.clock.nowMs() + 180 * 86_400_000).toISOString();
      const sent = { token: estate.root.owner, body: { sunsetAt } };
      return estate.send("POST", "/gateway/versions/1/deprecate", sent);
    },
  ],
  "version-sunset": [
    410,
    "no",
    async ({ other }) => {
      const { estate } = await other({});
      const body = { sunsetAt: "2026-01-01T00:00:00Z" };
      await estate.root.made("/gateway/versions/1/deprecate", body);
      estate.clock.set(Date.parse(body.sunsetAt) / 1000);
      return estate.send("GET", "/auth/providers");
    },
  ],
  "internal-error": [
    500,
    "key",
    ({ estate, house }) => {
      const body = { name: house.name("role"), permissions: [] };
      const sent = { token: house.owner, body };
      return broken(estate, "audit", () => estate.send("POST", "/roles", sent));
    },
  ],
  "response-validation-failed": [
    500,
    "no",
    async ({ estate, house }) => {
      const { id } = await house.job();
      await estate.ok("POST", `/jobs/${id}/cancel`, { token: house.owner });
      const db = new Database(databasePath(estate.dataDir), { readwrite: true });
      db.run("UPDATE job SET result = '[1]' WHERE uuid = ?1", [id]);
      db.close();
      const response = await estate.send("GET", `/jobs/${id}`, { token: house.owner });
      estate.faults.length = 0;
      return response;
    },
  ],
  overloaded: [
    503,
    "wait, key",
    ({ estate }) => {
      // More than may hash a password or wait for it.
      const calls = Array.from({ length: 300 }, (_, at) =>
        post(estate, "/auth/login", { email: `nobody-${at}@example.com`, password: "x" }, {}),
      );
      return first(estate, 503, calls);
    },
  ],
};
