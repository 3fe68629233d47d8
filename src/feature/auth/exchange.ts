/**
 * One thing for another: an API key for an access token of its own, the code that a redirect brought back
 * for the sign-in that it stands for. Making keys and codes is not here.
 */
import { accessTokenLifeSec } from "../../../schema/bound.ts";
import { isAllowed } from "../../domain/cidr.ts";
import { hashOf, isOpaque } from "../../domain/opaque.ts";
import { Problem } from "../../domain/problem.ts";
import type { Store } from "../../store/seam.ts";
import type { AccessService } from "../access/service.ts";
import type { Choice, UserPair, Via, Within } from "./enter.ts";
import type { mintPart } from "./mint.ts";
import type { proofPart } from "./proof.ts";
import * as rows from "./store.ts";
import { isoOf } from "./view.ts";

export interface ExchangeDeps {
  readonly store: Store;
  readonly access: AccessService;
  readonly mint: ReturnType<typeof mintPart>;
  readonly proofs: ReturnType<typeof proofPart>;
  signIn(userNo: number, via: Via, nowMs: number, within: Within): Promise<UserPair | Choice>;
}

/** What an API key is exchanged for. */
export interface KeyToken {
  readonly accessToken: string;
  readonly tokenType: "Bearer";
  readonly expiresIn: number;
  readonly expiresAt: string;
}

export function exchangePart({ store, access, mint, proofs, signIn }: ExchangeDeps) {
  /** @throws Problem `invalid-credentials` `tenant-blocked` */
  async function exchangeKey(apiKey: string, address: string, nowMs: number): Promise<KeyToken> {
    const refused = (): Problem => new Problem("invalid-credentials");
    if (!isOpaque("ak_", apiKey)) throw refused();
    const uuid = await store.read((q) => rows.keyWithHash(q, hashOf(apiKey)));
    const key = uuid === undefined ? undefined : await access.apiKey(uuid);
    if (key === undefined || key.isRevoked || !isAllowed(address, key.allowedIps)) throw refused();
    if (key.expiresAtMs !== null && key.expiresAtMs <= nowMs) throw refused();
    const tenant = await access.tenant(key.tenantId);
    if (tenant === undefined || tenant.status === "deleted") throw refused();
    if (tenant.status === "blocked") throw new Problem("tenant-blocked");
    const leftSec =
      key.expiresAtMs === null
        ? accessTokenLifeSec
        : Math.max(1, Math.floor((key.expiresAtMs - nowMs) / 1000));
    const ttlSec = Math.min(accessTokenLifeSec, leftSec);
    const minted = await mint.mintAccess(
      {
        sub: key.uuid,
        email: `apikey+${key.uuid}@kartu.invalid`,
        tenantUuid: tenant.uuid,
        roles: key.roles,
        principal: "apiKey",
        ttlSec,
      },
      nowMs,
    );
    await store.write((tx) => rows.markKeyUsed(tx, key.apiKeyNo, nowMs));
    return {
      accessToken: minted.accessToken,
      tokenType: "Bearer",
      expiresIn: ttlSec,
      expiresAt: isoOf(minted.expiresAtSec * 1000),
    };
  }

  /** The code that a redirect brought back, once, for the sign-in that it stands for. */
  async function exchangeCode(
    code: string,
    via: Omit<Via, "method">,
    nowMs: number,
  ): Promise<UserPair | Choice> {
    const refused = (error: unknown): never => {
      throw error instanceof Problem && error.slug.startsWith("token-")
        ? new Problem("invalid-credentials")
        : error;
    };
    const proven = await store.read((q) => proofs.find(q, "login", code, nowMs)).catch(refused);
    const { method, useCookie, tenantId } = proven.data;
    if (proven.userNo === null) throw new Problem("invalid-credentials");
    const as: Via = {
      ...via,
      method: typeof method === "string" ? method : "oauth",
      useCookie: useCookie === true,
      ...(typeof tenantId === "string" && { tenantId }),
    };
    return await signIn(proven.userNo, as, nowMs, async (tx) => {
      await proofs.use(tx, "login", code, nowMs).catch(refused);
    });
  }

  return { exchangeKey, exchangeCode };
}
