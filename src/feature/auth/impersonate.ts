/**
 * The Platform Owner acting in another tenant: one access token with the role `admin` there, marked with
 * who acts, without a refresh token. It is told to that tenant and to the root.
 */
import type { By } from "../../domain/by.ts";
import { adminRole } from "../../domain/permission.ts";
import { Problem } from "../../domain/problem.ts";
import type { AccessService } from "../access/service.ts";
import type { Write } from "./enter.ts";
import type { mintPart } from "./mint.ts";
import type { Tell } from "./tell.ts";
import { isoOf } from "./view.ts";

export interface ImpersonateDeps {
  readonly access: AccessService;
  readonly mint: ReturnType<typeof mintPart>;
  readonly tell: Tell;
}

export interface ImpersonationDraft<R extends string> {
  /** Uuid of the tenant. */
  readonly tenantId: string;
  readonly reason: R;
  readonly note?: string;
}

export interface Impersonation<R extends string> {
  readonly accessToken: string;
  readonly expiresAt: string;
  readonly tenantId: string;
  readonly reason: R;
}

export function impersonatePart({ access, mint, tell }: ImpersonateDeps) {
  /**
   * @param userId uuid of the Platform Owner, as whom nobody else comes here.
   * @throws Problem `not-found`: no such tenant
   */
  async function impersonate<R extends string>(
    userId: string,
    { tenantId, reason, note }: ImpersonationDraft<R>,
    by: By,
    write: Write,
    nowMs: number,
  ): Promise<Impersonation<R>> {
    const user = await access.userByUuid(userId);
    const tenant = await access.tenantByUuid(tenantId);
    if (user === undefined || tenant === undefined || tenant.status === "deleted") {
      throw new Problem("not-found", "There is no such tenant.");
    }
    const root = await access.root();
    const member = await access.member(root, user.userNo);
    const minted = await mint.mintAccess(
      {
        sub: userId,
        act: userId,
        email: user.email,
        tenantUuid: tenant.uuid,
        roles: [adminRole],
        principal: "user",
        afterMs: Math.max(user.tokensFromMs, member?.tokensFromMs ?? 0),
      },
      nowMs,
    );
    const expiresAt = isoOf(minted.expiresAtSec * 1000);
    const answer = { accessToken: minted.accessToken, expiresAt, tenantId, reason };
    const tenantIds = [...new Set([root, tenant.tenantId])];
    const type = "auth.impersonation.started";
    const data = { userId, tenantId, reason, expiresAt };
    const metadata = { tenantId, reason, note: note ?? null, expiresAt };
    return await write(async (tx) => {
      await tell(tx, { type, tenantIds, userId, by, data, metadata }, nowMs);
      return answer;
    });
  }

  return { impersonate };
}
