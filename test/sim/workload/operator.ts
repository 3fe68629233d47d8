/**
 * What operators do, over HTTP with every permission: devices, members, policies, keys, blocks, refunds, the
 * review queue, settlement, and looks at all of it.
 */
import type { Answer } from "../../caller.ts";
import type { ActOf } from "./act.ts";
import { Device } from "./device.ts";
import type { Card, Member, Tenancy, Versioned } from "./tenancy.ts";
import { commission } from "./wire.ts";

type Json = Record<string, unknown>;

const isMade = (answer: Answer | null): answer is Answer =>
  answer !== null && answer.status >= 200 && answer.status < 300;
const idOf = (answer: Answer): string => String((answer.json as Json).id);
const rowsOf = (answer: Answer | null): Json[] =>
  isMade(answer) ? ((answer.json as { data?: Json[] }).data ?? []) : [];
const nth = <T>(list: readonly T[], at: number): T | undefined =>
  list[at % Math.max(1, list.length)];

export async function addZone(tenancy: Tenancy): Promise<void> {
  const waiting = tenancy.waiting("zones");
  if (waiting !== undefined) {
    tenancy.zones.push(idOf(waiting));
    return;
  }
  const name = `Hall ${tenancy.zones.length + 1}`;
  const answer = await tenancy.operate("POST", "/fleet/zones", { name });
  if (isMade(answer)) tenancy.zones.push(idOf(answer));
}

/** One of those who were there before, or a new one. */
export async function addMember(tenancy: Tenancy): Promise<void> {
  const waiting = tenancy.waiting("members");
  if (waiting !== undefined) {
    tenancy.members.push(waiting.json as Member);
    return;
  }
  const name = `Siti ${tenancy.members.length + 1}`;
  const answer = await tenancy.operate("POST", "/fleet/members", { name });
  if (!isMade(answer)) return;
  tenancy.members.push(answer.json as Member);
}

interface DeviceMade {
  readonly id: string;
  readonly deviceId: string;
  readonly terminalId: number;
  readonly secret: string;
}

/** A device that waits to be commissioned, or a new one, takes up its work. */
export async function enrol(tenancy: Tenancy, act: ActOf<"enrol">): Promise<Device | undefined> {
  const { role, skew = 0 } = act;
  const answer = tenancy.waiting("devices", role) ?? (await register(tenancy, act));
  if (answer === undefined) return undefined;
  const made = answer.json as DeviceMade;
  const device = new Device(made.deviceId, role, tenancy.cache);
  device.skewSec = skew;
  device.id = made.id;
  device.terminalId = made.terminalId;
  device.secret = made.secret;
  tenancy.devices.push(device);
  await commission(tenancy, device);
  return device;
}

async function register(tenancy: Tenancy, act: ActOf<"enrol">): Promise<Answer | undefined> {
  const { role } = act;
  const zoneId = act.zone === undefined ? undefined : nth(tenancy.zones, act.zone);
  const member = act.member === undefined ? undefined : nth(tenancy.members, act.member);
  const answer = await tenancy.operate("POST", "/fleet/devices", {
    ...{ deviceId: `${tenancy.seat.slug}-new-${tenancy.devices.length + 1}`, role },
    ...(zoneId !== undefined && { zoneId }),
    ...(role === "scout" && member !== undefined && { memberId: member.id }),
  });
  return isMade(answer) ? answer : undefined;
}

export async function changeDevice(
  tenancy: Tenancy,
  device: Device,
  { to }: ActOf<"device">,
): Promise<void> {
  const path = `/fleet/devices/${device.id}`;
  if (to === "retire") return void (await tenancy.operate("DELETE", path));
  if (to === "suspend" || to === "resume") {
    if (to === "suspend") device.suspendedSec ??= tenancy.nowSec;
    else device.suspendedSec = null;
    return void (await tenancy.operate("POST", `${path}/${to}`, { reason: "looked odd" }));
  }
  if (to === "revoke") return void (await tenancy.operate("POST", `${path}/revoke-token`));
  const body = to === "spare" ? { keepToken: true } : {};
  const answer = await tenancy.operate("POST", `${path}/secret`, body);
  if (isMade(answer)) device.secret = String((answer.json as Json).secret);
}

