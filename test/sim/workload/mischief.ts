/**
 * What nobody should do: events altered on their way, events that no card wrote, reports of anything, and
 * calls that are wrong in each way that a device is refused for.
 */
import { EVENT_CODE, entryHash, hashHex, OFFLINE } from "../../../src/domain/chain.ts";
import type { WireEvent } from "../../../src/sim/happened.ts";
import { Random } from "../../../src/sim/random.ts";
import type { ActOf } from "./act.ts";
import type { Device } from "./device.ts";
import type { Card, Tenancy } from "./tenancy.ts";

const uint24Max = 16_777_215;
const uint32Max = 4_294_967_295;
/** What has been handed in last, by this device or any other. */
const newestOf = (tenancy: Tenancy, cardId: string): WireEvent | undefined =>
  tenancy.devices
    .flatMap(({ handed, queue }) => [...handed, ...queue])
    .filter((event) => event.cardId === cardId)
    .reduce<WireEvent | undefined>(
      (top, event) => (top === undefined || event.counter >= top.counter ? event : top),
      undefined,
    );

/** Changes the newest event of a queue after its hash was made. */
export function forge(device: Device, { what, by }: ActOf<"forge">): void {
  const last = device.queue.at(-1);
  if (last === undefined) return;
  const changes: Record<typeof what, Partial<WireEvent>> = {
    amount: { amount: Math.max(0, last.amount + by) },
    balance: { balanceAfter: Math.max(0, last.balanceAfter + by) },
    hash: { hash: new Random(last.hash + by).bytes(6).toHex() },
    time: { timestamp: Math.max(0, last.timestamp + by) },
    type: {
      type: last.type === "checkin" ? "checkout" : last.type === "debit" ? "credit" : "debit",
    },
    counter: { counter: Math.max(1, last.counter + by) },
  };
  device.queue[device.queue.length - 1] = { ...last, ...changes[what] };
}

/** Puts an event into a queue that no card wrote. */
export function junk(tenancy: Tenancy, device: Device, card: Card, { what }: ActOf<"junk">): void {
  const { cardId } = card;
  const now = Math.max(0, tenancy.nowSec + device.skewSec);
  const newest = newestOf(tenancy, cardId);
  const counter = (newest?.counter ?? 0) + 1;
  const balanceAfter = newest?.balanceAfter ?? 0;
  const hash = new Random(`${cardId} ${counter} ${now}`).bytes(6).toHex();
  const base: WireEvent = {
    ...{ cardId, counter, type: "debit", amount: 5, balanceAfter, timestamp: now, hash },
  };
  const invented: Record<typeof what, WireEvent> = {
    unknown: { ...base, cardId: `ee${hash.slice(2)}` },
    zero: { ...base, amount: 0 },
    huge: { ...base, amount: uint24Max + 1 },
    moved: { ...base, type: "checkout" },
    ceiling: { ...base, type: "credit", balanceAfter: 16_000_001 },
    leap: { ...base, counter: counter + 10_001 },
    far: { ...base, balanceAfter: uint32Max, timestamp: uint32Max },
    fork: { ...(newest ?? base), amount: (newest?.amount ?? 0) + 1, type: "debit" },
  };
  device.queue.push(what === "moved" ? fitting(base) : invented[what]);
}

/** A check-in that moves money, and whose hash says so. */
function fitting(base: WireEvent): WireEvent {
  const { balanceAfter, timestamp } = base;
  const seconds = Number.parseInt(
    Buffer.from(Uint32Array.of(timestamp).buffer).toString("hex").padEnd(12, "0"),
    16,
  );
  const hash = entryHash(0, 5, balanceAfter, EVENT_CODE.checkin | OFFLINE, seconds);
  return { ...base, type: "checkin", hash: hashHex(hash) };
}

export function report(
  tenancy: Tenancy,
  device: Device,
  card: Card,
  { what, counter, ago = 0 }: ActOf<"report">,
): void {
  const now = Math.max(0, tenancy.nowSec + device.skewSec - ago);
  device.report(what, card.cardId, counter ?? null, now);
}

