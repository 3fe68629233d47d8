/** A row of card and head as the rules see a card. */
import type { CardRow } from "../../../schema/query/card.ts";
import type { CardRecord, StatusCode } from "../../../src/domain/cardrecord.ts";
import { eventType } from "../../../src/domain/event.ts";
import type { CardState } from "../../../src/domain/state.ts";

export const cardOf = (row: CardRow): CardRecord => ({
  cardNo: row.card_no,
  tenantId: row.tenant_id,
  cardId: row.card_id,
  memberNo: row.member_no,
  userId: row.user_id,
  status: row.status as StatusCode,
  keyVersion: row.key_version,
  createdAtSec: row.created_at_sec,
  expiresAtSec: row.expires_at_sec,
  blockedAtSec: row.blocked_at_sec,
  replacesNo: row.replaces_no,
  replacedByNo: row.replaced_by_no,
  needsValidation: row.needs_validation === 1,
  head: {
    top: {
      id: row.event_id,
      counter: row.counter,
      type: eventType(row.type),
      amount: row.amount,
      balanceAfter: row.chip_balance,
      timestamp: row.timestamp_sec,
      hash: row.hash,
      flags: row.flags,
      linked: row.linked === 1,
      start: row.start_sec,
      state: row.state as CardState | null,
    },
    shownState: row.shown_state as CardState,
    shownCounter: row.shown_counter,
    openingBalance: row.opening_balance,
    depth: row.depth,
    late: row.late,
    quarantined: row.quarantined === 1,
    available: row.available,
    pending: row.pending,
    frozen: row.frozen,
    week: row.week,
    days: [row.d0, row.d1, row.d2, row.d3, row.d4, row.d5, row.d6],
    applied: row.applied,
  },
});
