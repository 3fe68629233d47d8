/**
 * A device online: its token, grants, policy and blocklist as the backend gives them. Renewed before
 * they end; while the backend is away the device goes on with what it holds. No card is touched here.
 */
import type { SignedGrant } from "../domain/grant.ts";
import type { Answer, Call } from "./client.ts";
import { KeyRing } from "./keyring.ts";
import { ModelDevice, type ModelPolicy } from "./modelrule.ts";
import type { Random } from "./random.ts";
import type { DeviceSpec, World } from "./world.ts";

/** Share of a grant's life after which it is renewed. */
const renewShare = 0.8;
/** Blocklist pages in one go. */
const pagesMax = 1_000;

interface Delta {
  readonly version: number;
  readonly full: boolean;
  readonly add: readonly { cardId: string; status: string }[];
  readonly remove: readonly string[];
  readonly nextSince?: number;
}

export class Radio {
  readonly ring: KeyRing;
  readonly device: ModelDevice;
  readonly blocked = new Set<string>();
  policy: ModelPolicy | null = null;
  /** Key versions of cards that were seen and could not be read. */
  readonly wanted = new Set<number>();
  /** Versions that the server does not serve any more. */
  readonly #ended = new Set<number>();
  protected readonly world: World;
  protected readonly random: Random;
  readonly #spec: DeviceSpec;
  #token: string;
  #etag: string | undefined;
  #blockVersion: number | undefined;

  constructor(world: World, spec: DeviceSpec, random: Random) {
    this.world = world;
    this.random = random;
    this.ring = new KeyRing(world.cache);
    this.device = new ModelDevice(spec.deviceId, spec.terminalId, spec.role);
    this.#spec = spec;
    this.#token = spec.token ?? "";
  }

  get deviceId(): string {
    return this.#spec.deviceId;
  }

  get terminalId(): number {
    return this.#spec.terminalId;
  }

  /** Spends the secret on a token, once. */
  async commission(): Promise<void> {
    const { deviceId, role, secret, terminalId } = this.#spec;
    if (this.#token !== "" || secret === undefined) return;
    const answer = await this.world.client.call({
      kind: "token",
      method: "POST",
      path: "/api/auth/token",
      body: JSON.stringify({ deviceId, secret, role }),
    });
    const body = (answer.body ?? {}) as { token?: string; terminalId?: number };
    const got = { status: answer.status, terminalId: body.terminalId };
    this.world.findings.same("POST /api/auth/token", { status: 200, terminalId }, got);
    this.#token = body.token ?? "";
  }

  /** One call with this device's token. */
  call(call: Omit<Call, "token">): Promise<Answer> {
    return this.world.client.call({ ...call, token: this.#token });
  }

  /** A restart: what lives in memory is gone, what is stored stays; of keys that is their numbers. */
  restart(): void {
    for (const version of this.ring.versions()) this.wanted.add(version);
    this.ring.forget();
    this.policy = null;
    this.#etag = undefined;
    this.#blockVersion = undefined;
    this.blocked.clear();
  }

  /** Grant, policy and blocklist, when they are due or at once. */
  async renew(force = false): Promise<void> {
    if (this.device.suspended || this.device.role === "scout") return;
    const { ring, wanted } = this;
    const now = this.world.clock.now();
    const held = ring.versions().filter((version) => !this.#ended.has(version));
    // All at once, so that none runs out before the others while there is no network.
    if (force || [ring.primary, ...held].some((version) => !ring.isFresh(version, now))) {
      await this.#grant();
      for (const version of held) if (version !== ring.primary) await this.#grant(version);
      await this.#fetchPolicy();
      await this.fetchBlocklist();
    }
    for (const version of [...wanted]) {
      wanted.delete(version);
      if (!ring.isFresh(version, now)) await this.#grant(version);
    }
  }

  async #grant(version?: number): Promise<void> {
    const query = version === undefined ? "" : `?keyVersion=${version}`;
    const path = `/api/session-grant${query}`;
    const answer = await this.call({ kind: "grant", method: "GET", path });
    const { findings, clock } = this.world;
    if (answer.status !== 200) {
      // A version may have been retired since the card was written.
      const retired = version !== undefined && answer.status === 422;
      if (retired) this.#ended.add(version);
      else findings.add(`GET ${path}`, 200, answer.body);
      return;
    }
    const grant = answer.body as SignedGrant;
    const now = clock.now();
    const signer = await this.world.signer(answer.headers.get("kartu-key-id") ?? "");
    const life = grant.expiresAt - now;
    const renewAt = now + life * (renewShare - 0.1 * this.random.float());
    if (!signer || !this.ring.take(grant, signer, version === undefined, renewAt)) {
      findings.add("grant signature", "by a grt_ key of the JWKS", grant.keyVersion);
      return;
    }
    const { expiresAt, allowedOps: ops } = grant;
    this.device.grants.push({ issuedAt: now, expiresAt, ops });
  }

  async #fetchPolicy(): Promise<void> {
    const answer = await this.call({
      kind: "policy",
      method: "GET",
      path: "/api/policy",
      ...(this.#etag === undefined ? {} : { ifNoneMatch: this.#etag }),
    });
    if (answer.status === 304 && this.policy) return;
    if (!this.world.findings.same("GET /api/policy", 200, answer.status)) return;
    this.policy = answer.body as ModelPolicy;
    this.device.policy = this.policy;
    this.#etag = answer.headers.get("etag") ?? undefined;
  }

  async fetchBlocklist(): Promise<void> {
    for (let page = 0; page < pagesMax; page += 1) {
      const since = this.#blockVersion === undefined ? "" : `?since=${this.#blockVersion}`;
      const path = `/api/blocklist${since}`;
      const answer = await this.call({ kind: "blocklist", method: "GET", path });
      if (!this.world.findings.same("GET /api/blocklist", 200, answer.status)) return;
      const delta = answer.body as Delta;
      if (delta.full) this.blocked.clear();
      for (const cardId of delta.remove) this.blocked.delete(cardId);
      for (const { cardId } of delta.add) this.blocked.add(cardId);
      this.#blockVersion = delta.nextSince ?? delta.version;
      if (delta.nextSince === undefined) return;
    }
  }
}
