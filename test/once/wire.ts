/** One keep-alive connection that speaks HTTP/1.1 in plain bytes: what is sent when is the caller's. */
import { connect, type Socket } from "node:net";
import type { Reply } from "./shot.ts";

type Answer = Omit<Reply, "waits">;

const headEnd = "\r\n\r\n";

/** The first whole answer in `bytes`, and its length; undefined while some of it is missing. */
function read(bytes: Buffer): { answer: Answer; length: number } | undefined {
  const end = bytes.indexOf(headEnd);
  if (end < 0) return undefined;
  const [first = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  const status = Number(first.split(" ")[1]);
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  const length = status === 204 ? "0" : headers["content-length"];
  if (length === undefined) throw new Error(`an answer without a length: ${first}`);
  const start = end + headEnd.length;
  const total = start + Number(length);
  if (bytes.length < total) return undefined;
  return { answer: { status, headers, body: bytes.toString("utf8", start, total) }, length: total };
}

export class Wire {
  #bytes: Buffer = Buffer.alloc(0);
  #told: ((answer: Answer | null) => void) | undefined;
  isOver = false;

  private constructor(
    private readonly socket: Socket,
    readonly port: number,
  ) {
    socket.on("data", (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#look();
    });
    socket.on("error", () => this.#end());
    socket.on("close", () => this.#end());
  }

  static open(port: number): Promise<Wire> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: "127.0.0.1", noDelay: true });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new Wire(socket, port));
      });
    });
  }

  write(bytes: Uint8Array): void {
    if (!this.isOver) this.socket.write(bytes);
  }

  /** Writes and closes without waiting for an answer. */
  cut(bytes: Uint8Array): void {
    if (this.isOver) return;
    this.socket.write(bytes, () => this.socket.destroy());
  }

  /** The next answer; null if the connection ends first. */
  answer(): Promise<Answer | null> {
    return new Promise((resolve) => {
      this.#told = resolve;
      if (this.isOver) this.#end();
      else this.#look();
    });
  }

  close(): void {
    this.socket.destroy();
  }

  #look(): void {
    const told = this.#told;
    const found = told === undefined ? undefined : read(this.#bytes);
    if (told === undefined || found === undefined) return;
    this.#bytes = this.#bytes.subarray(found.length);
    this.#told = undefined;
    told(found.answer);
  }

  #end(): void {
    this.isOver = true;
    const told = this.#told;
    this.#told = undefined;
    told?.(null);
  }
}
