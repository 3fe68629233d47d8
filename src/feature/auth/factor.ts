/**
 * The second factor of somebody whose password was right: a one-time code or a recovery code, each good
 * once. Setting it up and taking it away are not here.
 */
import { Problem } from "../../domain/problem.ts";
import { readRecoveryCode } from "../../domain/recovery.ts";
import { type SealPlace, unseal, wipe } from "../../domain/seal.ts";
import { spendCode } from "../../domain/totp.ts";
import type { Store, Writer } from "../../store/seam.ts";
import type { Argon } from "../../system/argon.ts";
import type { SignInUser } from "./store.ts";
import * as rows from "./store.ts";

export interface FactorDeps {
  readonly store: Store;
  /** 32 bytes. */
  readonly masterKey: Uint8Array;
  readonly codes: Argon;
}

export interface Factors {
  /** 6 digits. */
  readonly mfaCode?: string;
  /** `XXXX-XXXX-XXXX`. */
  readonly recoveryCode?: string;
}

/** Uses up what was shown, with the write that it lets through. @throws Problem `mfa-invalid` */
export type Spend = (tx: Writer) => Promise<void>;

const invalidFactor = (): Problem => new Problem("mfa-invalid");

/** Where a person's secret is sealed. */
export const factorPlace = (userUuid: string): SealPlace => ({
  table: "user_account",
  row: userUuid,
  column: "mfa_sealed",
});

export function factorPart({ store, masterKey, codes }: FactorDeps) {
  /**
   * A one-time code of the secret that is kept, in force or still to be.
   * @throws Problem `mfa-invalid`
   */
  function checkCode(user: SignInUser, code: string, nowMs: number): Spend {
    if (user.mfaSealed === null) throw invalidFactor();
    const secret = unseal(masterKey, factorPlace(user.uuid), user.mfaSealed);
    const spent = spendCode(secret, code, Math.floor(nowMs / 1000), user.mfaSpent);
    wipe(secret);
    if (spent === undefined) throw invalidFactor();
    return async (tx) => {
      if (!(await rows.spendStep(tx, user, spent))) throw invalidFactor();
    };
  }

  async function checkRecovery(user: SignInUser, text: string, nowMs: number): Promise<Spend> {
    const code = readRecoveryCode(text);
    const open = await store.read((q) => rows.codesOf(q, user.userNo));
    const checked = await Promise.all(open.map(({ hash }) => codes.verify(code, hash)));
    const found = open[checked.indexOf(true)];
    if (found === undefined) throw invalidFactor();
    return async (tx) => {
      const isSpent = await rows.spendCodeAt(tx, user.userNo, found.place, nowMs);
      if (!isSpent) throw invalidFactor();
    };
  }

  /** What a sign-in asks besides the password. @throws Problem `mfa-required` `mfa-invalid` */
  async function check(
    user: SignInUser,
    { mfaCode, recoveryCode }: Factors,
    nowMs: number,
  ): Promise<Spend> {
    if (!user.mfaEnabled) return async () => undefined;
    if (mfaCode !== undefined) return checkCode(user, mfaCode, nowMs);
    if (recoveryCode !== undefined) return await checkRecovery(user, recoveryCode, nowMs);
    throw new Problem("mfa-required");
  }

  return { check, checkCode };
}
