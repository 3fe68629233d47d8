/**
 * Who an account elsewhere is here: the person it is linked to, the one whose address it proves, or somebody
 * new. Everything is written with the sign-in's own transaction; signing in is not here.
 */
import { emailMaxChars, nameMaxChars, providerSubjectMaxChars } from "../../../schema/bound.ts";
import type { By } from "../../domain/by.ts";
import { Problem } from "../../domain/problem.ts";
import type { OidcProvider, Provider, WalletProvider } from "../../domain/provider.ts";
import type { Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import type { AccessService } from "../access/service.ts";
import type { AccountService } from "../account/service.ts";
import type { AuthService, Origin } from "../auth/service.ts";
import type { Identity } from "./outside.ts";
import * as rows from "./store.ts";

export interface PersonDeps {
  readonly random: Pick<Random, "uuid">;
  readonly access: Pick<AccessService, "forget">;
  readonly account: Pick<AccountService, "byEmail" | "byNo" | "create">;
  readonly auth: Pick<AuthService, "proofs" | "revokeSessions" | "tell">;
  /** Whether somebody unknown may become a user. */
  readonly isOpen: boolean;
}

/** Links, choices and codes that whoever held the account before may still have. */
const provingKinds = ["verify", "reset", "choice", "login", "state"] as const;

export function personPart({ random, access, account, auth, isOpen }: PersonDeps) {
  /** Who this account elsewhere is here: the linked person, the one with the proved address, a new one. */
  async function arrive(
    tx: Writer,
    provider: OidcProvider,
    identity: Identity,
    from: Origin,
    nowMs: number,
  ): Promise<number> {
    const { subject, email, isEmailVerified } = identity;
    if (subject.length > providerSubjectMaxChars) throw refused();
    const linked = await rows.findLink(tx, provider.id, subject);
    if (linked !== undefined) return linked;
    const known = email === undefined ? undefined : await account.byEmail(tx, email);
    // Somebody else may have written that address into their account elsewhere.
    if (known !== undefined && !isEmailVerified) throw refused();
    if (known === undefined) return await join(tx, provider, identity, nowMs);
    const userNo = known.userNo;
    if (known.emailVerifiedAtMs === null) await takeBack(tx, userNo, known.uuid, from, nowMs);
    await link(tx, provider, { subject, userNo, userUuid: known.uuid }, from, nowMs);
    return userNo;
  }

  /** The wallet's person, or whoever is signed in and links it now. */
  async function arriveWallet(
    tx: Writer,
    provider: WalletProvider,
    address: string,
    signedIn: readonly (number | null)[],
    from: Origin,
    nowMs: number,
  ): Promise<number> {
    const linked = await rows.findLink(tx, provider.id, address);
    const persons = new Set([linked, ...signedIn].filter((no) => typeof no === "number"));
    const [userNo] = persons;
    // Nobody, or not the same person all over.
    if (userNo === undefined || persons.size > 1) throw refused();
    if (linked !== undefined) return userNo;
    const person = await account.byNo(tx, userNo);
    if (person === undefined) throw refused();
    const { uuid: userUuid } = person;
    await link(tx, provider, { subject: address, userNo, userUuid }, from, nowMs);
    return userNo;
  }

  /** @throws Problem `no-tenant` nobody may become a user by themselves */
  async function join(
    tx: Writer,
    provider: OidcProvider,
    { subject, email, isEmailVerified, name }: Identity,
    nowMs: number,
  ): Promise<number> {
    if (!isOpen) throw new Problem("no-tenant");
    const isUsable = email !== undefined && email.length <= emailMaxChars && email.includes("@");
    const address = isUsable ? email : `${provider.id}+${random.uuid(nowMs)}@kartu.invalid`;
    const made = await account.create(
      tx,
      {
        email: address,
        name: (name ?? address.slice(0, address.indexOf("@"))).slice(0, nameMaxChars),
        passwordHash: null,
        ...(isUsable && isEmailVerified && { emailVerifiedAtMs: nowMs }),
      },
      nowMs,
    );
    await rows.insertLink(tx, provider.id, subject, made.userNo, nowMs);
    return made.userNo;
  }

  /**
   * Gives a person their account back: until now nobody had proved to own its address, so whatever was
   * set for signing in may be somebody else's.
   */
  async function takeBack(
    tx: Writer,
    userNo: number,
    userId: string,
    from: Origin,
    nowMs: number,
  ): Promise<void> {
    const by = byOf(userId, from);
    await auth.revokeSessions(tx, { userNo, by }, nowMs);
    await rows.stripAccount(tx, userNo, nowMs);
    for (const kind of provingKinds) await auth.proofs.end(tx, kind, userNo, nowMs);
    access.forget(tx, { userNo });
    const tenantIds = await rows.tenantsOf(tx, userNo);
    const told = { tenantIds, userId, by };
    const proved = { type: "auth.email.verified", data: { userId } };
    await auth.tell(tx, { ...told, ...proved }, nowMs);
    const fields = ["password", "mfa", "links"];
    const after = { password: null, mfa: null, links: [] };
    const taken = { type: "auth.user.updated", data: { userId, fields }, after };
    await auth.tell(tx, { ...told, ...taken }, nowMs);
  }

  async function link(
    tx: Writer,
    provider: Provider,
    of: { readonly subject: string; readonly userNo: number; readonly userUuid: string },
    from: Origin,
    nowMs: number,
  ): Promise<void> {
    const { subject, userNo, userUuid: userId } = of;
    await rows.insertLink(tx, provider.id, subject, userNo, nowMs);
    const tenantIds = await rows.tenantsOf(tx, userNo);
    const data = { userId, fields: ["links"] };
    const after = { linked: provider.id };
    const told = { type: "auth.user.updated", tenantIds, userId, by: byOf(userId, from) };
    await auth.tell(tx, { ...told, data, after }, nowMs);
  }

  return { arrive, arriveWallet };
}

const byOf = (userId: string, from: Origin): By => ({
  actor: { type: "user", id: userId },
  ...from,
});

export const refused = (): Problem =>
  new Problem("invalid-credentials", "The sign-in does not hold; begin anew.");
