/**
 * Calls of those who run the venue: devices, zones, members, keys. Bodies are taken to be well formed; what
 * they do to devices and cards is what counts here.
 */

import { activeCardOf, type Books } from "./books.ts";
import { type Asked, codeOf, type Due, numberOf, objectOf, ok, refuse, textOf } from "./due.ts";
import { ACTIVE, type Device, giveSecret, type Member, statusAt } from "./thing.ts";

export const unknown = refuse(404, "not-found");
export const wrongState = refuse(409, "wrong-state");
export const taken = refuse(409, "already-exists");

/** A version that was sent may be stale: whether it is, is not followed. */
const isStale = ({ body, answer }: Asked): boolean =>
  body.version !== undefined && codeOf(answer) === "version-conflict";
export const stale = refuse(409, "version-conflict");

const zoneOf = (value: unknown): string | null => (typeof value === "string" ? value : null);

const deviceOf = ({ books, ids }: Asked): Device | undefined =>
  books.devices.find(({ id }) => id === ids[0]);

function shownDevice(device: Device) {
  const { id, deviceId, terminalId, role, status, zoneId, memberId, tokens } = device;
  const commissioned = tokens.some(({ dead }) => !dead);
  return { id, deviceId, terminalId, role, status, zoneId, memberId, commissioned };
}

export function addDevice({ books, body, answer, nowSec }: Asked): Due {
  const deviceId = textOf(body.deviceId);
  if (books.devices.some((each) => each.deviceId === deviceId)) return taken;
  const terminalId = Math.max(0, ...books.devices.map((each) => each.terminalId)) + 1;
  const { id, secret } = objectOf(answer.json);
  const device: Device = {
    ...{
      id: textOf(id),
      deviceId,
      terminalId,
      role: body.role as Device["role"],
      status: "active",
    },
    ...{ zoneId: zoneOf(body.zoneId), memberId: zoneOf(body.memberId), suspendedSec: 0 },
    ...{ secrets: [], tokens: [], grants: [], blocksSec: [] },
  };
  giveSecret(device, textOf(secret), nowSec);
  books.devices.push(device);
  return ok(shownDevice(device), 201);
}

export function showDevice(asked: Asked): Due {
  const device = deviceOf(asked);
  return device ? ok(shownDevice(device)) : unknown;
}

export function changeDevice(asked: Asked): Due {
  const device = deviceOf(asked);
  if (device === undefined) return unknown;
  if (isStale(asked)) return stale;
  if (device.status === "retired") return wrongState;
  const { zoneId } = asked.body;
  if (typeof zoneId === "string" && !asked.books.zones.has(zoneId)) return unknown;
  if (zoneId !== undefined) device.zoneId = zoneOf(zoneId);
  return ok(shownDevice(device));
}

/** Tokens die; so does a secret that is not spent. */
function disarm(device: Device): void {
  for (const token of device.tokens) token.dead = true;
  for (const secret of device.secrets) secret.dead ||= !secret.spent;
}

export function retireDevice(asked: Asked): Due {
  const device = deviceOf(asked);
  if (device === undefined) return unknown;
  if (device.status === "retired") return wrongState;
  device.status = "retired";
  disarm(device);
  return ok(undefined, 204);
}

export function suspend(asked: Asked): Due {
  const device = deviceOf(asked);
  if (device === undefined) return unknown;
  if (device.status === "retired") return wrongState;
  if (device.status === "active") device.suspendedSec = asked.nowSec;
  device.status = "suspended";
  return ok(shownDevice(device));
}

export function resume(asked: Asked): Due {
  const device = deviceOf(asked);
  if (device === undefined) return unknown;
  if (device.status === "retired") return wrongState;
  device.status = "active";
  return ok(shownDevice(device));
}

/** Of a retired device there is nothing left to revoke: either answer will do. */
export function revoke(asked: Asked): Due {
  const device = deviceOf(asked);
  if (device === undefined) return unknown;
  if (device.status === "retired" && asked.answer.status === 409) return wrongState;
  disarm(device);
  return ok(shownDevice(device));
}

