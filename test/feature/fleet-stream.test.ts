/** The live stream of the venue: what comes, who sees what, going on where one was. */
import { afterEach, expect, test } from "bun:test";
import { type Venue, venues } from "../harness.ts";
import { Desk } from "./desk.ts";

const open = venues();

interface Frame {
  readonly id: number | undefined;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** A client that reads frames one by one. */
class Client {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #text = "";

  constructor(readonly response: Response) {
    if (response.body === null) throw new Error("no body");
    this.#chunks = response.body[Symbol.asyncIterator]();
  }

  /** The next frame that is no ping; undefined at the end. */
  async next(): Promise<Frame | undefined> {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end < 0) {
        const { done, value } = await this.#chunks.next();
        if (done) return undefined;
        this.#text += new TextDecoder().decode(value);
        continue;
      }
      const frame = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + 2);
      if (frame.startsWith(":")) continue;
      const line = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(frame)?.[1];
      const id = line("id");
      return {
        id: id === undefined ? undefined : Number(id),
        event: line("event") ?? "",
        data: JSON.parse(line("data") ?? "{}"),
      };
    }
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}

const clients: Client[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
});

async function listen(
  venue: Venue,
  query = "",
  headers: Record<string, string> = {},
): Promise<Client> {
  const at = new Desk(venue);
  const authorization = `Bearer ${await at.token()}`;
  const url = `${venue.serving.url}/api/v1/fleet/stream${query}`;
  const response = await fetch(url, { headers: { authorization, ...headers } });
  if (response.status !== 200) throw new Error(`no stream: ${await response.text()}`);
  const client = new Client(response);
  clients.push(client);
  return client;
}

const busy = async () => {
  const venue = await open();
  const station = await venue.working("station");
  const till = await venue.working("terminal");
  return { venue, at: new Desk(venue), station, till };
};

