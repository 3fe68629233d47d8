/**
 * Every schema that was released, brought to the one of today: a backup made by that release is restored,
 * opened and served, says of everything what it said then, and goes on working. A new schema without a
 * frozen file fails here; so does a change of tables under the number of a frozen one.
 */
import { Database } from "bun:sqlite";
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { schemaVersion, tables } from "../../schema/tables.ts";
import { databasePath, schema } from "../../src/app.ts";
import { describeSchema, migrate, schemaVersion as versionOf } from "../../src/store/migrate.ts";
import { openReader } from "../../src/store/reader.ts";
import { restore } from "../../src/store/restore.ts";
import { password, rootEmail, Served, serveDirectory } from "../surface/served.ts";
import { frozenPaths, storyOf, unpack } from "./frozen.ts";
import { ask, type Story, tokenOf } from "./story.ts";

const scratch = mkdtempSync(join(tmpdir(), "kartu-upgrade-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Letters are there only while they are on their way. */
const mayBeEmpty: readonly string[] = ["mail_outbox"];

const versions = Array.from({ length: schemaVersion }, (_, at) => at + 1);

/** A directory with what that release backed up. */
async function restored(version: number, name: string): Promise<string> {
  const file = join(scratch, `${name}-${version}.backup`);
  unpack(version, file);
  const directory = join(scratch, `${name}-${version}`);
  await restore(file, directory, () => undefined);
  return directory;
}

/** Opened by this program, at the time when the file was made. */
async function served(version: number, name: string): Promise<[Served, Story]> {
  const story = storyOf(version);
  const opened = new Served(...(await serveDirectory(await restored(version, name))));
  opened.clock.set(story.nowSec);
  return [opened, story];
}

/** What `kartu verify` says. */
async function faultsIn({ kartu, dataDir }: Served): Promise<readonly unknown[]> {
  const file = openReader(databasePath(dataDir));
  const { faults } = await file.scan((q) => kartu.verify.verify(q));
  await file.close();
  return faults;
}

const described = (open: () => Database): string[] => {
  const db = open();
  try {
    return describeSchema(db);
  } finally {
    db.close(true);
  }
};

const fresh = (): Database => {
  const db = new Database(":memory:", { strict: true });
  migrate(db, schema);
  return db;
};

test("every schema up to today's is frozen", () => {
  const missing = versions.filter((version) => !existsSync(frozenPaths(version).packed));
  expect(missing).toEqual([]);
});

test("the tables of today's are those that are frozen under its number", async () => {
  const directory = await restored(schemaVersion, "same");
  const file = described(() => new Database(databasePath(directory), { readonly: true }));
  expect(file).toEqual(described(fresh));
});

test("a frozen file holds something of every kind", () => {
  const { counts } = storyOf(schemaVersion);
  const named = tables.join("\n").matchAll(/CREATE TABLE (\w+)/g);
  const empty = [...named].flatMap(([, name = ""]) => ((counts[name] ?? 0) === 0 ? [name] : []));
  expect(empty).toEqual([...mayBeEmpty]);
});

describe.each(versions)("a backup of schema %d", (version) => {
  test("has the tables of today once it was opened", async () => {
    const [opened] = await served(version, "tables");
    const file = () => new Database(databasePath(opened.dataDir), { readonly: true });
    expect(described(file)).toEqual(described(fresh));
    expect(versionOf(file())).toBe(schemaVersion);
    await opened.close();
  });

  test("is sound, and says of everything what it said then", async () => {
    const [opened, story] = await served(version, "answers");
    expect(await faultsIn(opened)).toEqual([]);
    const tokens = {
      root: await tokenOf(opened, rootEmail),
      owner: await tokenOf(opened, story.ownerEmail),
      till: story.deviceToken,
    };
    for (const { by, path, body } of story.answers) {
      expect([path, await ask(opened, path, tokens[by])]).toMatchObject([path, body]);
    }
    await opened.close();
  });

  test("goes on: its keys open, its devices work, its people get in", async () => {
    const [opened, { deviceToken, terminalId, next, apiKey }] = await served(version, "works");
    const grant = await opened.send("GET", "/api/session-grant", { token: deviceToken }, true);
    expect(grant.status).toBe(200);
    const batch = { token: deviceToken, body: { terminalId, events: [next] } };
    for (const status of [200, 409]) {
      const answer = await opened.send("POST", "/api/reconcile", batch, true);
      expect([answer.status, await answer.text()]).toEqual([status, expect.any(String)]);
    }
    const exchanged = await opened.ok("POST", "/auth/exchange", { body: { apiKey } });
    expect(exchanged).toHaveProperty("accessToken");
    const wrong = { email: rootEmail, password: `${password}!` };
    expect((await opened.send("POST", "/auth/login", { body: wrong })).status).toBe(401);
    expect(await faultsIn(opened)).toEqual([]);
    await opened.close();
  });
});
