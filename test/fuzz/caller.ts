/**
 * Makes calls of plans: with the values that the server gave before, by whom the plan names, spelt as
 * the place asks in which each stands.
 */
import type { Random } from "../../src/sim/random.ts";
import type { Cast, Identity, Texts, Witness } from "./cast.ts";
import { aliasBase, type Operation, operatorBase } from "./document.ts";
import type { Plan } from "./plan.ts";
import { hasRef, type Pool, refText } from "./pool.ts";
import { bytesOf, type Wire } from "./wire.ts";
import { oddTypes, pathGames } from "./word.ts";

/** What a call can be made with. */
export interface Known {
  readonly pool: Pool;
  readonly texts: Texts;
  readonly witness: Witness;
  readonly random: Random;
}

export interface Called {
  readonly wire: Wire;
  readonly token: string | null;
  /** It is made together with the one before it, under the same key. */
  readonly isTwin?: true;
}

type Spell = (value: string | number) => string;

const inJson: Spell = (value) => JSON.stringify(value);
const inUrl: Spell = (value) => encodeURIComponent(value);
const asItIs: Spell = (value) => String(value);

export class Calling {
  constructor(private readonly known: Known) {}

  #fill(text: string, spell: Spell, who: Plan["who"], identity: Identity): string {
    const { pool, texts, witness, random } = this.known;
    // Whoever may reach the witness must not be handed its ids.
    const isBelow = who !== "root" && who !== "learnt";
    return pool.fill(
      text,
      spell,
      (kind, nth) => {
        if (kind === "uuid") return random.uuid();
        if (kind === "number terminalId" && nth % 5 > 0) return identity.terminalId?.toString();
        if (kind === "event" || kind.startsWith("body ")) {
          const known = texts.get(kind) ?? ["{}"];
          return known[nth % known.length];
        }
        if (!isBelow || nth % 11 > 0 || !kind.startsWith("text id ")) return undefined;
        const foreign = witness.ids.get(kind.slice("text id ".length));
        return foreign === undefined ? undefined : spell(foreign[nth % foreign.length] ?? "");
      },
      isOfHouse(who),
    );
  }

  #identity({ who }: Plan, cast: Cast): Identity {
    if (who !== "learnt") return cast.of(who);
    const { pool, random } = this.known;
    const kind = random.pick(["accessToken", "access_token", "token"]);
    const token = pool.fill(refText(`text ${kind}`), asItIs, () => undefined);
    return { token };
  }

  /** One call, or two that are to be made at once. */
  calls(operation: Operation, plan: Plan, cast: Cast, isAlias: boolean): Called[] {
    const { who, twist } = plan;
    const identity = this.#identity(plan, cast);
    const fill = (text: string, spell: Spell): string => this.#fill(text, spell, who, identity);
    const method = twist.kind === "method" ? twist.method : operation.method;
    const target = this.#target(operation, plan, isAlias, (text) => inPlace(text, fill));
    const isRead = method === "GET" || method === "HEAD" || method === "OPTIONS";
    let text: string | null = null;
    if (!isRead) {
      if (plan.body !== null) text = fill(plan.body, inJson);
      // What takes no body is told so with anything else than these.
      else if (twist.kind !== "none" && twist.kind !== "twice") text = "{}";
    }
    const headers = this.#headers(operation, plan, text, identity, (each) => fill(each, asItIs));
    const stream = twist.kind === "stream" ? twist : null;
    const made = (from: string | null): Wire => {
      const isForm = operation.body?.media.endsWith("urlencoded") === true;
      const spelt = from === null || !isForm ? from : formOf(from);
      const body = spelt === null ? null : bytesOf(spelt, plan);
      return { who, method, target, headers, body, stream };
    };
    const first = { wire: made(text), token: identity.token };
    if (twist.kind !== "twice") return [first];
    const other =
      twist.isSame || text === null
        ? text
        : text.replace(/\d/, (digit) => `${(Number(digit) + 1) % 10}`);
    return [first, { wire: made(other), token: identity.token, isTwin: true }];
  }

  /** A call of a link that an answer held; undefined as long as there was none. */
  link(cast: Cast): Called | undefined {
    const target = this.known.pool.fill(refText("link"), asItIs, () => undefined);
    const { token } = cast.of("owner");
    if (!target.startsWith("/") || token === null) return undefined;
    const headers = [["authorization", `Bearer ${token}`]] as const;
    return {
      wire: { who: "owner", method: "GET", target, headers, body: null, stream: null },
      token,
    };
  }

  #target(
    { path, parameters }: Operation,
    { params, query, twist }: Plan,
    isAlias: boolean,
    fill: (text: string) => string,
  ): string {
    const names = parameters.filter((each) => each.in === "path").map(({ name }) => name);
    let asked = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
      return fill(params[names.indexOf(name)] ?? "x");
    });
    if (isAlias && asked.startsWith(operatorBase))
      asked = aliasBase + asked.slice(operatorBase.length);
    if (twist.kind === "path") asked = pathGames[twist.at]?.(asked) ?? asked;
    const pairs = query.map(([name, text]) => `${name}=${fill(text)}`);
    if (twist.kind === "query") pairs.push(twist.text);
    return pairs.length === 0 ? asked : `${asked}?${pairs.join("&")}`;
  }

  #headers(
    operation: Operation,
    plan: Plan,
    text: string | null,
    { token }: Identity,
    fill: (text: string) => string,
  ): [string, string][] {
    const { twist } = plan;
    const headers: [string, string][] = plan.headers.map(([name, value]) => [
      name.toLowerCase(),
      fill(value),
    ]);
    const has = (name: string): boolean => headers.some(([known]) => known === name);
    if (token !== null && !has("authorization")) headers.push(["authorization", `Bearer ${token}`]);
    if (text !== null) {
      const type =
        twist.kind === "type" ? twist.type : (operation.body?.media ?? oddTypes[5] ?? "");
      if (type !== null) headers.push(["content-type", type]);
    }
    if (twist.kind === "coded" && twist.isTold) headers.push(["content-encoding", twist.coding]);
    if (twist.kind === "twice" && !has("idempotency-key")) {
      headers.push(["idempotency-key", this.known.random.uuid()]);
    }
    return headers;
  }
}

const outsiders: readonly Plan["who"][] = ["root", "other", "stranger", "garbage", "learnt"];

/** Whether what they are told is of the house. */
export const isOfHouse = (who: Plan["who"]): boolean => !outsiders.includes(who);

/** A parameter's text where it stands in a URL; around references as it would be encoded. */
const inPlace = (text: string, fill: (text: string, spell: Spell) => string): string =>
  text
    .split(/(\u0001[^\u0001]*\u0001)/)
    .map((part) => (hasRef(part) ? fill(part, inUrl) : encode(part)))
    .join("");

/** Percent-encoded; half a surrogate pair, which has no UTF-8, as three bytes that are none. */
function encode(text: string): string {
  return text.isWellFormed() ? encodeURIComponent(text) : "%ed%a0%80";
}

/** The members of a JSON object as a form; other text as it is. */
function formOf(json: string): string {
  try {
    const value: unknown = JSON.parse(json);
    if (value === null || typeof value !== "object") return json;
    return new URLSearchParams(
      Object.entries(value).map(([name, inner]): [string, string] => [
        name,
        typeof inner === "string" ? inner.toWellFormed() : JSON.stringify(inner),
      ]),
    ).toString();
  } catch {
    return json;
  }
}
