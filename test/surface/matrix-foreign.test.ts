/**
 * Every id of another tenant in every place that takes one: the answer is that to an id which nobody has,
 * to the letter, nothing of the other moves, and nothing of it shows.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { querySchemaOf } from "../../src/http/platform/surface.ts";
import type { DeviceUnderTest, TenantUnderTest } from "../harness.ts";
import { Estate } from "./estate.ts";
import type { House } from "./house.ts";
import type { Knock } from "./knock/knock.ts";
import { changed } from "./knock/send.ts";
import { type Door, doorsOf } from "./knock/table.ts";
import { Live, type Knock as LiveKnock } from "./live.ts";
import { digestsOf } from "./matrix/digest.ts";
import { fieldsOfDevices, fieldsOfOperators } from "./matrix/field.ts";
import { type ForeignRow, foreignOfDevices, foreignRows, longLists } from "./matrix/foreign.ts";

/** Of the same form, and nobody's. */
function nobodys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(nobodys);
  if (typeof value !== "string") return 60_000;
  if (/^[0-9a-f]{12}$/.test(value)) return "fade00000001";
  return "01936d7a-ffff-7000-8000-000000000001";
}

/** The call with a value in one place: `query.zoneId`, `body.items[].toWalletId`, `path.id`. */
function placed(knock: Knock, place: string, value: unknown): Knock {
  const [where = "", ...way] = place.split(".");
  if (where === "query") {
    const [path = "", query = ""] = knock.path.split("?");
    const parameters = new URLSearchParams(query);
    parameters.set(way.join("."), String(value));
    return { ...knock, path: `${path}?${parameters}` };
  }
  if (knock.form !== undefined) {
    return { ...knock, form: { ...knock.form, [way[0] ?? ""]: String(value) } };
  }
  return { ...knock, body: set(knock.body ?? {}, way, value) as Record<string, unknown> };
}

function set(target: unknown, [step = "", ...way]: readonly string[], value: unknown): unknown {
  const name = step.replace("[]", "");
  const members = target as Readonly<Record<string, unknown>>;
  if (way.length === 0) return { ...members, [name]: value };
  if (!step.endsWith("[]")) return { ...members, [name]: set(members[name], way, value) };
  const items = members[name] as readonly unknown[];
  return { ...members, [name]: items.map((item) => set(item, way, value)) };
}

interface Seen {
  /** `404 not-found` */
  readonly outcome: string;
  /** The whole answer, but for what is every call's own and the id itself. */
  readonly text: string;
}

