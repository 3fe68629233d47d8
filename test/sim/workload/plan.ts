/**
 * What happens in a seed: a venue is set up, then scenes are drawn by weight until there are enough acts, with
 * time, uploads and restarts between them. The same seed and size give the same acts.
 */
import { Random } from "../../../src/sim/random.ts";
import type { Act } from "./act.ts";
import { Cast } from "./cast.ts";
import { groundOf } from "./ground.ts";
import { scenes } from "./scene.ts";

const totalWeight = scenes.reduce((sum, [, weight]) => sum + weight, 0);

/** @param size about how many acts there are after the set-up */
export function plan(seed: number, size: number): Act[] {
  const random = new Random(`plan ${seed}`);
  const { tenants } = groundOf(seed);
  if (tenants === 1) return venue(random, size, 0);
  const two = [venue(random, size / 2, 0), venue(random, size / 2, 1)];
  // Interleaved, each in its own order.
  const acts: Act[] = [];
  while (two.some((list) => list.length > 0)) {
    const list = random.pick(two.filter((each) => each.length > 0));
    acts.push(...list.splice(0, random.int(1, 6)));
  }
  return acts;
}

function venue(random: Random, size: number, tenant: number): Act[] {
  const cast = new Cast(random);
  setUp(cast);
  const start = cast.acts.length;
  while (cast.acts.length - start < size) {
    drawn(random)(cast);
    between(cast);
  }
  for (let device = 0; device < cast.devices; device += 1) {
    cast.add({ do: "upload", device, take: 1_000 });
  }
  return tenant === 0 ? cast.acts : cast.acts.map((act) => ({ ...act, in: tenant }));
}

function drawn(random: Random): (cast: Cast) => void {
  let left = random.int(1, totalWeight);
  for (const [scene, weight] of scenes) {
    left -= weight;
    if (left <= 0) return scene;
  }
  throw new RangeError("weights");
}

function setUp(cast: Cast): void {
  const { random } = cast;
  if (random.chance(0.5)) cast.add({ do: "zone" });
  if (random.chance(0.85)) {
    const set = {
      ...{ maxBalance: 3_000, singleTxLimit: 500, dailyLimit: 900, weeklyLimit: 2_000 },
      ...(random.chance(0.3) && { clockDriftAllowanceSec: random.pick([0, 60, 7_200]) }),
    };
    cast.add({ do: "policy", scope: "tenant", set });
  }
  for (let i = random.int(3, 6); i > 0; i -= 1) cast.member();
  for (let i = random.int(1, 2); i > 0; i -= 1) cast.enrol("station");
  for (let i = random.int(1, 3); i > 0; i -= 1) cast.enrol("terminal");
  if (random.chance(0.5)) cast.enrol("gate");
  if (random.chance(0.4)) cast.enrol("scout");
  for (let i = random.int(2, 5); i > 0; i -= 1) {
    const tag = cast.make();
    if (random.chance(0.8)) cast.topup(tag, random.int(2, 15) * 100);
  }
}

/** Time goes on, and what is on the way arrives or does not. */
function between(cast: Cast): void {
  const { random } = cast;
  if (random.chance(0.5)) cast.upload(cast.any());
  if (random.chance(0.3)) cast.add({ do: "sync", device: cast.any() });
  if (random.chance(0.25)) cast.add({ do: "pass", sec: cast.some() });
  if (random.chance(0.05)) cast.add({ do: "pass", sec: random.int(1, 10) * 86_400 });
  if (random.chance(0.08)) {
    const until = random.pick(["midnight", "monday"] as const);
    cast.add({ do: "pass", until, sec: random.int(-2, 2) });
  }
  if (random.chance(0.04)) {
    cast.add({ do: "restart", how: random.pick(["stop", "kill", "cut", "cut"]) });
  }
  if (random.chance(0.1)) cast.add({ do: "read", device: cast.any(), card: random.int(0, 9) });
}
