/**
 * How SQLite will find the rows of every statement: by a key, never by reading a table through. What
 * departs from that is listed here with its reason, and a listed departure that is gone is a fault too.
 */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { Glob } from "bun";
import { freshDatabase } from "./fresh.ts";
import { allStatements } from "./statements.ts";

const statements = await allStatements();

/** Steps of a plan that need a reason, by statement. */
const reasons: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "audit.head": { "whole (tenant_id=?)": "the last of the tenant's chain: LIMIT 1 from the end" },
  "batch.last": { "whole table": "max() of the key: one look at the end" },
  "card.quarantined": { "SCAN CONSTANT ROW": "one EXISTS, no table is read through" },
  "device.lastTerminal": { "whole (tenant_id=?)": "the highest: LIMIT 1 from the end" },
  "event.last": { "whole table": "max() of the key: one look at the end" },
  "flag.ofCard": {
    "USE TEMP B-TREE FOR ORDER BY": "flags of one card, for an operator who looks at it",
  },
  "grant.windows": {
    "USE TEMP B-TREE FOR GROUP BY": "grants of one device, a few a day",
    "USE TEMP B-TREE FOR ORDER BY": "the same, one row an hour",
  },
  "key.versions": { "whole (tenant_id=?)": "at most 255" },
  "member.last": { "whole (tenant_id=?)": "the highest: LIMIT 1 from the end" },
  "policy.ofTenant": { "whole (tenant_id=?)": "all of them are held in memory" },
  "quarantine.open": { "SCAN (subquery-1)": "the subquery reads by device, up to a limit" },
  "signing.keys": { "USE TEMP B-TREE FOR ORDER BY": "a handful on the whole server" },
  "zone.ofTenant": { "whole (tenant_id=?)": "the list of them is the answer" },
};

const ofServer = "of the whole server by design";
const byNumber = "by a number that a look with the tenant, or a token, has just given";

/** Statements that find rows without naming a tenant, and why no other tenant's can be among them. */
const withoutTenant: Readonly<Record<string, string>> = {
  "batch.last": ofServer,
  "card.expired": "a job of the whole server; each row says whose it is",
  "device.byNo": byNumber,
  "device.idTaken": "device ids are unique on the whole server",
  "device.status": byNumber,
  "event.last": ofServer,
  "grant.windows": byNumber,
  "hole.open": "a job of the whole server; each row says whose it is",
  "iam.tenantBySlug": ofServer,
  "iam.userByEmail": "a person is known once to the whole server",
  "idempotency.find": "the scope is a hash that the tenant is part of",
  "idempotency.purge": "a job of the whole server",
  "member.activeCard": byNumber,
  "member.status": byNumber,
  "quarantine.open": byNumber,
  "report.blocks": byNumber,
  "report.same": byNumber,
  "signing.keys": ofServer,
  "token.byHash": "the token says whose it is",
  "token.credential": "commissioning names no tenant: device ids are unique on the whole server",
  "token.revoke": byNumber,
  "token.secretSpend": byNumber,
  "token.secretsKill": byNumber,
  "token.seen": byNumber,
  "token.use": "the token says whose it is",
  "topup.stale": "a job of the whole server; each row says whose it is",
};

const db = freshDatabase();
// With them on, the plan of an INSERT into a table that others refer to also shows how those would be
// searched, were a violation pending; none ever is, and the program skips it.
db.run("PRAGMA foreign_keys = OFF");

interface Step {
  /** Steps of one loop nest share it. */
  readonly parent: number;
  readonly detail: string;
}

function planOf(sql: string): Step[] {
  const binds = new Array<null>(db.prepare(sql).paramsCount).fill(null);
  return db.prepare<Step, null[]>(`EXPLAIN QUERY PLAN ${sql}`).all(...binds);
}

/** The steps of a plan that are more than a look by key. */
function departures(sql: string): string[] {
  const found: string[] = [];
  for (const { detail } of planOf(sql)) {
    const key = /^SEARCH \S+(?: USING .*?)? ?(\([^()]*\))?(?: LEFT-JOIN)?$/.exec(detail);
    if (key === null) {
      if (/SCAN|TEMP B-TREE|AUTOMATIC/.test(detail)) found.push(detail);
    } else if (detail.includes("AUTOMATIC")) found.push(detail);
    else if (key[1] === undefined) found.push("whole table");
    else if (key[1] === "(tenant_id=?)") found.push("whole (tenant_id=?)");
  }
  return found;
}

/** Proves a whole file by reading it through, once; its statements are for that alone. */
const proof = "verify.ts";

describe("the plan of", () => {
  for (const { file, statement } of statements) {
    if (file === proof) continue;
    test(statement.name, () => {
      expect(departures(statement.sql).sort()).toEqual(
        Object.keys(reasons[statement.name] ?? {}).sort(),
      );
    });
  }
});

