/**
 * Statements that list cards for operators, newest first by number, and show one. A list is the merge
 * of one range a kind (status, key version, validation), so that it costs the same however many cards
 * there are; totals come from the counts that triggers keep. All only read.
 */
import { statement } from "./statement.ts";

export interface CardKindRow {
  status: number;
  key_version: number;
  needs_validation: number;
  cards: number;
}

export const cardKinds = statement<[tenantId: number], CardKindRow>(
  "cardList.kinds",
  `SELECT status, key_version, needs_validation, cards FROM card_count
   WHERE tenant_id = ?1 AND cards > 0`,
);

interface NumberRow {
  card_no: number;
}

const isOpen =
  "EXISTS (SELECT 1 FROM flag f WHERE f.card_no = c.card_no AND f.status = 'open' AND f.tenant_id = ?1)";
const ofKind = `c.tenant_id = ?1 AND c.status = ?2 AND c.key_version = ?3 AND c.needs_validation = ?4
     AND c.card_no < ?5`;
type Kind = [
  tenantId: number,
  status: number,
  keyVersion: number,
  needsValidation: number,
  belowNo: number,
  limit: number,
];

export const cardsOfKind = statement<Kind, NumberRow>(
  "cardList.ofKind",
  `SELECT c.card_no FROM card c WHERE ${ofKind} ORDER BY c.card_no DESC LIMIT ?6`,
);
/** Those without an open flag. */
export const cardsOfKindClear = statement<Kind, NumberRow>(
  "cardList.ofKindClear",
  `SELECT c.card_no FROM card c WHERE ${ofKind} AND NOT ${isOpen} ORDER BY c.card_no DESC LIMIT ?6`,
);

/** Null lets everything through. */
type Filter = [status: number | null, keyVersion: number | null, needsValidation: number | null];
const filter = (at: number): string =>
  ["status", "key_version", "needs_validation"]
    .map((column, i) => `(?${at + i} IS NULL OR c.${column} = ?${at + i})`)
    .join(" AND ");

/** Those with an open flag; there are no more than flags wait. */
export const cardsFlagged = statement<
  [tenantId: number, ...Filter, belowNo: number, limit: number],
  NumberRow
>(
  "cardList.flagged",
  `SELECT DISTINCT f.card_no FROM flag f CROSS JOIN card c ON c.card_no = f.card_no
   WHERE f.tenant_id = ?1 AND f.status = 'open' AND f.card_no IS NOT NULL AND ${filter(2)}
     AND f.card_no < ?5 ORDER BY f.card_no DESC LIMIT ?6`,
);
export const cardCountFlagged = statement<[tenantId: number, ...Filter], { count: number }>(
  "cardList.flaggedCount",
  `SELECT count(DISTINCT f.card_no) AS count FROM flag f CROSS JOIN card c ON c.card_no = f.card_no
   WHERE f.tenant_id = ?1 AND f.status = 'open' AND f.card_no IS NOT NULL AND ${filter(2)}`,
);

/** `flagged`: 1 those with an open flag, 0 those without, null all. Cards of one member are few. */
export const cardsOfMember = statement<
  [tenantId: number, ...Filter, memberNo: number, flagged: number | null, glob: string | null],
  NumberRow
>(
  "cardList.ofMember",
  `SELECT c.card_no FROM card c WHERE c.member_no = ?5 AND c.tenant_id = ?1 AND ${filter(2)}
     AND (?6 IS NULL OR ${isOpen} = ?6) AND (?7 IS NULL OR c.name GLOB ?7 OR c.card_id GLOB ?7)
   ORDER BY c.card_no DESC`,
);

/** Numbers of a stretch of which id or name contain a text; a stretch is read through. */
type Search = [
  tenantId: number,
  ...Filter,
  text: string,
  flagged: number | null,
  fromNo: number,
  belowNo: number,
];
const found = (fits: string): string =>
  `SELECT c.card_no FROM card c NOT INDEXED WHERE c.card_no >= ?7 AND c.card_no < ?8 AND c.tenant_id = ?1
     AND ${fits} AND ${filter(2)} AND (?6 IS NULL OR ${isOpen} = ?6) ORDER BY c.card_no DESC`;

/** The text in lower case, nothing but ASCII in it. */
export const cardsNamed = statement<Search, NumberRow>(
  "cardList.named",
  found("(instr(lower(c.name), ?5) > 0 OR instr(c.card_id, ?5) > 0)"),
);
/** The text as a GLOB pattern: no card id has such letters. */
export const cardsNamedWidely = statement<Search, NumberRow>(
  "cardList.namedWidely",
  found("c.name GLOB ?5"),
);

/** The member of a number or of an id; null does not count. */
export const cardHolder = statement<
  [tenantId: number, userId: number | null, memberId: string | null],
  { member_no: number }
>(
  "cardList.holder",
  `SELECT m.member_no FROM member m WHERE m.tenant_id = ?1 AND ?2 IS NOT NULL AND m.user_id = ?2
     AND (?3 IS NULL OR m.uuid = ?3)
   UNION SELECT m.member_no FROM member m WHERE ?2 IS NULL AND m.uuid = ?3 AND m.tenant_id = ?1`,
);

/** What is shown of a card besides its record. */
export interface ShownRow {
  card_id: string;
  name: string;
  member_uuid: string;
  wallet_uuid: string;
  block_reason: string | null;
  blocked_by: string | null;
  replaces: string | null;
  replaced_by: string | null;
  pending_count: number;
  pending_amount: number;
  open_flags: number;
}

export const cardShown = statement<[tenantId: number, cardNo: number], ShownRow>(
  "cardList.shown",
  `SELECT c.card_id, c.name, m.uuid AS member_uuid, c.wallet_uuid, c.block_reason, c.blocked_by,
     (SELECT o.card_id FROM card o WHERE o.card_no = c.replaces_no) AS replaces,
     (SELECT n.card_id FROM card n WHERE n.card_no = c.replaced_by_no) AS replaced_by,
     (SELECT count(*) FROM topup t WHERE t.card_no = c.card_no AND t.event_id IS NULL
        AND t.status <> 'canceled' AND t.status = 'pending') AS pending_count,
     (SELECT coalesce(sum(t.amount), 0) FROM topup t WHERE t.card_no = c.card_no AND t.event_id IS NULL
        AND t.status <> 'canceled' AND t.status = 'pending') AS pending_amount,
     (SELECT count(*) FROM flag f WHERE f.card_no = c.card_no AND f.status = 'open') AS open_flags
   FROM card c CROSS JOIN member m ON m.member_no = c.member_no
   WHERE c.card_no = ?2 AND c.tenant_id = ?1`,
);
