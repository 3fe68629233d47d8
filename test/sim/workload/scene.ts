/**
 * Small stories that a seed is made of, each with a weight: most are everyday life, the rest is what goes
 * wrong at a venue or what somebody does to it.
 */
import type { Scene, Weighted } from "./cast.ts";
import { deskScenes } from "./deskscene.ts";
import { foulScenes } from "./foulscene.ts";

const visit: Scene = (cast) => {
  const { random } = cast;
  const tag = cast.tag();
  cast.enter(tag);
  for (let i = random.int(1, 4); i > 0; i -= 1) cast.pay(tag);
  if (random.chance(0.7)) cast.tap(cast.door(), tag, "checkout");
};

const pay: Scene = (cast) => cast.pay(cast.tag());

const fill: Scene = (cast) => {
  const { random } = cast;
  const then = random.pick([
    ...(["write", "write", "write", "tear", "tear", "walk", "cancel", "leave"] as const),
  ]);
  const tag = cast.tag();
  cast.add({
    ...{ do: "topup", device: cast.station(), tag, amount: random.int(1, 12) * 100, then },
    ...{ torn: cast.pages(), counter: random.chance(0.4), ...cast.lost() },
  });
  if (random.chance(0.3)) cast.topup(tag, random.int(1, 3) * 100);
};

const muddle: Scene = (cast) => {
  const tag = cast.tag();
  const { random } = cast;
  cast.topup(tag, 200);
  cast.topup(tag, 200, random.pick(["leave", "write", "walk"] as const));
  if (random.chance(0.5)) cast.upload(cast.station());
  for (let i = random.int(1, 3); i > 0; i -= 1) {
    const device = random.chance(0.8) ? cast.station() : cast.any();
    cast.add({ do: "cancel", device, nth: random.int(0, 9), keyed: random.chance(0.3) });
  }
  if (random.chance(0.3)) cast.add({ do: "reverse", nth: random.int(0, 9) });
};

const tear: Scene = (cast) => {
  const { random } = cast;
  const tag = cast.tag();
  const device = cast.terminal();
  cast.enter(tag);
  const retried = random.chance(0.4) ? { retried: random.int(0, 69) } : {};
  cast.tap(device, tag, "debit", { amount: 10, torn: cast.pages(), ...retried });
  const next = random.chance(0.6) ? device : cast.terminal();
  cast.tap(next, tag, "debit", { amount: 20 });
  if (random.chance(0.5)) cast.add({ do: "repair", device: cast.station(), tag });
};

const gap: Scene = (cast) => {
  const { random } = cast;
  const tag = cast.tag();
  const device = cast.terminal();
  cast.enter(tag);
  for (let i = 0; i < 3; i += 1) cast.tap(device, tag, "debit", { amount: 10 });
  cast.add({ do: "upload", device, take: 1, from: 1 });
  if (random.chance(0.4)) cast.add({ do: "pass", sec: random.int(6, 8) * 86_400 });
  if (random.chance(0.6)) {
    cast.add({ do: "upload", device, take: 1_000, order: random.pick(["reversed", "shuffled"]) });
  }
};

const restart: Scene = (cast) => {
  const { random } = cast;
  cast.add({ do: "restart", how: random.pick(["stop", "kill", "cut"]) });
  const device = cast.any();
  cast.upload(device);
  cast.add({ do: "again", device, nth: random.int(0, 9) });
};

const boot: Scene = (cast) => {
  const { random } = cast;
  const device = cast.any();
  const skew = random.chance(0.5) ? { skew: random.int(-4_000, 4_000) } : {};
  cast.add({ do: "boot", device, ...skew });
  if (random.chance(0.8)) cast.add({ do: "sync", device });
};

const lateInTheDay: Scene = (cast) => {
  const { random } = cast;
  const tag = cast.tag();
  cast.enter(tag);
  for (const until of ["midnight", random.pick(["midnight", "monday"] as const)] as const) {
    cast.add({ do: "pass", until, sec: random.int(-3, 0) });
    cast.pay(tag, { rogue: true, amount: { of: "daily", off: random.int(0, 1) } });
    cast.pay(tag, { rogue: true, amount: 300 });
    cast.uploadAll();
    cast.topup(tag, 900);
  }
};

const everyday: readonly Weighted[] = [
  [visit, 14],
  [pay, 8],
  [fill, 10],
  [muddle, 3],
  [tear, 8],
  [gap, 3],
  [restart, 2],
  [boot, 3],
  [lateInTheDay, 3],
];

export const scenes: readonly Weighted[] = [...everyday, ...deskScenes, ...foulScenes];
