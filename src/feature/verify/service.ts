/**
 * Proves a whole file: what SQLite can say of it, and every sum, chain and copy that the tables promise.
 * Reads one snapshot in order of keys, so it takes the same memory for any size; repairs nothing.
 */
import type { AuditService } from "../audit/service.ts";
import { verifyArrivals } from "./arrival.ts";
import { verifyCards } from "./chain.ts";
import { type Fault, Faults, faultsMax } from "./fault.ts";
import { verifyLedger } from "./ledger.ts";
import { verifyRuns } from "./run.ts";
import {
  readAmends,
  readCounts,
  readCredits,
  readIntegrity,
  readReferences,
  readZones,
  type Walkable,
} from "./store.ts";

export interface VerifyDeps {
  readonly audit: Pick<AuditService, "verify">;
}

export interface Verdict {
  /** All faults, those not listed too. */
  readonly count: number;
  /** At most 100 of each check. */
  readonly faults: readonly Fault[];
}

type Stage = readonly [name: string, run: () => Promise<void> | void];

export function verifyService({ audit }: VerifyDeps) {
  async function references(q: Walkable, faults: Faults): Promise<void> {
    for (const { table, rowid, parent } of await readReferences(q, faultsMax)) {
      faults.add("foreign key", table, `row ${rowid}`, `a row of ${parent}`, "none");
    }
    for (const { event_id: id } of await readAmends(q, faultsMax)) {
      faults.add("amended event", "event_amend", `event ${id}`, "an event", "none");
    }
    for (const { event_id: id, topup_no: topup, of_event: other } of await readCredits(
      q,
      faultsMax,
    )) {
      const found = other === null ? "another or none" : `event ${other}`;
      faults.add("credit of a top-up", "topup", `top-up ${topup}`, `event ${id}`, found);
    }
    for (const { of, tenant_id: tenant, key, kept, found } of await readCounts(q, faultsMax)) {
      faults.add("kept number", of, `tenant ${tenant}, ${key}`, found, kept);
    }
  }

  async function audits(q: Walkable, faults: Faults): Promise<void> {
    for (const { tenantId, seq, fault } of await audit.verify(q)) {
      faults.add("audit chain", "audit", `tenant ${tenantId}, seq ${seq}`, "unbroken", fault);
    }
  }

  /** Proves what `q` sees. `onStage` is told before each part, and at the end with `at` = `of`. */
  async function verify(
    q: Walkable,
    onStage: (name: string, at: number, of: number) => void = () => undefined,
  ): Promise<Verdict> {
    const faults = new Faults();
    const zones = await readZones(q);
    const stages: readonly Stage[] = [
      [
        "pages, indexes and constraints",
        async () => {
          for (const line of await readIntegrity(q)) {
            faults.add("integrity_check", "database", line, "ok", "damaged");
          }
        },
      ],
      ["references", () => references(q, faults)],
      ["ledger", () => verifyLedger(q, zones.keys(), faults)],
      ["cards", () => verifyCards(q, zones, faults)],
      ["batches and settlement", () => verifyArrivals(q, zones, faults)],
      ["settlement runs", () => verifyRuns(q, faults)],
      ["audit record", () => audits(q, faults)],
    ];
    for (const [at, [name, run]] of stages.entries()) {
      onStage(name, at, stages.length);
      await run();
    }
    onStage("done", stages.length, stages.length);
    return { count: faults.count, faults: faults.list };
  }

  return { verify };
}