export function newSecret(asked: Asked): Due {
  const device = deviceOf(asked);
  if (device === undefined) return unknown;
  if (device.status === "retired") return wrongState;
  if (asked.body.keepToken !== true) for (const token of device.tokens) token.dead = true;
  giveSecret(device, textOf(objectOf(asked.answer.json).secret), asked.nowSec);
  return ok({ secret: (met) => /^ks_[A-Za-z0-9_-]{43}$/.test(textOf(met)) }, 201);
}

export function addZone({ books, answer }: Asked): Due {
  if (codeOf(answer) === "already-exists") return taken;
  books.zones.add(textOf(objectOf(answer.json).id));
  return ok({}, 201);
}

export function removeZone({ books, ids: [id = ""] }: Asked): Due {
  if (!books.zones.has(id)) return unknown;
  const isUsed = books.devices.some(({ zoneId, status }) => zoneId === id && status !== "retired");
  if (isUsed || books.policies.zones.has(id)) return refuse(409, "in-use");
  books.zones.delete(id);
  return ok(undefined, 204);
}

const memberBy = ({ books, ids }: Asked): Member | undefined =>
  books.members.find(({ id }) => id === ids[0]);

function shownMember(books: Books, member: Member, nowSec: number) {
  const { id, userId, status } = member;
  const activeCardId = activeCardOf(books, member, nowSec)?.cardId ?? null;
  return { id, userId, status, activeCardId };
}

export function addMember({ books, body, answer, nowSec }: Asked): Due {
  const { id, userId } = objectOf(answer.json);
  if (books.members.some((each) => each.userId === body.userId)) return taken;
  const isFree = books.members.every((each) => each.userId !== userId);
  const member: Member = { id: textOf(id), userId: numberOf(userId), status: "active" };
  books.members.push(member);
  const due = body.userId === undefined && isFree ? member.userId : numberOf(body.userId);
  return ok({ ...shownMember(books, member, nowSec), userId: due }, 201);
}

export function showMember(asked: Asked): Due {
  const member = memberBy(asked);
  return member ? ok(shownMember(asked.books, member, asked.nowSec)) : unknown;
}

export function changeMember(asked: Asked): Due {
  const member = memberBy(asked);
  if (member === undefined) return unknown;
  if (isStale(asked)) return stale;
  if (member.status === "closed") return wrongState;
  const { status } = asked.body;
  if (status === "active" || status === "suspended") member.status = status;
  return ok(shownMember(asked.books, member, asked.nowSec));
}

export function closeMember(asked: Asked): Due {
  const member = memberBy(asked);
  if (member === undefined) return unknown;
  if (member.status === "closed") return wrongState;
  if (activeCardOf(asked.books, member, asked.nowSec)) return refuse(409, "in-use");
  member.status = "closed";
  return ok(undefined, 204);
}

const keyOf = ({ books, ids }: Asked) => books.keys.get(Number(ids[0]));

export function shownKey({ books, nowSec }: Asked, keyVersion: number) {
  const status = books.keys.get(keyVersion)?.status;
  const activeCards = [...books.cards.values()].filter(
    (card) => card.keyVersion === keyVersion && statusAt(card, nowSec) === ACTIVE,
  ).length;
  return { keyVersion, status, primary: books.primaryKey === keyVersion, activeCards };
}

export function addKey(asked: Asked): Due {
  const { books } = asked;
  const keyVersion = Math.max(...books.keys.keys()) + 1;
  books.keys.set(keyVersion, { status: "created" });
  return ok(shownKey(asked, keyVersion), 201);
}

export function activateKey(asked: Asked): Due {
  const { books, ids } = asked;
  const key = keyOf(asked);
  if (key === undefined) return unknown;
  if (key.status === "retired") return wrongState;
  key.status = "active";
  books.primaryKey = Number(ids[0]);
  return ok(shownKey(asked, books.primaryKey));
}

export function retireKey(asked: Asked): Due {
  const { books, body, ids } = asked;
  const keyVersion = Number(ids[0]);
  const key = keyOf(asked);
  if (key === undefined) return unknown;
  if (key.status === "retired") return ok(shownKey(asked, keyVersion));
  if (books.primaryKey === keyVersion) return wrongState;
  const isUsed = shownKey(asked, keyVersion).activeCards > 0;
  if (isUsed && body.force !== true) return refuse(409, "in-use");
  key.status = "retired";
  return ok(shownKey(asked, keyVersion));
}