describe("on the operator surface", () => {
  let estate: Estate;
  let mine: House;
  let theirs: House;
  let doors: Door[];

  beforeAll(async () => {
    estate = await Estate.open();
    mine = await estate.house();
    theirs = await estate.house();
    doors = doorsOf(estate);
  });
  afterAll(() => estate.close());

  async function see(
    { row, route: { method }, base }: Door,
    { path, body, form, token }: Knock,
    ids: readonly unknown[],
  ): Promise<Seen> {
    const headers = row.keyed ? { "idempotency-key": crypto.randomUUID() } : undefined;
    const sent = {
      ...(row.may === "public" ? {} : { token: token ?? mine.owner }),
      ...(method !== "GET" && body !== undefined && { body }),
      ...(form !== undefined && { form }),
      ...(headers !== undefined && { headers }),
    };
    const response = await estate.send(method, base + path, sent, true);
    let text = await response.text();
    const type = (text.startsWith("{") ? JSON.parse(text) : {}).type as string | undefined;
    for (const id of ids.flat()) text = text.replaceAll(String(id), "<id>");
    text = text.replaceAll(/"(traceId|instance)":"[^"]*"/g, '"$1"');
    const slug = response.status < 400 ? "" : ` ${type?.split("/").at(-1)}`;
    return { outcome: `${response.status}${slug}`, text };
  }

  interface Cell {
    readonly name: string;
    readonly door: Door;
    readonly answers: string;
    readonly theirs: Knock;
    readonly nobodys: Knock;
    readonly ids: readonly unknown[];
    readonly writes: boolean;
  }

  /** Both calls, and what they must answer; null where a field can't name anything of another's. */
  async function cellOf(name: string): Promise<Cell | string | null> {
    const [operation = "", place = ""] = [
      name.slice(0, name.lastIndexOf(" ")),
      name.slice(name.lastIndexOf(" ") + 1),
    ];
    const door = doors.find((each) => each.name === operation);
    if (door === undefined) return `${operation} has no row`;
    if (place.startsWith("path.")) return await pathCell(name, door);
    if (place === "query.cursor") return await cursorCell(name, door);
    const row: ForeignRow | undefined = foreignRows[name];
    if (row === undefined) return `${name} has no row`;
    if ("apart" in row) return null;
    const foreign = await row.of(theirs);
    const unknown = row.unknown ?? nobodys(foreign);
    const call = async (): Promise<Knock> => {
      const knock = await (row.call ?? door.row.make)(mine);
      // What else the usual call asks for would hide what this one finds.
      return place.startsWith("query.")
        ? { ...knock, path: knock.path.split("?")[0] ?? "" }
        : knock;
    };
    return {
      ...{ name, door, answers: row.answers, writes: row.writes === true },
      theirs: placed(await call(), place, foreign),
      nobodys: placed(await call(), place, unknown),
      ids: [foreign, unknown],
    };
  }

  const anyId = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=\/)[0-9a-f]{12}(?=\/|\?|$)/;

  async function pathCell(name: string, door: Door): Promise<Cell | string | null> {
    if (door.row.shared === true) return null;
    const { token: _token, ...knock } = await door.row.make(theirs);
    const id = anyId.exec(knock.path)?.[0];
    if (id === undefined) return `${name}: no id in ${knock.path}`;
    const unknown = nobodys(id);
    const nobodysKnock = { ...knock, path: knock.path.replace(id, String(unknown)) };
    const calls = { theirs: knock, nobodys: nobodysKnock };
    return {
      ...{ name, door, answers: "404 not-found", writes: false, ids: [id, unknown] },
      ...calls,
    };
  }

  async function cursorCell(name: string, door: Door): Promise<Cell | string> {
    const cursor = await cursorOf(door);
    if (typeof cursor !== "string") return `${name}: no second page`;
    const bare = { path: await barely(door, mine) };
    const last = cursor.at(-1) === "A" ? "B" : "A";
    const tampered = `${cursor.slice(0, -2)}${last}${last}`;
    return {
      ...{ name, door, answers: "400 invalid-cursor", writes: false, ids: [cursor, tampered] },
      theirs: placed(bare, "query.cursor", cursor),
      nobodys: placed(bare, "query.cursor", tampered),
    };
  }

  /** Where the second page of their list begins; where there is none, more is made first. */
  async function cursorOf(door: Door): Promise<string | null> {
    const long = longLists[door.name];
    const path = await (long === undefined ? barely(door, theirs) : long(theirs));
    const page = async (): Promise<string | null> => {
      const at = `${door.base}${path}${path.includes("?") ? "&" : "?"}limit=1`;
      const response = await estate.send("GET", at, { token: theirs.owner }, true);
      const { meta } = (await response.json()) as { meta: { cursor: string | null } };
      return meta.cursor;
    };
    const maker = doors.find(({ name }) => name === door.name.replace("GET", "POST"));
    for (let made = 0; made < 2; made += 1) {
      const cursor = await page();
      if (cursor !== null || maker === undefined) return cursor;
      const { path: to, body = {} } = await maker.row.make(theirs);
      await theirs.made(to, body);
    }
    return await page();
  }

  /** The path of a list, with as much of the query as it can't do without. */
  async function barely(door: Door, house: House): Promise<string> {
    const { path } = await door.row.make(house);
    const required = querySchemaOf(door.route)?.required as readonly string[] | undefined;
    return required === undefined ? (path.split("?")[0] ?? "") : path;
  }

  const isCell = (cell: Cell | string | null): cell is Cell =>
    typeof cell === "object" && cell !== null;

  async function walk(cells: readonly Cell[]): Promise<string[]> {
    const complaints: string[] = [];
    for (const { name, door, answers, ids, writes, ...knocks } of cells) {
      const theirsSeen = await see(door, knocks.theirs, ids);
      const nobodysSeen = await see(door, knocks.nobodys, ids);
      if (theirsSeen.outcome !== answers) {
        complaints.push(`${name}: ${theirsSeen.outcome}, not ${answers}: ${theirsSeen.text}`);
      }
      if (nobodysSeen.outcome !== answers) {
        complaints.push(`${name}: ${nobodysSeen.outcome}, not ${answers}, of nobody's`);
      }
      if (!writes && theirsSeen.text !== nobodysSeen.text) {
        complaints.push(`${name}: theirs ${theirsSeen.text}, nobody's ${nobodysSeen.text}`);
      }
    }
    return complaints;
  }

  test("every field that names something has a row, and every row a field", async () => {
    const fields = fieldsOfOperators(estate.routes);
    expect(Object.keys(foreignRows).filter((name) => !fields.includes(name))).toEqual([]);
    const free = fields.filter((name) => !/ path\.| query\.cursor$/.test(name));
    expect(free.filter((name) => foreignRows[name] === undefined)).toEqual([]);
  });

  test("another tenant's is nobody's, in path, query and body, and nothing moves", async () => {
    const made: (Cell | string | null)[] = [];
    for (const name of fieldsOfOperators(estate.routes)) made.push(await cellOf(name));
    expect(made.filter((cell) => typeof cell === "string")).toEqual([]);
    const cells = made.filter(isCell);
    const before = await estate.everything();
    expect(await walk(cells.filter(({ writes }) => !writes))).toEqual([]);
    expect(await changed(estate, before)).toEqual([]);
    const digests = await digestsOf(estate, theirs.tenantNo);
    expect(await walk(cells.filter(({ writes }) => writes))).toEqual([]);
    expect(await digestsOf(estate, theirs.tenantNo)).toEqual(digests);
    process.stderr.write(`matrix: foreign ids: ${cells.length} of ${made.length} fields\n`);
  }, 120_000);

  test("a card whose id two tenants have is two cards", async () => {
    const cardId = "2b2b2b2b2b2b";
    const [here, there] = [await mine.desk(), await theirs.desk()];
    const card = await here.venue.card(here.station, { cardId });
    const admin = card.admin();
    await here.station.topup(cardId, 10_000);
    await here.station.hand(admin, card.credit(10_000));
    await here.till.hand(card.checkin());
    const clone = card.fork();
    await here.till.upload(card.debit(1_000));
    const conflict = clone.debit(2_000);
    await here.till.upload(conflict);
    const path = `/fleet/flags?cardId=${cardId}&kind=quarantine`;
    const token = mine.owner;
    const { data } = await estate.ok<{ data: { id: string }[] }>("GET", path, { token });
    await mine.made(`/fleet/flags/${data[0]?.id}/approve`, { note: "It happened" });
    await here.till.report({ eventType: "write_failure", cardId });
    const before = await digestsOf(estate, mine.tenantNo);

    await there.venue.card(there.station, { cardId });
    const lists = ["events", "flags", "reports"].map((noun) => `/fleet/${noun}?cardId=${cardId}`);
    for (const list of [...lists, `/fleet/cards/${cardId}/timeline`]) {
      const answer = await estate.ok<{ meta: { total: number } }>("GET", list, {
        token: theirs.owner,
      });
      expect([list, answer.meta.total]).toEqual([list, list.endsWith("timeline") ? 1 : 0]);
    }
    const { json: read } = await there.station.read(cardId);
    expect(read).toMatchObject({ counter: 0, balance: 0, state: "IDLE", needsValidation: false });
    // Decided on there, unheard of here.
    const { json: taken } = await there.till.upload(conflict);
    expect([taken.accepted, taken.rejected]).toEqual([1, 0]);
    await there.till.report({ eventType: "tamper", cardId });
    await theirs.made(`/fleet/cards/${cardId}/block`, { reason: "Lost" });
    expect(await digestsOf(estate, mine.tenantNo)).toEqual(before);
    expect((await here.station.read(cardId)).json).toMatchObject({ status: "ACTIVE" });
  });

  test("a number that two tenants have finds one's own alone", async () => {
    for (const house of [mine, theirs]) {
      const desk = await house.desk();
      await desk.flag();
      await desk.report();
    }
    const shown = async (path: string, { owner: token }: House): Promise<string[]> => {
      const { data } = await estate.ok<{ data: unknown[] }>("GET", path, { token });
      return JSON.stringify(data).match(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g) ?? [];
    };
    const fields = fieldsOfOperators(estate.routes).filter((name) =>
      /^GET [^:]* query\.(?:terminalId|userId|keyVersion)$/.test(name),
    );
    expect(fields.length).toBeGreaterThan(5);
    for (const name of fields) {
      const [path = "", place = ""] = name.slice("GET ".length).split(" ");
      if (path.endsWith("/stream") || path === "/wallets") continue;
      const days = path.endsWith("/settlement") ? "?from=2025-05-01&to=2025-05-08" : "";
      // Numbers of the station and the till.
      for (const number of [1, 2]) {
        const at = placed({ path: path + days }, place, number).path;
        const ours = await shown(at, mine);
        expect([at, (await shown(at, theirs)).filter((id) => ours.includes(id))]).toEqual([at, []]);
      }
    }
  });

  test("what is nobody's to one is there for the other", async () => {
    const blind: string[] = [];
    for (const [name, row] of Object.entries(foreignRows)) {
      if ("apart" in row || !/^GET [^:]* query\./.test(name)) continue;
      const [path = "", place = ""] = name.slice("GET ".length).split(" ");
      const { path: at } = placed({ path }, place, await row.of(theirs));
      const { meta } = await estate.ok<{ meta: { total: number } }>("GET", at, {
        token: theirs.owner,
      });
      if (meta.total === 0) blind.push(name);
    }
    expect(blind).toEqual([]);
  });
});

