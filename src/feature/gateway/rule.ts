/**
 * Limits that tenants set for single routes. They lie in memory, where each call looks; a change counts
 * for the very next one. They stand beside the limits of the plan, so they can only narrow them.
 */
import { accessCachedMax } from "../../../schema/bound.ts";
import type { Actor } from "../../domain/audit.ts";
import { checkVersion, invalid, Problem } from "../../domain/problem.ts";
import type { Store, Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import type { AuditService } from "../audit/service.ts";
import type { EventService } from "../event/service.ts";
import type { Rule, RuleDraft } from "./store.ts";
import * as rows from "./store.ts";

export interface RuleDeps {
  readonly store: Store;
  readonly random: Random;
  readonly audit: Pick<AuditService, "append">;
  readonly event: EventService;
  /** Whether callers of this route, an operationId, are known by a token. */
  readonly isLimitable: (route: string) => boolean;
}

type RulesByRoute = ReadonlyMap<string, Rule>;

export type RuleChange = Partial<Omit<RuleDraft, "route">> & { readonly version?: number };

const changed = "gateway.ratelimit.changed";
const modulePath = /^\/m\/[a-z][a-z0-9-]{1,30}$/;

const shown = ({ route, groupBy, requests, adminRequests, windowSec }: RuleDraft) => ({
  route,
  groupBy,
  requests,
  adminRequests,
  windowSec,
});

/** Most tenants have none. */
const noRules: RulesByRoute = new Map();

function dropEldest(held: Map<number, RulesByRoute>): void {
  for (const eldest of held.keys()) {
    held.delete(eldest);
    return;
  }
}

export function ruleBook({ store, random, audit, event, isLimitable }: RuleDeps) {
  const held = new Map<number, RulesByRoute>();
  /** Counts changes, so that what was read before one is not held after it. */
  let changes = 0;

  /** The rules of a tenant by route; from memory but for the first time. */
  function of(tenantId: number): RulesByRoute | Promise<RulesByRoute> {
    return held.get(tenantId) ?? load(tenantId);
  }

  async function load(tenantId: number): Promise<RulesByRoute> {
    const before = changes;
    const rules = await store.read((q) => rows.rulesOf(q, tenantId));
    const byRoute = rules.length === 0 ? noRules : new Map(rules.map((rule) => [rule.route, rule]));
    if (before === changes) {
      if (held.size >= accessCachedMax) dropEldest(held);
      held.set(tenantId, byRoute);
    }
    return byRoute;
  }

  const get = async (tx: Writer, tenantId: number, id: string): Promise<Rule> => {
    const rule = await rows.findRule(tx, tenantId, id);
    if (rule === undefined) throw new Problem("not-found", "There is no such limit.");
    return rule;
  };

  async function note(
    tx: Writer,
    tenantId: number,
    actor: Actor,
    nowMs: number,
    before: Rule | null,
    after: Rule | null,
  ): Promise<void> {
    const rule = after ?? before;
    if (rule === null) return;
    const { id, route, groupBy, windowSec } = rule;
    await audit.append(tx, {
      tenantId,
      atMs: nowMs,
      action: changed,
      entityType: "rateLimit",
      entityId: id,
      actor,
      ...(before !== null && { before: shown(before) }),
      ...(after !== null && { after: shown(after) }),
    });
    // Taken away: no number of requests.
    const data = { route, groupBy, requests: after?.requests ?? null, windowSec };
    await event.publish(tx, { tenantId, type: changed, data, atMs: nowMs });
    tx.onCommit(() => {
      changes++;
      held.delete(tenantId);
    });
  }

  /** @throws Problem already-exists (the route has one) · validation-error (no such route) */
  async function create(
    tx: Writer,
    tenantId: number,
    draft: RuleDraft,
    actor: Actor,
    nowMs: number,
  ): Promise<Rule> {
    const { route } = draft;
    if (!modulePath.test(route) && !isLimitable(route)) {
      const message = "Must be the operationId of a call with a token, or /m/{module}";
      throw invalid([{ field: "route", message, code: "NOT_ALLOWED" }]);
    }
    if (await rows.hasRule(tx, tenantId, route)) {
      throw new Problem("already-exists", "The route has a limit already.", { field: "route" });
    }
    const id = random.uuid(nowMs);
    await rows.insertRule(tx, tenantId, id, draft, nowMs);
    const rule = await get(tx, tenantId, id);
    await note(tx, tenantId, actor, nowMs, null, rule);
    return rule;
  }

  /** @throws Problem not-found · version-conflict */
  async function change(
    tx: Writer,
    tenantId: number,
    id: string,
    { version, ...wanted }: RuleChange,
    actor: Actor,
    nowMs: number,
  ): Promise<Rule> {
    const before = await get(tx, tenantId, id);
    checkVersion(version, before.version);
    await rows.updateRule(tx, tenantId, id, { ...before, ...wanted }, nowMs);
    const after = await get(tx, tenantId, id);
    await note(tx, tenantId, actor, nowMs, before, after);
    return after;
  }

  /** @throws Problem not-found */
  async function remove(
    tx: Writer,
    tenantId: number,
    id: string,
    actor: Actor,
    nowMs: number,
  ): Promise<void> {
    const before = await get(tx, tenantId, id);
    await rows.deleteRule(tx, tenantId, id);
    await note(tx, tenantId, actor, nowMs, before, null);
  }

  /** Newest first: up to `rowsMax` below a position, and how many there are. */
  const page = (
    tenantId: number,
    below: number,
    rowsMax: number,
  ): Promise<{ rules: Rule[]; total: number }> =>
    store.read((q) => rows.pageRules(q, tenantId, below, rowsMax));

  return { of, create, change, remove, page };
}
