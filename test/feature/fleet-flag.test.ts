/** The review queue by API: looking, deciding one by one and in bulk, and what each decision needs. */
import { describe, expect, test } from "bun:test";
import { startSec, type Venue, venues } from "../harness.ts";
import { Desk, dataOf, newKey } from "./desk.ts";

const open = venues();
const iso = (sec: number): string => new Date(sec * 1000).toISOString();
const nobody = "01936d7a-0000-7000-8000-00000000dead";

type Flag = {
  readonly id: string;
  readonly kind: string;
  readonly reason: string;
  readonly severity: string;
  readonly status: string;
  readonly cardId: string;
  readonly terminalId: number;
  readonly eventId: string | null;
};

const list = async (at: Desk, query = ""): Promise<Flag[]> =>
  dataOf(await at.get(`/fleet/flags?limit=100&${query}`)) as unknown as Flag[];
const only = async (at: Desk, query: string): Promise<Flag> => {
  const [flag, more] = await list(at, query);
  if (flag === undefined || more !== undefined) throw new Error(`not one flag: ${query}`);
  return flag;
};

/** A parked credit, an overrun limit, a fork, an unknown card, a card under review. */
async function queue(config?: Readonly<Record<string, string>>) {
  const venue = await open(config === undefined ? {} : { config });
  const at = new Desk(venue);
  const station = await venue.working("station");
  const till = await venue.working("terminal");
  await venue.policy({ singleTxLimit: 4_000 });
  const chain = await venue.loaded(station, till, 50_000);
  const fork = chain.fork();
  await till.hand(chain.debit(5_000));
  venue.clock.advance(100);
  await till.upload(fork.debit(2_000), { ...fork.debit(1), cardId: "00000000dead" });
  await till.hand(chain.credit(9_000));
  venue.clock.advance(100);
  const second = await venue.card(station);
  await station.report({ eventType: "replay", cardId: second.cardId });
  return { venue, at, station, till, chain, cardId: chain.cardId, reviewed: second.cardId };
}

