/**
 * The device surface: its calls, who may make them, and the order in which one is refused. What a call
 * then does is in the files of its subject.
 */

import type { Role } from "./call.ts";
import { blockCard, type Reissues, read, readEvents, register, reissue, rekey } from "./card.ts";
import type { Calendar } from "./day.ts";
import { callerOf, commission, grant, isGranted, policy } from "./device.ts";
import { type Asked, type Due, type Heard, objectOf, refuse } from "./due.ts";
import type { Kept } from "./idempotency.ts";
import { reconcile } from "./ingest.ts";
import { blocklist } from "./listing.ts";
import { report } from "./report.ts";
import { shapes } from "./shape.ts";
import { cancel, topUp } from "./topup.ts";

interface Route {
  readonly method: "GET" | "POST";
  readonly path: RegExp;
  readonly roles: readonly Role[];
  /** A suspended device may call it too. */
  readonly suspended?: true;
  readonly op?: string;
  readonly shape?: keyof typeof shapes;
  readonly query?: Readonly<Record<string, RegExp>>;
  readonly answer: (heard: Heard) => Due;
}

const whole = /^(0|[1-9][0-9]{0,15})$/;
const working: readonly Role[] = ["station", "gate", "terminal"];
const all: readonly Role[] = [...working, "scout"];
const station: readonly Role[] = ["station"];
const suspended = true as const;
const card = "/api/cards/([^/]+)";
const at = (path: string): RegExp => new RegExp(`^${path}$`);

export interface Means {
  readonly calendar: Calendar;
  readonly reissues: Reissues;
  readonly kept: Kept;
}

const routes = ({ calendar, reissues }: Means): readonly Route[] => [
  {
    ...{ method: "GET", path: at("/api/session-grant"), roles: working },
    ...{ query: { keyVersion: /^([1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5])$/ }, answer: grant },
  },
  { method: "GET", path: at("/api/policy"), roles: working, suspended, answer: policy },
  {
    ...{ method: "GET", path: at("/api/blocklist"), roles: working, suspended },
    ...{ query: { since: whole }, answer: blocklist },
  },
  {
    ...{ method: "POST", path: at("/api/cards"), roles: station, op: "reissue" },
    ...{ shape: "register", answer: register },
  },
  { method: "GET", path: at(card), roles: all, suspended, answer: read },
  {
    ...{ method: "GET", path: at(`${card}/events`), roles: all, suspended },
    ...{ query: { limit: /^([1-9][0-9]?|100)$/ }, answer: readEvents },
  },
  {
    ...{ method: "POST", path: at(`${card}/topup`), roles: station, op: "topup" },
    ...{ shape: "topup", answer: topUp },
  },
  {
    ...{ method: "POST", path: at(`${card}/topup/([^/]+)/cancel`), roles: station, op: "topup" },
    ...{ shape: "empty", answer: cancel },
  },
  {
    ...{ method: "POST", path: at(`${card}/block`), roles: station, op: "block" },
    ...{ shape: "block", answer: blockCard },
  },
  {
    ...{ method: "POST", path: at(`${card}/rekey`), roles: station, op: "reissue" },
    ...{ shape: "rekey", answer: rekey },
  },
  {
    ...{ method: "POST", path: at(`${card}/reissue`), roles: station, op: "reissue" },
    ...{ shape: "reissue", answer: (heard) => reissue(heard, reissues) },
  },
  {
    ...{ method: "POST", path: at("/api/reconcile"), roles: working, suspended },
    ...{ shape: "batch", answer: (heard) => reconcile(heard, calendar) },
  },
  {
    ...{ method: "POST", path: at("/api/terminal-report"), roles: working, suspended },
    ...{ shape: "report", answer: report },
  },
];

const json = "application/json";
const bodyMax = 2 ** 20;
const batchMax = 1_000;

const sizeOf = (body: unknown): number =>
  Buffer.byteLength(typeof body === "string" ? body : (JSON.stringify(body) ?? ""));
const malformed = refuse(400, "malformed_payload");
const uuidKey = /^[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/** Shapes of what was sent. */
function payloadFault(
  { query: allowed = {}, shape, method }: Route,
  asked: Asked,
): Due | undefined {
  for (const [name, value] of asked.query) {
    if (!(allowed[name]?.test(value) ?? false)) return malformed;
  }
  const { key, body } = asked.call;
  if (method === "POST" && key !== undefined && !uuidKey.test(key)) return malformed;
  if (shape !== undefined && !shapes[shape](body)) return malformed;
  const { events } = asked.body;
  if (shape === "batch" && Array.isArray(events) && events.length > batchMax) {
    return refuse(413, "batch_too_large");
  }
  return undefined;
}

/** The surface answers by the first rule that a call breaks, or does what it asks. */
export function deviceSurface(means: Means): (asked: Asked, path: string) => Due {
  const table = routes(means);
  return (asked, path) => {
    const { call, nowSec } = asked;
    if (path === "/api/auth/token") {
      if (call.method !== "POST") return refuse(405, "method_not_allowed");
      return shapes.token(call.body) ? commission(asked) : malformed;
    }
    const known = table.filter((route) => route.path.test(path));
    const route = known.find(({ method }) => method === call.method);
    if (known.length === 0) return refuse(404, "not_found");
    if (route === undefined) return refuse(405, "method_not_allowed");
    if (sizeOf(call.body) > bodyMax) return refuse(413, "payload_too_large");
    const device = callerOf(asked);
    if (device === undefined) return refuse(401, "invalid_token");
    if (!route.roles.includes(device.role)) return refuse(403, "insufficient_role");
    if (device.status === "suspended" && !route.suspended) return refuse(403, "terminal_suspended");
    if (route.op && !isGranted(device, route.op, nowSec)) return refuse(403, "op_not_granted");
    const { type = json } = call;
    if (call.method === "POST" && type !== json) return refuse(415, "unsupported_media_type");
    const fault = payloadFault(route, asked);
    if (fault) return fault;
    const { terminalId = device.terminalId } = objectOf(call.body);
    if (terminalId !== device.terminalId) return refuse(403, "terminal_mismatch");
    const ids = (route.path.exec(path) ?? []).slice(1);
    const answer = (): Due => route.answer({ ...asked, device, ids });
    return call.method === "POST" ? means.kept.once(asked, path, answer) : answer();
  };
}
