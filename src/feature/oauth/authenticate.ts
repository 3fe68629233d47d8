/**
 * Which application calls (RFC 6749 §2.3): by HTTP Basic or in the body, with its secret; a public one by
 * its id alone.
 */
import type { Reader } from "../../store/seam.ts";
import { provesClient } from "./client.ts";
import { badClient, fault } from "./fault.ts";
import type { Params } from "./request.ts";
import type { KnownClient } from "./store.ts";
import * as rows from "./store.ts";

interface Credentials {
  readonly id: string;
  readonly secret: string | undefined;
}

/** @throws Problem `invalid_client`, `invalid_request`, `unauthorized_client` */
export async function authenticate(
  q: Reader,
  params: Params,
  authorization: string | null,
  nowMs: number,
): Promise<KnownClient> {
  const { id, secret } = credentialsOf(params, authorization);
  const client = await rows.knownClient(q, id);
  if (client === undefined) throw badClient();
  const isProved =
    client.type === "public"
      ? secret === undefined
      : secret !== undefined && provesClient(client, secret, nowMs);
  if (!isProved) throw badClient();
  if (client.tenantStatus === "active") return client;
  throw fault("unauthorized_client", "client_id", "The application's organisation is blocked");
}

function credentialsOf(params: Params, authorization: string | null): Credentials {
  const { client_id: id, client_secret: secret } = params;
  if (authorization === null) {
    if (id === undefined || id === "") throw badClient("No application is named.");
    return { id, secret };
  }
  const basic = readBasic(authorization);
  if (secret !== undefined) {
    throw fault("invalid_request", "client_secret", "Comes by Basic already");
  }
  if (id !== undefined && id !== basic.id) {
    throw fault("invalid_request", "client_id", "Is another than that of Basic");
  }
  return basic;
}

/** Id and secret, each form-encoded, joined by a colon, in base64. */
function readBasic(authorization: string): Credentials {
  const base64 = /^Basic +([A-Za-z0-9+/]+=*)$/i.exec(authorization)?.[1];
  if (base64 === undefined) throw badClient("Authorization must be Basic.");
  const text = Buffer.from(base64, "base64").toString("utf8");
  const colon = text.indexOf(":");
  if (colon < 0) throw badClient("Authorization must be Basic.");
  try {
    const secret = decode(text.slice(colon + 1));
    return { id: decode(text.slice(0, colon)), secret: secret === "" ? undefined : secret };
  } catch {
    throw badClient("Authorization must be Basic.");
  }
}

/** @throws URIError */
const decode = (text: string): string => decodeURIComponent(text.replaceAll("+", " "));
