/**
 * One go through all shapes on both surfaces of a server, each whole and in pieces where the seed says:
 * what was answered and what was written is held against what may be. The server must let people
 * register and have its limits off; it need not be this machine's first.
 */
import { dice } from "../crash/venue.ts";
import { type Outcome, type Shape, shapes, type WireCall } from "./shape.ts";
import { ask, Peer } from "./socket.ts";

const atOnce = 16;
const piecesMax = 8;

type Json = Record<string, unknown>;

/** A place where calls can be made that each write a row of a name. */
interface Target {
  readonly name: string;
  call(row: string, behind: string): WireCall;
  /** Names of all rows. */
  rows(): Promise<string[]>;
}

async function answerOf<T = Json>(
  url: string,
  method: string,
  path: string,
  { body, token }: { readonly body?: unknown; readonly token?: string } = {},
): Promise<T> {
  const headers = new Headers({ "content-type": "application/json" });
  if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await fetch(url + path, { method, headers, ...sent });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return JSON.parse(text) as T;
}

/** A whole list, page by page. */
async function listOf(url: string, path: string, token: string): Promise<Json[]> {
  const all: Json[] = [];
  for (let cursor = ""; ; ) {
    const page = await answerOf<{ data: Json[]; meta: { cursor: string | null } }>(
      url,
      "GET",
      `${path}?limit=100${cursor}`,
      { token },
    );
    all.push(...page.data);
    if (page.meta.cursor === null) return all;
    cursor = `&cursor=${encodeURIComponent(page.meta.cursor)}`;
  }
}

const whole = (line: string, head: string, body: string): string =>
  `${line} HTTP/1.1\r\n${head}Content-Length: ${body.length}\r\n\r\n${body}`;

/** Members of a tenant, one by one. */
const operatorTarget = (url: string, token: string): Target => {
  const line = "POST /api/v1/fleet/members";
  const head = `Host: kartu.test\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n`;
  const bodyOf = (name: string): string => JSON.stringify({ name });
  return {
    name: "operator",
    call: (row, behind) => ({
      ...{ line, head, body: bodyOf(row) },
      behind: whole(line, head, bodyOf(behind)),
    }),
    rows: async () => {
      const members = await listOf(url, "/api/v1/fleet/members", token);
      return members.map(({ name }) => String(name));
    },
  };
};

/** Reports of a terminal. */
async function deviceTarget(url: string, owner: string, deviceId: string): Promise<Target> {
  const made = await answerOf<{ secret: string; terminalId: number }>(
    url,
    "POST",
    "/api/v1/fleet/devices",
    { token: owner, body: { deviceId, role: "terminal" } },
  );
  const { secret, terminalId } = made;
  const { token } = await answerOf<{ token: string }>(url, "POST", "/api/auth/token", {
    body: { deviceId, secret, role: "terminal" },
  });
  const line = "POST /api/terminal-report";
  const head = `Host: kartu.test\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n`;
  let counter = 0;
  const bodyOf = (details: string): string => {
    counter += 1;
    const timestamp = Math.floor(Date.now() / 1000);
    const eventType = "terminal_error";
    return JSON.stringify({ terminalId, cardId: null, eventType, details, counter, timestamp });
  };
  return {
    name: "device",
    call: (row, behind) => ({
      ...{ line, head, body: bodyOf(row) },
      behind: whole(line, head, bodyOf(behind)),
    }),
    rows: async () => {
      const reports = await listOf(url, "/api/v1/fleet/reports", owner);
      return reports.map(({ details }) => String(details));
    },
  };
}

/** Both surfaces of a tenant that is made for it. */
async function wireTargets(url: string): Promise<Target[]> {
  const mark = crypto.randomUUID();
  const person = { email: `${mark}@wire.example`, password: "a long password", name: "Wire" };
  const { accessToken } = await answerOf<{ accessToken: string }>(
    url,
    "POST",
    "/api/v1/auth/register",
    { body: person },
  );
  return [operatorTarget(url, accessToken), await deviceTarget(url, accessToken, `wire-${mark}`)];
}

const live = Buffer.from("GET /live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");

