/**
 * Who calls in a walk of hostile calls: everybody of one house and its devices, the platform's owner,
 * another tenant, strangers; and what they may know. A cast is used up, as people are blocked and devices
 * suspended on the way, so a new one comes on now and then.
 */
import type { Estate } from "../surface/estate.ts";
import { House } from "../surface/house.ts";
import { doorsOf } from "../surface/knock/table.ts";
import { password, rootEmail } from "../surface/served.ts";
import { type Operation, operatorBase } from "./document.ts";
import type { Caller } from "./plan.ts";
import type { Pool } from "./pool.ts";

export interface Identity {
  readonly token: string | null;
  /** Of a device. */
  readonly terminalId?: number;
}

/** JSON texts by what they are for: `event`, `body POST /api/v1/users`. */
export type Texts = Map<string, string[]>;

const keptTexts = 24;

function keep(texts: Texts, kind: string, text: string): void {
  const known = texts.get(kind) ?? [];
  texts.set(kind, [...known, text].slice(-keptTexts));
}

/** Right calls of every operation are made ready: what is in them can be called with. */
export async function learnKnocks(
  estate: Estate,
  house: House,
  operations: readonly Operation[],
  pool: Pool,
  texts: Texts,
): Promise<void> {
  for (const { route, row, base } of doorsOf(estate)) {
    const path = base + route.path.replaceAll(/:(\w+)/g, "{$1}");
    const operation = operations.find(({ name }) => name === `${route.method} ${path}`);
    if (operation === undefined) continue;
    const knock = await row.make(house);
    const [asked = "", query = ""] = (base + knock.path).split("?");
    for (const [at, step] of asked.split("/").entries()) {
      const name = operation.steps[at] ?? "";
      if (!name.startsWith("{")) continue;
      const upTo = operation.steps.slice(0, at + 1).join("/");
      pool.learn(upTo, { [name.slice(1, -1)]: step });
    }
    const body = knock.body ?? knock.form ?? {};
    pool.learn(path, { ...body, ...Object.fromEntries(new URLSearchParams(query)) });
    keep(texts, `body ${operation.name}`, JSON.stringify(body));
  }
}

export class Cast {
  private constructor(
    private readonly estate: Estate,
    public house: House,
    private readonly who: Map<Caller, Identity>,
  ) {}

  static async of(estate: Estate, other: House, texts: Texts): Promise<Cast> {
    const house = await estate.house();
    const desk = await house.desk();
    const { station, till, venue } = desk;
    for (let cards = 0; cards < 3; cards++) {
      const chain = await venue.loaded(station, till, 50_000);
      // Not handed in yet: whoever does is the first.
      const events = [chain.debit(1_000), chain.debit(2_000), chain.checkout(), chain.checkin()];
      for (const event of [...events, chain.debit(500), chain.debit(600)]) {
        keep(texts, "event", JSON.stringify(event));
      }
    }
    for (let at = 0; at < 4; at++) {
      const draft = { deviceId: house.name("fresh"), role: "gate" };
      const { secret } = await house.made<{ secret: string }>("/fleet/devices", draft);
      keep(texts, "body POST /api/auth/token", JSON.stringify({ ...draft, secret }));
      const createdAt = estate.clock.nowMs() / 1_000;
      const card = { cardId: house.cardId(), name: "Siti", createdAt, keyVersion: 1 };
      const body = { ...card, userId: await venue.member() };
      keep(texts, "body POST /api/cards", JSON.stringify(body));
    }
    const who = new Map<Caller, Identity>([
      ["other", { token: other.owner }],
      ["station", station],
      ["till", till],
      ["garbage", { token: "eyJhbGciOiJFUzI1NiJ9.e30.AAAA" }],
    ]);
    const cast = new Cast(estate, house, who);
    for (const each of mortals) await cast.#make(each);
    return cast;
  }

  of(who: Caller): Identity {
    return this.who.get(who) ?? { token: null };
  }

  /** Makes somebody new in place of one whose token is good no more. @throws where nobody can be made */
  async revive(who: Caller): Promise<void> {
    const { estate, house } = this;
    if (who === "owner") this.house = await House.signedIn(estate, house.ownerEmail, password);
    if (who === "root") estate.root = await House.signedIn(estate, rootEmail, password);
    await this.#make(who);
  }

