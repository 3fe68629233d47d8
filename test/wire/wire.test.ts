/**
 * Bytes that are no request, nearly one, or two at once, against a server in a process of its own: what
 * is refused has done nothing, nothing that hides in a request is run, and whoever is slow keeps nobody
 * else waiting. `bun run wire` does the same for as long as one likes.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cutRound, wireRound } from "./round.ts";
import { openWireServer, type WireServer } from "./server.ts";
import { SlowCrowd, untilCut } from "./slow.ts";
import { type Answer, ask, headerOf } from "./socket.ts";

const slowEach = 20;
/** Between a start and a busy server; what a leak or a bomb would take is far beyond. */
const growthMaxBytes = 384 * 1_048_576;

let server: WireServer;
let crowd: SlowCrowd;
let startBytes: number;
beforeAll(async () => {
  server = await openWireServer();
  startBytes = await server.residentBytes();
  // They are there during all that follows.
  crowd = await SlowCrowd.open(server.url, slowEach);
}, 60_000);
afterAll(async () => {
  crowd.close();
  await server.close();
}, 60_000);

describe("while hundreds of slow callers hold on", () => {
  test("no broken request runs, nor what hides in it", async () => {
    expect(crowd.size).toBeGreaterThan(200);
    const seed = Date.now() % 1_000_000;
    expect([
      ...(await wireRound(seed, server.url)),
      ...(await wireRound(seed + 1, server.url)),
    ]).toEqual([]);
  }, 120_000);

  test("a call that is cut off at any byte writes nothing", async () => {
    expect(await cutRound(server.url)).toEqual([]);
  }, 60_000);
});

const isOwn = (name: string): boolean => /^(?:date|x-request-id|x-trace-id)$/i.test(name);

/** An answer but for what is of its own: ids, traces, the time. A long body as a digest. */
function alike({ status, headers, body }: Answer): string {
  const lines = headers.map(([name, value]) => (isOwn(name) ? name : `${name}: ${value}`));
  const text = body
    .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "id")
    .replaceAll(/[0-9a-f]{32}/g, "trace");
  return [status, ...lines, text.length < 1_000 ? text : Bun.SHA256.hash(text, "hex")].join("\n");
}

const body = JSON.stringify({ email: "nobody@example.com", password: "a long password" });
const post = (path: string): string =>
  `POST ${path} HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nHost: `;
const lookups = [
  "GET / HTTP/1.1\r\nHost: ",
  "GET /.well-known/openid-configuration HTTP/1.1\r\nHost: ",
  "GET /.well-known/jwks.json HTTP/1.1\r\nHost: ",
  "GET /problems HTTP/1.1\r\nHost: ",
  "GET /reset-password HTTP/1.1\r\nHost: ",
  "GET /api-docs/iam HTTP/1.1\r\nHost: ",
  "GET /api/v1/iam/openapi.json HTTP/1.1\r\nHost: ",
  "GET /api/v1/users HTTP/1.1\r\nHost: ",
  "GET /api/policy HTTP/1.1\r\nHost: ",
  "GET /nothing HTTP/1.1\r\nHost: ",
  "OPTIONS /api/v1/users HTTP/1.1\r\nHost: ",
  "PUT /live HTTP/1.1\r\nHost: ",
  post("/api/v1/auth/request-reset"),
  post("/api/auth/token"),
];

test("no answer depends on Host, or on what a proxy may say of it", async () => {
  const hosts = [
    "elsewhere.example",
    "elsewhere.example:1",
    "127.0.0.1, elsewhere.example",
    "127.0.0.1\r\nHost: elsewhere.example",
    "elsewhere.example/api/v1",
    "elsewhere.example\r\nX-Forwarded-Host: elsewhere.example\r\nX-Forwarded-Proto: https",
    "elsewhere.example\r\nForwarded: host=elsewhere.example;proto=https",
    "elsewhere.example\r\nX-Original-URL: /elsewhere\r\nX-Rewrite-URL: /elsewhere",
    "elsewhere.example\r\nX-HTTP-Method-Override: DELETE",
  ];
  for (const start of lookups) {
    const right = alike(
      await ask(server.url, `${start}127.0.0.1\r\n\r\n${start.startsWith("POST") ? body : ""}`),
    );
    for (const host of hosts) {
      const text = `${start}${host}\r\n\r\n${start.startsWith("POST") ? body : ""}`;
      const found = alike(await ask(server.url, text));
      expect([start, host, found]).toEqual([start, host, right]);
    }
  }
});

test("an answer is compressed only for who asked", async () => {
  for (const path of [
    "/",
    "/api-docs/assets/swagger-ui.css",
    "/api/v1/iam/openapi.json",
    "/metrics",
  ]) {
    for (const [accept, coding] of [
      ["", /^$/],
      ["Accept-Encoding: identity\r\n", /^$/],
      ["Accept-Encoding: gzip;q=0, *;q=0\r\n", /^$/],
      ["Accept-Encoding: gzip\r\n", /^(?:|gzip)$/],
    ] as const) {
      const answer = await ask(server.url, `GET ${path} HTTP/1.1\r\nHost: a\r\n${accept}\r\n`);
      expect([path, answer.status]).toEqual([path, 200]);
      expect(headerOf(answer, "content-encoding")).toMatch(coding);
    }
  }
});

test("who never ends a head is cut off; the others are there, and cost little", async () => {
  expect(await untilCut(() => crowd.keptHeadless, 60_000)).toEqual([]);
  expect((await ask(server.url, "GET /live HTTP/1.1\r\nHost: a\r\n\r\n")).status).toBe(200);
  expect((await server.residentBytes()) - startBytes).toBeLessThan(growthMaxBytes);
}, 90_000);
