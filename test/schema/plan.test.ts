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
  "access.roles": { "whole (tenant_id=?)": "at most 103; they are held in memory" },
  "self.sessions": {
    "USE TEMP B-TREE FOR ORDER BY": "live families of one person, for them to look at",
  },
  "audit.head": { "whole (tenant_id=?)": "the last of the tenant's chain: LIMIT 1 from the end" },
  "batch.last": { "whole table": "max() of the key: one look at the end" },
  "card.last": { "whole table": "max() of the key: one look at the end" },
  "card.quarantined": { "SCAN CONSTANT ROW": "one EXISTS, no table is read through" },
  "device.lastTerminal": { "whole (tenant_id=?)": "the highest: LIMIT 1 from the end" },
  "device.count": { "whole (tenant_id=?)": "the total of a list, of at most 65535" },
  "fleet.active": { "SCAN j VIRTUAL TABLE INDEX 1:": "the numbers that were asked about" },
  "fleet.cards": { "whole (tenant_id=?)": "one row a kind of card" },
  "member.counts": { "whole (tenant_id=?)": "one row a state" },
  "policy.count": { "whole (tenant_id=?)": "at most one a zone and a device" },
  "zone.count": { "whole (tenant_id=?)": "the total of a list, which a venue has tens of" },
  "event.last": { "whole table": "max() of the key: one look at the end" },
  "grant.windows": {
    "USE TEMP B-TREE FOR GROUP BY": "grants of one device, a few a day",
    "USE TEMP B-TREE FOR ORDER BY": "the same, one row an hour",
  },
  "gateway.rateRuleCount": { "whole (tenant_id=?)": "at most one a route" },
  "gateway.rateRules": { "whole (tenant_id=?)": "all of them are held in memory" },
  "job.count": { "whole (tenant_id=?)": "those of one tenant's last seven days" },
  "key.versions": { "whole (tenant_id=?)": "at most 255" },
  "member.last": { "whole (tenant_id=?)": "the highest: LIMIT 1 from the end" },
  "oauth.clientCount": { "whole (tenant_id=?)": "the total of a list, which a tenant has tens of" },
  "policy.ofTenant": { "whole (tenant_id=?)": "all of them are held in memory" },
  "quarantine.open": { "SCAN (subquery-1)": "the subquery reads by device, up to a limit" },
  "signing.keys": { "USE TEMP B-TREE FOR ORDER BY": "a handful on the whole server" },
  "invitation.count": { "whole (tenant_id=?)": "the total of a list, which a tenant has tens of" },
  "mail.waiting": {
    "SCAN mail_outbox USING COVERING INDEX mail_outbox_due": "letters wait for seconds",
  },
  "settlement.own": { "SCAN s": "the subquery reads one page" },
  "settlement.page": { "SCAN s": "the subquery reads by day, up to a limit" },
  "settlement.runLast": { "whole (tenant_id=?)": "the highest: one look at the end" },
  "settlement.totals": { "SCAN (subquery-1)": "the subquery reads one day" },
  "role.count": { "whole (tenant_id=?)": "at most 103" },
  "role.grants": { "whole (tenant_id=?)": "at most 103" },
  "role.keys": { "whole (tenant_id=?)": "keys of one tenant, when a role is deleted" },
  "role.invitations": { "whole (tenant_id=?)": "the same of its invitations" },
  "role.page": { "whole (tenant_id=?)": "at most 103", "USE TEMP B-TREE FOR ORDER BY": "the same" },
  "tenant.closureInsert": { "SCAN CONSTANT ROW": "the pair of the tenant with itself" },
  "apikey.count": { "whole (tenant_id=?)": "the total of a list, which a tenant has tens of" },
  "tenant.day": { "whole (tenant_id=?)": "the first row answers" },
  "tenant.money": { "whole (tenant_id=?)": "wallets of one tenant, when it is deleted" },
  "user.count": { "whole (tenant_id=?)": "the total of a list, over the users of one tenant" },
  "tenant.wallet": { "whole (tenant_id=?)": "the first row answers" },
  "tenant.card": { "whole (tenant_id=?)": "the first row answers" },
  "listing.count": {
    "whole (tenant_id=?)": "the total of a list, from an index of what is listed",
  },
  "listing.registered": { "SCAN CONSTANT ROW": "one EXISTS, no table is read through" },
  "cardList.flaggedCount": { "whole (tenant_id=?)": "from an index of open flags alone" },
  "cardList.kinds": { "whole (tenant_id=?)": "a row for each status and key version in use" },
  "published.newest": { "whole (tenant_id=?)": "the highest: one look at the end" },
  "published.oldest": { "whole table": "min() of the key: one look at the beginning" },
  "record.accepted": { "SCAN (subquery-1)": "the subquery reads an index, up to a limit" },
  "record.acceptedOfDevice": { "SCAN (subquery-2)": "the subquery reads an index, up to a limit" },
  "record.batchCount": { "SCAN (subquery-1)": "the subquery reads an index, up to a limit" },
  "record.batchCountOfDevice": {
    "SCAN (subquery-2)": "the subquery reads an index, up to a limit",
  },
  "record.eventCountLate": { "SCAN (subquery-1)": "the subquery reads one card's, up to a limit" },
  "record.eventCountOfChain": {
    "SCAN (subquery-3)": "the subquery reads one card's, up to a limit",
    "SCAN chain": "each step of one card's chain is found by the one before",
  },
  "record.eventsLate": { "USE TEMP B-TREE FOR ORDER BY": "late events of one card" },
  "record.eventsOfChain": {
    "SCAN chain": "each step of one card's chain is found by the one before",
  },
  "record.quarantineCount": {
    "SCAN (subquery-1)": "the subquery reads an index, up to a limit",
    "whole (tenant_id=?)": "the same",
  },
  "record.quarantineCountOfCard": { "SCAN (subquery-1)": "the subquery reads one card's" },
  "record.quarantineCountOfDevice": {
    "SCAN (subquery-2)": "the subquery reads an index, up to a limit",
  },
  "record.quarantinedOfCard": { "USE TEMP B-TREE FOR ORDER BY": "refused events of one card" },
  "report.count": {
    "SCAN (subquery-1)": "the subquery reads an index, up to a limit",
    "whole (tenant_id=?)": "the same",
  },
  "report.countOfCard": { "SCAN (subquery-1)": "the subquery reads one card's, up to a limit" },
  "report.countOfDevice": { "SCAN (subquery-2)": "the subquery reads an index, up to a limit" },
  "report.countOfType": { "SCAN (subquery-1)": "the subquery reads an index, up to a limit" },
  "timeline.changeCount": { "SCAN (subquery-1)": "the subquery reads one card's, up to a limit" },
  "timeline.eventCount": {
    "SCAN (subquery-5)": "the subquery reads one card's, up to a limit",
    "SCAN chain": "each step of one card's chain is found by the one before",
    "SCAN line": "events of one card",
  },
  "timeline.events": {
    "SCAN chain": "each step of one card's chain is found by the one before",
    "SCAN line": "events of one card",
    "SCAN shown": "a page of them",
    "USE TEMP B-TREE FOR ORDER BY": "events of one card, by their own time",
  },
  "timeline.flagCount": { "SCAN (subquery-1)": "the subquery reads one card's, up to a limit" },
  "timeline.flags": { "USE TEMP B-TREE FOR ORDER BY": "flags of one card" },
  "idempotency.keep": { "whole table": "max() of the key: one look at the end" },
  "idempotency.purge": { "whole table": "min() of the key: one look at the start" },
  "wallet.chainLinks": {
    "SCAN CONSTANT ROW": "where the chain begins",
    "SCAN chain": "each step finds the next by its number, up to a limit",
  },
  "wallet.chainPage": {
    "SCAN CONSTANT ROW": "where the chain begins",
    "SCAN chain": "each step finds the next by its number, up to a limit",
  },
  "wallet.countOfCard": { "SCAN (subquery-1)": "the subquery reads by an index, up to a limit" },
  "wallet.countOfCounter": { "SCAN (subquery-1)": "the same" },
  "wallet.countOfCounterCard": { "SCAN (subquery-1)": "the same" },
  "wallet.countOfTenant": { "SCAN (subquery-1)": "the same" },
  "wallet.countOfWallet": { "SCAN (subquery-1)": "the same" },
  "wallet.debits": { "whole (tenant_id=?)": "a row a device and day" },
  "wallet.debitsOfDevice": { "whole (tenant_id=?)": "a row a device and day" },
  "wallet.ends": { "whole table": "max() of keys: one look at the end of each" },
  "wallet.lateEvents": {
    "USE TEMP B-TREE FOR ORDER BY": "late events of one card, for an operator who looks at it",
  },
  "wallet.parkedCount": {
    "SCAN (subquery-1)": "the subquery reads by an index, up to a limit",
    "whole (tenant_id=?)": "an index of parked credits alone, which are few",
  },
  "txn.next": { "whole table": "max() of the key: one look at the end" },
  "wallet.userSums": { "USE TEMP B-TREE FOR GROUP BY": "a handful of currencies" },
  "zone.ofTenant": { "whole (tenant_id=?)": "the list of them is the answer" },
};

