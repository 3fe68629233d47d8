/**
 * One tenant of an estate and the things in it, each made fresh over HTTP when a test asks for one, and
 * callers of every kind: its owner, people with chosen permissions, API keys, applications.
 */
import { createHash } from "node:crypto";
import { permissionCatalogue } from "../../src/domain/permission.ts";
import { stepOf, totpCode } from "../../src/domain/totp.ts";
import { Desk } from "./desk.ts";
import { password, type Served } from "./served.ts";

/** The server that a tenant is in, and who else is there. */
export interface Surroundings extends Served {
  /** The tenant of the platform's owner. */
  readonly root: House;
  /** Another partner below it. */
  house(): Promise<House>;
}

export interface Person {
  readonly id: string;
  readonly email: string;
}

export interface Pair {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly tenantId: string;
  readonly user: { readonly id: string };
}

interface Made {
  readonly id: string;
  readonly version: number;
}

export const appUri = "https://app.example/callback";
const base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

function fromBase32(text: string): Uint8Array {
  const bits = [...text].map((letter) => base32.indexOf(letter).toString(2).padStart(5, "0"));
  const bytes = bits.join("").match(/.{8}/g) ?? [];
  return Uint8Array.from(bytes, (byte) => Number.parseInt(byte, 2));
}

/** The code that an authenticator app shows for a secret. */
export const codeAt = (secret: string, nowSec: number): string =>
  totpCode(fromBase32(secret), stepOf(nowSec));

/** What a token says, unverified. */
export const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as Record<
    string,
    unknown
  >;

/** Everything that an owner of a tenant below the root can hold. */
const allPermissions = permissionCatalogue
  .map(({ name }) => name)
  .filter((name) => !name.startsWith("system."));

export class House {
  readonly #holders = new Map<string, { id: string; version: number; token: string }>();
  #limits = 0;
  #job: string | undefined;
  #days = 0;
  #desk: Promise<Desk> | undefined;

  private constructor(
    readonly estate: Surroundings,
    readonly owner: string,
    readonly ownerId: string,
    readonly ownerEmail: string,
    /** Uuid of the tenant. */
    readonly id: string,
    readonly tenantNo: number,
  ) {}

  static async signedIn(estate: Surroundings, email: string, secret: string): Promise<House> {
    const body = { email, password: secret };
    const pair = await estate.ok<Pair>("POST", "/auth/login", { body });
    const found = await estate.rows<{ no: number }>(
      `SELECT tenant_id AS no FROM tenant WHERE uuid = '${pair.tenantId}'`,
    );
    const { accessToken, tenantId, user } = pair;
    return new House(estate, accessToken, user.id, email, tenantId, found[0]?.no ?? 0);
  }

  /** A name that nothing on this server has had. */
  name(prefix: string): string {
    this.estate.made += 1;
    return `${prefix}-${this.estate.made}`;
  }

  /** What the owner makes by a POST. */
  made<T = Made>(path: string, body: object = {}): Promise<T> {
    return this.estate.ok<T>("POST", path, { token: this.owner, body });
  }

  /** Something of the device world. */
  async fleet(noun: "devices" | "zones" | "members" | "policies"): Promise<Made> {
    const drafts = {
      devices: () => ({ deviceId: this.name("gate"), role: "gate" }),
      zones: () => ({ name: this.name("Hall") }),
      members: () => ({ name: this.name("Siti") }),
      policies: async () => {
        const { id: scopeId } = await this.fleet("zones");
        return { scope: "zone", scopeId, singleTxLimit: 50_000 };
      },
    };
    return this.made(`/fleet/${noun}`, await drafts[noun]());
  }

  /** A new one that is not served to devices yet. */
  async keyVersion(): Promise<number> {
    const made = await this.made<{ keyVersion: number }>("/fleet/key-versions");
    return made.keyVersion;
  }

  /** Of a card that no one here has. */
  cardId(): string {
    this.estate.made += 1;
    return `fe${this.estate.made.toString(16).padStart(10, "0")}`;
  }

