/** Reconciliation on the device surface. */
import { batchAnswer, batchRequest } from "../../../schema/contract/reconcile.ts";
import { scanBatch } from "../../domain/batchscan.ts";
import type { IncomingEvent } from "../../domain/event.ts";
import { Refused } from "../../domain/refused.ts";
import { type Route, route } from "../../http/route.ts";
import type { ReconcileService } from "./service.ts";

type WireEvent = Omit<IncomingEvent, "hash"> & { readonly hash: string };

/** Hashes are 48-bit integers everywhere behind this door. */
const fromWire = (event: WireEvent): IncomingEvent => ({
  cardId: event.cardId,
  counter: event.counter,
  type: event.type,
  amount: event.amount,
  balanceAfter: event.balanceAfter,
  timestamp: event.timestamp,
  hash: Number.parseInt(event.hash, 16),
});

export const reconcileRoutes = (reconcile: ReconcileService): Route[] => [
  route({
    method: "POST",
    path: "/api/reconcile",
    operationId: "reconcile",
    summary: "Hand in what happened offline",
    description:
      "Every event is judged once and answered on its own; the batch is one transaction, durable before the " +
      "answer. The same bytes may be sent until 200, or 409 `duplicate_counter` when all of it is recorded " +
      "already; after either the terminal may clear its queue.",
    tag: "Reconciliation",
    access: { roles: ["station", "gate", "terminal"], suspended: true, bucket: "device" },
    contract: { body: batchRequest, response: batchAnswer },
    status: 200,
    refusals: ["duplicate_counter"],
    tooMany: { field: "events", code: "batch_too_large" },
    scan: scanBatch,
    terminalId: (body) => body.terminalId,
    examples: {
      request: {
        terminalId: 42,
        events: [
          {
            cardId: "a1b2c3d4e5f6",
            counter: 17,
            type: "debit",
            amount: 15000,
            balanceAfter: 485000,
            timestamp: 1746690000,
            hash: "0f1e2d3c4b5a",
          },
        ],
      },
      response: {
        accepted: 1,
        rejected: 0,
        flags: [{ counter: 17, cardId: "a1b2c3d4e5f6", reason: "daily_limit_exceeded" }],
        rejections: [],
        batchId: "01971d3e-7a00-7cc3-98c4-dc0c0c07398f",
      },
    },
    handle: async ({ device, body, bytes, nowMs, write }) => {
      const events = body.events.map(fromWire);
      const digest = Bun.SHA256.hash(bytes) as Uint8Array;
      try {
        return await write((tx) => reconcile.ingest(tx, device, events, digest, nowMs), {
          weight: events.length + 1,
        });
      } catch (error) {
        const resent = error instanceof Refused && error.code === "duplicate_counter";
        if (resent) reconcile.noteDuplicate(device, nowMs);
        throw error;
      }
    },
  }),
];
