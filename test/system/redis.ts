/** A real Redis (or Valkey) server of a test's own, which it may kill, freeze and bring back. */
import { createServer } from "node:net";

export const redisProgram = Bun.which("valkey-server") ?? Bun.which("redis-server");

/** A port that nobody listens on just now. */
const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });

export class RedisUnderTest {
  #process: Bun.Subprocess | undefined;

  private constructor(
    readonly program: string,
    readonly port: number,
    readonly password: string,
  ) {}

  static async open(program: string, password = ""): Promise<RedisUnderTest> {
    const server = new RedisUnderTest(program, await freePort(), password);
    await server.start();
    return server;
  }

  get url(): string {
    const who = this.password === "" ? "" : `:${this.password}@`;
    return `redis://${who}127.0.0.1:${this.port}`;
  }

  /** Resolves when it takes connections. */
  async start(): Promise<void> {
    const options = ["--port", `${this.port}`, "--bind", "127.0.0.1", "--save", ""];
    if (this.password !== "") options.push("--requirepass", this.password);
    const started = Bun.spawn([this.program, ...options], { stdout: "pipe", stderr: "ignore" });
    this.#process = started;
    const decoder = new TextDecoder();
    let said = "";
    for await (const bytes of started.stdout) {
      said += decoder.decode(bytes);
      if (/ready to accept connections/i.test(said)) return;
    }
    throw new Error(`${this.program} did not start: ${said}`);
  }

  async kill(): Promise<void> {
    this.#process?.kill("SIGKILL");
    await this.#process?.exited;
  }

  freeze(): void {
    this.#process?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#process?.kill("SIGCONT");
  }
}
