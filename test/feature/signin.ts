/**
 * Signing in on a real store and server: people, sessions, applications and providers, behind the real
 * guard and pipeline, with hashing that costs next to nothing. Limits are off.
 */
import { Elysia } from "elysia";
import { statement } from "../../schema/query/statement.ts";
import { platformGuard } from "../../src/feature/access/guard.ts";
import { authService } from "../../src/feature/auth/service.ts";
import { oauthRoutes } from "../../src/feature/oauth/platform.ts";
import { oauthService } from "../../src/feature/oauth/service.ts";
import { signingRoutes } from "../../src/feature/signing/terminal.ts";
import { serverLimits } from "../../src/http/body.ts";
import { mountFallback, mountSurface } from "../../src/http/mount.ts";
import { fallbackDeps, mountPlatform } from "../../src/http/platform/mount.ts";
import type { PlatformRoute } from "../../src/http/platform/route.ts";
import { StreamCounts } from "../../src/http/platform/stream.ts";
import type { PlatformDeps } from "../../src/http/platform/surface.ts";
import { Tickets } from "../../src/http/platform/ticket.ts";
import { argon } from "../../src/system/argon.ts";
import type { Foundation } from "./foundation.ts";

const recordsAll = statement<[], { tenant_id: number; action: string; entity_id: string }>(
  "test.records",
  "SELECT tenant_id, action, entity_id FROM audit ORDER BY tenant_id, seq",
);
const eventsAll = statement<[], { tenant_id: number; type: string; data: string }>(
  "test.events",
  "SELECT tenant_id, type, data FROM published_event ORDER BY event_no",
);

export const password = "a long password";
export const ownerEmail = "owner@example.com";
const problemBase = "https://kartu.example/problems";
const cheap = { cost: { memoryKib: 1_024, passes: 1 } };

export interface SignInOptions {
  /** Anybody may register. */
  readonly isOpen?: boolean;
  /** Further routes, of the same services. */
  readonly routes?: (world: SignInServices) => readonly PlatformRoute[];
}

type SignInServices = ReturnType<typeof services>;
export type SignInWorld = Awaited<ReturnType<typeof signInWorld>>;

function services(world: Foundation, isOpen: boolean, url: () => string) {
  const { store, random, audit, event, signing, people, tenant, masterKey } = world;
  const told = { store, random, audit, event };
  const auth = authService({
    ...{ ...told, ...people, signing, masterKey },
    codes: argon(cheap),
    openOwned: (tx, draft, by, nowMs) => tenant.open(tx, draft, by, nowMs),
    issuer: url,
    isRegistrationOpen: isOpen,
  });
  const oauth = oauthService({
    ...{ ...told, ...people, auth, signing },
    ...{ issuer: url, publicUrl: url },
  });
  const { access } = people;
  const admit = platformGuard({ access, verifyAccess: auth.verifyAccess });
  return { ...world, auth, oauth, admit, url };
}

export interface Sent {
  readonly token?: string;
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Below `/api/v1`; a whole path otherwise. */
  readonly isWhole?: true;
}

/** @param world a foundation of its own; its clock goes to the machine's time */
export async function signInWorld(world: Foundation, options: SignInOptions = {}) {
  const faults: unknown[] = [];
  world.clock.advance(Math.floor((Date.now() - world.clock.nowMs()) / 1000));
  await world.signing.rotateTokenKeys(world.clock.nowMs());
  let url = "";
  const made = services(world, options.isOpen ?? false, () => url);
  const { store, random, clock, signing, masterKey, people, auth } = made;
  const deps: PlatformDeps = {
    ...{ store, clock, random, masterKey, problemBase },
    admit: made.admit,
    limits: { take: () => ({ headers: {} }) },
    tickets: new Tickets(random),
    streams: new StreamCounts(),
    reportFault: (error) => faults.push(error),
    ...{ proxyHops: 0, bodyMaxBytes: 1_048_576, batchMaxBytes: 8_388_608, corsOrigins: [] },
    ...{ verifiedEmailDue: false, checkAnswers: true },
  };
  const app = new Elysia({ strictPath: true, handler: { standardHostname: false } });
  const fallback = fallbackDeps(deps);
  mountFallback(app, fallback);
  mountSurface(
    app,
    {
      ...{ ...fallback, store, clock, problemBase, proxyHops: 0, checkAnswers: true },
      admit: () => Promise.reject(new Error("no device calls here")),
      bodyMaxBytes: 1_048_576,
      addressPerMin: { all: 0, token: 0 },
    },
    signingRoutes(signing),
  );
  mountPlatform(app, deps, [...oauthRoutes(made.oauth), ...(options.routes?.(made) ?? [])]);
  app.listen({ port: 0, hostname: "127.0.0.1", ...serverLimits });
  url = `http://127.0.0.1:${app.server?.port}`;

  /** A person with the password above; in the first tenant unless another is named. */
  async function person(
    email: string,
    roles: readonly string[] = ["member"],
    tenantId = 1,
  ): Promise<{ userNo: number; uuid: string }> {
    const passwordHash = await people.passwords.hash(password);
    const nowMs = clock.nowMs();
    return await store.write(async (tx) => {
      const draft = { email, name: email.split("@")[0] ?? "", passwordHash };
      const account = await people.account.create(tx, draft, nowMs);
      const { userNo, uuid } = account;
      await people.account.join(tx, { tenantId, userNo, status: "active", roles }, nowMs);
      people.access.forget(tx, { userNo });
      return { userNo, uuid };
    });
  }

  /** Signed in with the password above. */
  async function login(email = ownerEmail, tenantId?: string) {
    const via = { ip: "127.0.0.1", userAgent: "test", ...(tenantId && { tenantId }) };
    const answer = await auth.login({ email, password }, via, clock.nowMs());
    if ("requiresTenantSelection" in answer) throw new Error("a choice of tenants");
    return answer;
  }

  async function call(method: string, path: string, sent: Sent = {}) {
    const { token, json, form } = sent;
    const headers = new Headers(sent.headers);
    if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
    if (json !== undefined) headers.set("content-type", "application/json");
    const body = json !== undefined ? JSON.stringify(json) : form && new URLSearchParams(form);
    const response = await fetch(`${url}${sent.isWhole ? "" : "/api/v1"}${path}`, {
      method,
      headers,
      body: body ?? null,
      redirect: "manual",
    });
    const text = await response.text();
    if (faults.length > 0) throw faults[0];
    const isJson = /json/.test(response.headers.get("content-type") ?? "");
    const answer = isJson && text !== "" ? JSON.parse(text) : null;
    return { status: response.status, headers: response.headers, text, json: answer };
  }

  /** Audit actions about something, in order. */
  async function recordsOf(entityId: string): Promise<string[]> {
    const rows = await store.read((q) => q.all(recordsAll));
    return rows.filter((row) => row.entity_id === entityId).map((row) => row.action);
  }

  /** Published events whose data this fits, in order. */
  async function eventsOf(member: string, value: string): Promise<string[]> {
    const rows = await store.read((q) => q.all(eventsAll));
    return rows.filter(({ data }) => JSON.parse(data)[member] === value).map(({ type }) => type);
  }

  const close = (): Promise<unknown> => app.stop(true);
  return { ...made, url, app, person, login, call, recordsOf, eventsOf, close };
}

/** Slug of a problem document. */
export const slugOf = (answer: { json: { type?: string } | null }): string | undefined =>
  answer.json?.type?.replace(`${problemBase}/`, "");
