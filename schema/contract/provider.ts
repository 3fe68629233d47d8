/** Shapes of signing in with an account elsewhere. */
import { Type } from "@sinclair/typebox";
import { urlMaxChars } from "../bound.ts";
import { closed, nullable } from "./common.ts";

export const providerParams = closed({ id: Type.String({ description: "A provider's id." }) });

export const providersAnswer = closed({
  data: Type.Array(
    closed({
      id: Type.String(),
      name: Type.String(),
      type: Type.Union([Type.Literal("oauth"), Type.Literal("wallet")]),
    }),
  ),
});

export const beginBody = closed({
  redirectUri: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: urlMaxChars,
      description: "Where the browser ends; one of the provider's own list.",
    }),
  ),
  address: Type.Optional(
    Type.String({ minLength: 1, maxLength: 64, description: "Of a wallet: 0x and 40 digits." }),
  ),
});
export const begunAnswer = closed({
  redirectUrl: nullable(Type.String({ description: "Where to send the browser." })),
  state: Type.String({ description: "To compare with what the browser brings back." }),
  expiresAt: Type.String({ format: "date-time" }),
  message: nullable(Type.String({ description: "What a wallet is to sign (EIP-4361)." })),
});

/** Providers add parameters of their own, which are theirs to name. */
export const callbackQuery = Type.Object(
  {
    code: Type.Optional(Type.String()),
    state: Type.Optional(Type.String()),
  },
  { additionalProperties: true },
);

export const walletBody = closed({
  state: Type.String({ minLength: 1, maxLength: 256 }),
  address: Type.String({ minLength: 1, maxLength: 64 }),
  signature: Type.String({
    minLength: 1,
    pattern: "^(0x)?[0-9a-fA-F]{0,512}$",
    description: "65 bytes in hex: r, s and v.",
  }),
});
