/**
 * Whole runs against a venue in memory: a bad network must change nothing, a seed must repeat itself,
 * and a server that errs must be found out.
 */
import { afterEach, expect, test } from "bun:test";
import { Client } from "../../src/sim/client.ts";
import { Findings } from "../../src/sim/finding.ts";
import { Meter } from "../../src/sim/meter.ts";
import type { SimulateOptions } from "../../src/sim/option.ts";
import { simulate } from "../../src/sim/simulate.ts";
import { Venue } from "./venue.ts";

let venue: Venue;
afterEach(() => venue.stop());

const open = (): Venue => {
  venue = new Venue(["terminal", "terminal", "terminal", "gate", "station", "station"]);
  return venue;
};
const options = (seed = 1): SimulateOptions => ({
  url: venue.url,
  devices: venue.devices,
  cards: 20,
  users: [1, 20],
  events: 600,
  seed,
  clock: { now: () => Math.floor(Date.now() / 1_000) },
  isHonest: true,
});
/** What happened to the cards, without times and hashes, which hang on the clock and the keys. */
const lives = () =>
  [...venue.cards].toSorted().map(([cardId, { balance, events }]) => {
    const sorted = [...events.values()].sort((a, b) => a.counter - b.counter);
    const kept = sorted.map(({ counter, type, amount }) => `${counter} ${type} ${amount}`);
    return [cardId, balance, kept.join()];
  });

test("with lost requests, lost replies, repeats and a rotation all is as modelled", async () => {
  open();
  const trouble = { loseRequest: 0.2, loseReply: 0.2, resend: 0.2, recut: 0.5, split: 0.5 };
  const rotate = async () => {
    venue.primary = 2;
  };
  const result = await simulate({ ...options(), trouble, rotate });
  expect(result.mismatches).toEqual([]);
  expect(result.cardsCompared).toBe(20);
  expect(result.accepted).toBeGreaterThanOrEqual(600);
  expect(result.reasons.duplicate).toBeGreaterThan(0);
  expect(result.calls.find(({ kind }) => kind === "rekey")?.count).toBeGreaterThan(0);
});

test("a seed repeats the run, another does not", async () => {
  open();
  await simulate(options());
  const first = lives();
  await venue.stop();
  open();
  await simulate(options());
  expect(lives()).toEqual(first);
  await venue.stop();
  open();
  await simulate(options(2));
  expect(lives()).not.toEqual(first);
});

test("replies that break off after the work was done are asked for again", async () => {
  open();
  let calls = 0;
  venue.intercept = (_, path) => {
    if (path === "/api/reconcile") calls += 1;
    venue.breakReply = calls % 5 === 0 ? "/api/reconcile" : "";
    return null;
  };
  const result = await simulate(options());
  expect(result.mismatches).toEqual([]);
  const statuses = result.calls.find(({ kind }) => kind === "reconcile")?.statuses;
  expect(statuses?.[0]).toBeGreaterThan(0);
});

test.each([
  ["an event is lost", "/api/reconcile", "POST /api/reconcile"],
  ["a card is not found", "/api/cards/", "GET card"],
])("found out: %s", async (_, path, what) => {
  open();
  let calls = 0;
  venue.intercept = (request, at) => {
    if (!at.startsWith(path) || (request.method === "GET") !== (path === "/api/cards/"))
      return null;
    calls += 1;
    if (calls !== 5) return null;
    const body = { accepted: 0, rejected: 0, flags: [], rejections: [], batchId: "x" };
    const error = { error: "card_not_found", message: "" };
    const headers = { "X-Request-ID": "r" };
    return path === "/api/reconcile"
      ? Response.json(body)
      : Response.json(error, { status: 404, headers });
  };
  const result = await simulate(options());
  expect(result.mismatchCount).toBeGreaterThan(0);
  expect(result.mismatches.some((finding) => finding.what.startsWith(what))).toBe(true);
});

test.each([
  [500, {}, ["no fault of the server", "an error code in the body", "an X-Request-ID"]],
  [401, { error: "invalid_token" }, ["an X-Request-ID", "WWW-Authenticate"]],
])("a %d that breaks the conventions is noted", async (status, body, owed) => {
  open();
  venue.intercept = () => Response.json(body, { status });
  const findings = new Findings();
  const client = new Client(venue.url, new Meter(), findings);
  await client.call({ kind: "x", method: "GET", path: "/" });
  // A fault of the server is asked again, so what it owes shows more than once.
  expect([...new Set(findings.list.map(({ expected }) => expected))]).toEqual(owed);
});

test.each([429, 503])("a %d is asked again after Retry-After", async (status) => {
  open();
  let calls = 0;
  venue.intercept = () => {
    calls += 1;
    if (calls > 1) return Response.json({ ok: true });
    const headers = { "Retry-After": "1", "X-Request-ID": "r" };
    return Response.json({ error: "busy" }, { status, headers });
  };
  const findings = new Findings();
  const client = new Client(venue.url, new Meter(), findings);
  const answer = await client.call({ kind: "x", method: "GET", path: "/" });
  expect([answer.status, answer.uncertain, calls]).toEqual([200, false, 2]);
  expect(findings.list).toEqual([]);
});

test.each([
  [{ devices: [] }, "devices"],
  [{ cards: 21 }, "users"],
  [{ cards: 0 }, "users"],
])("options that can't make a run: %o", (wrong, what) => {
  open();
  expect(simulate({ ...options(), ...wrong })).rejects.toThrow(what);
});
