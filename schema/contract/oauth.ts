/** Shapes of signing in through Kartu: applications, the page and its answers, tokens (OAuth 2, OIDC). */
import { Type } from "@sinclair/typebox";
import { clientScopesMax, nameMaxChars, redirectUrisMax, urlMaxChars } from "../bound.ts";
import { closed, nullable } from "./common.ts";

const id = Type.String({ format: "uuid" });
const time = Type.String({ format: "date-time" });

const name = Type.String({ minLength: 1, maxLength: nameMaxChars });
const type = Type.Union([Type.Literal("confidential"), Type.Literal("public")], {
  description: "Confidential: it can keep a secret. Public: it runs on its user's machine.",
});
const redirectUris = Type.Array(Type.String({ minLength: 1, maxLength: urlMaxChars }), {
  maxItems: redirectUrisMax,
  uniqueItems: true,
  description: "Where a sign-in may lead back to; compared as text, whole.",
});
const grantTypes = Type.Array(
  Type.Union([
    Type.Literal("authorization_code"),
    Type.Literal("refresh_token"),
    Type.Literal("client_credentials"),
  ]),
  { minItems: 1, maxItems: 3, uniqueItems: true },
);
const scopes = Type.Array(Type.String({ minLength: 1, maxLength: 128 }), {
  maxItems: clientScopesMax,
  uniqueItems: true,
  description: "Permissions that it may ask for; openid, profile, email and offline_access always.",
});
const version = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });

export const clientParams = closed({ id });
export const clientDraft = closed({ name, type, redirectUris, grantTypes, scopes });
export const clientChange = closed({
  name: Type.Optional(name),
  type: Type.Optional(type),
  redirectUris: Type.Optional(redirectUris),
  grantTypes: Type.Optional(grantTypes),
  scopes: Type.Optional(scopes),
  version: Type.Optional(version),
});

const clientMembers = {
  id,
  name,
  type,
  redirectUris,
  grantTypes,
  scopes,
  createdBy: Type.String(),
  createdAt: time,
  updatedAt: time,
  version,
};
export const clientAnswer = closed(clientMembers);
export const clientWithSecret = closed({
  ...clientMembers,
  clientSecret: nullable(
    Type.String({ description: "Shown this once; null for a public application." }),
  ),
});

/** RFC 6749 §3.1: parameters that are not known are left alone; the handler reports the faulty ones. */
const text = Type.Optional(Type.String());
export const authorizeQuery = Type.Object(
  {
    response_type: Type.Optional(Type.String({ description: "code" })),
    client_id: Type.Optional(Type.String({ description: "The application's id." })),
    redirect_uri: Type.Optional(Type.String({ description: "One of the application's own." })),
    scope: text,
    state: text,
    code_challenge: Type.Optional(Type.String({ description: "RFC 7636; due for every client." })),
    code_challenge_method: Type.Optional(Type.String({ description: "S256" })),
    nonce: text,
    prompt: Type.Optional(Type.String({ description: "none, login or consent." })),
    max_age: Type.Optional(Type.String({ description: "Seconds since the person signed in." })),
    response_mode: Type.Optional(Type.String({ description: "query" })),
  },
  { additionalProperties: true },
);

export const requestParams = closed({ id });
export const requestAnswer = closed({
  redirectTo: Type.String({ description: "Where the browser goes next." }),
});

export const tokenForm = Type.Object(
  {
    grant_type: Type.Optional(
      Type.String({ description: "authorization_code, refresh_token or client_credentials." }),
    ),
    client_id: text,
    client_secret: text,
    code: text,
    redirect_uri: text,
    code_verifier: text,
    refresh_token: text,
    scope: text,
    tenant_id: Type.Optional(Type.String({ description: "With client_credentials." })),
  },
  { additionalProperties: true },
);
export const tokenAnswer = closed({
  access_token: Type.String(),
  token_type: Type.Literal("Bearer"),
  expires_in: Type.Integer({ minimum: 1, maximum: 86_400 }),
  refresh_token: Type.Optional(Type.String()),
  id_token: Type.Optional(Type.String()),
  scope: Type.String(),
});

export const revokeForm = Type.Object(
  { token: text, token_type_hint: text, client_id: text, client_secret: text },
  { additionalProperties: true },
);
export const revokeAnswer = closed({});

export const userinfoAnswer = closed({
  sub: id,
  email: Type.Optional(Type.String()),
  email_verified: Type.Optional(Type.Boolean()),
  name: Type.Optional(nullable(Type.String())),
  tenant_id: id,
});

const words = Type.Array(Type.String());
export const discoveryAnswer = closed({
  issuer: Type.String(),
  authorization_endpoint: Type.String(),
  token_endpoint: Type.String(),
  userinfo_endpoint: Type.String(),
  revocation_endpoint: Type.String(),
  jwks_uri: Type.String(),
  response_types_supported: words,
  response_modes_supported: words,
  grant_types_supported: words,
  subject_types_supported: words,
  id_token_signing_alg_values_supported: words,
  code_challenge_methods_supported: words,
  token_endpoint_auth_methods_supported: words,
  revocation_endpoint_auth_methods_supported: words,
  scopes_supported: words,
  claims_supported: words,
  prompt_values_supported: words,
  authorization_response_iss_parameter_supported: Type.Boolean(),
  claims_parameter_supported: Type.Boolean(),
  request_parameter_supported: Type.Boolean(),
  request_uri_parameter_supported: Type.Boolean(),
});
