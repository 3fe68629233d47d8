/**
 * The calls of any device: its token, grant, policy and blocklist, batches of what happened, reports, and the
 * same call made once more. A lost request is never made; a lost reply is not looked at.
 */
import type { KeyObject } from "node:crypto";
import type { SignedGrant } from "../../../src/domain/grant.ts";
import type { WireEvent } from "../../../src/sim/happened.ts";
import { grantSigners } from "../../../src/sim/keyring.ts";
import { Random } from "../../../src/sim/random.ts";
import type { Answer } from "../../caller.ts";
import type { ActOf, Lost, Upload } from "./act.ts";
import type { Device, Limits, Tag } from "./device.ts";
import type { Tenancy } from "./tenancy.ts";

const historyMax = 30;
/** Two clocks of grants: never renewed by the clock, always by an act. */
const renewNever = Number.MAX_SAFE_INTEGER;

interface Manner {
  readonly lose?: Lost;
  readonly retry?: boolean;
  readonly keyed?: boolean;
}

/**
 * A POST as a device makes it: with a key or without, again with the same bytes where the reply was lost and
 * the device is told to. Null: the device has no answer.
 */
export async function post(
  tenancy: Tenancy,
  device: Device,
  path: string,
  body: unknown,
  { lose, retry, keyed }: Manner = {},
): Promise<Answer | null> {
  const sent = { path, body, ...(keyed === true && { key: tenancy.newKey() }) };
  device.keep(sent);
  if (lose === "request" && retry !== true) return null;
  if (lose === "reply") await tenancy.call(device, "POST", path, sent);
  if (lose === "reply" && retry !== true) return null;
  return await tenancy.call(device, "POST", path, sent);
}

export async function commission(tenancy: Tenancy, device: Device, lose?: Lost): Promise<void> {
  if (lose === "request" || device.secret === "") return;
  const { deviceId, secret, role } = device;
  const body = { deviceId, secret, role };
  const answer = await tenancy.call(device, "POST", "/api/auth/token", { body, token: "" });
  if (answer?.status !== 200 || lose === "reply") return;
  const { token, terminalId } = answer.json as { token: string; terminalId: number };
  if (device.token !== "") device.oldTokens.push(device.token);
  device.token = token;
  device.terminalId = terminalId;
}

let signers: { readonly host: unknown; readonly keys: Map<string, KeyObject> } | undefined;

async function signerOf(tenancy: Tenancy, kid: string): Promise<KeyObject | undefined> {
  const { host } = tenancy;
  if (signers?.host !== host || !signers.keys.has(kid)) {
    const answer = await host.ask("GET", "/.well-known/jwks.json");
    signers = { host, keys: grantSigners(answer.json) };
  }
  return signers.keys.get(kid);
}

/** Fetches a grant. @throws Error if its signature does not hold */
async function grant(tenancy: Tenancy, device: Device, version?: number): Promise<void> {
  const query = version === undefined ? "" : `?keyVersion=${version}`;
  const answer = await tenancy.call(device, "GET", `/api/session-grant${query}`);
  if (answer?.status !== 200) return;
  const signer = await signerOf(tenancy, answer.headers.get("kartu-key-id") ?? "");
  const isTaken =
    signer !== undefined &&
    device.ring.take(answer.json as SignedGrant, signer, version === undefined, renewNever);
  if (!isTaken) throw new Error("a grant whose signature does not hold");
  const { expiresAt: to } = answer.json as SignedGrant;
  device.grants.push({ from: tenancy.nowSec, to });
}

/** A chip is under a key that the device holds no grant for: it asks, if it is online. */
export async function fetchKey(tenancy: Tenancy, device: Device, { chip }: Tag): Promise<void> {
  const now = tenancy.nowSec + device.skewSec;
  if (device.limits === null) await sync(tenancy, device, { do: "sync", device: 0 });
  const reading = device.read(chip, now);
  if (reading.kind !== "no_key") return;
  const { primary } = device.ring;
  const isOther = primary !== 0 && reading.keyVersion !== primary;
  await grant(tenancy, device, isOther ? reading.keyVersion : undefined);
}

interface BlocklistPage {
  readonly version: number;
  readonly full: boolean;
  readonly add: readonly { readonly cardId: string }[];
  readonly remove: readonly string[];
}

