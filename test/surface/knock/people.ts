/** Knocks at the calls about users, invitations, roles, tenants and API keys. */
import { password } from "../served.ts";
import type { Knocks } from "./knock.ts";

const userKnocks: Knocks = {
  "GET /users": {
    ...{ may: "users.list", answers: "200" },
    make: () => ({ path: "/users?q=person&status=active&role=member&limit=5" }),
  },
  "POST /users": {
    ...{ may: "users.create", answers: "201", audit: "auth.user.created" },
    make: (house) => ({
      path: "/users",
      body: {
        email: `${house.name("user")}@example.com`,
        name: "Siti",
        roles: ["member"],
        password,
      },
    }),
  },
  "GET /users/:id": {
    ...{ may: "users.list", answers: "200" },
    make: async (house) => ({ path: `/users/${(await house.person()).id}` }),
  },
  "PATCH /users/:id": {
    ...{ may: "users.update", answers: "200", audit: "auth.user.updated" },
    make: async (house) => ({
      path: `/users/${(await house.person()).id}`,
      body: { name: house.name("Siti"), email: `${house.name("moved")}@example.com`, version: 1 },
    }),
  },
  "DELETE /users/:id": {
    ...{ may: "users.delete", answers: "204", audit: "auth.user.deleted" },
    make: async (house) => ({ path: `/users/${(await house.person()).id}` }),
  },
  "POST /users/:id/restore": {
    ...{ may: "users.delete", answers: "200", audit: "auth.user.restored" },
    make: async (house) => {
      const path = `/users/${(await house.person()).id}`;
      await house.estate.ok("DELETE", path, { token: house.owner });
      return { path: `${path}/restore` };
    },
  },
  "POST /users/:id/block": {
    ...{ may: "users.update", answers: "200", audit: "auth.user.blocked" },
    make: async (house) => ({ path: `/users/${(await house.person()).id}/block` }),
  },
  "POST /users/:id/unblock": {
    ...{ may: "users.update", answers: "200", audit: "auth.user.unblocked" },
    make: async (house) => {
      const path = `/users/${(await house.person()).id}`;
      await house.made(`${path}/block`);
      return { path: `${path}/unblock` };
    },
  },
  "POST /users/:id/revoke-sessions": {
    ...{ may: "users.update", answers: "204", audit: "auth.session.revoked" },
    make: async (house) => {
      const person = await house.person();
      await house.tokenOf(person);
      return { path: `/users/${person.id}/revoke-sessions` };
    },
  },
  "POST /users/:id/assign-roles": {
    ...{ may: "roles.assign", answers: "200", audit: "auth.role.changed" },
    make: async (house) => ({
      path: `/users/${(await house.person()).id}/assign-roles`,
      body: { roles: [(await house.role()).name] },
    }),
  },
};

const invitationKnocks: Knocks = {
  "POST /invitations": {
    ...{ may: "users.create", answers: "201", audit: "auth.invitation.created" },
    make: (house) => ({
      path: "/invitations",
      body: { email: `${house.name("guest")}@example.com`, name: "Budi", roles: ["member"] },
    }),
  },
  "GET /invitations": {
    ...{ may: "users.list", answers: "200" },
    make: () => ({ path: "/invitations?status=pending" }),
  },
  "POST /invitations/:id/resend": {
    ...{ may: "users.create", answers: "200", audit: "auth.invitation.created" },
    make: async (house) => ({ path: `/invitations/${(await house.invitation()).id}/resend` }),
  },
  "DELETE /invitations/:id": {
    ...{ may: "users.create", answers: "204", audit: "auth.invitation.revoked" },
    make: async (house) => ({ path: `/invitations/${(await house.invitation()).id}` }),
  },
};

