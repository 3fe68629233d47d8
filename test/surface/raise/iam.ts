/** Refusals of signing in, of people and of what they may do. */

import { codeAt } from "../house.ts";
import { password } from "../served.ts";
import type { Raises } from "./raise.ts";

const opaque = (prefix: string): string => `${prefix}_${"A".repeat(43)}`;

const tokens: Raises = {
  unauthorized: [401, "no", ({ estate }) => estate.send("GET", "/auth/me")],
  "token-expired": [
    401,
    "refresh",
    async ({ estate, house }) => {
      const token = await house.token();
      estate.clock.advance(900);
      const response = await estate.send("GET", "/auth/me", { token });
      estate.clock.advance(-900);
      return response;
    },
  ],
  "token-revoked": [
    401,
    "sign in",
    async ({ estate, house }) => {
      const token = await house.token();
      await estate.ok("POST", "/auth/logout", { token });
      return estate.send("GET", "/auth/me", { token });
    },
  ],
  "token-invalid": [
    401,
    "no",
    ({ estate }) => estate.send("POST", "/auth/verify-email", { body: { token: opaque("ev") } }),
  ],
  "refresh-token-invalid": [
    401,
    "sign in",
    ({ estate }) => estate.send("POST", "/auth/refresh", { body: { refreshToken: opaque("rt") } }),
  ],
  "refresh-token-reused": [
    401,
    "sign in",
    async ({ estate, house }) => {
      const { refreshToken } = await house.pairOf(await house.person());
      await estate.ok("POST", "/auth/refresh", { body: { refreshToken } });
      estate.clock.advance(11);
      const response = await estate.send("POST", "/auth/refresh", { body: { refreshToken } });
      estate.clock.advance(-11);
      return response;
    },
  ],
  "session-token-invalid": [
    401,
    "sign in",
    ({ estate, house }) => {
      const body = { sessionToken: opaque("st"), tenantId: house.id };
      return estate.send("POST", "/auth/select-tenant", { body });
    },
  ],
};

const signins: Raises = {
  "invalid-credentials": [
    401,
    "no",
    ({ estate, house }) => {
      const body = { email: house.ownerEmail, password: "a wrong password" };
      return estate.send("POST", "/auth/login", { body });
    },
  ],
  "mfa-required": [
    401,
    "with code",
    async ({ estate, house }) => {
      const { email } = (await house.factored()).person;
      return estate.send("POST", "/auth/login", { body: { email, password } });
    },
  ],
  "mfa-invalid": [
    401,
    "with code",
    async ({ estate, house }) => {
      const { person, secret } = await house.factored();
      // The step that enabled it is spent.
      const mfaCode = codeAt(secret, estate.clock.nowSec());
      const body = { email: person.email, password, mfaCode };
      return estate.send("POST", "/auth/login", { body });
    },
  ],
  "account-blocked": [
    403,
    "no",
    async ({ estate, house }) => {
      const { id, email } = await house.person();
      await house.made(`/users/${id}/block`);
      return estate.send("POST", "/auth/login", { body: { email, password } });
    },
  ],
  "registration-closed": [
    403,
    "no",
    async ({ other }) => {
      const { estate } = await other({ KARTU_REGISTRATION: "closed" });
      const body = { email: "new@example.com", password, name: "Dewi" };
      return estate.send("POST", "/auth/register", { body });
    },
  ],
  "no-tenant": [
    403,
    "no",
    async ({ other }) => {
      const { estate, house } = await other({ KARTU_REGISTRATION: "closed" });
      const { id, email } = await house.person();
      await estate.ok("DELETE", `/users/${id}`, { token: house.owner });
      return estate.send("POST", "/auth/login", { body: { email, password } });
    },
  ],
  "tenant-not-allowed": [
    403,
    "no",
    ({ estate, house }) => {
      const body = { tenantId: estate.root.id };
      return estate.send("POST", "/auth/switch-tenant", { token: house.owner, body });
    },
  ],
  "provider-not-found": [
    404,
    "no",
    ({ estate }) => estate.send("POST", "/auth/login/nobody", { body: {} }),
  ],
  "upstream-unavailable": [
    503,
    "wait",
    ({ estate }) => estate.send("POST", "/auth/login/away", { body: {} }),
  ],
};

const people: Raises = {
  forbidden: [
    403,
    "no",
    async ({ estate, house }) => estate.send("GET", "/users", { token: await house.token() }),
  ],
  "tenant-blocked": [
    403,
    "no",
    async ({ estate }) => {
      const house = await estate.house();
      await estate.root.made(`/tenants/${house.id}/block`);
      return estate.send("GET", "/auth/me", { token: house.owner });
    },
  ],
  "impersonation-restricted": [
    403,
    "no",
    async ({ estate, house }) => {
      const body = { tenantId: house.id, reason: "support_request" };
      const { accessToken: token } = await estate.root.made<{ accessToken: string }>(
        "/auth/impersonate",
        body,
      );
      return estate.send("POST", "/auth/mfa/enable", { token });
    },
  ],
  "permission-escalation": [
    403,
    "no",
    async ({ estate, house }) => {
      const token = await house.holder(["roles.create"]);
      const body = { name: house.name("more"), permissions: ["users.list"] };
      return estate.send("POST", "/roles", { token, body });
    },
  ],
  "identity-shared": [
    403,
    "no",
    async ({ estate, house }) => {
      const { id, email } = await house.person();
      await estate.root.made("/invitations", { email });
      const token = await estate.linkTo(email, "in_");
      await estate.ok("POST", "/auth/accept-invite", { body: { token, password } });
      const body = { email: `${house.name("moved")}@example.com` };
      return estate.send("PATCH", `/users/${id}`, { token: house.owner, body });
    },
  ],
  "already-exists": [
    409,
    "no",
    async ({ estate, house }) => {
      const { name } = await house.role();
      return estate.send("POST", "/roles", { token: house.owner, body: { name, permissions: [] } });
    },
  ],
  "already-member": [
    409,
    "no",
    async ({ estate, house }) => {
      const { email } = await house.person();
      const body = { email, roles: ["member"] };
      return estate.send("POST", "/users", { token: house.owner, body });
    },
  ],
  "owner-protected": [
    409,
    "no",
    ({ estate, house }) => estate.send("DELETE", `/users/${house.ownerId}`, { token: house.owner }),
  ],
  "version-conflict": [
    409,
    "after reading",
    async ({ estate, house }) => {
      const { id } = await house.role();
      const body = { version: 7, displayName: "Desk" };
      return estate.send("PATCH", `/roles/${id}`, { token: house.owner, body });
    },
  ],
  "wrong-state": [
    409,
    "no",
    async ({ estate, house }) => {
      const { id } = await house.person();
      return estate.send("POST", `/users/${id}/unblock`, { token: house.owner });
    },
  ],
  "ids-exhausted": [
    409,
    "no",
    async ({ estate }) => {
      const house = await estate.house();
      for (let count = 0; count < 100; count++) await house.role();
      const body = { name: "one-more", permissions: [] };
      return estate.send("POST", "/roles", { token: house.owner, body });
    },
  ],
};

export const iamRaises: Raises = { ...tokens, ...signins, ...people };