  /** A day that is over and in no run. */
  pastDay(): { from: string; to: string } {
    this.#days += 1;
    const day = new Date(this.estate.clock.nowMs() - (this.#days + 2) * 86_400_000);
    const date = day.toISOString().slice(0, 10);
    return { from: date, to: date };
  }

  /** Its device world, set up when it is first asked for. */
  desk(): Promise<Desk> {
    this.#desk ??= Desk.open(this);
    return this.#desk;
  }

  /** What the owner moves: a call that must bear an Idempotency-Key. */
  moved(path: string, body: object = {}): Promise<Made> {
    const headers = { "idempotency-key": crypto.randomUUID() };
    return this.estate.ok("POST", path, { token: this.owner, body, headers });
  }

  /** A new user's wallet that holds so much; its id. */
  async wallet(amount = 0): Promise<string> {
    const { id: userId } = await this.person();
    const { id } = await this.made("/wallets", { userId, currency: "IDR" });
    if (amount > 0) await this.moved(`/wallets/${id}/credit`, { amount });
    return id;
  }

  /** Money of a wallet that is set aside; the id of its transaction. */
  async hold(): Promise<string> {
    const path = `/wallets/${await this.wallet(5)}/hold`;
    return (await this.moved(path, { amount: 5 })).id;
  }

  /** A user who can sign in. */
  async person(roles: readonly string[] = ["member"]): Promise<Person> {
    const email = `${this.name("person")}@example.com`;
    const { id } = await this.made("/users", { email, roles, password });
    return { id, email };
  }

  /** Signed in with the password of everybody here. */
  pairOf({ email }: Pick<Person, "email">, more: object = {}): Promise<Pair> {
    const body = { email, password, tenantId: this.id, ...more };
    return this.estate.ok<Pair>("POST", "/auth/login", { body });
  }

  async tokenOf(person: Person): Promise<string> {
    return (await this.pairOf(person)).accessToken;
  }

  /** A new user's token. */
  async token(roles?: readonly string[]): Promise<string> {
    return this.tokenOf(await this.person(roles));
  }

  async role(permissions: readonly string[] = []): Promise<Made & { name: string }> {
    return this.made("/roles", { name: this.name("role"), permissions });
  }

  /**
   * The token of somebody who now holds these and nothing else: what they held before is taken away, which
   * counts on their very next call. With another `slot`, somebody else.
   */
  async holder(permissions: readonly string[], slot = "holder"): Promise<string> {
    let known = this.#holders.get(slot);
    if (known === undefined) {
      const { id, name } = await this.role();
      known = { id, version: 1, token: await this.token([name]) };
      this.#holders.set(slot, known);
    }
    const { token, id, version } = known;
    const sent = { token: this.owner, body: { permissions, version } };
    await this.estate.ok("PATCH", `/roles/${id}`, sent);
    known.version += 1;
    return token;
  }

  /** The token of somebody who now holds everything else. */
  without(permissions: readonly string[], slot = "without"): Promise<string> {
    return this.holder(
      allPermissions.filter((name) => !permissions.includes(name)),
      slot,
    );
  }

  apiKey(roles: readonly string[] = ["admin"]): Promise<Made & { key: string }> {
    return this.made("/api-keys", { name: this.name("key"), roles });
  }

  /** The token of a machine. */
  async machine(roles?: readonly string[]): Promise<string> {
    const { key } = await this.apiKey(roles);
    const body = { apiKey: key };
    const answer = await this.estate.ok<Pair>("POST", "/auth/exchange", { body });
    return answer.accessToken;
  }

  client(draft: object = {}): Promise<Made & { clientSecret: string }> {
    return this.made("/oauth/clients", {
      ...{ name: this.name("app"), type: "confidential", redirectUris: [appUri] },
      grantTypes: ["authorization_code", "refresh_token", "client_credentials"],
      scopes: ["users.list"],
      ...draft,
    });
  }

  /** A request for a person's consent. */
  async consent(clientId: string, scope = "openid email"): Promise<string> {
    const challenge = createHash("sha256").update("v".repeat(43)).digest("base64url");
    const query = new URLSearchParams({
      ...{ response_type: "code", client_id: clientId, redirect_uri: appUri, scope, state: "s" },
      ...{ code_challenge: challenge, code_challenge_method: "S256" },
    });
    const page = await (await this.estate.send("GET", `/oauth/authorize?${query}`)).text();
    const id = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec(
      page.slice(page.indexOf("requestId")),
    )?.[0];
    if (id === undefined) throw new Error(`no request on the page: ${page.slice(0, 500)}`);
    return id;
  }

  /** The form that spends the code of a consent that the owner has given. */
  async codeForm(scope?: string): Promise<Record<string, string>> {
    const { id, clientSecret } = await this.client();
    const request = await this.consent(id, scope);
    const { redirectTo } = await this.made<{ redirectTo: string }>(
      `/oauth/requests/${request}/approve`,
    );
    return {
      ...{ grant_type: "authorization_code", client_id: id, client_secret: clientSecret },
      ...{ redirect_uri: appUri, code_verifier: "v".repeat(43) },
      code: new URL(redirectTo).searchParams.get("code") ?? "",
    };
  }

  /** Tokens of an application that acts for the owner. */
  async application(): Promise<{ access_token: string; refresh_token?: string }> {
    return this.estate.ok("POST", "/oauth/token", { form: await this.codeForm() });
  }

  invitation(): Promise<Made & { email: string }> {
    return this.made("/invitations", { email: `${this.name("guest")}@example.com` });
  }

  /** A tenant below this one. */
  child(): Promise<Made> {
    const ownerEmail = `${this.name("owner")}@example.com`;
    return this.made("/tenants", { name: this.name("Kantin"), type: "client", ownerEmail });
  }

  /** What no limit of this tenant is for yet, and a limit that nothing here reaches. */
  limitDraft(): { route: string; groupBy: string; requests: number } {
    const callable = this.estate.routes.filter(
      ({ access, uncounted }) => !("public" in access) && uncounted !== true,
    );
    const route = callable[this.#limits++]?.operationId;
    if (route === undefined) throw new Error("every route has a limit");
    return { route, groupBy: "user", requests: 100_000 };
  }

  rateLimit(): Promise<Made> {
    return this.made("/gateway/rate-limits", this.limitDraft());
  }

  /** One that goes on until it is canceled. */
  async job() {
    const { kartu, clock } = this.estate;
    const draft = { tenantId: this.tenantNo, kind: "wait", createdBy: this.ownerId, input: {} };
    const made = await kartu.store.write((tx) => kartu.job.create(tx, draft, clock.nowMs()));
    const { status } = await kartu.job.get(this.tenantNo, made.id);
    // So many of a tenant run at once: the one before makes room.
    if (this.#job !== undefined) await this.#cancel(this.#job);
    this.#job = made.id;
    for (let now: string = status; now === "queued"; ) {
      await Bun.sleep(1);
      now = (await kartu.job.get(this.tenantNo, made.id)).status;
    }
    return made;
  }

  async #cancel(id: string): Promise<void> {
    const { estate, owner: token } = this;
    await (await estate.send("POST", `/jobs/${id}/cancel`, { token })).body?.cancel();
  }

  /** Somebody with a second factor in force; the code of a step that is not spent. */
  async factored(): Promise<{ person: Person; token: string; secret: string; code: string }> {
    const { estate } = this;
    const person = await this.person();
    const token = await this.tokenOf(person);
    const { secret } = await estate.ok<{ secret: string }>("POST", "/auth/mfa/enable", { token });
    const { clock } = estate;
    const body = { code: codeAt(secret, clock.nowSec()) };
    await estate.ok("POST", "/auth/mfa/verify", { token, body });
    return { person, token, secret, code: codeAt(secret, clock.nowSec() + 30) };
  }
}