describe("looking", () => {
  test("every member, with evidence", async () => {
    const { at, till, chain, cardId } = await queue();
    const flag = await only(at, "reason=counter_conflict&kind=quarantine");
    const events = dataOf(await at.get(`/fleet/events?cardId=${cardId}&outcome=rejected`));
    const [refused] = events as { id: string; batchId: string; hash: string; timestamp: string }[];
    const [recorded] = dataOf(
      await at.get(`/fleet/events?cardId=${cardId}&type=debit&outcome=flagged`),
    ) as {
      hash: string;
      timestamp: string;
    }[];
    expect<unknown>(flag).toEqual({
      ...{ id: flag.id, kind: "quarantine", reason: "counter_conflict", severity: "high" },
      ...{ status: "open", cardId, terminalId: till.terminalId, eventId: refused?.id },
      ...{ batchId: refused?.batchId, counter: 4, amount: 2_000, raisedAt: iso(startSec + 100) },
      ...{ decidedAt: null, decidedBy: null, note: null },
      evidence: {
        event: {
          ...{ counter: 4, type: "debit", amount: 2_000, balanceAfter: 48_000 },
          ...{ timestamp: refused?.timestamp, hash: refused?.hash },
        },
        conflict: {
          ...{ counter: 4, type: "debit", amount: 5_000, balanceAfter: 45_000 },
          ...{ timestamp: recorded?.timestamp, hash: recorded?.hash },
        },
        ...{ limit: null, total: null, fromCounter: null, toCounter: null, since: null },
      },
    });
    expect<unknown>((await at.get(`/fleet/flags/${flag.id}`)).json).toEqual(flag);
    const limit = (await only(at, "reason=single_tx_limit_exceeded")) as unknown as {
      evidence: object;
    };
    expect(limit.evidence).toMatchObject({ event: { amount: 5_000 }, limit: 4_000, total: 5_000 });
    expect(chain.cardId).toBe(cardId);
  });

  test("a card under review has the range of counters, and no event", async () => {
    const { at, reviewed } = await queue();
    const flag = await only(at, "reason=under_review");
    expect(flag).toMatchObject({ cardId: reviewed, eventId: null, batchId: null, kind: "flag" });
    expect(flag).toHaveProperty("evidence.since", iso(startSec + 200 - 7 * 86_400));
  });

  test("filters, alone and together, in pages; totals are exact", async () => {
    const { venue, at, station, till, cardId, reviewed } = await queue();
    const closed = await only(at, "reason=op_not_allowed");
    await at.post(`/fleet/flags/${closed.id}/approve`, { note: "x" });
    const whole = await list(at);
    expect(whole.map(({ id }) => id)).toEqual(
      whole
        .map(({ id }) => id)
        .toSorted()
        .toReversed(),
    );
    expect(whole.map(({ reason }) => reason).toSorted()).toEqual([
      ...["counter_conflict", "counter_conflict", "single_tx_limit_exceeded"],
      ...["unauthorised_credit", "under_review", "unknown_card"],
    ]);
    const cases: [query: string, isDue: (flag: Flag) => boolean][] = [
      ["status=open", () => true],
      ["status=dismissed", () => false],
      ["kind=quarantine", ({ kind }) => kind === "quarantine"],
      ["kind=flag", ({ kind }) => kind === "flag"],
      ["reason=counter_conflict", ({ reason }) => reason === "counter_conflict"],
      ["reason=clock_drift", () => false],
      ["severity=high", ({ severity }) => severity === "high"],
      ["severity=low", ({ severity }) => severity === "low"],
      ["severity=high&kind=quarantine", (f) => f.severity === "high" && f.kind === "quarantine"],
      [`cardId=${cardId}`, (f) => f.cardId === cardId],
      [`cardId=${cardId}&severity=high`, (f) => f.cardId === cardId && f.severity === "high"],
      ["cardId=00000000dead", (f) => f.cardId === "00000000dead"],
      [`terminalId=${till.terminalId}`, (f) => f.terminalId === till.terminalId],
      [`terminalId=${station.terminalId}`, (f) => f.cardId === reviewed],
      [`terminalId=${station.terminalId}&cardId=${cardId}`, () => false],
      [
        `terminalId=${till.terminalId}&kind=flag`,
        (f) => f.terminalId === till.terminalId && f.kind === "flag",
      ],
      ["terminalId=65535", () => false],
      [`from=${iso(startSec + 200)}`, (f) => f.cardId === reviewed],
      [`to=${iso(startSec + 100)}`, (f) => f.reason === "single_tx_limit_exceeded"],
      [
        `from=${iso(startSec + 100)}&to=${iso(startSec + 200)}&severity=medium`,
        (f) => f.severity === "medium",
      ],
      [`from=${iso(startSec + 9_000)}`, () => false],
    ];
    for (const [query, isDue] of cases) {
      const due = whole.filter(isDue);
      const answer = await at.get(`/fleet/flags?limit=100&${query}`);
      expect<unknown>([query, answer.json]).toEqual([
        query,
        { data: due, meta: { cursor: null, hasMore: false, total: due.length } },
      ]);
      const paged: Flag[] = [];
      for (let cursor = ""; ; ) {
        const page = await at.get(`/fleet/flags?limit=1&${query}${cursor && `&cursor=${cursor}`}`);
        paged.push(...(dataOf(page) as unknown as Flag[]));
        const meta = page.json.meta as { cursor: string; hasMore: boolean };
        if (!meta.hasMore) break;
        cursor = meta.cursor;
      }
      expect(paged).toEqual(due);
    }
    expect((await list(at, "status=approved")).map(({ id }) => id)).toEqual([closed.id]);
    expect(await venue.flags("open")).toHaveLength(whole.length);
  });

  test("400 names the parameter; 404", async () => {
    const at = new Desk(await open());
    const bad: [query: string, field: string, code: string][] = [
      ["status=closed", "status", "NOT_ALLOWED"],
      ["kind=x", "kind", "NOT_ALLOWED"],
      ["reason=duplicate", "reason", "NOT_ALLOWED"],
      ["severity=grave", "severity", "NOT_ALLOWED"],
      ["cardId=x", "cardId", "INVALID_FORMAT"],
      ["terminalId=0", "terminalId", "TOO_SMALL"],
      ["from=yesterday", "from", "INVALID_FORMAT"],
      ["decidedBy=x", "decidedBy", "UNKNOWN_PARAMETER"],
    ];
    for (const [query, field, code] of bad) {
      const answer = await at.get(`/fleet/flags?${query}`);
      expect([query, answer.outcome]).toEqual([query, "400 validation-error"]);
      expect(answer.json.errors).toMatchObject([{ field, code }]);
    }
    expect((await at.get(`/fleet/flags/${nobody}`)).outcome).toBe("404 not-found");
    expect((await at.get("/fleet/flags/x")).outcome).toBe("404 not-found");
  });
});

