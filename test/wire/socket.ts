/**
 * One connection to a server as bytes: what is written is what goes out, in pieces if so wanted, and what
 * comes back is read as answers in order (RFC 9112). Knows nothing of what a server should say.
 */
import { connect, type Socket } from "node:net";

export interface Answer {
  readonly status: number;
  /** In the order and spelling of the wire. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** A value of an answer's header; empty when there is none. */
export const headerOf = ({ headers }: Answer, name: string): string =>
  headers.find(([each]) => each.toLowerCase() === name)?.[1] ?? "";

/** How long nothing may come where something is due: a slow machine is no fault, a hang is. */
const patienceMs = 30_000;

const hasNoBody = (status: number): boolean => status < 200 || status === 204 || status === 304;

export class Peer {
  /** Final ones; that one may go on (100) is none. */
  readonly answers: Answer[] = [];
  isClosed = false;
  #bytes = Buffer.alloc(0);
  #wake: (() => void) | undefined;

  private constructor(
    private readonly socket: Socket,
    /** The first answer is to HEAD: it tells a length of what does not come. */
    private readonly isHead: boolean,
  ) {
    socket.setNoDelay(true);
    socket.on("data", (bytes: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, bytes]);
      this.#read();
      this.#wake?.();
    });
    // Who is refused may find the door shut while still writing.
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.isClosed = true;
      this.#wake?.();
    });
  }

  static open(url: string, isHead = false): Promise<Peer> {
    const { hostname, port } = new URL(url);
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), hostname);
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new Peer(socket, isHead));
      });
    });
  }

  /** Resolves when it has left this process, or nobody is there to take it. */
  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      if (this.isClosed || this.socket.destroyed) return resolve();
      this.socket.once("close", resolve);
      this.socket.write(bytes, () => {
        this.socket.off("close", resolve);
        resolve();
      });
    });
  }

  /** Writes piece by piece, letting the server look at each. */
  async writePieces(bytes: Uint8Array, cuts: readonly number[]): Promise<void> {
    let from = 0;
    for (const to of [...cuts, bytes.length]) {
      await this.write(bytes.subarray(from, to));
      await new Promise((resolve) => setImmediate(resolve));
      from = to;
    }
  }

  /** Waits for so many answers, or the end. @returns false if neither comes */
  async until(count: number): Promise<boolean> {
    const lateAt = performance.now() + patienceMs;
    while (!this.isClosed && this.answers.length < count) {
      const leftMs = lateAt - performance.now();
      if (leftMs <= 0) return false;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return true;
  }

  /** What came that is no whole answer. */
  get rest(): string {
    return this.#bytes.toString("latin1");
  }

  destroy(): void {
    this.socket.destroy();
  }

  #read(): void {
    for (;;) {
      const end = this.#bytes.indexOf("\r\n\r\n");
      if (end < 0) return;
      const [first = "", ...lines] = this.#bytes.subarray(0, end).toString("latin1").split("\r\n");
      const status = Number(/^HTTP\/1\.1 (\d{3})(?: |$)/.exec(first)?.[1]);
      if (Number.isNaN(status)) return;
      const headers = lines.map((line) => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon), line.slice(colon + 1).trim()] as const;
      });
      const answer = { status, headers, body: "" };
      const isBare = hasNoBody(status) || (this.isHead && this.answers.length === 0);
      const length = isBare ? 0 : Number(headerOf(answer, "content-length"));
      const start = end + 4;
      if (this.#bytes.length < start + length) return;
      const body = this.#bytes.subarray(start, start + length).toString();
      this.#bytes = this.#bytes.subarray(start + length);
      if (status >= 200) this.answers.push({ status, headers, body });
    }
  }
}

/** The answer to one request on a connection of its own. @throws if none comes */
export async function ask(url: string, text: string): Promise<Answer> {
  const peer = await Peer.open(url, text.startsWith("HEAD "));
  await peer.write(Buffer.from(text, "latin1"));
  await peer.until(1);
  peer.destroy();
  const [answer] = peer.answers;
  if (answer === undefined) throw new Error(`no answer to ${text.slice(0, 100)}: ${peer.rest}`);
  return answer;
}
