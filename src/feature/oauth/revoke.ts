/**
 * Ending what an application was given: by itself (RFC 7009), or because its code came back. Ending all of
 * a person's sessions is the business of `auth`.
 */
import type { By } from "../../domain/by.ts";
import { hashOf, isOpaque } from "../../domain/opaque.ts";
import { Problem } from "../../domain/problem.ts";
import type { Store, Writer } from "../../store/seam.ts";
import type { AuthService, Origin } from "../auth/service.ts";
import { authenticate } from "./authenticate.ts";
import { due } from "./fault.ts";
import type { Params } from "./request.ts";
import type { ClientSession, KnownClient } from "./store.ts";
import * as rows from "./store.ts";

export interface RevokeDeps {
  readonly store: Store;
  readonly auth: Pick<AuthService, "verifyAccess" | "endFamily">;
}

export function revokePart({ store, auth }: RevokeDeps) {
  /** The session and its tokens are dead from the COMMIT on. */
  async function end(
    tx: Writer,
    session: ClientSession | undefined,
    from: Origin,
    nowMs: number,
  ): Promise<void> {
    if (session === undefined) return;
    const by: By = { actor: { type: "system", id: "oauth" }, ...from };
    await auth.endFamily(tx, session, session.userUuid ?? "", by, nowMs);
  }

  /**
   * Ends the session of a token of this application; of any other token nothing is told and nothing done.
   * @throws Problem `invalid_client`, `invalid_request`
   */
  async function revoke(
    params: Params,
    authorization: string | null,
    from: Origin,
    nowMs: number,
  ): Promise<void> {
    const client = await store.read((q) => authenticate(q, params, authorization, nowMs));
    const token = due("token", params.token);
    const sid = isOpaque("rt_", token) ? undefined : await sidOf(token, client, nowMs);
    await store.write(async (tx) => {
      const { clientNo } = client;
      const session =
        sid === undefined
          ? await rows.sessionOfRefresh(tx, hashOf(token), clientNo)
          : await rows.findSession(tx, sid, clientNo);
      await end(tx, session, from, nowMs);
    });
  }

  /** Of an access token of this application that still lives. */
  async function sidOf(
    token: string,
    { uuid }: KnownClient,
    nowMs: number,
  ): Promise<string | undefined> {
    try {
      const { audience, sid } = await auth.verifyAccess(token, nowMs);
      return audience === uuid ? (sid ?? undefined) : undefined;
    } catch (error) {
      if (error instanceof Problem) return undefined;
      throw error;
    }
  }

  return { end, revoke };
}
