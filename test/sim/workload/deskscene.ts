/** Scenes at the desk and in the office: cards lost, replaced, refunded, keys rotated, devices and members changed. */
import type { Cast, Scene, Weighted } from "./cast.ts";

const reasons = [
  ...["unauthorised_credit", "counter_conflict", "counter_leap", "invalid_amount", "unknown_card"],
  ...["overdrawn", "under_review", undefined, undefined],
] as const;

function reissue(cast: Cast, card: number): void {
  const { random } = cast;
  cast.add({
    ...{ do: "reissue", device: cast.station(), card, reads: random.chance(0.6), ...cast.lost() },
    ...(random.chance(0.1) && { to: cast.card() }),
    ...(random.chance(0.1) && { version: random.pick([2, 9]) }),
  });
  cast.tags += 1;
}

const lost: Scene = (cast) => {
  const { random } = cast;
  const card = cast.tag();
  cast.enter(card);
  if (random.chance(0.5)) {
    cast.add({ do: "block", device: cast.station(), card, ...cast.lost() });
  } else {
    const as = random.chance(0.5) ? { as: "BLOCKED_FRAUD" as const } : {};
    cast.add({ do: "stop", card, ...as });
  }
  cast.pay(card);
  cast.pay(card, { rogue: true });
  if (random.chance(0.4)) cast.topup(card, 100);
  if (random.chance(0.8)) reissue(cast, card);
  if (random.chance(0.6)) cast.uploadAll();
  if (random.chance(0.2)) cast.add({ do: "unblock", card });
};

const exchange: Scene = (cast) => {
  const card = cast.tag();
  if (cast.random.chance(0.5)) cast.topup(card, 300, cast.random.pick(["write", "leave", "walk"]));
  reissue(cast, card);
  cast.pay(card, { rogue: true });
  if (cast.random.chance(0.3)) reissue(cast, card);
};

const newCard: Scene = (cast) => {
  const { random } = cast;
  cast.member();
  if (random.chance(0.4)) cast.add({ do: "list", card: random.int(0, 7) });
  const lifeSec = random.chance(0.5) ? { lifeSec: random.int(600, 200_000) } : {};
  const tag = cast.make(lifeSec);
  cast.topup(tag, 400);
  if (random.chance(0.3)) cast.add({ do: "list", card: random.int(0, 7), off: true });
};

const registerWrongly: Scene = (cast) => {
  const { random } = cast;
  const device = random.chance(0.7) ? cast.station() : cast.any();
  const wrong = random.pick([
    { card: cast.card() },
    { version: random.pick([2, 3, 200]) },
    { member: random.int(0, 9) },
  ]);
  cast.add({ do: "make", device, member: random.int(0, 9), ...wrong, ...cast.lost() });
};

const outlive: Scene = (cast) => {
  const { random } = cast;
  cast.member();
  const tag = cast.make({ lifeSec: random.int(300, 5_000) });
  cast.topup(tag, 400);
  cast.enter(tag);
  cast.add({ do: "pass", until: "expiry", sec: random.int(-1, 1) });
  cast.pay(tag, { rogue: true });
  cast.pay(tag, { rogue: true, amount: 1, at: { of: "expiry", off: random.int(-1, 1) } });
  if (random.chance(0.5)) cast.add({ do: "sync", device: cast.terminal() });
  cast.uploadAll();
  cast.topup(tag, 100);
  if (random.chance(0.5)) reissue(cast, tag);
};

const rotate: Scene = (cast) => {
  const { random } = cast;
  cast.add({ do: "key", to: "create", nth: 0 });
  const nth = random.int(1, 2);
  cast.add({ do: "key", to: "activate", nth });
  cast.syncAll();
  for (let i = random.int(1, 3); i > 0; i -= 1) {
    const device = cast.station();
    const version = random.chance(0.25) ? { version: random.pick([1, 2, 7]) } : {};
    cast.add({ do: "sync", device, version: 1 });
    cast.add({ do: "rekey", device, tag: cast.tag(), ...version, ...cast.lost() });
  }
  cast.add({ do: "sync", device: cast.terminal(), version: random.int(1, 3) });
  cast.enter(cast.tag());
  if (random.chance(0.5)) {
    cast.add({ do: "key", to: "retire", nth: random.int(0, 2), force: random.chance(0.5) });
  }
};

const suspend: Scene = (cast) => {
  const { random } = cast;
  const device = cast.any();
  const tag = cast.tag();
  cast.enter(tag);
  cast.tap(device, tag, "debit", { amount: 10, rogue: true });
  cast.add({ do: "device", device, to: "suspend" });
  if (random.chance(0.5)) cast.tap(device, tag, "debit", { amount: 10, rogue: true });
  cast.add({ do: "report", device, card: cast.card(), what: "tamper" });
  cast.add({ do: "upload", device, take: 1_000 }, { do: "sync", device });
  cast.add({ do: "block", device, card: cast.card() });
  if (random.chance(0.3)) {
    cast.add({ do: "device", device, to: "secret" }, { do: "commission", device });
  }
  if (random.chance(0.7)) cast.add({ do: "device", device, to: "resume" });
  cast.add({ do: "sync", device });
};

