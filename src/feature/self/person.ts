/** Who changes something about themselves, and what the parts share of checking that it is they. */
import type { By } from "../../domain/by.ts";
import type { SignInUser } from "../auth/service.ts";

/** A person by their own token. */
export interface Self {
  readonly userNo: number;
  readonly userId: string;
  readonly tenantId: number;
  /** Family of the token. */
  readonly sid: string | null;
  readonly by: By;
}

/** How a part sees that a person is who they say. */
export interface PersonChecks {
  /** @throws Problem `token-revoked`: they are gone */
  personOf(self: Self): Promise<{ readonly user: SignInUser }>;
  /** @throws Problem `rate-limit-exceeded`, and what `check` throws */
  guarded<T>(self: Self, nowMs: number, check: () => Promise<T>): Promise<T>;
  /** @throws Problem `invalid-credentials` */
  checkPassword(user: SignInUser, password: string): Promise<void>;
}
