/**
 * Signing in as people do it, over HTTP: the routes of sign-in and of oneself on a real store and server,
 * with hashing that costs next to nothing, letters in a list and a clock that only tests move.
 */
import { afterEach } from "bun:test";
import { statement } from "../../schema/query/statement.ts";
import { authRoutes } from "../../src/feature/auth/platform.ts";
import { selfRoutes } from "../../src/feature/self/platform.ts";
import { selfService } from "../../src/feature/self/service.ts";
import { Tickets } from "../../src/http/platform/ticket.ts";
import { argon } from "../../src/system/argon.ts";
import { type FoundationOptions, foundations } from "./foundation.ts";
import { type SignInOptions, signInWorld } from "./signin.ts";

const cheapArgon = argon({ cost: { memoryKib: 1_024, passes: 1 } });

export interface EntranceOptions extends FoundationOptions {
  /** Anybody may register. */
  readonly isOpen?: boolean;
  readonly routes?: SignInOptions["routes"];
}

export type Entrance = Awaited<ReturnType<ReturnType<typeof entrances>>>;

/** To be called once in each test file, at its top; all of it goes after each test. */
export function entrances() {
  const found = foundations();
  const undo: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const step of undo.splice(0)) await step();
  });
  return async ({ isOpen = true, routes, ...options }: EntranceOptions = {}) => {
    const world = await signInWorld(await found(options), {
      isOpen,
      routes: (made) => {
        const { store, random, masterKey, auth, people } = made;
        const parts = { ...people, store, random, masterKey, auth, codes: cheapArgon };
        const self = selfService(parts);
        const tickets = new Tickets(random);
        return [
          ...authRoutes({ auth, tickets }),
          ...selfRoutes({ self }),
          ...(routes?.(made) ?? []),
        ];
      },
    });
    undo.push(world.close);
    return world;
  };
}

export const phrase = "a long pass phrase";

export interface Draft {
  readonly email: string;
  readonly name?: string;
  readonly organization?: string;
}

/** Registers, with the password above; answers the pair. */
export async function register(world: Entrance, { email, name = "Dewi", ...more }: Draft) {
  const json = { email, password: phrase, name, ...more };
  const answer = await world.call("POST", "/auth/register", { json });
  if (answer.status !== 201) throw new Error(answer.text);
  return answer.json;
}

/** The token of the newest letter to an address whose link begins so. */
export async function linked(
  world: Entrance,
  email: string,
  prefix: "ev_" | "pr_" | "in_",
): Promise<string> {
  await world.people.mail.idle();
  const letters = world.people.letters.filter(({ to }) => to === email);
  for (const { text } of letters.reverse()) {
    const token = new RegExp(`${prefix}[A-Za-z0-9_-]{43}`).exec(text)?.[0];
    if (token !== undefined) return token;
  }
  throw new Error(`no letter with ${prefix} to ${email}`);
}

/** Post and expect a status; the answer's JSON. */
export async function post(
  world: Entrance,
  path: string,
  status: number,
  sent: Parameters<Entrance["call"]>[2] = {},
) {
  const answer = await world.call("POST", path, sent);
  if (answer.status !== status) throw new Error(`${path}: ${answer.status} ${answer.text}`);
  return answer.json;
}

/** Status and slug of a refusal, as `401 token-revoked`. */
export async function refusal(
  world: Entrance,
  method: string,
  path: string,
  sent: Parameters<Entrance["call"]>[2] = {},
): Promise<string> {
  const { status, json } = await world.call(method, path, sent);
  return `${status} ${String(json?.type ?? "").replace(/^.*\//, "")}`;
}

/** Makes somebody part of a further tenant. */
export async function joinTenant(
  world: Entrance,
  userUuid: string,
  tenantUuid: string,
  roles: readonly string[] = ["member"],
): Promise<void> {
  const { access, account } = world.people;
  const user = await access.userByUuid(userUuid);
  const tenant = await access.tenantByUuid(tenantUuid);
  if (user === undefined || tenant === undefined) throw new Error("no such user or tenant");
  await world.store.write(async (tx) => {
    const { userNo } = user;
    const draft = { tenantId: tenant.tenantId, userNo, status: "active", roles } as const;
    await account.join(tx, draft, world.clock.nowMs());
    access.forget(tx, { userNo });
  });
}

/** Changes a row outside of any feature, and forgets everything. */
export async function meddle(world: Entrance, sql: string): Promise<void> {
  const { access } = world.people;
  await world.store.write(async (tx) => {
    await tx.run(statement<[]>("test.meddle", sql));
    for (let no = 1; no < 10; no++) access.forget(tx, { userNo: no, tenantId: no });
  });
}
