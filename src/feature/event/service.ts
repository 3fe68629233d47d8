/**
 * Tells whoever listens what happened, in the transaction of the change: none is lost, none is early.
 * Delivery is not here.
 */
import type { Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import { insertEvent } from "./store.ts";

export interface EventDraft {
  readonly tenantId: number;
  /** `domain.noun.verb`, the verb in the past. */
  readonly type: string;
  /** Values of JSON; never a secret, a token or a key. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly atMs: number;
}

export type EventService = ReturnType<typeof eventService>;

export function eventService({ random }: { readonly random: Random }) {
  /** Appends one event; it stands or falls with `tx`. Returns its id. */
  async function publish(tx: Writer, { tenantId, type, data, atMs }: EventDraft): Promise<string> {
    const uuid = random.uuid(atMs);
    await insertEvent(tx, { uuid, tenantId, type, data: JSON.stringify(data), atMs });
    return uuid;
  }

  return { publish };
}
