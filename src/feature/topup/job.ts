/**
 * Top-ups whose credit never came: money that a member paid and no card has shown for a day. One alert
 * each, in the order in which they were made, so that the newest alert says where to go on after a
 * restart.
 */
import { staleTopupSec } from "../../../schema/bound.ts";
import {
  type StaleRow,
  staleAlertLast,
  topupNoOf,
  topupsAbove,
} from "../../../schema/query/stale.ts";
import type { Store, Writer } from "../../store/seam.ts";

export interface StaleTopupDeps {
  readonly store: Store;
  tenants(): Promise<readonly { readonly tenantId: number }[]>;
  /** Tells the operator. */
  alert(tx: Writer, alert: StaleTopupAlert): Promise<void>;
}

export interface StaleTopupAlert {
  readonly tenantId: number;
  readonly severity: "medium";
  readonly reason: "stale_topup";
  readonly cardId: string;
  readonly terminalId: number;
  readonly detail: { readonly topupId: string; readonly amount: number };
  readonly atMs: number;
}

const pageRows = 500;

/** Returns the job: raises what is due at `nowMs`, and answers how many there were. */
export function staleTopups({ store, tenants, alert }: StaleTopupDeps) {
  /** By tenant: every top-up up to this number was looked at when it was a day old. */
  const seen = new Map<number, number>();

  /** Where the last run of an earlier process ended, or before. */
  const startOf = (tenantId: number): Promise<number> =>
    store.read(async (q) => {
      const last = await q.get(staleAlertLast, tenantId, 0);
      if (last === undefined) return 0;
      const { topupId } = JSON.parse(last.detail) as StaleTopupAlert["detail"];
      return (await q.get(topupNoOf, tenantId, topupId))?.topup_no ?? 0;
    });

  async function raise(tenantId: number, stale: readonly StaleRow[], atMs: number): Promise<void> {
    if (stale.length === 0) return;
    await store.write(
      async (tx) => {
        for (const { uuid, amount, card_id: cardId, terminal_id: terminalId } of stale) {
          const detail = { topupId: uuid, amount };
          const what = { severity: "medium", reason: "stale_topup" } as const;
          await alert(tx, { tenantId, ...what, cardId, terminalId, detail, atMs });
        }
      },
      { weight: 2 * stale.length },
    );
  }

  async function runTenant(tenantId: number, nowMs: number): Promise<number> {
    const dueMs = nowMs - staleTopupSec * 1000;
    let above = seen.get(tenantId) ?? (await startOf(tenantId));
    let raised = 0;
    for (;;) {
      const from = above;
      const page = await store.read((q) => q.all(topupsAbove, tenantId, from, pageRows));
      const young = page.findIndex((row) => row.created_at_ms > dueMs);
      const due = young < 0 ? page : page.slice(0, young);
      const stale = due.filter((row) => row.status === "pending");
      await raise(tenantId, stale, nowMs);
      raised += stale.length;
      above = due.at(-1)?.topup_no ?? above;
      seen.set(tenantId, above);
      if (due.length < pageRows) return raised;
    }
  }

  return async (nowMs: number): Promise<number> => {
    let raised = 0;
    for (const { tenantId } of await tenants()) raised += await runTenant(tenantId, nowMs);
    return raised;
  };
}