describe("a proof reads a table through once, and finds what belongs to a row by key", () => {
  for (const { file, statement } of statements) {
    if (file !== proof) continue;
    test(statement.name, () => {
      const scans = planOf(statement.sql).filter(({ detail }) => /^SCAN/.test(detail));
      const nests = scans.map(({ parent }) => parent);
      expect(new Set(nests).size).toBe(nests.length);
      expect(departures(statement.sql).filter((detail) => detail.includes("AUTOMATIC"))).toEqual(
        [],
      );
    });
  }

  test("and nobody else's hand is on these statements", async () => {
    const root = join(import.meta.dir, "../../src");
    const users: string[] = [];
    for (const file of new Glob("**/*.ts").scanSync(root)) {
      const text = await Bun.file(join(root, file)).text();
      if (text.includes(`schema/query/${proof}`)) users.push(file);
    }
    expect(users).toEqual(["feature/verify/store.ts"]);
  });
});

describe("the judge of plans", () => {
  const cases: [sql: string, found: string[]][] = [
    ["SELECT * FROM event WHERE card_no = ?1", ["SCAN event"]],
    ["SELECT * FROM event WHERE event_id = ?1", []],
    ["SELECT * FROM member WHERE tenant_id = ?1", ["whole (tenant_id=?)"]],
    ["SELECT max(event_id) FROM event", ["whole table"]],
    ["UPDATE card SET status = 0 WHERE user_id = ?1", ["SCAN card"]],
    ["DELETE FROM idempotency WHERE digest = ?1", ["SCAN idempotency"]],
    [
      "SELECT * FROM report WHERE device_no = ?1 ORDER BY details",
      ["USE TEMP B-TREE FOR ORDER BY"],
    ],
    [
      "SELECT a.* FROM alert a JOIN published_event p ON p.data = a.detail WHERE a.uuid = ?1",
      ["SCAN p"],
    ],
  ];
  for (const [sql, found] of cases) {
    test(sql, () => expect(departures(sql)).toEqual(found));
  }
});

describe("statements", () => {
  test("are many, and no two share a name", () => {
    const names = statements.map(({ statement }) => statement.name);
    expect(names.length).toBeGreaterThan(100);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
    expect(names.filter((name) => !/^[a-z][A-Za-z]*\.[a-z][A-Za-z]*$/.test(name))).toEqual([]);
  });

  test("every reason above is for one that exists", () => {
    const names = new Set(statements.map(({ statement }) => statement.name));
    expect(Object.keys(reasons).filter((name) => !names.has(name))).toEqual([]);
  });

  test("every one is used by the program", async () => {
    const root = join(import.meta.dir, "../../src");
    const words = new Set<string>();
    for (const file of new Glob("**/*.ts").scanSync(root)) {
      const text = await Bun.file(join(root, file)).text();
      if (!text.includes("schema/query/")) continue;
      for (const [word] of text.matchAll(/\b[A-Za-z]\w*/g)) words.add(word);
    }
    const dead = statements.filter(({ exportName }) => !words.has(exportName));
    expect(dead.map(({ file, exportName }) => `${file}: ${exportName}`)).toEqual([]);
  });

  test("none replaces rows: REPLACE would pass by the triggers that keep a table append-only", () => {
    const replacing = statements.filter(({ statement }) => /\bREPLACE\b/i.test(statement.sql));
    expect(replacing.map(({ statement }) => statement.name)).toEqual([]);
  });

  test("none takes away a row that others refer to, which would search them through", () => {
    const parents = new Set<string>();
    for (const { name } of db
      .prepare<{ name: string }, []>("SELECT name FROM sqlite_schema WHERE type = 'table'")
      .all()) {
      for (const { table } of db
        .prepare<{ table: string }, []>(`PRAGMA foreign_key_list(${name})`)
        .all()) {
        parents.add(table);
      }
    }
    expect(parents).toContain("card");
    const deleted = statements.filter(({ statement: { sql } }) =>
      parents.has(/^\s*DELETE FROM (\w+)/.exec(sql)?.[1] ?? ""),
    );
    expect(deleted.map(({ statement }) => statement.name)).toEqual([]);
  });

  test("those that find rows without naming the tenant are listed", () => {
    const unscoped = statements.filter(({ file, statement: { sql } }) => {
      if (file === proof) return false;
      const verb = /^\s*(SELECT|UPDATE|DELETE)/.exec(sql)?.[1];
      const from = sql.search(verb === "UPDATE" ? /\bWHERE\b/ : /\bFROM\b/);
      return verb !== undefined && !sql.slice(from).includes("tenant_id");
    });
    expect(unscoped.map(({ statement }) => statement.name).sort()).toEqual(
      Object.keys(withoutTenant).sort(),
    );
  });
});