const revoke: Scene = (cast) => {
  const { random } = cast;
  const device = cast.any();
  const to = random.pick(["revoke", "secret", "spare", "spare"] as const);
  cast.add({ do: "device", device, to });
  cast.upload(device);
  if (to === "revoke") cast.add({ do: "device", device, to: "secret" });
  if (random.chance(0.4)) cast.add({ do: "commission", device, lose: "reply" });
  if (random.chance(0.2)) cast.add({ do: "pass", sec: random.int(6, 8) * 86_400 });
  cast.add({ do: "commission", device }, { do: "sync", device });
  if (random.chance(0.4)) cast.add({ do: "commission", device });
  cast.add({ do: "upload", device, take: 1_000 });
  if (random.chance(0.3)) cast.add({ do: "knock", device, card: 0, how: "old" });
};

const retire: Scene = (cast) => {
  if (cast.devices < 4) return;
  const device = cast.terminal();
  cast.add({ do: "device", device, to: "retire" }, { do: "upload", device, take: 5 });
  cast.enrol("terminal");
};

const member: Scene = (cast) => {
  const { random } = cast;
  const member = random.int(0, 5);
  const to = random.pick(["suspended", "suspended", "closed", "refund", "active"] as const);
  cast.add({ do: "memberTo", member, to });
  cast.topup(cast.tag(), 100);
  cast.add({ do: "make", device: cast.station(), member });
  if (random.chance(0.4)) reissue(cast, member);
  if (to === "suspended") cast.add({ do: "memberTo", member, to: "active" });
};

const limits: Scene = (cast) => {
  const { random } = cast;
  const scope = random.pick(["tenant", "zone", "device", "device"] as const);
  const set = random.pick([
    { singleTxLimit: random.int(1, 600) },
    { dailyLimit: random.int(600, 1_500) },
    { maxBalance: random.int(500, 4_000), singleTxLimit: 400 },
    { maxBalance: 16_000_000 },
    { blockedStatuses: random.pick([[], [1, 2], [4], [1, 2, 3, 4]]) },
    { clockDriftAllowanceSec: random.pick([0, 30, 3_600, 86_400]) },
    ...(scope === "tenant"
      ? [
          { grantTtlSec: random.pick([3_600, 28_800, 86_400]) },
          { allowedOps: { terminal: ["read", "checkin"], station: ["read", "topup", "reissue"] } },
          { allowedOps: { gate: ["read", "debit", "checkin", "checkout"] } },
        ]
      : []),
  ]);
  cast.add({ do: "policy", scope, nth: cast.any(), set });
  if (random.chance(0.7)) cast.syncAll();
  cast.pay(cast.tag());
};

const review: Scene = (cast) => {
  const { random } = cast;
  cast.uploadAll();
  for (let i = random.int(1, 4); i > 0; i -= 1) {
    const reason = random.pick(reasons);
    const how = random.pick(["approve", "dismiss"] as const);
    cast.add({
      ...{ do: "decide", nth: random.int(0, 9), how },
      ...(reason !== undefined && { reason }),
      ...(random.chance(0.3) && { block: random.chance(0.5) }),
      ...(random.chance(0.15) && { many: random.int(2, 5) }),
      ...(random.chance(0.1) && { twice: true }),
    });
  }
};

const refund: Scene = (cast) => {
  const { random } = cast;
  const card = cast.card();
  cast.add({
    ...{ do: "refund", card, retry: random.chance(0.2), chip: random.chance(0.4) },
    ...(random.chance(0.4) && { amount: random.pick([1, 100, 100_000]) }),
  });
  if (random.chance(0.5)) reissue(cast, card);
};

const settle: Scene = (cast) => {
  const { random } = cast;
  cast.uploadAll();
  cast.add({ do: "pass", sec: 86_400 });
  const device = random.chance(0.4) ? { device: cast.terminal() } : {};
  cast.add({ do: "settle", days: random.int(1, 4), ...device });
  cast.uploadAll();
};

const look: Scene = (cast) => {
  for (let i = 0; i < 3; i += 1) cast.add({ do: "look", at: cast.random.int(0, 99) });
  const { random } = cast;
  cast.add({ do: "read", device: cast.any(), card: cast.card(), limit: random.pick([1, 10, 100]) });
};

export const deskScenes: readonly Weighted[] = [
  [lost, 5],
  [exchange, 3],
  [newCard, 3],
  [registerWrongly, 3],
  [outlive, 3],
  [rotate, 2],
  [suspend, 3],
  [revoke, 3],
  [retire, 1],
  [member, 3],
  [limits, 4],
  [review, 7],
  [refund, 2],
  [settle, 1],
  [look, 3],
];
