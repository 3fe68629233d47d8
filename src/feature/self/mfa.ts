/**
 * The second factor as its owner sets it up: a secret and recovery codes that are shown once, in force
 * from the first right code on, and taken away only with password and code.
 */
import { renderSVG } from "uqr";
import { recoveryCodesMade } from "../../../schema/bound.ts";
import { Problem } from "../../domain/problem.ts";
import { recoveryBytes, recoveryCode } from "../../domain/recovery.ts";
import { seal, sealNonceBytes, wipe } from "../../domain/seal.ts";
import { base32, otpauthUri, totpSecretBytes } from "../../domain/totp.ts";
import type { Writer } from "../../store/seam.ts";
import type { Argon } from "../../system/argon.ts";
import type { Random } from "../../system/random.ts";
import { type AuthService, factorPlace, type Write } from "../auth/service.ts";
import type { PersonChecks, Self } from "./person.ts";
import * as rows from "./store.ts";

export interface MfaDeps extends PersonChecks {
  readonly random: Random;
  /** 32 bytes. */
  readonly masterKey: Uint8Array;
  readonly auth: Pick<AuthService, "tell" | "tenantsOf" | "checkCode">;
  readonly codes: Argon;
}

/** Shown once. */
export interface Enrolment {
  /** Base 32. */
  readonly secret: string;
  readonly otpauthUri: string;
  readonly qrCodeSvg: string;
  readonly recoveryCodes: string[];
}

const wrongState = (state: "enabled" | "disabled"): Problem =>
  new Problem("wrong-state", `The second factor is ${state}.`, { members: { state } });

export function mfaPart({ random, masterKey, auth, codes, ...deps }: MfaDeps) {
  const { personOf, guarded, checkPassword } = deps;

  const newCodes = (): string[] =>
    Array.from({ length: recoveryCodesMade }, () => recoveryCode(random.bytes(recoveryBytes)));
  const hashed = (made: readonly string[]): Promise<string[]> =>
    Promise.all(made.map((code) => codes.hash(code)));

  async function told(
    tx: Writer,
    { userId, by }: Self,
    tenantIds: readonly number[],
    type: string,
    isEvent: boolean,
    nowMs: number,
  ): Promise<void> {
    const data = isEvent ? { userId } : null;
    await auth.tell(tx, { type, tenantIds, userId, by, data }, nowMs);
  }

  /** A secret that is not in force yet; one that waited is replaced. @throws Problem `wrong-state` */
  async function enable(self: Self, write: Write, nowMs: number): Promise<Enrolment> {
    const { user } = await personOf(self);
    if (user.mfaEnabled) throw wrongState("enabled");
    const bytes = random.bytes(totpSecretBytes);
    const secret = base32(bytes);
    const sealed = seal(masterKey, random.bytes(sealNonceBytes), factorPlace(user.uuid), bytes);
    wipe(bytes);
    const made = newCodes();
    const hashes = await hashed(made);
    const uri = otpauthUri(user.email, secret);
    const tenantIds = await auth.tenantsOf(user.userNo);
    return await write(async (tx) => {
      if (!(await rows.putFactor(tx, user.userNo, sealed, nowMs))) throw wrongState("enabled");
      await rows.putCodes(tx, user.userNo, hashes);
      await told(tx, self, tenantIds, "auth.mfa.started", false, nowMs);
      return {
        secret,
        otpauthUri: uri,
        qrCodeSvg: renderSVG(uri),
        recoveryCodes: made,
      };
    });
  }

  /** The first right code puts the secret in force. @throws Problem `mfa-invalid` `wrong-state` */
  async function verify(
    self: Self,
    code: string,
    write: Write,
    nowMs: number,
  ): Promise<{ mfaEnabled: boolean; recoveryCodesRemaining: number }> {
    const { user } = await personOf(self);
    if (user.mfaEnabled) throw wrongState("enabled");
    if (user.mfaSealed === null) throw wrongState("disabled");
    const spend = await guarded(self, nowMs, async () => auth.checkCode(user, code, nowMs));
    const tenantIds = await auth.tenantsOf(user.userNo);
    return await write(async (tx) => {
      await spend(tx);
      if (!(await rows.turnFactorOn(tx, user.userNo, nowMs))) throw wrongState("enabled");
      await told(tx, self, tenantIds, "auth.mfa.enabled", true, nowMs);
      const recoveryCodesRemaining = await rows.countCodes(tx, user.userNo);
      return { mfaEnabled: true, recoveryCodesRemaining };
    });
  }

  /** @throws Problem `invalid-credentials` `mfa-invalid` `wrong-state` */
  async function disable(
    self: Self,
    { password, code }: { readonly password: string; readonly code: string },
    write: Write,
    nowMs: number,
  ): Promise<void> {
    const { user } = await personOf(self);
    if (!user.mfaEnabled) throw wrongState("disabled");
    const spend = await guarded(self, nowMs, async () => {
      await checkPassword(user, password);
      return auth.checkCode(user, code, nowMs);
    });
    const tenantIds = await auth.tenantsOf(user.userNo);
    await write(async (tx) => {
      await spend(tx);
      if (!(await rows.turnFactorOff(tx, user.userNo, nowMs))) throw wrongState("disabled");
      await rows.putCodes(tx, user.userNo, []);
      await told(tx, self, tenantIds, "auth.mfa.disabled", true, nowMs);
    });
  }

  /** New recovery codes; the old ones are dead. @throws Problem `mfa-invalid` `wrong-state` */
  async function renewCodes(
    self: Self,
    code: string,
    write: Write,
    nowMs: number,
  ): Promise<{ recoveryCodes: string[] }> {
    const { user } = await personOf(self);
    if (!user.mfaEnabled) throw wrongState("disabled");
    const spend = await guarded(self, nowMs, async () => auth.checkCode(user, code, nowMs));
    const made = newCodes();
    const hashes = await hashed(made);
    const tenantIds = await auth.tenantsOf(user.userNo);
    return await write(async (tx) => {
      await spend(tx);
      await rows.putCodes(tx, user.userNo, hashes);
      await told(tx, self, tenantIds, "auth.mfa.codes_renewed", false, nowMs);
      return { recoveryCodes: made };
    });
  }

  return { enable, verify, disable, renewCodes };
}
