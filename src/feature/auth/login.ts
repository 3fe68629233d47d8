/**
 * Signing in with email and password. A wrong password is answered before anything else about the
 * account, in the same words and the same time whether or not there is such an account.
 */
import { signInFailuresMax, signInWindowSec } from "../../../schema/bound.ts";
import type { By } from "../../domain/by.ts";
import { Problem } from "../../domain/problem.ts";
import type { Store, Writer } from "../../store/seam.ts";
import type { Argon } from "../../system/argon.ts";
import type { Attempts } from "../../system/attempts.ts";
import type { AccessService } from "../access/service.ts";
import type { Choice, enterPart, UserPair, Via } from "./enter.ts";
import type { Factors, factorPart } from "./factor.ts";
import type { SignInUser } from "./store.ts";
import * as rows from "./store.ts";
import type { Tell } from "./tell.ts";

export interface LoginDeps {
  readonly store: Store;
  readonly access: AccessService;
  readonly passwords: Argon;
  /** Failed sign-ins by email. */
  readonly failures: Attempts;
  readonly factor: ReturnType<typeof factorPart>;
  readonly entry: ReturnType<typeof enterPart>;
  readonly tell: Tell;
}

export interface Credentials extends Factors {
  readonly email: string;
  readonly password: string;
}

export function loginPart(deps: LoginDeps) {
  const { store, access, passwords, failures, factor, entry, tell } = deps;

  /**
   * @param credentials email trimmed and in lower case.
   * @throws Problem `rate-limit-exceeded` `invalid-credentials` `mfa-required` `mfa-invalid`
   * `account-blocked` `no-tenant` `tenant-not-allowed` `tenant-blocked`
   */
  function login(
    credentials: Credentials,
    via: Omit<Via, "method">,
    nowMs: number,
  ): Promise<UserPair | Choice> {
    return failures.inTurn(credentials.email, () => loginNow(credentials, via, nowMs));
  }

  async function loginNow(
    { email, password, ...factors }: Credentials,
    via: Omit<Via, "method">,
    nowMs: number,
  ): Promise<UserPair | Choice> {
    checkFailures(email, nowMs);
    const user = await store.read((q) => rows.userByEmail(q, email));
    const isRight = await passwords.verify(password, user?.passwordHash ?? null);
    if (user === undefined || !isRight) {
      return await fail(email, user, "invalid-credentials", via, nowMs);
    }
    let spend: (tx: Writer) => Promise<void>;
    try {
      spend = await factor.check(user, factors, nowMs);
    } catch (error) {
      if (!(error instanceof Problem) || error.slug !== "mfa-invalid") throw error;
      return await fail(email, user, "mfa-invalid", via, nowMs);
    }
    const answer = await entry.enter(user, { ...via, method: "password" }, nowMs, spend);
    failures.clear(email);
    return answer;
  }

  function checkFailures(email: string, nowMs: number): void {
    const waitSec = failures.waitSec(email, nowMs);
    if (waitSec === 0) return;
    const detail = `Request rate exceeds limit of ${signInFailuresMax} req/${signInWindowSec}s for this email`;
    throw new Problem("rate-limit-exceeded", detail, { retryAfterSec: waitSec });
  }

  /** Recorded the same way, and so in the same time, for an email that nobody has. */
  async function fail(
    email: string,
    user: SignInUser | undefined,
    reason: "invalid-credentials" | "mfa-invalid",
    { ip, userAgent, traceId }: Omit<Via, "method">,
    nowMs: number,
  ): Promise<never> {
    failures.note(email, nowMs);
    const root = await access.root();
    const by: By = {
      actor:
        user === undefined ? { type: "system", id: "server" } : { type: "user", id: user.uuid },
      ...{ ip, userAgent },
      ...(traceId !== undefined && { traceId }),
    };
    await store.write(async (tx) => {
      const places = user === undefined ? [] : await rows.placesOf(tx, user.userNo);
      const open = places.filter(({ status }) => status !== "deleted");
      const tenantIds = open.length === 0 ? [root] : open.map(({ tenant_id }) => tenant_id);
      const userId = user?.uuid ?? "";
      const type = "auth.login.failed";
      await tell(tx, { type, tenantIds, userId, by, data: null, metadata: { reason } }, nowMs);
    });
    throw new Problem(reason);
  }

  return { login };
}
