/**
 * What the server has given so far, by what it is called, so that it can be handed back: ids, cursors,
 * tags, tokens, links. Of each kind the newest few, so that memory is bounded.
 */
import type { Random } from "../../src/sim/random.ts";

const keptMax = 48;
const kindsMax = 5_000;
const depthMax = 8;
const mark = "\u0001";

/** A place in a text for some value of a kind. */
export const refText = (kind: string): string => `${mark}${kind}${mark}`;

const refs = /\u0001([^\u0001]*)\u0001/g;
export const hasRef = (text: string): boolean => text.includes(mark);

type Value = string | number;

/** The last word of a name, as the collection that has such ids: `fromWalletId` → `wallets`. */
function nounOf(name: string): string | undefined {
  const word = /([A-Z]?[a-z]+)_?[Ii]ds?$/.exec(name)?.[1]?.toLowerCase();
  return word === undefined ? undefined : `${word.replace(/y$/, "ie")}s`;
}

/** The collection that a path's last id belongs to: of `/api/v1/users/{id}/block` `users`. */
export function collectionOf(path: string): string {
  const steps = path.split("/").filter((step) => step !== "");
  const at = steps.findLastIndex((step) => step.startsWith("{"));
  const noun = (at > 0 ? steps[at - 1] : steps.at(-1)) ?? "";
  return /\/(credit|debit|hold|confirm|cancel|reversal|transfers)$/.test(path) || noun === "holds"
    ? "transactions"
    : noun;
}

/** Names under which the same thing goes. */
const alike: Readonly<Record<string, readonly string[]>> = {
  apiKey: ["key"],
  client_id: ["id clients"],
  client_secret: ["clientSecret"],
  refresh_token: ["refreshToken"],
  redirect_uri: ["redirectUris"],
  redirectUri: ["redirectUris"],
  newCardId: ["freshCardId"],
  tenant_id: ["id tenants", "tenantId"],
  parentId: ["id tenants"],
  role: ["name roles"],
  roles: ["name roles"],
  scopeId: ["id zones", "id devices"],
  since: ["version"],
  route: ["operationId"],
  ids: ["id flags"],
  lastEventId: ["sequence"],
};

type Shelf = Map<string, { readonly values: Value[]; next: number }>;

/** Where an answer comes from. */
interface From {
  readonly noun: string;
  readonly path: string;
  readonly isHome: boolean;
}

export class Pool {
  #home: Shelf = new Map();
  #abroad: Shelf = new Map();

  /** @param ignored values that are never learnt */
  constructor(
    private readonly random: Random,
    private readonly ignored: ReadonlySet<Value> = new Set(),
  ) {}

  add(kind: string, value: Value, isHome = true): void {
    if (this.ignored.has(value)) return;
    const shelf = isHome ? this.#home : this.#abroad;
    const known = shelf.get(kind);
    if (known === undefined) {
      if (shelf.size < kindsMax) shelf.set(kind, { values: [value], next: 0 });
      return;
    }
    const { values } = known;
    if (values.includes(value)) return;
    if (values.length < keptMax) values.push(value);
    else {
      values[known.next] = value;
      known.next = (known.next + 1) % keptMax;
    }
  }

  /** Others come on: what was at home is abroad now. */
  move(): void {
    this.#abroad = this.#home;
    this.#home = new Map();
  }

  /** Takes out of an answer all that could be asked with. @param path template of the call's path */
  learn(path: string, value: unknown, isHome = true): void {
    this.#walk({ noun: collectionOf(path), path, isHome }, "", value, 0);
  }

  #walk(from: From, name: string, value: unknown, depth: number): void {
    if (depth > depthMax || value === null) return;
    if (Array.isArray(value)) {
      for (const item of value.slice(0, 5)) this.#walk(from, name, item, depth + 1);
    } else if (typeof value === "object") {
      for (const [key, inner] of Object.entries(value)) {
        this.#walk(from, key, inner, depth + 1);
      }
    } else if (typeof value === "number") this.add(`number ${name}`, value, from.isHome);
    else if (typeof value === "string" && value.length <= 4_000) this.#text(from, name, value);
  }

  #text({ noun, path, isHome }: From, name: string, value: string): void {
    if (name === "id" || name === "name") this.add(`text ${name} ${noun}`, value, isHome);
    if (name === "cursor") this.add(`text cursor ${path}`, value, isHome);
    this.add(`text ${name}`, value, isHome);
    if (!/^https?:|^\/./.test(value)) return;
    const [, link] = /^(?:http:\/\/127\.0\.0\.1:\d+)?(\/(?!\/)[\x21-\x7e]*)$/.exec(value) ?? [];
    if (link !== undefined) this.add("link", link, isHome);
    const query = value.indexOf("?");
    if (query < 0) return;
    for (const [key, inner] of new URLSearchParams(value.slice(query)))
      this.add(`text ${key}`, inner, isHome);
  }

  /** The nth value of a kind, by any name that it may go under. */
  #find(kind: string, nth: number, isHome: boolean): Value | undefined {
    const [type = "", name = "", noun] = kind.split(" ");
    const named = noun === undefined ? undefined : this.#nth(kind, nth, isHome);
    if (named !== undefined) return named;
    if (type !== "text") return this.#nth(`${type} ${name}`, nth, isHome);
    for (const also of alike[name] ?? []) {
      const found = this.#nth(`text ${also}`, nth, isHome);
      if (found !== undefined) return found;
    }
    const own = this.#nth(`text ${name}`, nth, isHome);
    const collection = nounOf(name);
    const same =
      collection === undefined ? undefined : this.#nth(`text id ${collection}`, nth, isHome);
    // Some are known by both names.
    const found = nth % 3 === 0 ? (same ?? own) : (own ?? same);
    return found ?? (name.endsWith("d") ? this.random.uuid() : undefined);
  }

  #nth(kind: string, nth: number, isHome: boolean): Value | undefined {
    // Now and then what is another's.
    const [first, second] =
      isHome === nth % 9 > 0 ? [this.#home, this.#abroad] : [this.#abroad, this.#home];
    const values = (first.get(kind) ?? second.get(kind))?.values;
    return values?.[nth % values.length];
  }

  /**
   * A text with values in place of its references.
   * @param spell how a value is written there
   * @param own the value of a kind that depends on who asks
   * @param isHome whether one of the house asks
   */
  fill(
    text: string,
    spell: (value: Value) => string,
    own: (kind: string, nth: number) => string | undefined,
    isHome = true,
  ): string {
    return text.replaceAll(refs, (_, kind: string) => {
      const nth = this.random.uint32();
      const given = own(kind, nth);
      if (given !== undefined) return given;
      return spell(this.#find(kind, nth, isHome) ?? (kind.startsWith("number") ? nth % 10 : "x"));
    });
  }
}