const roleKnocks: Knocks = {
  "GET /roles": { ...{ may: "roles.list", answers: "200" }, make: () => ({ path: "/roles" }) },
  "POST /roles": {
    ...{ may: "roles.create", answers: "201", audit: "auth.role.created" },
    make: (house) => ({
      path: "/roles",
      body: {
        ...{ name: house.name("till"), displayName: "Till", description: "Tops up." },
        permissions: ["roles.create"],
      },
    }),
  },
  "GET /roles/:id": {
    ...{ may: "roles.list", answers: "200" },
    make: async (house) => ({ path: `/roles/${(await house.role()).id}` }),
  },
  "PATCH /roles/:id": {
    ...{ may: "roles.update", answers: "200", audit: "auth.role.updated" },
    make: async (house) => ({
      path: `/roles/${(await house.role()).id}`,
      body: { displayName: "Desk", permissions: ["roles.update"], version: 1 },
    }),
  },
  "DELETE /roles/:id": {
    ...{ may: "roles.delete", answers: "204", audit: "auth.role.deleted" },
    make: async (house) => ({ path: `/roles/${(await house.role()).id}` }),
  },
  "GET /permissions": {
    ...{ may: "roles.list", answers: "200" },
    make: () => ({ path: "/permissions?limit=100" }),
  },
};

const tenantKnocks: Knocks = {
  "GET /tenants": {
    ...{ may: "tenants.list", answers: "200" },
    make: () => ({ path: "/tenants" }),
  },
  "POST /tenants": {
    ...{ may: "tenants.create", answers: "201", audit: "auth.tenant.created" },
    make: (house) => ({
      path: "/tenants",
      body: {
        ...{ name: "Kantin", slug: house.name("kantin"), type: "client", parentId: house.id },
        ...{ ownerEmail: `${house.name("owner")}@example.com`, ownerName: "Rina" },
        ...{ currency: "IDR", timezone: "Asia/Jakarta" },
      },
    }),
  },
  "GET /tenants/:id": {
    ...{ may: "tenants.list", ownTenant: "settings.read", answers: "200" },
    make: async (house) => ({ path: `/tenants/${(await house.child()).id}` }),
  },
  "PATCH /tenants/:id": {
    ...{ may: "tenants.update", ownTenant: "settings.update" },
    ...{ answers: "200", audit: "auth.tenant.updated" },
    make: async (house) => {
      const { id, version } = await house.child();
      const name = house.name("Warung");
      return { path: `/tenants/${id}`, body: { name, locale: "id-ID", version } };
    },
  },
  "POST /tenants/:id/block": {
    ...{ may: "tenants.block", answers: "200", audit: "auth.tenant.blocked" },
    make: async (house) => ({
      path: `/tenants/${(await house.child()).id}/block`,
      body: { reason: "Unpaid" },
    }),
  },
  "POST /tenants/:id/unblock": {
    ...{ may: "tenants.block", answers: "200", audit: "auth.tenant.unblocked" },
    make: async (house) => {
      const path = `/tenants/${(await house.child()).id}`;
      await house.made(`${path}/block`);
      return { path: `${path}/unblock`, body: { reason: "Paid" } };
    },
  },
  "DELETE /tenants/:id": {
    ...{ may: "tenants.delete", answers: "204", audit: "auth.tenant.deleted" },
    make: async (house) => ({ path: `/tenants/${(await house.child()).id}` }),
  },
  "POST /tenants/:id/transfer-ownership": {
    ...{ may: "owner", answers: "200", audit: "auth.tenant.transferred", last: true },
    // Of a tenant of its own: whoever gives one away is its owner no more.
    make: async ({ estate }) => {
      const house = await estate.house();
      return {
        path: `/tenants/${house.id}/transfer-ownership`,
        body: { userId: (await house.person()).id, password },
        token: house.owner,
      };
    },
  },
};

const keyKnocks: Knocks = {
  "GET /api-keys": {
    ...{ may: "apikeys.list", answers: "200" },
    make: () => ({ path: "/api-keys" }),
  },
  "POST /api-keys": {
    ...{ may: "apikeys.create", answers: "201", audit: "auth.apikey.created" },
    make: (house) => ({
      path: "/api-keys",
      body: {
        ...{ name: house.name("key"), roles: ["member"], expiresAt: "2030-01-01T00:00:00Z" },
        allowedIps: ["127.0.0.0/8", "::1"],
      },
    }),
  },
  "DELETE /api-keys/:id": {
    ...{ may: "apikeys.delete", answers: "204", audit: "auth.apikey.revoked" },
    make: async (house) => ({ path: `/api-keys/${(await house.apiKey()).id}` }),
  },
};

export const peopleKnocks: Knocks = {
  ...userKnocks,
  ...invitationKnocks,
  ...roleKnocks,
  ...tenantKnocks,
  ...keyKnocks,
};
