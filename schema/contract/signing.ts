/** Public halves of the server's signing keys, as a JWK Set (RFC 7517 §5). */
import { Type } from "@sinclair/typebox";

export const jwksAnswer = Type.Object(
  {
    keys: Type.Array(
      Type.Object(
        {
          kty: Type.Literal("EC"),
          crv: Type.Literal("P-256"),
          x: Type.String(),
          y: Type.String(),
          kid: Type.String({
            description: "Starts with what it signs: grt_ for session grants.",
          }),
          use: Type.Literal("sig"),
          alg: Type.Literal("ES256"),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
);