export async function changeMember(
  tenancy: Tenancy,
  member: Member,
  { to }: ActOf<"memberTo">,
): Promise<void> {
  const path = `/fleet/members/${member.id}`;
  if (to === "closed") await tenancy.operate("DELETE", path);
  else if (to === "refund") {
    const body = { reason: "leaves" };
    await tenancy.operate("POST", `${path}/refund`, body, tenancy.newKey());
  } else await tenancy.operate("PATCH", path, { status: to });
}

/** The policy of the tenant, a zone or a device; made where there is none yet. */
export async function changePolicy(tenancy: Tenancy, act: ActOf<"policy">): Promise<void> {
  const { scope, set } = act;
  const target = targetOf(tenancy, act);
  if (target === undefined) return;
  const name = `${scope} ${target}`;
  const known = tenancy.policies.get(name) ?? (await policyOf(tenancy, scope));
  const { grantTtlSec, allowedOps, ...limits } = set;
  const answer =
    known === undefined
      ? await tenancy.operate("POST", "/fleet/policies", { scope, scopeId: target, ...limits })
      : await tenancy.operate("PATCH", `/fleet/policies/${known.id}`, {
          ...{ ...set, version: known.version },
        });
  if (isMade(answer)) tenancy.policies.set(name, answer.json as Versioned);
  // What was lost on the way back has changed it all the same.
  else if (answer === null) tenancy.policies.delete(name);
}

function targetOf(tenancy: Tenancy, { scope, nth: at = 0 }: ActOf<"policy">): string | undefined {
  if (scope === "tenant") return "";
  return scope === "zone" ? nth(tenancy.zones, at) : nth(tenancy.devices, at)?.id;
}

/** As the server has it: the tenant's is there from the start. */
async function policyOf(tenancy: Tenancy, scope: string): Promise<Versioned | undefined> {
  if (scope !== "tenant") return undefined;
  const [first] = rowsOf(await tenancy.operate("GET", "/fleet/policies?scope=tenant"));
  return first as Versioned | undefined;
}

export async function changeKey(tenancy: Tenancy, act: ActOf<"key">): Promise<void> {
  const { to, force } = act;
  if (to === "create") return void (await tenancy.operate("POST", "/fleet/key-versions", {}));
  const number = 1 + (act.nth % 4);
  const body = to === "retire" && force === true ? { force } : {};
  await tenancy.operate("POST", `/fleet/key-versions/${number}/${to}`, body);
}

/** Lists an id that is not registered, or takes it off; a card's own id is refused. */
export async function list(tenancy: Tenancy, { card, off }: ActOf<"list">): Promise<void> {
  const own = card % 4 === 0 ? nth(tenancy.cards, card)?.cardId : undefined;
  // The id of the card that is made next, so that it is met listed.
  const next = `ca${(tenancy.made + 1).toString(16).padStart(10, "0")}`;
  const cardId = own ?? (card % 4 === 1 ? next : `fe${card.toString(16).padStart(10, "0")}`);
  if (off === true) return void (await tenancy.operate("DELETE", `/fleet/blocklist/${cardId}`));
  await tenancy.operate("POST", "/fleet/blocklist", { cardId, reason: "stolen elsewhere" });
}

export async function stop(tenancy: Tenancy, card: Card, act: ActOf<"stop">): Promise<void> {
  const body = { reason: "lost", ...(act.as !== undefined && { as: act.as }) };
  const answer = await tenancy.operate("POST", `/fleet/cards/${card.cardId}/block`, body);
  if (isMade(answer)) tenancy.noteBlock(card.cardId);
}

