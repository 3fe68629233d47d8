/**
 * What a whole server process says and leaves, to stdout, stderr, its own pages and figures, also while
 * it falls: none of the secrets that it was given or has made, but for the login that it prints once.
 * Rows, files and answers are searched in `secret.test.ts` and `operator-secret.test.ts`.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Ended, kartu, object, workspace } from "./cli-fixture.ts";
import { found, type Needle } from "./needle.ts";

const program = join(import.meta.dir, "../../src/main.ts");
const work = workspace();
afterAll(work.remove);

const masterKey = new Uint8Array(32).map((_, at) => (at * 37 + 11) & 255);
const ownerPassword = "the owner's long password";
const given = {
  smtp: "smtp-password-73c1f0",
  valkey: "valkey-password-9e02ab",
  collector: "collector-password-51dd",
  provider: "provider-secret-c04e77a1",
  metrics: "metrics-token-4f1b6a2290",
  fall: "kt_field-of-an-error-that-fell",
};
/** Nobody listens there, so that each of them fails and says so. */
const away = "127.0.0.1:1";
/** Refuses what it is sent, and tells back what it was sent with. */
const collector = Bun.serve({
  ...{ port: 0, hostname: "127.0.0.1" },
  fetch: ({ headers }) => new Response(JSON.stringify([...headers]), { status: 400 }),
});
afterAll(() => collector.stop(true));
const env = {
  KARTU_LOG_LEVEL: "debug",
  KARTU_MASTER_KEY: masterKey.toBase64(),
  KARTU_METRICS_TOKEN: given.metrics,
  KARTU_SMTP_URL: `smtp://mail:${given.smtp}@${away}`,
  KARTU_REQUIRE_VERIFIED_EMAIL: "false",
  KARTU_VALKEY_URL: `redis://cache:${given.valkey}@${away}`,
  KARTU_OTLP_ENDPOINT: collector.url.origin,
  OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${given.collector}`,
  KARTU_PROVIDERS: JSON.stringify([
    {
      ...{ id: "away", name: "Away", type: "oidc", issuer: `http://${away}`, clientId: "kartu" },
      ...{ clientSecret: given.provider, redirectUris: ["https://app.example/in"] },
    },
  ]),
  FALL_SECRET: given.fall,
};
const needles: Needle[] = [
  { name: "master key", bytes: masterKey },
  { name: "owner's password", bytes: Buffer.from(ownerPassword) },
  ...Object.entries(given).map(([name, text]) => ({ name, bytes: Buffer.from(text) })),
];
const remember = (name: string, text: unknown): string => {
  if (typeof text !== "string") throw new Error(`no ${name}`);
  needles.push({ name, bytes: Buffer.from(text) });
  return text;
};

class Process {
  readonly #child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly #told: Promise<string>;
  readonly #said: Promise<string>;
  readonly url: Promise<string>;

  constructor(data: string) {
    const preload = join(import.meta.dir, "child-fall.ts");
    const args = ["--preload", preload, program, "serve", "--port", "0", "--json", "--data", data];
    const kept = Object.entries(process.env).filter(([name]) => !/^kartu_/i.test(name));
    const child = Bun.spawn([process.execPath, ...args], {
      env: { ...Object.fromEntries(kept), NO_COLOR: "1", ...env },
      ...{ stdin: "ignore", stdout: "pipe", stderr: "pipe" },
    });
    this.#child = child;
    this.#told = child.stderr.text();
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    this.url = promise;
    this.#said = (async () => {
      let said = "";
      const decoder = new TextDecoder();
      for await (const part of child.stdout) {
        said += decoder.decode(part, { stream: true });
        if (said.includes("\n")) resolve((JSON.parse(said) as { url: string }).url);
      }
      reject(new Error("it never served"));
      return said;
    })();
  }

  get commandLine(): string {
    return readFileSync(`/proc/${this.#child.pid}/cmdline`, "latin1");
  }

  async end(signal: NodeJS.Signals): Promise<Ended> {
    this.#child.kill(signal);
    const code = await this.#child.exited;
    return { code, stdout: await this.#said, stderr: await this.#told };
  }
}

const data = work.path("data");
const answers: string[] = [];
let server: Process;
let url: string;

async function call<T = Record<string, unknown>>(
  path: string,
  token: string | null,
  body?: unknown,
): Promise<T> {
  const response = await fetch(url + path, {
    ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
    headers: {
      ...(body !== undefined && { "content-type": "application/json" }),
      ...(token !== null && { authorization: `Bearer ${token}` }),
    },
  });
  const text = await response.text();
  if (response.ok) return JSON.parse(text) as T;
  answers.push(text);
  return {} as T;
}

/** Secrets come and go, right and wrong, in the right place and in others. */
async function day(): Promise<void> {
  const email = "owner@example.com";
  const login = await call("/api/v1/auth/login", null, { email, password: ownerPassword });
  const token = remember("access token", login.accessToken);
  const refreshToken = remember("refresh token", login.refreshToken);
  const draft = { name: "export", roles: ["member"] };
  const apiKey = remember("API key", (await call("/api/v1/api-keys", token, draft)).key);
  const user = { email: "new@example.com", roles: ["member"] };
  await call("/api/v1/users", token, user);
  const device = { deviceId: "till", role: "terminal" };
  const made = await call("/api/v1/fleet/devices", token, device);
  const secret = remember("device's secret", made.secret);
  const till = remember(
    "device token",
    (await call("/api/auth/token", null, { ...device, secret })).token,
  );
  remember("session key", (await call("/api/session-grant", till)).sessionKey);
  await call("/api/v1/auth/login/away", null, {});
  for (const wrong of [token, refreshToken, apiKey, secret, till]) {
    await call(`/api/cards/a1b2c3d4e5f6?token=${wrong}`, `${wrong}x`);
    await call(`/api/v1/users?q=${wrong}&${wrong}=1`, wrong);
    await call("/api/auth/token", null, { deviceId: wrong, secret: wrong, role: wrong });
    await call("/api/v1/auth/login", null, { email: wrong, password: wrong, [wrong]: wrong });
    await call("/api/v1/auth/refresh", null, { refreshToken: `${wrong}x` });
    await call("/metrics", wrong);
  }
}

