/** Scenes of what nobody should do: limits overrun, wrong ops, states and times, copies, forgeries, junk. */
import type { Act } from "./act.ts";
import type { Scene, Weighted } from "./cast.ts";
import { knocks } from "./mischief.ts";

const daySec = 86_400;

const edge: Scene = (cast) => {
  const { random } = cast;
  const tag = cast.tag();
  const of = random.pick(["single", "daily", "weekly", "balance"] as const);
  cast.topup(tag, { of: "max", off: random.int(-1, 0) });
  cast.enter(tag);
  cast.pay(tag, { rogue: true, amount: { of, off: random.int(0, 1) } });
  cast.upload(cast.terminal());
  cast.pay(tag, { rogue: true, amount: { of, off: random.int(-1, 1) } });
  if (random.chance(0.5)) cast.topup(tag, { of: "max", off: 1 });
  if (random.chance(0.5)) cast.topup(tag, { of: "server", off: random.int(0, 1) }, "leave");
};

const hoard: Scene = (cast) => {
  const tag = cast.tag();
  const of = cast.random.pick(["max", "ceiling"] as const);
  cast.rogue(cast.station(), tag, "credit", { amount: { of, off: cast.random.int(0, 1) } });
  cast.upload(cast.station());
  cast.enter(tag);
  cast.pay(tag, { rogue: true, amount: 1 });
};

const overdraw: Scene = (cast) => {
  const tag = cast.tag();
  cast.rogue(cast.station(), tag, "credit", { amount: 1_000 });
  cast.upload(cast.station());
  cast.enter(tag);
  cast.pay(tag, { rogue: true, amount: { of: "balance", off: 0 } });
  cast.upload(cast.terminal());
};

const wrongOp: Scene = (cast) => {
  const tag = cast.tag();
  cast.enter(tag);
  cast.rogue(cast.terminal(), tag, cast.random.pick(["credit", "admin"] as const), { amount: 100 });
  cast.rogue(cast.door(), tag, "debit", { amount: 10 });
  cast.rogue(cast.station(), tag, cast.random.pick(["debit", "checkin"] as const), { amount: 10 });
  cast.uploadAll();
};

const wrongState: Scene = (cast) => {
  const tag = cast.tag();
  for (let i = 0; i < 3; i += 1) {
    const type = cast.random.pick(["checkin", "checkout", "debit"] as const);
    cast.rogue(cast.terminal(), tag, type, { amount: 5 });
  }
};

const wrongTime: Scene = (cast) => {
  const { random } = cast;
  const tag = cast.tag();
  cast.enter(tag);
  const off = random.pick([-4 * daySec, 4 * daySec, 3_600, 3_601, -3_601, 90_000, -2_000_000_000]);
  cast.rogue(cast.terminal(), tag, random.pick(["debit", "checkin"] as const), { amount: 5, off });
  cast.pay(tag);
};

/** An event at the very second at which a rule ends or begins. */
const second: Scene = (cast) => {
  const { random } = cast;
  const tag = cast.tag();
  const device = cast.terminal();
  const of = random.pick([
    ...(["grantEnd", "grantEnd", "grantStart", "block", "suspend", "expiry", "drift"] as const),
  ]);
  cast.add({ do: "sync", device });
  cast.enter(tag);
  if (of === "block") cast.add({ do: "stop", card: tag });
  if (of === "suspend") cast.add({ do: "device", device, to: "suspend" });
  for (let i = 0; i < 2; i += 1) {
    const type = random.pick(["debit", "checkin", "checkout"] as const);
    cast.rogue(device, tag, type, { amount: 5, at: { of, off: random.int(-1, 1) } });
  }
  if (of === "grantEnd") cast.add({ do: "pass", sec: 86_400 });
  cast.add({ do: "upload", device, take: 1_000 });
  if (of === "suspend") cast.add({ do: "device", device, to: "resume" });
};

const outOfGrant: Scene = (cast) => {
  const { random } = cast;
  const tag = cast.tag();
  cast.enter(tag);
  cast.add({ do: "pass", sec: random.pick([28_800, 32_400, 32_401, 40_000]) });
  cast.rogue(cast.terminal(), tag, "debit", { amount: 5 });
  cast.upload(cast.terminal());
};

const longStay: Scene = (cast) => {
  const tag = cast.tag();
  cast.enter(tag);
  cast.add({ do: "pass", sec: daySec + cast.random.int(-100, 100) });
  cast.syncAll();
  cast.rogue(cast.terminal(), tag, "debit", { amount: 5 });
};

