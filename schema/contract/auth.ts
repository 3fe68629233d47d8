/** Shapes of signing in: registration, password, tenant choice, tokens. */
import { Type } from "@sinclair/typebox";
import {
  impersonationNoteMaxChars,
  nameMaxChars,
  opaqueTokenMaxChars,
  organizationMaxChars,
  passwordMaxChars,
  passwordMinChars,
} from "../bound.ts";
import { closed, nullable } from "./common.ts";

const uuid = (description: string) => Type.String({ format: "uuid", description });
const time = (description: string) => Type.String({ format: "date-time", description });
const opaque = (description: string) =>
  Type.String({ minLength: 1, maxLength: opaqueTokenMaxChars, description });

export const email = Type.String({
  format: "email",
  description: "Trimmed and lower-cased; at most 254 characters; unique over the whole server.",
});
export const newPassword = Type.String({
  minLength: passwordMinChars,
  maxLength: passwordMaxChars,
  description: "12 to 128 characters, not the email.",
});
/** One that is compared, not judged. */
export const password = Type.String({ minLength: 1, maxLength: passwordMaxChars });
export const personName = Type.String({ minLength: 1, maxLength: nameMaxChars });
export const mfaCode = Type.String({
  pattern: "^[0-9]{6}$",
  description: "6 digits of an authenticator app; each works once.",
});
const recoveryCode = Type.String({
  pattern: "^[0-9A-Za-z]{4}-[0-9A-Za-z]{4}-[0-9A-Za-z]{4}$",
  description: "In place of `mfaCode`; each works once.",
});
const useCookie = Type.Boolean({
  description: "Put the refresh token into the cookie `kartu_rt` in place of the body.",
});
const tenantId = uuid("The tenant to sign in to.");
const refreshToken = opaque("`rt_…`");

export const registerRequest = closed({
  email,
  password: newPassword,
  name: personName,
  organization: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: organizationMaxChars,
      description: "Name of the tenant that is made; default: `name`.",
    }),
  ),
});

export const loginRequest = closed({
  email,
  password,
  mfaCode: Type.Optional(mfaCode),
  recoveryCode: Type.Optional(recoveryCode),
  tenantId: Type.Optional(tenantId),
  useCookie: Type.Optional(useCookie),
});

export const exchangeRequest = closed({
  apiKey: Type.Optional(opaque("`ak_…`; exactly one of the two is due.")),
  code: Type.Optional(opaque("What a redirect brought back as `login`; once, within 60 s.")),
});

export const selectRequest = closed({
  sessionToken: opaque("`st_…` of the choice; one success within 5 min."),
  tenantId,
  remember: Type.Optional(
    Type.Boolean({ default: false, description: "Later sign-ins go to this tenant." }),
  ),
});

export const switchRequest = closed({
  tenantId,
  refreshToken: Type.Optional({ ...refreshToken, description: "Its family ends." }),
});

export const refreshRequest = closed({
  refreshToken: Type.Optional({ ...refreshToken, description: "Else the cookie `kartu_rt`." }),
});

export const logoutRequest = closed({
  refreshToken: Type.Optional({
    ...refreshToken,
    description: "Whose family ends; else that of the cookie, else that of the access token.",
  }),
});

export const acceptRequest = closed({
  token: opaque("`in_…` of the mailed link."),
  password: {
    ...password,
    description: "One's own; of somebody new the one they choose, 12 to 128 characters.",
  },
  name: Type.Optional(personName),
});

const reason = Type.Union(
  [
    Type.Literal("security_investigation"),
    Type.Literal("support_request"),
    Type.Literal("billing_issue"),
    Type.Literal("compliance_audit"),
    Type.Literal("other"),
  ],
  { description: "Why; it is recorded." },
);

export const impersonateRequest = closed({
  tenantId: uuid("The tenant to act in."),
  reason,
  note: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: impersonationNoteMaxChars,
      description: "Due with `other`.",
    }),
  ),
});

/** A person in a tenant. */
export const userMembers = {
  id: uuid("The person's."),
  email: Type.String(),
  name: Type.String(),
  locale: Type.String({ description: "BCP 47." }),
  tenantId: uuid("The tenant that roles and status are of."),
  roles: Type.Array(Type.String(), { description: "Names." }),
  status: Type.Union([
    Type.Literal("active"),
    Type.Literal("invited"),
    Type.Literal("blocked"),
    Type.Literal("deleted"),
  ]),
  emailVerified: Type.Boolean(),
  mfaEnabled: Type.Boolean(),
  lastLoginAt: nullable(time("The last sign-in.")),
  createdAt: time("When the person was made."),
  updatedAt: time("The last change."),
  version: Type.Integer({ minimum: 1, description: "Goes up with every change." }),
};

const pairMembers = {
  accessToken: Type.String({ description: "JWT for `Authorization: Bearer`." }),
  refreshToken: nullable(Type.String({ description: "`rt_…`; null where it is in the cookie." })),
  tokenType: Type.Literal("Bearer"),
  expiresIn: Type.Integer({ minimum: 1, description: "Seconds." }),
  expiresAt: time("End of the access token."),
  tenantId: uuid("The tenant that the tokens are for."),
};

export const pairAnswer = closed(pairMembers);
export const userPairAnswer = closed({ ...pairMembers, user: closed(userMembers) });

export const registerAnswer = closed({
  ...pairMembers,
  user: closed(userMembers),
  subscriptionId: nullable(uuid("Null without billing.")),
  subscription: nullable(
    closed({ status: Type.String(), trialEndsAt: nullable(time("End of the trial.")) }),
  ),
});

const choiceAnswer = closed({
  requiresTenantSelection: Type.Literal(true),
  sessionToken: Type.String({ description: "`st_…` for `/auth/select-tenant`." }),
  expiresAt: time("End of the choice."),
  tenants: Type.Array(
    closed({
      id: uuid("The tenant's."),
      name: Type.String(),
      logoUrl: nullable(Type.String()),
      role: Type.String({ description: "The one that weighs most there." }),
    }),
  ),
});

const keyTokenAnswer = closed({
  accessToken: Type.String(),
  tokenType: Type.Literal("Bearer"),
  expiresIn: Type.Integer({ minimum: 1, description: "Seconds." }),
  expiresAt: time("End of the access token."),
});

export const signInAnswer = Type.Union([userPairAnswer, choiceAnswer], {
  description: "A pair of tokens, or the choice of a tenant.",
});
export const exchangeAnswer = Type.Union([userPairAnswer, choiceAnswer, keyTokenAnswer], {
  description: "For a code a pair of tokens or the choice of a tenant; for a key an access token.",
});

export const ticketAnswer = closed({
  ticket: Type.String({ description: "`tk_…`; opens one stream, as `?ticket=`." }),
  expiresAt: time("60 s later."),
});

export const impersonateAnswer = closed({
  accessToken: Type.String(),
  expiresAt: time("End of the access token; there is no refresh token."),
  tenantId: uuid("The tenant to act in."),
  reason,
});
