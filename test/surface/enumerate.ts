/**
 * What a stranger can tell answers apart by: an answer as it stands on the wire, line by line in its
 * order, without what is new in every answer; and what the server did for it: looks at the file, writes,
 * passwords.
 */
import { spyOn } from "bun:test";
import type { Kartu } from "../../src/app.ts";
import type { Reader, Writer } from "../../src/store/seam.ts";
import { ask } from "../wire/socket.ts";

export interface Asked {
  readonly method?: string;
  /** Whole. */
  readonly path: string;
  readonly token?: string;
  readonly body?: unknown;
  readonly form?: Readonly<Record<string, string>>;
  /** In place of both, with its media type. */
  readonly text?: string;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The media type and the bytes of what is sent. */
function contentOf({ body, form, text, type }: Asked): [type: string, text: string] {
  if (text !== undefined) return [type ?? "text/plain", text];
  if (form !== undefined) {
    return ["application/x-www-form-urlencoded", String(new URLSearchParams(form))];
  }
  return ["application/json", body === undefined ? "" : JSON.stringify(body)];
}

/** A request as it goes out. */
export function requestOf(asked: Asked): string {
  const { method = "POST", path, token, headers = {} } = asked;
  const [type, text] = contentOf(asked);
  const bytes = Buffer.from(text);
  const lines = [
    `${method} ${path} HTTP/1.1`,
    "Host: kartu.test",
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
    ...(text === "" ? [] : [`Content-Type: ${type}`, `Content-Length: ${bytes.length}`]),
  ];
  return `${lines.join("\r\n")}\r\n\r\n${bytes.toString("latin1")}`;
}

const isOwn = (name: string): boolean => /^(?:date|x-request-id|x-trace-id)$/i.test(name);

/** The answer as text; `hide` is what the caller sent and may get back, such as the id in the path. */
export async function told(url: string, asked: Asked, ...hide: string[]): Promise<string> {
  const { status, headers, body } = await ask(url, requestOf(asked));
  const lines = headers.map(([name, value]) => (isOwn(name) ? name : `${name}: ${value}`));
  const text = [status, ...lines, "", body].join("\n");
  return hide
    .filter((each) => each !== "")
    .reduce((left, each) => left.replaceAll(each, "…"), text)
    .replace(/"traceId":"[0-9a-f]{32}"/, '"traceId":"…"')
    .replace(/Content-Length: \d+/, hide.length > 0 ? "Content-Length" : "$&");
}

/** How often the server does what takes time, and could be seen by the time it takes. */
export class Work {
  #reads = 0;
  #writes = 0;
  #looks = 0;
  readonly #verify;
  readonly #hash;

  constructor({ store, passwords }: Pick<Kartu, "store" | "passwords">) {
    const read = store.read.bind(store);
    const write = store.write.bind(store);
    this.#verify = spyOn(passwords, "verify");
    this.#hash = spyOn(passwords, "hash");
    spyOn(store, "read").mockImplementation((work) => {
      this.#reads += 1;
      return read((q) => work(this.#counting(q)));
    });
    spyOn(store, "write").mockImplementation((work, options) => {
      this.#writes += 1;
      return write((tx: Writer) => work(this.#counting(tx)), options);
    });
  }

  #counting<Q extends Reader>(q: Q): Q {
    return new Proxy(q, {
      get: (target, name) => {
        if (name === "get" || name === "all") this.#looks += 1;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }

  /** What is done for a call. */
  async of(call: () => Promise<unknown>): Promise<Record<string, number>> {
    [this.#reads, this.#writes, this.#looks] = [0, 0, 0];
    this.#verify.mockClear();
    this.#hash.mockClear();
    await call();
    return {
      reads: this.#reads,
      writes: this.#writes,
      looks: this.#looks,
      verified: this.#verify.mock.calls.length,
      hashed: this.#hash.mock.calls.length,
    };
  }
}
