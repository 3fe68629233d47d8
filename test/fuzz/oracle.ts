/**
 * What every answer must be, whatever was asked: described by its document, of the right shape, without
 * a word of what was sent or of how the server is built. Says what is wrong with one; asks nobody else.
 */
import { type Operation, surfaceOf, type Targets } from "./document.ts";
import { asked, Judge } from "./judge.ts";
import { schemaOf } from "./plan.ts";
import { pathOf, type Seen, type Wire } from "./wire.ts";
import { canary, marker } from "./word.ts";

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** What tells of the inside: places in files, words of the engine, values that nobody meant. */
const inside =
  /\bat \w[\w.]* \(|node_modules|\.ts:\d|SQLITE_|SQLiteError|TypeError|RangeError|\[object |\bundefined\b|\bNaN\b/;

export class Oracle {
  readonly #given = new Judge();
  readonly #asked = new Judge(asked);

  constructor(private readonly targets: Targets) {}

  /** What is wrong with an answer; empty: nothing. */
  judge(wire: Wire, seen: Seen, token: string | null): string[] {
    const { status, headers, text } = seen;
    const path = pathOf(wire);
    const wrong: string[] = [];
    if (status >= 500) wrong.push(`a ${status}`);
    if (!uuid.test(headers.get("x-request-id") ?? "")) wrong.push("no X-Request-ID");
    if (headers.get("x-content-type-options") !== "nosniff") wrong.push("no nosniff");
    if (headers.get("cache-control") === null) wrong.push("no Cache-Control");
    const type = headers.get("content-type");
    const isJson = type !== null && /json$/.test(type);
    const value = isJson && text !== "" ? readJson(text) : undefined;
    if (isJson && text !== "" && value === undefined) wrong.push("no JSON");
    if (text !== "" && type === null) wrong.push("a body of no type");
    if (isJson && inside.test(text)) wrong.push(`tells of the inside: ${inside.exec(text)?.[0]}`);
    if (wire.who !== "root" && wire.who !== "learnt" && text.includes(marker)) {
      wrong.push("shows what is another tenant's");
    }
    const found = this.targets.find(wire.method, path);
    if (status >= 400) wrong.push(...this.#error(wire, seen, path, value, token));
    if (found === undefined) return [...wrong, ...missed(status, this.targets.has(path))];
    const { operation } = found;
    if (operation.answers === null) return [...wrong, ...ofPage(operation, status)];
    return [...wrong, ...this.#described(operation, wire, seen, value)];
  }

  #error(
    { method }: Wire,
    { status, headers, text }: Seen,
    path: string,
    value: unknown,
    token: string | null,
  ): string[] {
    const wrong: string[] = [];
    const all = `${text}${JSON.stringify([...headers])}`;
    if (all.includes(canary) && !path.includes(canary)) wrong.push("echoes what was sent");
    if (token !== null && token.length > 20 && all.includes(token)) wrong.push("echoes the token");
    if (status === 401 && !headers.has("www-authenticate")) wrong.push("no WWW-Authenticate");
    if (status === 405 && !headers.has("allow")) wrong.push("no Allow");
    if (status === 429 || status === 503) {
      if (!/^[1-9]\d*$/.test(headers.get("retry-after") ?? "")) wrong.push("no Retry-After");
    }
    if (method === "HEAD") return wrong;
    const type = headers.get("content-type");
    // Pages for people say so in their own way.
    if (type?.startsWith("text/html")) return wrong;
    const body =
      value !== null && typeof value === "object" ? (value as Record<string, unknown>) : {};
    if (surfaceOf(path) === "device") {
      const isRight = typeof body.error === "string" && typeof body.message === "string";
      if (!isRight || type !== "application/json") wrong.push("not {error, message}");
      return wrong;
    }
    const texts = [body.type, body.title, body.detail, body.instance, body.traceId];
    const isRight = texts.every((each) => typeof each === "string") && body.status === status;
    if (!isRight || type !== "application/problem+json") wrong.push("no problem document");
    return wrong;
  }

  #described(operation: Operation, wire: Wire, seen: Seen, value: unknown): string[] {
    const { status, headers, text } = seen;
    const answer = operation.answers?.get(status);
    if (answer === undefined) return [`${status} is not described`];
    // Of a batch each item is judged by itself, after the call was let in.
    if (status < 300 && status !== 207) {
      const taken = this.#taken(operation, wire);
      if (taken !== "") return [taken];
    }
    if (wire.method === "HEAD" || text === "") return [];
    const type = headers.get("content-type") ?? "";
    const schema = answer.content.get(type) ?? answer.content.get(type.split(";")[0] ?? "");
    if (schema === undefined) return [`${status} ${type} is not described`];
    if (value === undefined) return [];
    const faults = this.#given.faults(operation, schema, value);
    if (faults !== "") return [`${status} is not as described: ${faults}`];
    if (status < 400 || answer.codes.size === 0) return [];
    const { error, type: about } = value as { error?: string; type?: string };
    const code = about?.split("/").at(-1) ?? error ?? "";
    return answer.codes.has(code) ? [] : [`${status} ${code} is not described`];
  }

  /** What a call that was answered as right should have been refused for. */
  #taken(operation: Operation, wire: Wire): string {
    const { body, headers } = wire;
    const { schema, media } = operation.body ?? {};
    const isCoded = headers.some(([name]) => name === "content-encoding");
    if (isCoded && body !== null) return "a compressed body was taken";
    if (schema !== undefined && media === "application/json" && body !== null && body.length > 0) {
      const given = readJson(Buffer.from(body).toString());
      if (given === undefined) return "what is no JSON was taken";
      const faults = this.#asked.faults(operation, schema, given);
      if (faults !== "") return `what its document refuses was taken: ${faults}`;
    }
    const [, query = ""] = wire.target.split("?", 2);
    // Others' protocols leave alone what they don't know.
    if (query === "" || /oauth\/authorize|auth\/callback|openid-configuration/.test(operation.path))
      return "";
    const seen = new Set<string>();
    for (const [name, text] of new URLSearchParams(query)) {
      const expected = schemaOf(operation, "query", name);
      if (expected === undefined && name !== "ticket")
        return "a parameter that is not described was taken";
      if (seen.has(name) && expected?.type !== "array") return "a parameter was taken twice";
      seen.add(name);
      if (expected === undefined || expected.type === "array") continue;
      const isPlain = expected.type === "string" || expected.type === undefined;
      const faults = this.#asked.faults(
        operation,
        expected,
        isPlain ? text : (readJson(text) ?? text),
      );
      if (faults !== "")
        return `a parameter that its document refuses was taken: ${name} ${faults}`;
    }
    return "";
  }
}

/** What no document describes is there for everybody, or not there. */
function ofPage({ method, surface }: Operation, status: number): string[] {
  const right = method === "HEAD" && surface === "device" ? [405] : [200, 304, 400, 404];
  return right.includes(status) ? [] : [`${status} of a page`];
}

function missed(status: number, isKnown: boolean): string[] {
  const right = isKnown ? [405, 204] : [404];
  return right.includes(status) ? [] : [`${status} where nothing is`];
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