  async #make(who: Caller): Promise<void> {
    const made = await this.#made(who);
    if (made !== undefined) this.who.set(who, made);
  }

  async #made(who: Caller): Promise<Identity | undefined> {
    const { estate, house } = this;
    switch (who) {
      case "owner":
        return { token: house.owner };
      case "root":
        return { token: estate.root.owner };
      case "admin":
      case "member":
        return { token: await house.token([who]) };
      case "holder": {
        const { name } = await house.role(["users.list", "money.wallets.read"]);
        return { token: await house.token([name]) };
      }
      case "key":
        return { token: await house.machine() };
      case "app":
        return { token: (await house.application()).access_token };
      case "station":
      case "till":
      case "gate":
      case "scout":
      case "suspended":
        return this.#device(who);
      default:
        return undefined;
    }
  }

  async #device(who: "station" | "till" | "gate" | "scout" | "suspended"): Promise<Identity> {
    const { house } = this;
    const { venue } = await house.desk();
    if (who === "scout") return venue.device(who);
    if (who !== "suspended") return venue.working(who === "till" ? "terminal" : who);
    const { deviceId, token, terminalId } = await venue.working("terminal");
    const path = "/fleet/devices?limit=100";
    const { data } = await this.estate.ok<{ data: { id: string; deviceId: string }[] }>(
      "GET",
      path,
      {
        token: house.owner,
      },
    );
    const id = data.find((each) => each.deviceId === deviceId)?.id;
    await house.made(`/fleet/devices/${id}/suspend`, { reason: "Lost" });
    return { token, terminalId };
  }
}

/** Who is made for each cast. */
const mortals: readonly Caller[] = [
  ...(["owner", "root", "admin", "member", "holder", "key", "app"] as const),
  ...(["gate", "suspended", "scout"] as const),
];

/** Rows that each tenant gets of what is done to all. */
const everyones: Readonly<Record<string, string>> = {
  published_event: "AND type NOT LIKE 'platform.%'",
};

/** A tenant that nobody of the cast belongs to: nothing of it may change, or be shown. */
export class Witness {
  private constructor(
    readonly house: House,
    /** Its ids by collection. */
    readonly ids: ReadonlyMap<string, readonly string[]>,
  ) {}

  static async of(
    estate: Estate,
    mark: string,
    operations: readonly Operation[],
  ): Promise<Witness> {
    const house = await estate.house();
    const desk = await house.desk();
    await desk.card();
    await desk.flag();
    await desk.report();
    await house.made("/fleet/zones", { name: `Zone ${mark}` });
    await house.made("/fleet/members", { name: `Member ${mark}` });
    await house.made("/fleet/devices", { deviceId: house.name(mark), role: "gate", name: mark });
    await house.made("/roles", { name: house.name("role"), displayName: mark, permissions: [] });
    await house.made("/api-keys", { name: mark, roles: ["admin"] });
    await house.made("/users", { email: `w-${mark}@example.com`, name: mark, roles: ["member"] });
    await house.fleet("policies");
    await house.hold();
    await house.made("/fleet/settlement/runs", house.pastDay());
    await house.rateLimit();
    const ids = new Map<string, string[]>();
    for (const { method, path, steps } of operations) {
      if (method !== "GET" || !path.startsWith(operatorBase) || path.includes("{")) continue;
      const response = await estate.send("GET", path, { token: house.owner }, true);
      if (response.headers.get("content-type") !== "application/json") {
        await response.body?.cancel();
        continue;
      }
      const { data } = (await response.json()) as { data?: unknown };
      const rows = Array.isArray(data) ? (data as { id?: unknown }[]) : [];
      const found = rows.flatMap(({ id }) =>
        typeof id === "string" && id.length === 36 ? [id] : [],
      );
      if (found.length > 0) ids.set(steps.at(-1) ?? "", found);
    }
    // Whoever knows of an application may begin a sign-in with it, which is a row.
    ids.delete("clients");
    return new Witness(house, ids);
  }

  /** Every row that is its own, by table, as number and digest. */
  async rows(estate: Estate): Promise<Record<string, string>> {
    const all: Record<string, string> = {};
    for (const table of await estate.tables()) {
      const columns = await estate.rows<{ name: string }>(
        `SELECT name FROM pragma_table_info('${table}')`,
      );
      if (!columns.some(({ name }) => name === "tenant_id")) continue;
      const rows = await estate.rows(
        `SELECT * FROM ${table} WHERE tenant_id = ${this.house.tenantNo} ${everyones[table] ?? ""} ORDER BY 1, 2`,
      );
      const text = JSON.stringify(rows, (_, value) =>
        value instanceof Uint8Array ? value.toHex() : (value as unknown),
      );
      all[table] = `${rows.length} rows, ${Bun.SHA256.hash(text, "hex").slice(0, 16)}`;
    }
    return all;
  }
}
