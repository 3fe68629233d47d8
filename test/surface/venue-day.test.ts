/**
 * A venue's days by API alone, against the program as people run it: set up, worked by the virtual fleet
 * with frauds in it, reviewed, closed, paid out; and every way to read the figures says the same.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { simulate } from "../../src/sim/simulate.ts";
import type { DeviceSpec } from "../../src/sim/world.ts";
import { hledgerBalances } from "../hledger.ts";
import { done, object, type Server, serve, workspace } from "./cli-fixture.ts";
import { close, exportsOf } from "./closed.ts";
import { type Json, Manager } from "./manager.ts";

const { path, remove } = workspace();
const data = path("data");
const unlimited = ["IP", "AUTH", "DEVICE_TOKEN", "DEVICE_TOKEN_IP", "GRANT", "DEVICE", "REPORT"];
const env = {
  KARTU_ENV: "development",
  KARTU_RATE_PER_MIN: "0",
  KARTU_RATE_ADMIN_PER_MIN: "0",
  ...Object.fromEntries(unlimited.map((what) => [`KARTU_RATE_${what}_PER_MIN`, "0"])),
};
const credentials = { email: "owner@example.com", password: "the owner's pass phrase" };
const cards = 48;
let server: Server;
let owner: Manager;

interface Flag {
  readonly id: string;
  readonly kind: string;
  readonly reason: string;
}
interface Card {
  readonly cardId: string;
  readonly memberId: string;
  readonly wallet: { readonly id: string; readonly balance: { readonly available: number } };
}
/** The venue's day, seven hours ahead of UTC, so many days from now. */
const dateIn = (days: number): string =>
  new Date((owner.clock.now() + 7 * 3_600 + days * 86_400) * 1000).toISOString().slice(0, 10);

beforeAll(async () => {
  const options = ["--owner-email", credentials.email, "--owner-password", credentials.password];
  await object(["init", "--data", data, "--tenant", "Kantin", ...options]);
  server = await serve(["--data", data], { env });
  owner = new Manager(server.url, credentials);
});

afterAll(async () => {
  await server?.end("SIGTERM");
  remove();
});

/** Zones, limits, devices by their QR codes, members. */
async function setUp() {
  const bar = await owner.post<{ id: string }>("/fleet/zones", { name: "Bar" });
  const policies = await owner.list<{ id: string; scope: string; version: number }>(
    "/fleet/policies",
  );
  const ofTenant = policies.find(({ scope }) => scope === "tenant");
  await owner.patch(`/fleet/policies/${ofTenant?.id}`, {
    ...{ version: ofTenant?.version, maxBalance: 4_000_000, grantTtlSec: 43_200 },
  });
  const limits = { singleTxLimit: 900_000, dailyLimit: 1_500_000 };
  await owner.post("/fleet/policies", { scope: "zone", scopeId: bar.id, ...limits });
  const ids = new Map<string, string>();
  const devices: DeviceSpec[] = [];
  const roles = ["station", "station", "gate", "scout", ...Array<"terminal">(5).fill("terminal")];
  for (const [no, role] of (roles as DeviceSpec["role"][]).entries()) {
    const { id, spec } = await owner.device(`${role}-${no}`, role, bar.id);
    ids.set(spec.deviceId, id);
    devices.push(spec);
  }
  const policy = await owner.get(`/fleet/devices/${ids.get("terminal-8")}/policy`);
  expect(policy).toMatchObject({ ...limits, maxBalance: 4_000_000 });
  expect(policy.sources).toMatchObject({ singleTxLimit: "zone", maxBalance: "tenant" });
  for (let no = 1; no <= cards; no++) {
    expect(await owner.post("/fleet/members", { name: `Guest ${no}` })).toHaveProperty(
      "userId",
      no,
    );
  }
  return { devices, ids };
}

/** Days without a network now and then: cards, top-ups, payments, and every fraud there is. */
async function work({ devices, ids }: Awaited<ReturnType<typeof setUp>>): Promise<void> {
  const result = await simulate({
    ...{
      url: server.url,
      devices,
      cards,
      users: [1, cards],
      events: 800,
      seed: 7,
    },
    ...{ clock: owner.clock, mishapEvery: 2 },
    rotate: async () => {
      const { keyVersion } = await owner.post("/fleet/key-versions", { note: "half-time" });
      await owner.post(`/fleet/key-versions/${keyVersion}/activate`);
    },
    suspend: async (deviceId) => {
      await owner.post(`/fleet/devices/${ids.get(deviceId)}/suspend`, { reason: "left early" });
    },
  });
  expect(result.mismatches).toEqual([]);
  expect(result.cardsCompared).toBeGreaterThanOrEqual(cards);
  for (const fraud of ["counter_conflict", "single_tx_limit_exceeded", "unauthorised_credit"]) {
    expect([fraud, result.reasons[fraud] ?? 0]).not.toEqual([fraud, 0]);
  }
}

const open = (query = "") => owner.list<Flag>(`/fleet/flags?status=open${query}`);
const idsOf = (flags: readonly Flag[]) => flags.map(({ id }) => id);

