/**
 * What the gateway keeps: limits of routes, versions that end, how the server is, and alerts to whoever
 * runs it. Counting calls and answering them is `http/`.
 */
import type { Actor } from "../../domain/audit.ts";
import type { Writer } from "../../store/seam.ts";
import type { Clock } from "../../system/clock.ts";
import type { Log } from "../../system/log.ts";
import { type HealthDeps, healthBook } from "./health.ts";
import { type RuleDeps, ruleBook } from "./rule.ts";
import * as rows from "./store.ts";
import { type VersionDeps, versionBook } from "./version.ts";

export type { HealthDeps, PartState } from "./health.ts";
export type { Rule } from "./store.ts";
export type { ApiDocument, ApiVersion } from "./version.ts";

/** Something that people must be told of. */
export interface AlertDraft {
  readonly kind: string;
  /** The route's pattern; empty where it is none's. */
  readonly route: string;
  readonly detail: string;
  /** Whose call it was; null: told to the tenant that runs the server. */
  readonly tenantId: number | null;
}

export interface GatewayDeps extends RuleDeps, VersionDeps, HealthDeps {
  readonly clock: Pick<Clock, "nowMs">;
  readonly log: Pick<Log, "warn" | "error">;
  readonly onAlert?: (kind: string) => void;
}

export type GatewayService = ReturnType<typeof gatewayService>;

const raised = "gateway.alert.raised";
/** The same alert is told again no sooner. */
const alertEveryMs = 60_000;
const alertsHeldMax = 1_000;

export function gatewayService(deps: GatewayDeps) {
  const { store, audit, event, clock, log } = deps;
  const told = new Map<string, number>();

  function isFresh({ kind, route, detail, tenantId }: AlertDraft, nowMs: number): boolean {
    const key = `${kind} ${route} ${tenantId} ${detail}`;
    const lastMs = told.get(key);
    if (lastMs !== undefined && Math.abs(nowMs - lastMs) < alertEveryMs) return false;
    if (told.size >= alertsHeldMax) told.clear();
    told.set(key, nowMs);
    return true;
  }

  /**
   * Tells of something, to the log, the metrics and the event log; the same at most once a minute.
   * Returns at once and never fails: the call that it is about goes on.
   * @returns resolves when it is told
   */
  async function alert(draft: AlertDraft): Promise<void> {
    const nowMs = clock.nowMs();
    if (!isFresh(draft, nowMs)) return;
    const { kind, route, detail } = draft;
    log.warn("alert", { kind, route, detail });
    deps.onAlert?.(kind);
    try {
      await store.write(async (tx) => {
        const tenantId = draft.tenantId ?? (await rows.rootTenantId(tx));
        if (tenantId === undefined) return;
        await event.publish(tx, {
          tenantId,
          type: raised,
          data: { kind, route, detail },
          atMs: nowMs,
        });
      });
    } catch (error) {
      log.error("an alert could not be recorded", { kind, error });
    }
  }

  /** A development server's clock was moved: by whom, and how far. */
  async function clockMoved(
    tx: Writer,
    tenantId: number,
    actor: Actor,
    advanceSec: number,
    nowMs: number,
  ): Promise<void> {
    await audit.append(tx, {
      tenantId,
      atMs: nowMs,
      action: "gateway.clock.moved",
      actor,
      after: { advanceSec, now: new Date(nowMs).toISOString() },
    });
  }

  return {
    clockMoved,
    rules: ruleBook(deps),
    versions: versionBook(deps),
    ...healthBook(deps),
    alert,
  };
}
