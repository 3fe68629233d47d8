/**
 * Applications of a tenant: registering, changing and removing them, and their secrets. Nobody registers
 * one with more than they hold themselves, since with its secret it can call on its own.
 */
import { timingSafeEqual } from "node:crypto";
import { clientSecretGraceSec } from "../../../schema/bound.ts";
import type { AuditJson } from "../../domain/audit.ts";
import { type By, recordedBy } from "../../domain/by.ts";
import { hashOf, opaqueBytes, opaqueToken } from "../../domain/opaque.ts";
import { escalation } from "../../domain/permission.ts";
import { checkVersion, type FieldFault, Problem } from "../../domain/problem.ts";
import { isRedirectUri } from "../../domain/redirect.ts";
import { isPersonal, isScope } from "../../domain/scope.ts";
import type { Store, Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import type { AuditService } from "../audit/service.ts";
import type { EventService } from "../event/service.ts";
import type { Client, ClientDraft } from "./store.ts";
import * as rows from "./store.ts";

/** Who changes something in which tenant, and what they hold. */
export interface Author {
  readonly tenantId: number;
  readonly permissions: readonly string[];
  readonly by: By;
}

export interface ClientDeps {
  readonly store: Store;
  readonly random: Random;
  readonly audit: Pick<AuditService, "append">;
  readonly event: EventService;
  /** What is remembered of it by its uuid is dropped with the COMMIT; its tokens die if it is gone. */
  readonly forget: (tx: Writer, uuid: string) => void;
}

export interface ClientMade {
  readonly client: Client;
  /** Shown once; null for a public application. */
  readonly secret: string | null;
}

/** Whether a secret is the application's, or the one before within its day of grace. */
export function provesClient(client: Client, secret: string, nowMs: number): boolean {
  const hash = hashOf(secret);
  const { secretHash, oldSecretHash, oldSecretUntilMs } = client;
  if (secretHash !== null && timingSafeEqual(hash, secretHash)) return true;
  if (oldSecretHash === null || oldSecretUntilMs === null) return false;
  return nowMs < oldSecretUntilMs && timingSafeEqual(hash, oldSecretHash);
}

/** What the shape of a draft can't say, in the order of its fields. */
export function clientFaults(draft: ClientDraft): FieldFault[] {
  const faults: FieldFault[] = [];
  const { type, redirectUris, grantTypes, scopes } = draft;
  for (const [at, uri] of redirectUris.entries()) {
    if (isRedirectUri(uri)) continue;
    const message = "Must be an https address, without a fragment";
    faults.push({ field: `redirectUris[${at}]`, message, code: "INVALID_FORMAT" });
  }
  const signsIn = grantTypes.includes("authorization_code");
  if (signsIn && redirectUris.length === 0) {
    const message = "At least one is required with authorization_code";
    faults.push({ field: "redirectUris", message, code: "TOO_FEW" });
  }
  for (const [at, grant] of grantTypes.entries()) {
    const field = `grantTypes[${at}]`;
    if (grant === "client_credentials" && type === "public") {
      const message = "A public application keeps no secret to call with by itself";
      faults.push({ field, message, code: "NOT_ALLOWED" });
    }
    if (grant === "refresh_token" && !signsIn) {
      faults.push({ field, message: "Only with authorization_code", code: "NOT_ALLOWED" });
    }
  }
  for (const [at, scope] of scopes.entries()) {
    if (isScope(scope)) continue;
    const message = "There is no such permission";
    faults.push({ field: `scopes[${at}]`, message, code: "INVALID_FORMAT" });
  }
  return faults;
}

const missing = (): Problem => new Problem("not-found", "There is no such application.");

export function clientPart({ store, random, audit, event, forget }: ClientDeps) {
  const newSecret = (): string => opaqueToken("cs_", random.bytes(opaqueBytes));

  /** @throws Problem `not-found` */
  async function get(tenantId: number, uuid: string): Promise<Client> {
    const client = await store.read((q) => rows.findClient(q, tenantId, uuid));
    if (client === undefined) throw missing();
    return client;
  }

  /** Newest first. */
  const page = (tenantId: number, belowNo: number, limit: number): Promise<Client[]> =>
    store.read((q) => rows.pageClients(q, tenantId, belowNo, limit));

  const count = (tenantId: number): Promise<number> =>
    store.read((q) => rows.countClients(q, tenantId));

  /** @throws Problem `permission-escalation` */
  async function create(
    tx: Writer,
    author: Author,
    draft: ClientDraft,
    nowMs: number,
  ): Promise<ClientMade> {
    checkHeld(author, draft.scopes);
    const { tenantId } = author;
    const uuid = random.uuid(nowMs);
    const secret = draft.type === "confidential" ? newSecret() : null;
    const of = { tenantId, uuid, createdBy: author.by.actor.id };
    const hash = secret === null ? null : hashOf(secret);
    await rows.insertClient(tx, of, draft, hash, nowMs);
    const client = await reread(tx, tenantId, uuid);
    await tell(tx, author, "auth.client.created", client, { after: shown(client) }, nowMs);
    return { client, secret };
  }

  /**
   * Changes what `change` names; the merged draft must be sound.
   * @param check throws what is wrong with the whole
   * @throws Problem `not-found`, `version-conflict`, `permission-escalation`
   */
  async function change(
    tx: Writer,
    author: Author,
    uuid: string,
    { version, ...changes }: Partial<ClientDraft> & { readonly version?: number },
    check: (draft: ClientDraft) => void,
    nowMs: number,
  ): Promise<Client> {
    const before = await known(tx, author.tenantId, uuid);
    checkVersion(version, before.version);
    const { name, type, redirectUris, grantTypes, scopes } = { ...before, ...changes };
    const draft = { name, type, redirectUris, grantTypes, scopes };
    check(draft);
    if (changes.scopes !== undefined || changes.grantTypes !== undefined) {
      checkHeld(author, scopes);
    }
    await rows.updateClient(tx, before, draft, nowMs);
    forget(tx, uuid);
    const after = await reread(tx, author.tenantId, uuid);
    const both = { before: shown(before), after: shown(after) };
    await tell(tx, author, "auth.client.updated", after, both, nowMs);
    return after;
  }

  /** Its tokens die at once. @throws Problem `not-found` */
  async function remove(tx: Writer, author: Author, uuid: string, nowMs: number): Promise<void> {
    const client = await known(tx, author.tenantId, uuid);
    await rows.deleteClient(tx, client, nowMs);
    forget(tx, uuid);
    await tell(tx, author, "auth.client.deleted", client, { before: shown(client) }, nowMs);
  }

  /**
   * A new secret; the one before works for a day more.
   * @throws Problem `not-found`, `wrong-state` (public), `permission-escalation`
   */
  async function rotate(
    tx: Writer,
    author: Author,
    uuid: string,
    nowMs: number,
  ): Promise<ClientMade> {
    const before = await known(tx, author.tenantId, uuid);
    if (before.type === "public") {
      throw new Problem("wrong-state", "A public application has no secret.", {
        members: { state: "public" },
      });
    }
    if (before.grantTypes.includes("client_credentials")) checkHeld(author, before.scopes);
    const secret = newSecret();
    const oldUntilMs = nowMs + clientSecretGraceSec * 1000;
    await rows.rotateSecret(tx, before, hashOf(secret), oldUntilMs, nowMs);
    const client = await reread(tx, author.tenantId, uuid);
    const after = { secret: "rotated" };
    await tell(tx, author, "auth.client.updated", client, { after }, nowMs);
    return { client, secret };
  }

  async function known(tx: Writer, tenantId: number, uuid: string): Promise<Client> {
    const client = await rows.findClient(tx, tenantId, uuid);
    if (client === undefined) throw missing();
    return client;
  }

  async function reread(tx: Writer, tenantId: number, uuid: string): Promise<Client> {
    const client = await rows.findClient(tx, tenantId, uuid);
    if (client === undefined) throw new Error("an application that was just written is not there");
    return client;
  }

  async function tell(
    tx: Writer,
    { tenantId, by }: Author,
    action: string,
    { uuid, name, scopes }: Client,
    change: { readonly before?: AuditJson; readonly after?: AuditJson },
    atMs: number,
  ): Promise<void> {
    const entity = { entityType: "client", entityId: uuid };
    await audit.append(tx, { tenantId, atMs, action, ...entity, ...recordedBy(by), ...change });
    await event.publish(tx, { tenantId, type: action, data: { id: uuid, name, scopes }, atMs });
  }

  return { get, page, count, create, change, remove, rotate };
}

const shown = ({ name, type, redirectUris, grantTypes, scopes }: Client): AuditJson => ({
  name,
  type,
  redirectUris,
  grantTypes,
  scopes,
});

/** @throws Problem `permission-escalation` */
function checkHeld({ permissions }: Author, scopes: readonly string[]): void {
  const lacking = escalation(
    permissions,
    scopes.filter((scope) => !isPersonal(scope)),
  );
  if (lacking.length === 0) return;
  throw new Problem("permission-escalation", `You do not hold ${lacking.join(", ")}.`);
}