describe("on the device surface", () => {
  let live: Live;
  let other: TenantUnderTest;
  let stranger: DeviceUnderTest;
  let ownCardId: string;
  let userId: number;

  beforeAll(async () => {
    live = await Live.open();
    other = await live.venue.addTenant();
    stranger = await other.working("station");
    ownCardId = (await other.card(stranger)).cardId;
    userId = await live.venue.member();
  });
  afterAll(() => live.close());

  /** The value of this venue for a row, and the call that a device of another would make with a value. */
  async function callsOf(name: string, device: DeviceUnderTest) {
    const [method = "", pattern = "", place = ""] = name.split(" ");
    const route = live.routes.find((each) => each.method === method && each.path === pattern);
    if (route === undefined) throw new Error(`no route for ${name}`);
    const { card, topupId, devices } = live;
    const knock = await live.knock(route);
    const values: Readonly<Record<string, unknown>> = {
      "path.cardId": card.cardId,
      "path.topupId": topupId,
      "body.cardId": card.cardId,
      "body.events[].cardId": card.cardId,
      "body.userId": userId,
      "body.terminalId": devices.terminal.terminalId,
    };
    const value = values[place];
    const asking = (sent: unknown): LiveKnock => {
      const isTopup = place === "path.topupId";
      const from = String(isTopup ? card.cardId : value);
      let path = knock.path.replace(from, isTopup ? ownCardId : String(sent));
      if (isTopup) path = path.replace(topupId, String(sent));
      const asked = knock.body && "terminalId" in knock.body && { terminalId: device.terminalId };
      const body = knock.body && { ...knock.body, ...asked };
      const isBody = place.startsWith("body.") && body !== undefined;
      const changed = isBody ? set(body, place.slice("body.".length).split("."), sent) : body;
      const all = changed as Readonly<Record<string, unknown>> | undefined;
      return { method, path, token: device.token, ...(all && { body: all }) };
    };
    return { value, asking };
  }

  async function see(knock: LiveKnock, ids: readonly unknown[]): Promise<Seen> {
    const response = await live.send(knock);
    let text = await response.text();
    const { error = "" } = text === "" ? {} : (JSON.parse(text) as { error?: string });
    for (const id of ids) text = text.replaceAll(String(id), "<id>");
    text = text.replaceAll(/"batchId":"[^"]*"/g, '"batchId"');
    return { outcome: `${response.status}${error && ` ${error}`}`, text };
  }

  test("every field that names something has a row, and every row a field", () => {
    expect(Object.keys(foreignOfDevices).sort()).toEqual(fieldsOfDevices(live.routes).sort());
  });

  test("another tenant's is nobody's, and nothing moves", async () => {
    const rows = Object.entries(foreignOfDevices).flatMap(([name, row]) =>
      "apart" in row ? [] : [{ name, answers: row.answers }],
    );
    const cells = await Promise.all(
      rows.map(async (row) => ({ ...row, ...(await callsOf(row.name, stranger)) })),
    );
    const before = await digestsOf(live.venue, live.venue.tenantId);
    const complaints: string[] = [];
    for (const { name, answers, value, asking } of cells) {
      const unknown = nobodys(value);
      const theirs = await see(asking(value), [value, unknown]);
      const nobody = await see(asking(unknown), [value, unknown]);
      if (theirs.outcome !== answers) complaints.push(`${name}: ${theirs.outcome}`);
      if (nobody.text !== theirs.text) complaints.push(`${name}: ${theirs.text}, ${nobody.text}`);
    }
    expect(complaints).toEqual([]);
    expect(await digestsOf(live.venue, live.venue.tenantId)).toEqual(before);
    process.stderr.write(`matrix: foreign ids of devices: ${cells.length} fields\n`);
  });

  test("another device's is not one's own", async () => {
    const second = await live.venue.working("station");
    const names = [
      "POST /api/reconcile body.terminalId",
      "POST /api/terminal-report body.terminalId",
    ];
    for (const name of names) {
      const { value, asking } = await callsOf(name, second);
      expect([name, (await see(asking(value), [])).outcome]).toEqual([
        name,
        "403 terminal_mismatch",
      ]);
    }
    const cancel = await live.knock(live.route("cancelTopup"));
    expect(await live.outcome(Live.by(second, cancel))).toBe("403 terminal_mismatch");
  });
});
