/**
 * A house with people in it: the routes of users, tenants, roles, invitations and keys, and those of
 * signing in, on a real store and server. Letters land in a list.
 */
import { apiKeyRoutes } from "../../src/feature/apikey/platform.ts";
import { apiKeyService } from "../../src/feature/apikey/service.ts";
import { authRoutes } from "../../src/feature/auth/platform.ts";
import { invitationRoutes } from "../../src/feature/invitation/platform.ts";
import { mailRoutes } from "../../src/feature/mail/platform.ts";
import { roleRoutes } from "../../src/feature/role/platform.ts";
import { tenantRoutes } from "../../src/feature/tenant/platform.ts";
import { userRoutes } from "../../src/feature/user/platform.ts";
import { userService } from "../../src/feature/user/service.ts";
import { Tickets } from "../../src/http/platform/ticket.ts";
import type { Foundation } from "./foundation.ts";
import { signInWorld, slugOf } from "./signin.ts";

export { ownerEmail, password } from "./signin.ts";

export const nobody = "01936d7a-0000-7000-8000-00000000dead";

export type House = Awaited<ReturnType<typeof house>>;

/** @param foundation one of its own */
export async function house(foundation: Foundation, options: { isOpen?: boolean } = {}) {
  const world = await signInWorld(foundation, {
    ...options,
    routes: (made) => {
      const { store, random, audit, event, people, auth, tenant } = made;
      const told = { store, random, audit, event, ...people };
      const { invitation, role } = people;
      return [
        ...authRoutes({ auth, tickets: new Tickets(random) }),
        ...mailRoutes(),
        ...userRoutes(userService({ ...told, sessions: auth })),
        ...tenantRoutes(tenant),
        ...roleRoutes(role),
        ...invitationRoutes(invitation),
        ...apiKeyRoutes(apiKeyService(told)),
      ];
    },
  });
  const { people } = world;
  const { accessToken: owner } = await world.login();

  /** A call as the owner of the first tenant, or with another token. */
  const call = (method: string, path: string, json?: unknown, token = owner) =>
    world.call(method, path, { token, ...(json !== undefined && { json }) });

  /** A person of the first tenant whose one role holds these permissions, signed in. */
  async function holder(
    email: string,
    permissions: readonly string[],
  ): Promise<{ id: string; token: string }> {
    const name = `r-${email.split("@")[0]}`;
    const made = await call("POST", "/roles", { name, permissions });
    if (made.status !== 201) throw new Error(`no role: ${made.text}`);
    const { uuid } = await world.person(email, [name]);
    return { id: uuid, token: (await world.login(email)).accessToken };
  }

  /** Letters to an address, oldest first; waits for those on their way. */
  async function lettersTo(email: string) {
    await people.mail.idle();
    return people.letters.filter(({ to }) => to === email);
  }

  /** The token in the newest letter to an address. */
  async function tokenTo(email: string): Promise<string> {
    const letter = (await lettersTo(email)).at(-1);
    return /token=([a-z]{2}_[\w-]{43})/.exec(letter?.text ?? "")?.[1] ?? "";
  }

  /** What a newcomer answers the link with. */
  const accept = (token: string, more: object = {}) =>
    world.call("POST", "/auth/accept-invite", {
      json: { token, password: "a password of theirs", ...more },
    });

  return { ...world, world: world.call, owner, call, holder, lettersTo, tokenTo, accept };
}

/** Status and slug of an answer, for tables. */
export const verdict = (answer: { status: number; json: { type?: string } | null }): string =>
  answer.status < 400 ? String(answer.status) : `${answer.status} ${slugOf(answer)}`;