describe("deciding", () => {
  test("approving parked money books it; audit and event name the caller", async () => {
    const { venue, at, cardId } = await queue();
    const { id } = await only(at, "reason=unauthorised_credit");
    const answer = await at.post(`/fleet/flags/${id}/approve`, { note: "seen it" });
    const [{ uuid: by = "" } = {}] = await venue.rows<{ uuid: string }>(
      "SELECT uuid FROM user_account WHERE email = 'owner@example.com'",
    );
    expect(answer.outcome).toBe("200");
    expect(answer.json).toMatchObject({
      ...{ id, status: "approved", decidedBy: by, note: "seen it", decidedAt: iso(startSec + 200) },
    });
    expect(await venue.books()).toMatchObject({ [`${cardId} available`]: 54_000 });
    const [record] = await venue.rows<{ actor: string; pii: string }>(
      `SELECT d.actor_id AS actor, d.pii FROM audit a JOIN audit_detail d ON d.seq = a.seq
       AND d.tenant_id = a.tenant_id WHERE a.action = 'fleet.flag.decided'`,
    );
    expect([record?.actor, JSON.parse(record?.pii ?? "{}").ip]).toEqual([by, expect.any(String)]);
    const [told] = await venue.rows<{ data: string }>(
      "SELECT data FROM published_event WHERE type = 'fleet.flag.decided'",
    );
    expect(JSON.parse(told?.data ?? "{}")).toMatchObject({
      ...{ flagId: id, decision: "approved", actor: { type: "user", id: by } },
    });
    const again = await at.post(`/fleet/flags/${id}/dismiss`, { note: "x" });
    expect([again.outcome, again.json.state]).toEqual(["409 wrong-state", "approved"]);
  });

  test("dismissing parked money blocks the card, unless told not to", async () => {
    for (const block of [undefined, true, false]) {
      const { venue, at, cardId } = await queue();
      const { id } = await only(at, "reason=unauthorised_credit");
      const body = { note: "x", ...(block !== undefined && { block }) };
      expect((await at.post(`/fleet/flags/${id}/dismiss`, body)).outcome).toBe("200");
      const { status } = (await at.get(`/fleet/cards/${cardId}`)).json;
      expect(status).toBe(block === false ? "ACTIVE" : "BLOCKED_FRAUD");
      expect(await venue.books()).not.toHaveProperty("suspense");
    }
  });

  test("still-rejected: it stays open, and nothing is written", async () => {
    const { venue, at } = await queue();
    const { id } = await only(at, "reason=unknown_card");
    const before = await venue.actions();
    const answer = await at.post(`/fleet/flags/${id}/approve`, { note: "x" });
    expect(answer.outcome).toBe("409 still-rejected");
    expect((await at.get(`/fleet/flags/${id}`)).json).toMatchObject({ status: "open", note: null });
    expect(await venue.actions()).toEqual(before);
  });

  test("a refused debit is booked beside the chain", async () => {
    const { venue, at, cardId } = await queue();
    const { id } = await only(at, "reason=counter_conflict&kind=quarantine");
    expect((await at.post(`/fleet/flags/${id}/approve`, { note: "x" })).outcome).toBe("200");
    expect(await venue.books()).toMatchObject({ [`${cardId} available`]: 43_000 });
  });

  test("what moves money needs money.credit; what does not, does not", async () => {
    const { at } = await queue();
    const clerk = await at.colleague("clerk@example.com", [
      "fleet.flags.read",
      "fleet.flags.decide",
    ]);
    const parked = await only(at, "reason=unauthorised_credit");
    const fork = await only(at, "reason=counter_conflict&kind=quarantine");
    const shown = await only(at, "reason=counter_conflict&kind=flag");
    for (const [id, verb] of [
      [parked.id, "approve"],
      [parked.id, "dismiss"],
      [fork.id, "approve"],
    ]) {
      const answer = await clerk.post(`/fleet/flags/${id}/${verb}`, { note: "x" });
      expect(answer.outcome).toBe("403 forbidden");
      expect(answer.json.detail).toContain("money.credit");
    }
    expect((await clerk.post(`/fleet/flags/${shown.id}/approve`, { note: "x" })).outcome).toBe(
      "200",
    );
    expect((await clerk.post(`/fleet/flags/${fork.id}/dismiss`, { note: "x" })).outcome).toBe(
      "200",
    );
    const payer = await at.colleague("payer@example.com", ["fleet.flags.decide", "money.credit"]);
    expect((await payer.post(`/fleet/flags/${parked.id}/approve`, { note: "x" })).outcome).toBe(
      "200",
    );
  });

  test("what moves money needs a verified address", async () => {
    const { at } = await queue({ KARTU_REQUIRE_VERIFIED_EMAIL: "true" });
    const parked = await only(at, "reason=unauthorised_credit");
    const shown = await only(at, "reason=counter_conflict&kind=flag");
    const permissions = ["fleet.flags.decide", "money.credit"];
    const clerk = await at.colleague("clerk@example.com", permissions);
    const approve = (id: string) => clerk.post(`/fleet/flags/${id}/approve`, { note: "x" });
    expect((await approve(parked.id)).outcome).toBe("403 email-not-verified");
    expect((await approve(shown.id)).outcome).toBe("200");
  });

  test("what moves money is nobody's who acts as another", async () => {
    const venue = await open();
    const at = new Desk(venue);
    const other = await venue.addTenant();
    const chain = await other.loaded(
      await other.working("station"),
      await other.working("gate"),
      9,
    );
    const till = await other.working("terminal");
    await till.hand(chain.credit(100));
    const [{ tenantId = "" } = {}] = await venue.rows<{ tenantId: string }>(
      `SELECT uuid AS tenantId FROM tenant WHERE tenant_id = ${other.tenantId}`,
    );
    const lent = await at.post("/auth/impersonate", { tenantId, reason: "support_request" });
    const authorization = `Bearer ${lent.json.accessToken}`;
    const approve = async (reason: string) => {
      const { id } = await other.flag(reason);
      const headers = { authorization, "content-type": "application/json" };
      const request = new Request(`http://localhost/api/v1/fleet/flags/${id}/approve`, {
        ...{ method: "POST", body: '{"note":"x"}', headers },
      });
      return (await (await venue.serving.app.handle(request)).json()) as Record<string, unknown>;
    };
    expect((await approve("unauthorised_credit")).type).toContain("/impersonation-restricted");
    expect(await approve("op_not_allowed")).toMatchObject({ status: "approved" });
  });

  test("a repeat under its key is one decision", async () => {
    const { venue, at } = await queue();
    const { id } = await only(at, "reason=unauthorised_credit");
    const headers = newKey();
    const send = () => at.send("POST", `/fleet/flags/${id}/approve`, { note: "x" }, headers);
    const first = await send();
    expect((await send()).text).toBe(first.text);
    expect(await venue.actions("fleet.flag.decided")).toHaveLength(1);
  });

  test("400 names the field, and nothing is decided", async () => {
    const { venue, at } = await queue();
    const { id } = await only(at, "reason=unauthorised_credit");
    const bad: [path: string, body: object, field: string, code: string][] = [
      [`${id}/approve`, {}, "note", "REQUIRED"],
      [`${id}/approve`, { note: "" }, "note", "TOO_SHORT"],
      [`${id}/approve`, { note: "x".repeat(1_001) }, "note", "TOO_LONG"],
      [`${id}/approve`, { note: "x", block: true }, "block", "UNKNOWN_FIELD"],
      [`${id}/dismiss`, { note: "x", block: "no" }, "block", "INVALID_TYPE"],
      ["decide", { ids: [], decision: "approve", note: "x" }, "ids", "TOO_FEW"],
      ["decide", { ids: [id, id], decision: "approve", note: "x" }, "ids[1]", "DUPLICATE"],
      ["decide", { ids: ["x"], decision: "approve", note: "x" }, "ids[0]", "INVALID_FORMAT"],
      ["decide", { ids: [id], decision: "maybe", note: "x" }, "decision", "NOT_ALLOWED"],
      ["decide", { ids: [id], decision: "approve" }, "note", "REQUIRED"],
      [
        "decide",
        {
          ids: Array.from({ length: 101 }, () => crypto.randomUUID()),
          decision: "approve",
          note: "x",
        },
        "ids",
        "TOO_MANY",
      ],
    ];
    for (const [path, body, field, code] of bad) {
      const answer = await at.post(`/fleet/flags/${path}`, body);
      expect([path, answer.outcome]).toEqual([path, "400 validation-error"]);
      expect(answer.json.errors).toMatchObject([{ field, code }]);
    }
    expect(await venue.actions("fleet.flag.decided")).toEqual([]);
    expect((await at.post(`/fleet/flags/${nobody}/approve`, { note: "x" })).outcome).toBe(
      "404 not-found",
    );
    expect((await at.post(`/fleet/flags/${nobody}/dismiss`, { note: "x" })).outcome).toBe(
      "404 not-found",
    );
  });
});

