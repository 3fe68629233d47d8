/** Shapes of what somebody sees and changes about themselves. */
import { Type } from "@sinclair/typebox";
import { localeMaxChars, opaqueTokenMaxChars } from "../bound.ts";
import { email, mfaCode, newPassword, password, personName, userMembers } from "./auth.ts";
import { closed, nullable } from "./common.ts";

const uuid = Type.String({ format: "uuid" });
const time = Type.String({ format: "date-time" });
const token = (description: string) =>
  Type.String({ minLength: 1, maxLength: opaqueTokenMaxChars, description });

export const meRequest = closed({
  name: Type.Optional(personName),
  locale: Type.Optional(
    Type.String({ minLength: 2, maxLength: localeMaxChars, description: "BCP 47." }),
  ),
  email: Type.Optional({ ...email, description: "Unverified again; needs `currentPassword`." }),
  currentPassword: Type.Optional(password),
});

export const meAnswer = closed({
  ...userMembers,
  tenant: closed({
    id: uuid,
    name: Type.String(),
    slug: Type.String(),
    type: Type.String(),
    status: Type.String(),
    logoUrl: nullable(Type.String()),
  }),
  permissions: Type.Array(Type.String(), {
    description: "What is granted: exact, `prefix.*` or `*`.",
  }),
  memberships: Type.Array(
    closed({
      tenantId: uuid,
      tenantName: Type.String(),
      tenantSlug: Type.String(),
      logoUrl: nullable(Type.String()),
      roles: Type.Array(Type.String()),
      status: Type.String(),
      isOwner: Type.Boolean(),
    }),
    { description: "Every tenant that the person is in." },
  ),
});

export const passwordRequest = closed({ currentPassword: password, password: newPassword });

export const sessionItem = closed({
  id: Type.String({ format: "uuid", description: "`sid` of its tokens." }),
  ip: Type.String({ description: "Of its last use." }),
  userAgent: Type.String(),
  createdAt: time,
  lastUsedAt: time,
  current: Type.Boolean({ description: "The one that this call is of." }),
});
export const sessionParams = closed({ id: uuid });

const recoveryCodes = Type.Array(Type.String(), { description: "Ten; each works once." });

export const mfaEnableAnswer = closed({
  secret: Type.String({ description: "Base 32; shown this once." }),
  otpauthUri: Type.String(),
  qrCodeSvg: Type.String({ description: "The URI as a QR code." }),
  recoveryCodes,
});
export const mfaVerifyRequest = closed({ code: mfaCode });
export const mfaVerifyAnswer = closed({
  mfaEnabled: Type.Boolean(),
  recoveryCodesRemaining: Type.Integer({ minimum: 0 }),
});
export const mfaDisableRequest = closed({ password, code: mfaCode });
export const mfaCodesRequest = closed({ code: mfaCode });
export const mfaCodesAnswer = closed({ recoveryCodes });

export const queuedAnswer = closed({ status: Type.Literal("queued") });
export const verifyEmailRequest = closed({ token: token("`ev_…` of the mailed link.") });
export const verifyEmailAnswer = closed({ emailVerified: Type.Boolean() });
export const requestResetRequest = closed({ email });
export const resetRequest = closed({
  token: token("`pr_…` of the mailed link."),
  password: newPassword,
});
