/** Statements of the peers on SQLite that Kartu has in another form, because it reads card by card. */
import type { CardRow } from "../../../schema/query/card.ts";
import { cardById } from "../../../schema/query/card.ts";
import { statement } from "../../../schema/query/statement.ts";
import type { AwaitingRow } from "./batch.ts";

/** `cardIds`: a JSON array. CROSS JOIN keeps the order: SQLite would read every card first. */
export const awaitingOfCards = statement<[tenantId: number, cardIds: string], AwaitingRow>(
  "peer.awaiting",
  `SELECT t.card_no, t.topup_no, t.amount, t.timestamp_sec, t.counter, t.device_no, t.status
   FROM json_each(?2) AS wanted CROSS JOIN card c ON c.tenant_id = ?1 AND c.card_id = wanted.value
     CROSS JOIN topup t ON t.card_no = c.card_no AND t.event_id IS NULL AND t.status <> 'canceled'`,
);

/** Cards and heads by a JSON array of ids. */
export const cardsById = statement<[tenantId: number, cardIds: string], CardRow>(
  "peer.cards",
  cardById.sql.replace(
    "c.card_id = ?2",
    "c.card_id IN (SELECT wanted.value FROM json_each(?2) AS wanted)",
  ),
);
