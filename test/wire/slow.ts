/**
 * A crowd of callers that never come to an end: heads, bodies and chunks a byte a second, and some that
 * say nothing. Each keeps a connection and no more; what the server does to them is for whoever asks.
 */
import { inTurns } from "./round.ts";
import { Peer } from "./socket.ts";

const dripMs = 1_000;
const host = "Host: a\r\nContent-Type: application/json\r\n";

interface Slow {
  /** Sent at once. */
  readonly start: string;
  /** Sent every second. */
  readonly drip: string;
}

const login = `POST /api/v1/auth/login HTTP/1.1\r\n${host}`;

/** What is never read as a request, since its head does not end. */
const headless: Readonly<Record<string, Slow>> = {
  nothing: { start: "", drip: "" },
  "a request line": { start: "GE", drip: "T" },
  "a head that stands still": { start: "GET /live HTTP/1.1\r\nHost: a", drip: "" },
  "a header": { start: "GET /live HTTP/1.1\r\nHost: a\r\nX-A: ", drip: "a" },
  "header after header": { start: "GET /live HTTP/1.1\r\nHost: a\r\n", drip: "X-A: a\r\n" },
};

const endless: Readonly<Record<string, Slow>> = {
  "a body that stands still": { start: `${login}Content-Length: 100000\r\n\r\n{`, drip: "" },
  "a body": { start: `${login}Content-Length: 100000\r\n\r\n{`, drip: " " },
  "a body in chunks": {
    start: `${login}Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n`,
    drip: "1\r\n \r\n",
  },
  "a chunk extension": { start: `${login}Transfer-Encoding: chunked\r\n\r\n1;`, drip: "a" },
  "a body for a device's call": {
    start: `POST /api/auth/token HTTP/1.1\r\n${host}Content-Length: 100000\r\n\r\n{`,
    drip: " ",
  },
  "a body that is refused": {
    start: `POST /nothing HTTP/1.1\r\n${host}Content-Length: 100000\r\n\r\n{`,
    drip: " ",
  },
  "a body that is too large": { start: `${login}Content-Length: 100000000\r\n\r\n{`, drip: " " },
  "a body of a read": {
    start: `GET /live HTTP/1.1\r\n${host}Content-Length: 100000\r\n\r\n`,
    drip: " ",
  },
};

interface Member {
  readonly what: string;
  readonly peer: Peer;
  readonly drip: Buffer;
}

export class SlowCrowd {
  readonly #drip: Timer;

  private constructor(private readonly members: readonly Member[]) {
    this.#drip = setInterval(() => {
      for (const { peer, drip } of members) void peer.write(drip);
    }, dripMs);
  }

  /** So many of each kind. */
  static async open(url: string, each: number): Promise<SlowCrowd> {
    const members: Member[] = [];
    const kinds = Object.entries({ ...headless, ...endless });
    await inTurns(
      kinds.flatMap((kind) => new Array<typeof kind>(each).fill(kind)),
      async ([what, { start, drip }]) => {
        const peer = await Peer.open(url);
        await peer.write(Buffer.from(start));
        members.push({ what, peer, drip: Buffer.from(drip) });
      },
    );
    return new SlowCrowd(members);
  }

  get size(): number {
    return this.members.length;
  }

  /** Kinds that the server still keeps a connection for. */
  get kept(): string[] {
    const open = this.members.filter(({ peer }) => !peer.isClosed);
    return [...new Set(open.map(({ what }) => what))].sort();
  }

  /** The same of those that never said who they are. */
  get keptHeadless(): string[] {
    return this.kept.filter((what) => Object.hasOwn(headless, what));
  }

  close(): void {
    clearInterval(this.#drip);
    for (const { peer } of this.members) peer.destroy();
  }
}

/** Waits until `kept` says that nobody is left, or so long. @returns who is left */
export async function untilCut(kept: () => string[], maxMs: number): Promise<string[]> {
  const endAt = performance.now() + maxMs;
  while (kept().length > 0 && performance.now() < endAt) await Bun.sleep(100);
  return kept();
}