test("events as they happen, each an envelope on one line", async () => {
  const { venue, at, station } = await busy();
  const client = await listen(venue);
  expect(client.response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  const { cardId } = await venue.card(station);
  await at.post(`/fleet/cards/${cardId}/block`, { reason: "lost" });
  const member = await client.next();
  const registered = await client.next();
  const blocked = await client.next();
  expect([member?.event, registered?.event]).toEqual([
    "fleet.member.created",
    "fleet.card.registered",
  ]);
  const [{ uuid: tenantId = "" } = {}] = await venue.rows<{ uuid: string }>(
    "SELECT uuid FROM tenant WHERE tenant_id = 1",
  );
  const [{ id = "", no = 0 } = {}] = await venue.rows<{ id: string; no: number }>(
    "SELECT uuid AS id, event_no AS no FROM published_event WHERE type = 'fleet.card.blocked'",
  );
  expect(blocked).toEqual({
    ...{ id: no, event: "fleet.card.blocked" },
    data: {
      ...{ id, eventId: id, seq: no, type: "fleet.card.blocked", topic: "platform.fleet.events" },
      ...{ source: "kartu", tenantId, schemaVersion: "1.0.0", traceId: null },
      timestamp: new Date(venue.clock.nowMs()).toISOString(),
      data: {
        ...{ cardId, status: "BLOCKED_ADMIN", reason: "lost", terminalId: null },
        actor: { type: "user", id: expect.any(String) },
      },
    },
  });
});

test("goes on behind Last-Event-ID, by header or query, and misses none", async () => {
  const { venue, station } = await busy();
  const client = await listen(venue);
  await venue.card(station);
  const first = await client.next();
  await client.close();
  await venue.card(station);
  const due = await venue.rows<{ no: number }>(
    `SELECT event_no AS no FROM published_event WHERE event_no > ${first?.id} AND type LIKE 'fleet.%'
     ORDER BY event_no`,
  );
  expect(due.length).toBeGreaterThan(2);
  for (const again of [
    await listen(venue, "", { "last-event-id": String(first?.id) }),
    await listen(venue, `?lastEventId=${first?.id}`),
  ]) {
    for (const { no } of due) expect((await again.next())?.id).toBe(no);
  }
});

test("positions that are gone: a gap first, then what there is", async () => {
  const { venue, station } = await busy();
  await venue.card(station);
  await venue.kartu.store.write((tx) =>
    tx.run({ name: "test.drop", sql: "DELETE FROM published_event WHERE event_no <= 3" }),
  );
  const [{ no = 0 } = {}] = await venue.rows<{ no: number }>(
    "SELECT min(event_no) AS no FROM published_event",
  );
  const client = await listen(venue, "?lastEventId=1");
  expect(await client.next()).toEqual({ id: undefined, event: "gap", data: { oldest: no } });
  expect((await client.next())?.id).toBeGreaterThanOrEqual(no);
});

test("from the beginning there is no gap where nothing is gone", async () => {
  const { venue } = await busy();
  const client = await listen(venue, "?lastEventId=0");
  expect((await client.next())?.event).toMatch(/^fleet\./);
});

test("types, and one terminal alone; nothing outside fleet", async () => {
  const { venue, at, station, till } = await busy();
  const cards = await listen(venue, "?types=fleet.card.*,fleet.flag.raised");
  const one = await listen(venue, `?terminalId=${till.terminalId}`);
  const outside = await listen(venue, "?types=auth.*,fleet.card.blocked");
  await at.post("/roles", { name: "clerk", permissions: ["fleet.cards.read"] });
  const chain = await venue.loaded(station, till, 5_000);
  await till.hand(chain.credit(100));
  await at.post(`/fleet/cards/${chain.cardId}/block`, { reason: "x" });
  const seen: string[] = [];
  for (let frame = await cards.next(); ; frame = await cards.next()) {
    seen.push(frame?.event ?? "");
    if (frame?.event === "fleet.card.blocked") break;
  }
  expect(seen).toEqual([
    ...["fleet.card.registered", "fleet.card.topped_up", "fleet.flag.raised", "fleet.flag.raised"],
    "fleet.card.blocked",
  ]);
  const first = await one.next();
  expect(first?.event).toBe("fleet.batch.reconciled");
  expect(first?.data).toHaveProperty("data.terminalId", till.terminalId);
  expect((await outside.next())?.event).toBe("fleet.card.blocked");
});

test("another tenant's events are its own", async () => {
  const { venue, station } = await busy();
  const other = await venue.addTenant();
  const client = await listen(venue);
  await other.card(await other.working("station"));
  await venue.card(station);
  const [{ uuid: own = "" } = {}] = await venue.rows<{ uuid: string }>(
    "SELECT uuid FROM tenant WHERE tenant_id = 1",
  );
  for (const event of ["fleet.member.created", "fleet.card.registered"]) {
    expect(await client.next()).toMatchObject({ event, data: { tenantId: own } });
  }
});

test("a ticket opens it once; the permission is needed; bad filters are 400", async () => {
  const { venue, at } = await busy();
  const { json } = await at.post("/auth/stream-ticket", {});
  const url = `${venue.serving.url}/api/v1/fleet/stream?ticket=${json.ticket}`;
  const first = await fetch(url);
  clients.push(new Client(first));
  expect(first.status).toBe(200);
  expect((await fetch(url)).status).toBe(401);
  const clerk = await at.colleague("clerk@example.com", ["fleet.cards.read"]);
  expect((await clerk.get("/fleet/stream")).outcome).toBe("403 forbidden");
  for (const [query, field, code] of [
    ["types=", "types", "INVALID_FORMAT"],
    ["types=Fleet", "types", "INVALID_FORMAT"],
    ["types=fleet.card.*,", "types", "INVALID_FORMAT"],
    ["terminalId=0", "terminalId", "TOO_SMALL"],
    ["lastEventId=x", "lastEventId", "INVALID_FORMAT"],
    ["from=1", "from", "UNKNOWN_PARAMETER"],
  ]) {
    const answer = await at.get(`/fleet/stream?${query}`);
    expect([query, answer.outcome]).toEqual([query, "400 validation-error"]);
    expect(answer.json.errors).toMatchObject([{ field, code }]);
  }
});