describe("deciding in bulk", () => {
  const decide = (at: Desk, ids: readonly string[], decision = "approve") =>
    at.post("/fleet/flags/decide", { ids, decision, note: "bulk" });

  test("200 with every flag where none fails", async () => {
    const { venue, at } = await queue();
    const ids = (await list(at))
      .filter(({ reason }) => reason !== "unknown_card")
      .map(({ id }) => id);
    const answer = await decide(at, ids);
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({
      data: ids.map((id, index) => ({ index, status: 200, result: { id, status: "approved" } })),
      meta: { succeeded: ids.length, failed: 0 },
    });
    expect(await venue.flags("open")).toHaveLength(1);
  });

  test("207: each stands alone, a full problem for each that fails", async () => {
    const { venue, at } = await queue();
    const unknown = await only(at, "reason=unknown_card");
    const parked = await only(at, "reason=unauthorised_credit");
    const fork = await only(at, "reason=counter_conflict&kind=quarantine");
    const answer = await decide(at, [unknown.id, parked.id, nobody, fork.id]);
    expect(answer.status).toBe(207);
    const [first, second, third, fourth] = dataOf(answer);
    expect(answer.json.meta).toEqual({ succeeded: 2, failed: 2 });
    expect(first).toMatchObject({
      ...{ index: 0, status: 409 },
      problem: {
        ...{ title: "Still Rejected", status: 409, instance: "/api/v1/fleet/flags/decide#/0" },
      },
    });
    expect(second).toMatchObject({ index: 1, status: 200, result: { status: "approved" } });
    expect(third).toMatchObject({ index: 2, status: 404, problem: { title: "Not Found" } });
    expect(fourth).toMatchObject({ index: 3, result: { id: fork.id, status: "approved" } });
    expect((await decide(at, [parked.id])).json).toMatchObject({
      data: [{ status: 409, problem: { title: "Wrong State", state: "approved" } }],
    });
    expect((await venue.flags("open")).map(({ id }) => id)).toContain(unknown.id);
  });

  test("without money.credit what moves money is refused, the rest is done", async () => {
    const { at } = await queue();
    const clerk = await at.colleague("clerk@example.com", ["fleet.flags.decide"]);
    const parked = await only(at, "reason=unauthorised_credit");
    const limit = await only(at, "reason=single_tx_limit_exceeded");
    const answer = await decide(clerk, [parked.id, limit.id], "dismiss");
    expect(answer.json).toMatchObject({
      data: [{ status: 403, problem: { title: "Forbidden" } }, { status: 200 }],
      meta: { succeeded: 1, failed: 1 },
    });
  });
});