/** A call that is wrong in the way named. */
export async function knock(
  tenancy: Tenancy,
  device: Device,
  card: Card | undefined,
  { how }: ActOf<"knock">,
): Promise<void> {
  const id = card?.cardId ?? "ffffffffffff";
  const timestamp = Math.max(0, tenancy.nowSec);
  const { terminalId, deviceId, secret, role } = device;
  const block = { reason: "lost", operatorId: 7, timestamp };
  const event = { cardId: id, counter: 1, type: "debit", amount: 1, balanceAfter: 1 };
  const events = [{ ...event, timestamp, hash: "000000000000" }];
  const batch = { terminalId, events };
  const topup = { amount: 5, operatorId: 7, timestamp };
  const post = (path: string, body: unknown, more: object = {}) =>
    tenancy.call(device, "POST", path, { body, ...more });
  const get = (path: string, more: object = {}) => tenancy.call(device, "GET", path, more);
  const enter = (body: object) =>
    tenancy.call(undefined, "POST", "/api/auth/token", { body, token: "" });
  const ways: Record<string, () => Promise<unknown>> = {
    path: () => get("/api/nowhere"),
    method: () => tenancy.call(device, "PUT", "/api/reconcile", { body: batch }),
    head: () => tenancy.call(device, "HEAD", "/api/policy"),
    nobody: () => tenancy.call(undefined, "GET", "/api/policy", { token: "" }),
    stranger: () =>
      tenancy.call(undefined, "GET", "/api/policy", { token: `kt_${"A".repeat(43)}` }),
    old: () =>
      get(`/api/cards/${id}`, { token: device.oldTokens.at(-1) ?? `kt_${"B".repeat(43)}` }),
    role: () => get("/api/session-grant"),
    roleOf: () => post("/api/reconcile", batch),
    op: () => post(`/api/cards/${id}/block`, block),
    media: () => post("/api/reconcile", undefined, { raw: { text: "{}", type: "text/plain" } }),
    text: () => post("/api/reconcile", undefined, { raw: { text: "{", type: "application/json" } }),
    field: () => post("/api/reconcile", { ...batch, extra: 1 }),
    hex: () =>
      post("/api/reconcile", { terminalId, events: [{ ...events[0], hash: "ABCDEF000000" }] }),
    float: () => post(`/api/cards/${id}/topup`, { ...topup, amount: 1.5 }),
    none: () => post(`/api/cards/${id}/topup`, { ...topup, amount: 0 }),
    query: () => get(`/api/cards/${id}/events?limit=0`),
    limits: () => get(`/api/cards/${id}/events?limit=100`),
    many: () => post("/api/reconcile", { terminalId, events: new Array(1_001).fill(events[0]) }),
    large: () => post("/api/reconcile", undefined, { raw: large }),
    empty: () => post("/api/reconcile", { terminalId, events: [] }),
    other: () => post("/api/reconcile", { ...batch, terminalId: (terminalId % 65_535) + 1 }),
    badKey: () => post("/api/reconcile", batch, { key: "7" }),
    id: () => get("/api/cards/XYZ"),
    unknown: () => get("/api/cards/ffffffffffff"),
    topupOfNone: () => post("/api/cards/ffffffffffff/topup", topup),
    noTopup: () => post(`/api/cards/${id}/topup/01936d7a-0000-7000-8000-000000000001/cancel`, {}),
    version: () => get("/api/session-grant?keyVersion=99"),
    secret: () => enter({ deviceId, secret: `ks_${"C".repeat(43)}`, role }),
    spent: () => enter({ deviceId, secret: secret === "" ? "ks_x" : secret, role: "scout" }),
    roleWord: () => enter({ deviceId, secret: "ks_x", role: "till" }),
    noDevice: () => enter({ deviceId: "nobody-here", secret: "ks_x", role }),
    shape: () => enter({ deviceId }),
  };
  await ways[how]?.();
}

/** Over the limit, and says so. */
const large = { text: "x".repeat(1_048_577), type: "application/json" };

/** Every way to knock. */
export const knocks = [
  ...["path", "method", "head", "nobody", "stranger", "old", "role", "roleOf", "op", "media"],
  ...[
    "text",
    "field",
    "hex",
    "float",
    "none",
    "query",
    "limits",
    "many",
    "large",
    "empty",
    "other",
  ],
  ...["badKey", "id", "unknown", "topupOfNone", "noTopup", "version", "secret", "spent"],
  ...["roleWord", "noDevice", "shape"],
] as const;