/** Sends a shape. @returns the outcome but for the rows */
async function sendShape(
  url: string,
  shape: Shape,
  bytes: Uint8Array,
  cuts: readonly number[],
): Promise<string> {
  const { count = 1 } = shape;
  const peer = await Peer.open(url, shape.isHead);
  try {
    await peer.writePieces(bytes, cuts);
    if (!(await peer.until(count))) return `hangs after ${peer.answers.length} answers`;
    let state = peer.isClosed ? "closed" : "open";
    const said = peer.answers.length;
    if (shape.waits !== true && !peer.isClosed) {
      await peer.write(live);
      if (!(await peer.until(Number.POSITIVE_INFINITY))) return "hangs at the next request";
      const [last] = peer.answers.slice(said);
      state = last?.status === 200 && peer.answers.length === said + 1 ? "open" : "closed";
    }
    if (peer.rest !== "") return `says ${peer.rest.slice(0, 80)}`;
    const answers = state === "open" ? peer.answers.slice(0, said) : peer.answers;
    const words = answers.map(({ status }) => (status < 300 ? "ok" : String(status)));
    return [...words, state].join(" ");
  } finally {
    peer.destroy();
  }
}

interface Sent {
  readonly target: Target;
  readonly shape: Shape;
  readonly row: string;
  readonly behind: string;
  readonly cuts: readonly number[];
  said: string;
}

const countOf = (names: readonly string[], name: string): number =>
  names.reduce((count, each) => (each === name ? count + 1 : count), 0);

/** Works a list off, so many at a time. */
export async function inTurns<T>(items: readonly T[], work: (item: T) => Promise<void>) {
  let next = 0;
  const turns = Array.from({ length: atOnce }, async () => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item);
  });
  await Promise.all(turns);
}

/** What was written, once all that was sent before is done. */
async function settledRows(url: string, target: Target): Promise<string[]> {
  const { line, head, body } = target.call("settled", "nothing");
  await ask(url, whole(line, head, body));
  return await target.rows();
}

/**
 * Sends every shape to both surfaces.
 * @returns a line for each finding; none is good.
 */
export async function wireRound(seed: number, url: string): Promise<string[]> {
  const roll = dice(seed);
  const sent: Sent[] = [];
  const targets = await wireTargets(url);
  for (const target of targets) {
    for (const [at, shape] of shapes.entries()) {
      for (const way of ["whole", "pieces"] as const) {
        const row = `${way}-${at}`;
        const cuts =
          way === "whole"
            ? []
            : Array.from({ length: 1 + roll(piecesMax - 1) }, () => roll(1 << 24));
        sent.push({ target, shape, row, behind: `behind-${row}`, cuts, said: "" });
      }
    }
  }
  await inTurns(sent, async (each) => {
    const { target, shape, row, behind } = each;
    const bytes = Buffer.from(shape.make(target.call(row, behind)), "latin1");
    const cuts = each.cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b);
    each.said = await sendShape(url, shape, bytes, cuts);
  });
  const findings: string[] = [];
  for (const target of targets) {
    const names = await settledRows(url, target);
    for (const each of sent) {
      if (each.target !== target) continue;
      const outcome: Outcome = `${each.said} ${countOf(names, each.row)}+${countOf(names, each.behind)}`;
      if (each.shape.may.test(outcome)) continue;
      const pieces = each.cuts.length === 0 ? "" : ` in ${each.cuts.length + 1} pieces`;
      findings.push(`seed ${seed}, ${target.name}, ${each.shape.name}${pieces}: ${outcome}`);
    }
  }
  return findings;
}

/**
 * Sends the same call cut off at every byte, with a length and in chunks, and hangs up.
 * @returns a line for each finding: nothing may be written.
 */
export async function cutRound(url: string): Promise<string[]> {
  const findings: string[] = [];
  for (const target of await wireTargets(url)) {
    const cuts: Buffer[] = [];
    const { line, head, body } = target.call("cut", "nothing");
    const half = body.length >> 1;
    const chunks = [body.slice(0, half), body.slice(half), ""]
      .map((text) => `${text.length.toString(16)}\r\n${text}\r\n`)
      .join("");
    const inChunks = `${line} HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\n${chunks}`;
    // With the chunk of zero a message is complete (RFC 9112 §8).
    for (const text of [whole(line, head, body).slice(0, -1), inChunks.slice(0, -5)]) {
      for (let end = 0; end <= text.length; end += 1) cuts.push(Buffer.from(text.slice(0, end)));
    }
    await inTurns(cuts, async (bytes) => {
      const peer = await Peer.open(url);
      await peer.write(bytes);
      peer.destroy();
    });
    const written = countOf(await settledRows(url, target), "cut");
    if (written > 0) findings.push(`${target.name}: ${written} calls that were cut off wrote`);
  }
  return findings;
}