test("another tenant's flags are not there; each permission is needed", async () => {
  const { venue, at, cardId } = await queue();
  const other = await venue.addTenant();
  const station = await other.working("station");
  const till = await other.working("terminal");
  const chain = await other.loaded(station, till, 5_000);
  await till.hand(chain.credit(100));
  const theirs = (await otherFlag(other))?.id ?? "";
  expect((await at.get(`/fleet/flags/${theirs}`)).outcome).toBe("404 not-found");
  for (const verb of ["approve", "dismiss"]) {
    const answer = await at.post(`/fleet/flags/${theirs}/${verb}`, { note: "x" });
    expect(answer.outcome).toBe("404 not-found");
  }
  expect(await list(at, `cardId=${chain.cardId}`)).toEqual([]);
  const bulk = await at.post("/fleet/flags/decide", {
    ids: [theirs],
    decision: "approve",
    note: "x",
  });
  expect(dataOf(bulk)).toMatchObject([{ status: 404 }]);

  const own = (await list(at, `cardId=${cardId}`))[0]?.id ?? "";
  const reader = await at.colleague("reader@example.com", ["fleet.flags.read"]);
  const decider = await at.colleague("decider@example.com", ["fleet.flags.decide"]);
  for (const path of ["", `/${own}`]) {
    expect((await reader.get(`/fleet/flags${path}`)).outcome).toBe("200");
    expect((await decider.get(`/fleet/flags${path}`)).outcome).toBe("403 forbidden");
  }
  for (const path of [`${own}/approve`, `${own}/dismiss`]) {
    expect((await reader.post(`/fleet/flags/${path}`, { note: "x" })).outcome).toBe(
      "403 forbidden",
    );
  }
  const body = { ids: [own], decision: "approve", note: "x" };
  expect((await reader.post("/fleet/flags/decide", body)).outcome).toBe("403 forbidden");
});

const otherFlag = async (tenant: Pick<Venue, "flags">) => (await tenant.flags("open"))[0];
