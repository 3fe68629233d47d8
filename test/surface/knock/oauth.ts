/** Knocks at the calls of applications and of Kartu as their provider. */
import { appUri } from "../house.ts";
import type { Knocks } from "./knock.ts";

export const oauthKnocks: Knocks = {
  "GET /oauth/clients": {
    ...{ may: "oauth.list", answers: "200" },
    make: () => ({ path: "/oauth/clients" }),
  },
  "POST /oauth/clients": {
    ...{ may: "oauth.manage", answers: "201", audit: "auth.client.created" },
    make: (house) => ({
      path: "/oauth/clients",
      body: {
        ...{ name: house.name("app"), type: "confidential", redirectUris: [appUri] },
        ...{ grantTypes: ["authorization_code"], scopes: ["oauth.manage"] },
      },
    }),
  },
  "GET /oauth/clients/:id": {
    ...{ may: "oauth.list", answers: "200" },
    make: async (house) => ({ path: `/oauth/clients/${(await house.client()).id}` }),
  },
  "PATCH /oauth/clients/:id": {
    ...{ may: "oauth.manage", answers: "200", audit: "auth.client.updated" },
    make: async (house) => ({
      path: `/oauth/clients/${(await house.client({ scopes: [] })).id}`,
      body: { name: house.name("app"), scopes: ["oauth.manage"], version: 1 },
    }),
  },
  "DELETE /oauth/clients/:id": {
    ...{ may: "oauth.manage", answers: "204", audit: "auth.client.deleted" },
    make: async (house) => ({ path: `/oauth/clients/${(await house.client()).id}` }),
  },
  "POST /oauth/clients/:id/rotate-secret": {
    ...{ may: "oauth.manage", answers: "200", audit: "auth.client.updated" },
    make: async (house) => ({
      path: `/oauth/clients/${(await house.client({ scopes: [] })).id}/rotate-secret`,
    }),
  },
  "GET /oauth/authorize": {
    ...{ may: "public", answers: "200", anyQuery: true },
    make: async (house) => {
      const { id } = await house.client();
      const query = new URLSearchParams({
        ...{ response_type: "code", client_id: id, redirect_uri: appUri, scope: "openid" },
        ...{ state: "s", code_challenge: "A".repeat(43), code_challenge_method: "S256" },
      });
      return { path: `/oauth/authorize?${query}` };
    },
  },
  "POST /oauth/requests/:id/approve": {
    ...{ may: "own", answers: "200", audit: "auth.client.approved", event: null },
    make: async (house) => ({
      path: `/oauth/requests/${await house.consent((await house.client()).id)}/approve`,
    }),
  },
  "POST /oauth/requests/:id/deny": {
    ...{ may: "own", answers: "200", audit: "auth.client.denied", event: null },
    make: async (house) => ({
      path: `/oauth/requests/${await house.consent((await house.client()).id)}/deny`,
    }),
  },
  "POST /oauth/token": {
    ...{ may: "public", answers: "200", audit: "auth.client.token_issued", event: null },
    make: async (house) => ({ path: "/oauth/token", form: await house.codeForm() }),
  },
  "POST /oauth/revoke": {
    ...{ may: "public", answers: "200", audit: "auth.session.revoked" },
    make: async (house) => {
      const form = await house.codeForm();
      const { estate } = house;
      const { access_token } = await estate.ok<{ access_token: string }>("POST", "/oauth/token", {
        form,
      });
      const { client_id = "", client_secret = "" } = form;
      return { path: "/oauth/revoke", form: { token: access_token, client_id, client_secret } };
    },
  },
  "GET /oauth/userinfo": {
    ...{ may: "self", answers: "200" },
    make: async (house) => ({
      path: "/oauth/userinfo",
      token: (await house.application()).access_token,
    }),
  },
  "GET /.well-known/openid-configuration": {
    ...{ may: "public", root: true, answers: "200" },
    make: () => ({ path: "/.well-known/openid-configuration" }),
  },
};