/** The review queue, worked until nothing is in it. */
async function review(): Promise<void> {
  const { openFlags } = await owner.get("/fleet/overview");
  const waiting = await open();
  expect(waiting.length).toBe(Number(openFlags));
  const [credit, other] = await open("&reason=unauthorised_credit");
  const kept = await owner.post(`/fleet/flags/${credit?.id}/approve`, { note: "the station's" });
  expect(kept).toMatchObject({ status: "approved" });
  if (other !== undefined) {
    await owner.post(`/fleet/flags/${other.id}/dismiss`, { note: "nobody paid this in" });
  }
  expect(await owner.decide(idsOf(await open("&kind=flag")), "dismiss")).toEqual([]);
  const refused = await open("&kind=quarantine");
  const isWild = ({ reason }: Flag) => reason === "invalid_amount" || reason === "counter_leap";
  expect(await owner.decide(idsOf(refused.filter(isWild)), "dismiss")).toEqual([]);
  const plausible = refused.filter((flag) => !isWild(flag));
  const stubborn = await owner.decide(idsOf(plausible), "approve");
  expect(new Set([...stubborn, "still-rejected"])).toEqual(new Set(["still-rejected"]));
  const left = await open();
  expect(left.length).toBe(stubborn.length);
  expect(await owner.decide(idsOf(left), "dismiss")).toEqual([]);
  expect(await open()).toEqual([]);
  expect(await owner.get("/fleet/overview")).toHaveProperty("openFlags", 0);
}

/** What cards hold is paid out at the door: of a stopped one, of one handed in, of a member who leaves. */
async function refund(): Promise<number> {
  const holding = async (status: string) =>
    (await owner.list<Card>(`/fleet/cards?status=${status}`)).filter(
      ({ wallet }) => wallet.balance.available > 0,
    );
  const stopped = [...(await holding("BLOCKED_FRAUD")), ...(await holding("BLOCKED_ADMIN"))];
  const [handedIn, leaving] = await holding("ACTIVE");
  let paid = 0;
  for (const card of [...stopped, handedIn]) {
    const at = `/fleet/cards/${card?.cardId}/refund`;
    const key = crypto.randomUUID();
    const body = { reason: "handed in at the door" };
    const made = await owner.post(at, body, key);
    expect(made).toMatchObject({ type: "refund", balanceAfter: { available: 0, pending: 0 } });
    expect(made.amount).toBeGreaterThanOrEqual(card?.wallet.balance.available ?? 1);
    expect(await owner.post(at, body, key)).toEqual(made);
    expect(await owner.refusal("POST", at, body, crypto.randomUUID())).toBe("409 wallet-empty");
    const [line] = await owner.list(`/fleet/cards/${card?.cardId}/timeline?kind=refund`);
    expect(line).toMatchObject({
      amount: made.amount,
      detail: { left: 0, transactionId: made.id },
    });
    paid += Number(made.amount);
  }
  const at = `/fleet/members/${leaving?.memberId}/refund`;
  const all = await owner.post<{ data: Json[]; total: number }>(
    ...([at, { reason: "leaves" }, crypto.randomUUID()] as const),
  );
  expect(all.total).toBeGreaterThanOrEqual(leaving?.wallet.balance.available ?? 1);
  const member = await owner.call("DELETE", `/fleet/members/${leaving?.memberId}`);
  expect(member.status).toBe(204);
  return paid + all.total;
}

test("set up, worked, reviewed, closed, paid out, and the same in every book", async () => {
  // The clock of a rogue terminal is days off, one way or the other.
  const from = dateIn(-5);
  await work(await setUp());
  await review();

  const to = dateIn(0);
  expect(await owner.refusal("POST", "/fleet/settlement/runs", { from, to })).toBe(
    "409 wrong-state",
  );
  await owner.clock.advance(86_400);
  const first = await close(owner, { from, to });
  expect(first.run).toMatchObject({ number: 1, totals: { refunds: 0 } });
  expect(first.run.totals.debitAmount).toBeGreaterThan(0);
  expect(first.run.totals.flagged).toBeGreaterThan(0);
  expect(await owner.refusal("POST", "/fleet/settlement/runs", { from, to })).toBe(
    "409 already-exists",
  );

  const next = { from: dateIn(0), to: dateIn(5) };
  const paid = await refund();
  await owner.clock.advance(6 * 86_400);
  const second = await close(owner, next);
  expect(second.run).toMatchObject({ number: 2, totals: { refundAmount: paid } });
  expect(await exportsOf(owner, `/fleet/settlement/runs/${first.run.id}?`)).toEqual(first.files);

  const books = await owner.books();
  expect(books).toHaveProperty("cash");
  const range = await exportsOf(owner, `/fleet/settlement?from=${from}&to=${next.to}&`);
  for (const journal of [range.journal, first.files.journal + second.files.journal]) {
    const balances = hledgerBalances(journal);
    if (balances !== null) expect(balances).toEqual(books);
  }
  await payOut();
  expect(await done(["verify", "--data", data])).toContain("everything holds");
}, 60_000);

/** What the tills took goes to their keeper: from their accounts to cash. */
async function payOut(): Promise<void> {
  const wallets = await owner.list<Card["wallet"] & { systemKey: string | null }>(
    "/wallets?kind=system",
  );
  const cash = wallets.find(({ systemKey }) => systemKey === "cash");
  const tills = wallets.filter(
    ({ systemKey, balance }) => systemKey?.startsWith("settlement:") && balance.available > 0,
  );
  expect(tills.length).toBeGreaterThan(0);
  const refused: string[] = [];
  for (const { id: fromWalletId, balance } of tills) {
    const body = { fromWalletId, toWalletId: cash?.id, amount: balance.available };
    const key = crypto.randomUUID();
    const { status, text } = await owner.call("POST", "/transfers", body, key);
    if (status !== 201) refused.push(`${status} ${String(JSON.parse(text).type)}`);
  }
  // The till that was suspended keeps what it has.
  expect(refused).toEqual([expect.stringMatching(/^409 .*\/wrong-state$/)]);
  const settled = Object.keys(await owner.books()).filter((name) => name.startsWith("settlement:"));
  expect(settled.length).toBe(1);
}
