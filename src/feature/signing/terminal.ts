/** `GET /.well-known/jwks.json`. */
import { jwksAnswer } from "../../../schema/contract/signing.ts";
import { publicRoute, type Route } from "../../http/route.ts";
import type { SigningService } from "./service.ts";

export const signingRoutes = (signing: Pick<SigningService, "publicKeys">): Route[] => [
  publicRoute({
    method: "GET",
    path: "/.well-known/jwks.json",
    operationId: "getSigningKeys",
    summary: "Public keys of this server, to check grants with",
    description:
      "The kid says what a key signs; a terminal accepts only those that start with grt_.",
    tag: "Session",
    access: { public: true },
    contract: { response: jwksAnswer },
    status: 200,
    refusals: [],
    examples: {
      response: {
        keys: [
          {
            kty: "EC",
            crv: "P-256",
            x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
            kid: "grt_3n0YqkX7Vw2mZ1uB",
            use: "sig",
            alg: "ES256",
          },
        ],
      },
    },
    handle: async ({ headers }) => {
      headers["cache-control"] = "public, max-age=300";
      return { keys: [...(await signing.publicKeys())] };
    },
  }),
];