/** Reports, then grant, policy and blocklist. */
export async function sync(tenancy: Tenancy, device: Device, act: ActOf<"sync">): Promise<void> {
  if (act.lose === "request") return;
  await sendReports(tenancy, device);
  if (device.role === "scout") return;
  await grant(tenancy, device, act.version);
  const tag = device.policyTag;
  const policy = await tenancy.call(
    device,
    "GET",
    "/api/policy",
    tag === null ? {} : { etag: tag },
  );
  if (policy?.status === 200 && act.lose === undefined) {
    device.limits = policy.json as Limits;
    device.policyTag = policy.headers.get("etag");
  }
  const query = device.since === null ? "" : `?since=${device.since}`;
  const list = await tenancy.call(device, "GET", `/api/blocklist${query}`);
  if (list?.status !== 200 || act.lose !== undefined) return;
  const { version, full, add, remove } = list.json as BlocklistPage;
  if (full) device.blocked.clear();
  for (const { cardId } of add) device.blocked.add(cardId);
  for (const cardId of remove) device.blocked.delete(cardId);
  device.since = version;
}

export async function sendReports(tenancy: Tenancy, device: Device): Promise<void> {
  for (const report of device.reports.slice()) {
    const body = { terminalId: device.terminalId, ...report };
    const answer = await post(tenancy, device, "/api/terminal-report", body);
    if (answer?.status !== 204) return;
    device.reports = device.reports.filter((each) => each !== report);
  }
}

/** Hands in a part of the queue; it is the backend's once the answer is seen. */
export async function upload(tenancy: Tenancy, device: Device, act: Upload): Promise<void> {
  const { queue } = device;
  const from = queue.length === 0 ? 0 : (act.from ?? 0) % queue.length;
  const own = queue.slice(from, from + act.take);
  const events = ordered(own, act);
  const other =
    act.with === undefined ? undefined : tenancy.devices[act.with % tenancy.devices.length];
  if (other !== undefined && other !== device) {
    events.push(...other.queue.slice(0, act.take), ...other.handed.slice(-act.take));
  }
  const [first] = events;
  if (act.twice === true && first !== undefined) events.push(first);
  if (events.length === 0) return;
  const body = { terminalId: device.terminalId, events };
  const { lose, keyed } = act;
  const manner = { ...(lose !== undefined && { lose }), ...(keyed === true && { keyed }) };
  const answer = await post(tenancy, device, "/api/reconcile", body, manner);
  if (answer === null) return;
  const { status } = answer;
  const isTaken =
    status === 200 ||
    (status === 409 && (answer.json as { error: string }).error === "duplicate_counter");
  if (isTaken) device.settle(own);
}

function ordered(events: readonly WireEvent[], { order }: Upload): WireEvent[] {
  if (order === "reversed") return events.toReversed();
  if (order === undefined) return events.slice();
  return new Random(JSON.stringify(events)).shuffle(events);
}

/** One of the last calls, as it was; or its key with other bytes, or its bytes with another key. */
export async function again(
  tenancy: Tenancy,
  device: Device,
  { nth, twist }: ActOf<"again">,
): Promise<void> {
  const isKeyed = twist === "body" || twist === "key";
  const recent = device.sent.filter(({ key }) => !isKeyed || key !== undefined).slice(-historyMax);
  const sent = recent[nth % Math.max(1, recent.length)];
  if (sent === undefined) return;
  const { path, key } = sent;
  const body = twist === "body" ? changed(sent.body) : sent.body;
  const used = twist === "key" ? tenancy.newKey() : twist === "keyless" ? undefined : key;
  await tenancy.call(device, "POST", path, { body, ...(used !== undefined && { key: used }) });
}

/** Another request to the same address, well formed. */
function changed(body: unknown): unknown {
  const fields = { ...(body as Record<string, unknown> | undefined) };
  if (Array.isArray(fields.events)) return { ...fields, events: fields.events.slice(1) };
  if (typeof fields.amount === "number") return { ...fields, amount: fields.amount + 1 };
  if (typeof fields.timestamp === "number") return { ...fields, timestamp: fields.timestamp + 1 };
  return fields;
}