const ofServer = "of the whole server by design";
const ofPerson = "a person is known once to the whole server";
const byToken = "a checked access token names it";
const byNumber = "by a number that a look with the tenant, or a token, has just given";

/** Statements that find rows without naming a tenant, and why no other tenant's can be among them. */
const withoutTenant: Readonly<Record<string, string>> = {
  "access.client": byToken,
  "access.key": byToken,
  "access.session": byToken,
  "access.tenantByUuid": byToken,
  "access.user": ofPerson,
  "access.userByUuid": byToken,
  "auth.byEmail": ofPerson,
  "auth.byNo": ofPerson,
  "auth.familyPurge": "a job of the whole server",
  "auth.familyRevoke": byNumber,
  "auth.familyUsed": byNumber,
  "auth.gracePurge": "a job of the whole server",
  "auth.keyByHash": "a secret is shown, and says whose it is",
  "auth.keyUsed": byNumber,
  "auth.places": ofPerson,
  "auth.proofByHash": "a secret is shown, and says whose it is",
  "auth.proofPurge": "a job of the whole server",
  "auth.proofUse": "a secret is shown, and says whose it is",
  "auth.proofsEnd": ofPerson,
  "auth.recoveryCodes": ofPerson,
  "auth.recoverySpend": ofPerson,
  "auth.refreshByHash": "a secret is shown, and says whose it is",
  "auth.refreshPurge": "a job of the whole server",
  "auth.refreshUse": "a secret is shown, and says whose it is",
  "auth.remember": ofPerson,
  "auth.signedIn": ofPerson,
  "auth.step": ofPerson,
  "auth.tokensFrom": ofPerson,
  "self.codesClear": ofPerson,
  "self.codesLeft": ofPerson,
  "self.email": ofPerson,
  "self.factor": ofPerson,
  "self.factorOff": ofPerson,
  "self.factorOn": ofPerson,
  "self.password": ofPerson,
  "self.profile": ofPerson,
  "self.session": ofPerson,
  "self.sessionCount": ofPerson,
  "self.sessions": ofPerson,
  "self.verified": ofPerson,
  "signing.retire": ofServer,
  "flag.noFrom": "a number that bounds a look with the tenant, and nothing else",
  "record.batchNoFrom": "a number that bounds a look with the tenant, and nothing else",
  "published.oldest": ofServer,
  "batch.last": ofServer,
  "gateway.versions": ofServer,
  "job.advance": byNumber,
  "job.cancel": byNumber,
  "job.fail": byNumber,
  "job.purge": "a job of the whole server",
  "job.queued": "a job of the whole server; each row says whose it is",
  "job.requeue": byNumber,
  "job.running": "a job of the whole server",
  "job.start": byNumber,
  "job.succeed": byNumber,
  "card.between": ofServer,
  "card.expired": "a job of the whole server; each row says whose it is",
  "card.last": ofServer,
  "card.ofNo": byNumber,
  "device.byNo": byNumber,
  "device.idTaken": "device ids are unique on the whole server",
  "device.status": byNumber,
  "event.cardsAfter": ofServer,
  "event.last": ofServer,
  "grant.windows": byNumber,
  "head.through": ofServer,
  "hole.open": "a job of the whole server; each row says whose it is",
  "idempotency.find": "the scope is a hash that the tenant is part of",
  "idempotency.purge": "a job of the whole server",
  "member.activeCard": byNumber,
  "oauth.refreshSession": "the token says whose it is, and the application is known by its number",
  "oauth.request": "whoever answers it is compared with the application's tenant",
  "oauth.requestApprove": byNumber,
  "oauth.requestByCode": "the code says whose it is",
  "oauth.requestDeny": byNumber,
  "oauth.requestPurge": "a job of the whole server",
  "oauth.requestSpend": byNumber,
  "oauth.session": "the application is known by its number",
  "oauth.sessionStart": "the session is that of a checked token",
  "oauth.tenantWithin": "it compares two tenants",
  "provider.accountStrip": "a person is known once to the whole server",
  "provider.link": "the same of their accounts elsewhere",
  "provider.linksDelete": byNumber,
  "provider.places": "it finds the tenants of one person",
  "provider.recoveryDelete": byNumber,
  "quarantine.open": byNumber,
  "report.blocks": byNumber,
  "report.same": byNumber,
  "signing.keys": ofServer,
  "wallet.holdsDue": "a job of the whole server; each row says whose it is",
  "txn.next": ofServer,
  "wallet.transactionFrom": "a number to read the tenant's own from, and nothing of its row",
  "token.byHash": "the token says whose it is",
  "token.credential": "commissioning names no tenant: device ids are unique on the whole server",
  "token.revoke": byNumber,
  "token.secretSpend": byNumber,
  "token.secretsKill": byNumber,
  "token.seen": byNumber,
  "token.use": "the token says whose it is",
  "topup.stale": "a job of the whole server; each row says whose it is",
  "account.byEmail": "a person is known once to the whole server",
  "account.byNo": byNumber,
  "account.byUuid": "a person is known once to the whole server",
  "account.change": byNumber,
  "account.password": byNumber,
  "account.prove": byNumber,
  "membership.count": "in how many tenants a person is, and nothing else of them",
  "membership.lapsed": "a job of the whole server; each row says whose it is",
  "invitation.byToken": "the token says whose it is",
  "mail.due": "a job of the whole server",
  "mail.delete": byNumber,
  "mail.retry": byNumber,
  "mail.waiting": ofServer,
  "tenant.child": "by the number of the tenant above, which a look has just given",
  "tenant.no": ofServer,
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

/** Columns that refer to a table, and that no key or index begins with. */
function unkeyedReferences(parent: string): string[] {
  const found: string[] = [];
  const tables = db.prepare<{ name: string }, []>(
    "SELECT name FROM sqlite_schema WHERE type = 'table'",
  );
  for (const { name } of tables.all()) {
    const references = db
      .prepare<{ table: string; from: string; seq: number }, []>(`PRAGMA foreign_key_list(${name})`)
      .all();
    for (const { table, from, seq } of references) {
      if (table !== parent || seq !== 0) continue;
      const plan = planOf(`SELECT 1 FROM ${name} WHERE ${from} = ?1`);
      if (plan.some(({ detail }) => detail.startsWith("SCAN"))) found.push(`${name}.${from}`);
    }
  }
  return found;
}

/** Proves a whole file by reading it through, once; its statements are for that alone. */
const proof = "verify.ts";

describe("the plan of", () => {
  for (const { file, statement } of statements) {
    if (file === proof) continue;
    test(statement.name, () => {
      expect([...new Set(departures(statement.sql))].sort()).toEqual(
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

  test("none takes away a row that others refer to, where they would be searched through", () => {
    const searched = statements.flatMap(({ statement: { name, sql } }) => {
      const parent = /^\s*DELETE FROM (\w+)/.exec(sql)?.[1] ?? "";
      return unkeyedReferences(parent).map((column) => `${name}: ${column}`);
    });
    expect(unkeyedReferences("card").length).toBeGreaterThan(0);
    expect(unkeyedReferences("refresh_token")).toEqual([]);
    expect(searched).toEqual([]);
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