const forged: Scene = (cast) => {
  const { random } = cast;
  const tag = cast.tag();
  const device = cast.terminal();
  cast.enter(tag);
  cast.tap(device, tag, "debit", { amount: 20 });
  const what = random.pick(["amount", "balance", "hash", "time", "type", "counter"] as const);
  cast.add({ do: "forge", device, what, by: random.pick([1, 7, -1, 100]) });
  cast.tap(device, tag, "debit", { amount: 10 });
  if (random.chance(0.6)) cast.upload(device);
};

const insider: Scene = (cast) => {
  const { random } = cast;
  const tag = cast.tag();
  cast.enter(tag);
  const skip = random.pick([0, 0, 1, 2, 9_998, 9_999, 10_000, 10_001]);
  const extra = random.pick([0, 500]);
  const device = cast.terminal();
  cast.rogue(device, tag, random.pick(["debit", "checkin"] as const), { amount: 1, extra, skip });
  cast.rogue(device, tag, "debit", { amount: 1 });
  cast.upload(device);
};

const junk: Scene = (cast) => {
  const { random } = cast;
  const device = cast.any();
  for (let i = random.int(1, 3); i > 0; i -= 1) {
    const what = random.pick([
      ...(["unknown", "zero", "huge", "moved", "ceiling", "leap", "far", "fork"] as const),
    ]);
    cast.add({ do: "junk", device, card: cast.card(), what });
  }
  cast.upload(device);
};

const clone: Scene = (cast) => {
  const { random } = cast;
  const tag = cast.tag();
  cast.enter(tag);
  cast.add({ do: "clone", tag });
  const copy = cast.tags;
  cast.tags += 1;
  cast.pay(tag);
  for (let i = random.int(1, 3); i > 0; i -= 1) cast.pay(copy, { rogue: random.chance(0.5) });
  cast.uploadAll();
};

const rollback: Scene = (cast) => {
  const tag = cast.tag();
  cast.enter(tag);
  cast.add({ do: "keep", tag });
  cast.pay(tag);
  cast.add({ do: "back", tag });
  const device = cast.terminal();
  for (let i = 0; i < 2; i += 1) cast.tap(device, tag, "debit", { amount: 30 });
  cast.add({ do: "upload", device, take: 1_000 });
};

const tamper: Scene = (cast) => {
  const { random } = cast;
  const tag = cast.tag();
  for (const buffer of [12, 222])
    cast.add({ do: "flip", tag, bit: (buffer + random.int(0, 190)) * 8 });
  cast.pay(tag);
  cast.uploadAll();
};

const told: Scene = (cast) => {
  const { random } = cast;
  const device = cast.any();
  for (let i = random.int(1, 3); i > 0; i -= 1) {
    const what = random.pick([
      ...["tamper", "replay", "replay", "invalid_transition", "write_failure", "write_failure"],
      ...["session_expired", "terminal_error"],
    ]);
    const counter = random.chance(0.5) ? { counter: random.int(0, 6) } : {};
    cast.add({
      do: "report",
      device,
      card: cast.card(),
      what,
      ...counter,
      ago: random.int(0, 600),
    });
  }
  cast.add({ do: "upload", device, take: 0 });
};

const knockOften: Scene = (cast) => {
  const { random } = cast;
  for (let i = random.int(2, 4); i > 0; i -= 1) {
    const act: Act = {
      ...{ do: "knock", device: cast.any(), card: cast.card(), how: random.pick(knocks) },
    };
    cast.add(act);
  }
};

const repeat: Scene = (cast) => {
  const { random } = cast;
  const device = random.chance(0.6) ? cast.station() : cast.any();
  for (let i = random.int(1, 3); i > 0; i -= 1) {
    const twist = random.pick([undefined, undefined, "body", "key", "keyless"] as const);
    const act: Act = { do: "again", device, nth: random.int(0, 29), ...(twist && { twist }) };
    cast.add(act);
  }
};

export const foulScenes: readonly Weighted[] = [
  [edge, 5],
  [hoard, 2],
  [overdraw, 3],
  [wrongOp, 3],
  [wrongState, 3],
  [wrongTime, 3],
  [second, 5],
  [outOfGrant, 2],
  [longStay, 1],
  [forged, 4],
  [insider, 4],
  [junk, 4],
  [clone, 4],
  [rollback, 3],
  [tamper, 1],
  [told, 4],
  [knockOften, 5],
  [repeat, 5],
];