beforeAll(async () => {
  const owner = ["--owner-email", "owner@example.com", "--owner-password", ownerPassword];
  await object(["init", "--data", data, ...owner], {
    env: { KARTU_MASTER_KEY: env.KARTU_MASTER_KEY },
  });
  server = new Process(data);
  url = await server.url;
  await day();
}, 60_000);

describe("no secret is", () => {
  test("missing from the search", () => {
    expect(needles.length).toBe(14);
    for (const { name, bytes } of needles) expect([name, bytes.length >= 14]).toEqual([name, true]);
    expect(found(`x${Buffer.from(given.smtp).toString("base64")}`, needles)).not.toEqual([]);
  });

  test("in a refusal", () => {
    expect(answers.length).toBeGreaterThan(25);
    for (const answer of answers) expect(found(answer, needles)).toEqual([]);
  });

  test("in the figures, their labels included", async () => {
    const headers = { authorization: `Bearer ${given.metrics}` };
    const text = await (await fetch(`${url}/metrics`, { headers })).text();
    expect(text).toContain("# TYPE");
    expect(found(text, needles)).toEqual([]);
  });

  test("in a page, a document or an example in it", async () => {
    const documents = ["terminal", "iam", "money", "fleet", "gateway", "audit"];
    const paths = [
      ...["/", "/problems", "/problems/unauthorized", "/api-docs", "/.well-known/jwks.json"],
      ...documents.map((name) => `/api/v1/${name}/openapi.json`),
    ];
    for (const path of paths) {
      const text = await (await fetch(url + path)).text();
      expect([path, ...found(text, needles)]).toEqual([path]);
    }
  });

  test.skipIf(process.platform !== "linux")("in the command line of the server", () => {
    expect(server.commandLine).toContain("serve");
    expect(found(server.commandLine, needles)).toEqual([]);
  });

  test("in what it said and wrote to its log, at the finest level, until it was stopped", async () => {
    const { code, stdout, stderr } = await server.end("SIGTERM");
    expect(code).toBe(0);
    // Each of the outside parts was tried, failed, and was told of.
    const lines = stderr.trimEnd().split("\n");
    for (const word of ["served", "letter", "spans were lost", "limiter"]) {
      expect([word, lines.some((line) => line.includes(word))]).toEqual([word, true]);
    }
    expect(found(stdout + stderr, needles)).toEqual([]);
    for (const line of lines) JSON.parse(line);
  }, 60_000);
});

describe("a server that falls", () => {
  const fall = async (signal: NodeJS.Signals): Promise<Ended> => {
    const falling = new Process(data);
    await falling.url;
    const ended = await falling.end(signal);
    expect(found(ended.stdout + ended.stderr, needles)).toEqual([]);
    return ended;
  };

  test.each([
    ["thrown", "SIGUSR2"],
    ["rejected", "SIGWINCH"],
  ] as const)("by an error %s from nowhere: one line of the log, exit 1", async (how, signal) => {
    const { code, stderr } = await fall(signal);
    expect(code).toBe(1);
    const last = JSON.parse(stderr.trimEnd().split("\n").at(-1) ?? "") as Record<string, unknown>;
    expect(last).toMatchObject({
      ...{ level: "error", message: "ended by an error that nobody caught" },
      error: { message: `${how} from nowhere`, stack: expect.any(String) },
    });
  });

  test.each(["SIGABRT", "SIGSEGV"] as const)("by %s: the report has no secret", async (signal) => {
    const { code, stderr } = await fall(signal);
    expect(code).toBeGreaterThan(128);
    expect(stderr).not.toBe("");
  });
});

describe("a command that went wrong does not tell back a password:", () => {
  const secret = "hunter2-hunter2-hunter2";
  const nowhere = work.path("nowhere");
  const mistyped: readonly (readonly string[])[] = [
    ["init", `--owner-pasword=${secret}`],
    ["init", "--owner-pasword", secret],
    ["init", secret],
    ["init", "--owner-email", "x", "--owner-password", secret],
    ["user", "reset-password", "a@b.example", `--pass=${secret}`],
    ["user", "add", "--email", "a@b.example", "--password", secret],
    [`--password=${secret}`],
    ["simulate", "--url", `http://someone:${secret}@127.0.0.1:1`, "--devices", "/dev/null"],
    ["restore", "no-file", "--key-file", nowhere, `--key=${secret}`],
  ];
  test.concurrent.each(mistyped.map((args) => [args.join(" "), args] as const))(
    "%s",
    async (_, args) => {
      const { code, stdout, stderr } = await kartu([...args, "--json", "--data", nowhere]);
      const isWrongUsage = args[0] !== "simulate";
      expect({ code, stdout }).toEqual({ code: isWrongUsage ? 2 : 1, stdout: "" });
      expect(stderr).not.toBe("");
      expect(stderr).not.toContain("hunter2");
    },
  );
});
