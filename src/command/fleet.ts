/**
 * What a virtual fleet needs of a server besides the device surface: devices, members, a key rotation, a
 * suspension, and its clock. Used by whoever runs one.
 */
import type { DeviceSpec, Role, SimClock } from "../sim/world.ts";
import { CommandFailed, ServerWentAway, UsageError } from "./context.ts";
import type { ArgsOf, OperationName, ResultOf, Tell } from "./operation.ts";
import { askServer } from "./socket.ts";

/** Has an operation done, here or by the live server. */
export type Ask = <N extends OperationName>(
  name: N,
  args: ArgsOf<N>,
  tell?: Tell,
) => Promise<ResultOf<N>>;

export interface FleetSize {
  readonly stations: number;
  readonly terminals: number;
  readonly gates: number;
  readonly scouts: number;
}

/** One terminal for 25 cards, and one in ten of the others for each. */
export const fleetFor = (cards: number): FleetSize => {
  const terminals = Math.max(2, Math.ceil(cards / 25));
  const few = Math.max(1, Math.ceil(terminals / 10));
  return { stations: few, terminals, gates: few, scouts: 1 };
};

/** Registers a fleet; the ids begin with `name`. */
export async function makeDevices(
  ask: Ask,
  name: string,
  size: FleetSize,
  tenant: string | undefined,
): Promise<DeviceSpec[]> {
  const made: DeviceSpec[] = [];
  const roles: readonly [Role, number][] = [
    ["station", size.stations],
    ["terminal", size.terminals],
    ["gate", size.gates],
    ["scout", size.scouts],
  ];
  for (const [role, count] of roles) {
    for (let i = 1; i <= count; i++) {
      const { deviceId, terminalId, secret } = await ask("device.add", {
        deviceId: `${name}-${role}-${i}`,
        role,
        name: `Virtual ${role} ${i}`,
        ...(tenant !== undefined && { tenant }),
      });
      made.push({ deviceId, role, terminalId, secret });
    }
  }
  return made;
}

/** Numbers of `count` new members. */
export async function makeMembers(
  ask: Ask,
  name: string,
  count: number,
  tenant: string | undefined,
): Promise<readonly [from: number, to: number]> {
  const made = await ask("member.add", { name, count, ...(tenant !== undefined && { tenant }) });
  const from = made[0]?.userId ?? 0;
  return [from, made.at(-1)?.userId ?? from];
}

/** Members up to number `to`, as far as they are missing; numbers are given one after the other. */
export async function fillMembers(
  ask: Ask,
  name: string,
  to: number,
  tenant: string | undefined,
): Promise<void> {
  const own = tenant === undefined ? {} : { tenant };
  if ((await ask("member.list", { ...own, after: to - 1, limit: 1 })).length > 0) return;
  const [next] = await ask("member.add", { ...own, name, count: 1 });
  const missing = to - (next?.userId ?? to);
  if (missing > 0) await ask("member.add", { ...own, name, count: missing });
}

/** What the operator does in the middle of a run. */
export const operatorOf = (ask: Ask, tenant: string | undefined) => {
  const own = tenant === undefined ? {} : { tenant };
  const statusOf = async (version: number): Promise<string | undefined> =>
    (await ask("keys.list", own)).find(({ keyVersion }) => keyVersion === version)?.status;
  return {
    rotate: async (): Promise<void> => {
      const keyVersion = 1 + Math.max(...(await ask("keys.list", own)).map((v) => v.keyVersion));
      await insist(async () => {
        if ((await statusOf(keyVersion)) !== undefined) return;
        await ask("keys.create", { ...own, note: "virtual fleet" });
      });
      await insist(async () => {
        if ((await statusOf(keyVersion)) === "active") return;
        await ask("keys.activate", { ...own, keyVersion });
      });
    },
    suspend: (deviceId: string): Promise<void> =>
      insist(async () => void (await ask("device.suspend", { ...own, deviceId }))),
  };
};

/** Again while the server goes away over it; `step` looks first whether it is done already. */
async function insist(step: () => Promise<void>): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof ServerWentAway) || tries >= triesMax) throw error;
      await Bun.sleep(tryAgainMs);
    }
  }
}

/** A server that is restarted is waited for, so long. */
const triesMax = 60;
const tryAgainMs = 250;

/** Moves a server's clock by so many seconds (0: looks whether it can be); the time then, in ms. */
export type MoveClock = (sec: number) => Promise<number>;

/**
 * The clock of the live server of a directory, by its socket: over the network only the owner may move it.
 * Throws ServerWentAway (nobody answers now), UsageError (it is no development server).
 */
export const clockOf =
  (dataDir: string): MoveClock =>
  async (advanceSec) => {
    const request = { command: "clock.advance", args: { advanceSec } };
    const answer = await askServer(dataDir, request, () => undefined);
    if (answer === undefined) throw new ServerWentAway("no server answers for this directory");
    return Date.parse((answer.result as ResultOf<"clock.advance">).now);
  };

/**
 * When an answer was made, in ms; NaN if it does not say. `Date` is the machine's time; an id of version
 * 7 (RFC 9562 §5.7) is the server's, which may have been moved.
 */
function timeOf(headers: Headers): number {
  const id = headers.get("x-request-id") ?? "";
  if (/^[0-9a-f]{8}-[0-9a-f]{4}-7/.test(id))
    return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
  return Date.parse(headers.get("date") ?? "");
}

/**
 * The clock of the server at `url`, which goes on by itself, or is moved by `move` where that can be.
 * @throws CommandFailed nobody answers there
 */
export async function serverClock(url: string, move?: MoveClock): Promise<SimClock> {
  let aheadMs = 0;
  const now = () => Math.floor((Date.now() + aheadMs) / 1000);
  const follow = (serverMs: number) => {
    if (Number.isFinite(serverMs)) aheadMs = serverMs - Date.now();
  };
  const reached = await fetch(`${url}/.well-known/jwks.json`).catch((cause) => {
    // Without the password that an address may hold.
    throw new CommandFailed(`nobody answers at ${URL.parse(url)?.origin ?? "that address"}`, {
      cause,
    });
  });
  if (move === undefined || !(await canMove(move))) {
    follow(timeOf(reached.headers));
    return { now };
  }
  /** A server that is away for a moment may have moved its clock before it went: only the rest is due. */
  const advance = async (sec: number): Promise<void> => {
    const target = now() + sec;
    for (let tries = 0; now() < target; tries++) {
      try {
        follow(await move(target - now()));
      } catch (error) {
        if (!(error instanceof ServerWentAway) || tries >= triesMax) throw error;
        await Bun.sleep(tryAgainMs);
        const reached = await fetch(`${url}/.well-known/jwks.json`).catch(() => undefined);
        if (reached !== undefined) follow(timeOf(reached.headers));
      }
    }
  };
  await advance(1);
  return { now, advance };
}

/** A server that refuses is none in development; one that does not answer is another's. */
async function canMove(move: MoveClock): Promise<boolean> {
  try {
    await move(0);
    return true;
  } catch (error) {
    if (error instanceof UsageError || error instanceof ServerWentAway) return false;
    throw error;
  }
}