export async function refund(
  tenancy: Tenancy,
  { cardId }: Card,
  act: ActOf<"refund">,
): Promise<void> {
  const tag = tenancy.tags.find((each) => each.cardId === cardId);
  const newest = tenancy.devices
    .flatMap(({ handed }) => handed)
    .findLast((event) => event.cardId === cardId);
  const read = act.chip === true && tag !== undefined ? newest?.balanceAfter : undefined;
  const body = {
    reason: "leaves",
    ...(act.amount !== undefined && { amount: act.amount }),
    ...(read !== undefined && { chipBalance: read }),
  };
  const key = tenancy.newKey();
  const path = `/fleet/cards/${cardId}/refund`;
  await tenancy.operate("POST", path, body, key);
  if (act.retry === true) await tenancy.operate("POST", path, body, key);
}

/** Decides an open flag of the queue, or several at once. */
export async function decide(tenancy: Tenancy, act: ActOf<"decide">): Promise<void> {
  const query = act.reason === undefined ? "" : `&reason=${act.reason}`;
  const path = `/fleet/flags?status=open&limit=100${query}`;
  const open = rowsOf(await tenancy.operate("GET", path));
  const first = nth(open, act.nth);
  if (first === undefined) return;
  const { how, many = 1 } = act;
  const note = "seen";
  if (many > 1) {
    const ids = open.slice(0, many).map(({ id }) => String(id));
    await tenancy.operate("POST", "/fleet/flags/decide", { ids, decision: how, note });
    return;
  }
  const body = {
    note,
    ...(how === "dismiss" && act.block !== undefined && { block: act.block }),
  };
  const decision = `/fleet/flags/${String(first.id)}/${how}`;
  await tenancy.operate("POST", decision, body);
  if (act.twice === true) await tenancy.operate("POST", decision, body);
}

const dateOf = (tenancy: Tenancy, sec: number): string =>
  new Date(tenancy.days.day(sec) * 86_400_000).toISOString().slice(0, 10);

/** Closes the days before today, for a terminal or for all. */
export async function settle(tenancy: Tenancy, act: ActOf<"settle">): Promise<void> {
  const to = dateOf(tenancy, tenancy.nowSec - 86_400);
  const from = dateOf(tenancy, tenancy.nowSec - 86_400 * Math.max(1, act.days));
  const device = act.device === undefined ? undefined : nth(tenancy.devices, act.device);
  await tenancy.operate("POST", "/fleet/settlement/runs", {
    ...{ from, to },
    ...(device !== undefined && { terminalId: device.terminalId }),
  });
}

/** Takes back a top-up that waits. */
export async function reverse(tenancy: Tenancy, act: ActOf<"reverse">): Promise<void> {
  const made = nth(tenancy.topups, act.nth);
  if (made === undefined) return;
  const path = `/transactions/${made.topupId}/reversal`;
  await tenancy.operate("POST", path, { reason: "a mistake" }, tenancy.newKey());
}

export async function look(tenancy: Tenancy, { at }: ActOf<"look">): Promise<void> {
  const today = dateOf(tenancy, tenancy.nowSec);
  const card = nth(tenancy.cards, at)?.cardId;
  const device = nth(tenancy.devices, at)?.id;
  const paths = [
    "/fleet/overview",
    ...(card === undefined ? [] : [`/fleet/cards/${card}`]),
    "/fleet/flags?status=open&limit=100",
    ...(device === undefined
      ? []
      : [`/fleet/devices/${device}`, `/fleet/devices/${device}/policy`]),
    `/fleet/settlement?from=${dateOf(tenancy, tenancy.nowSec - 86_400 * 5)}&to=${today}`,
    "/fleet/cards?limit=100",
    "/fleet/blocklist?limit=100",
    "/fleet/key-versions",
    "/fleet/batches?limit=100",
    "/money/trial-balance",
  ];
  await tenancy.operate("GET", nth(paths, at) ?? "/fleet/overview");
}
