/**
 * The whole data model as SQL, in the order of reading: who, with what, holds what, did what, is owed
 * what, and what was written down about it. The texts are compiled into the binary.
 */
import audit from "./table/audit.sql" with { type: "text" };
import batch from "./table/batch.sql" with { type: "text" };
import blocklist from "./table/blocklist.sql" with { type: "text" };
import card from "./table/card.sql" with { type: "text" };
import device from "./table/device.sql" with { type: "text" };
import event from "./table/event.sql" with { type: "text" };
import gateway from "./table/gateway.sql" with { type: "text" };
import grant from "./table/grant.sql" with { type: "text" };
import idempotency from "./table/idempotency.sql" with { type: "text" };
import job from "./table/job.sql" with { type: "text" };
import key from "./table/key.sql" with { type: "text" };
import ledger from "./table/ledger.sql" with { type: "text" };
import mail from "./table/mail.sql" with { type: "text" };
import member from "./table/member.sql" with { type: "text" };
import oauth from "./table/oauth.sql" with { type: "text" };
import policy from "./table/policy.sql" with { type: "text" };
import published from "./table/published.sql" with { type: "text" };
import report from "./table/report.sql" with { type: "text" };
import review from "./table/review.sql" with { type: "text" };
import settlement from "./table/settlement.sql" with { type: "text" };
import tenant from "./table/tenant.sql" with { type: "text" };
import user from "./table/user.sql" with { type: "text" };

/** Number of the schema below, kept in the file as user_version. */
export const schemaVersion = 1;

export const tables: readonly string[] = [
  tenant,
  user,
  mail,
  oauth,
  member,
  key,
  policy,
  device,
  grant,
  card,
  batch,
  event,
  review,
  report,
  blocklist,
  ledger,
  settlement,
  audit,
  published,
  idempotency,
  job,
  gateway,
];

/** Steps from an older file, each to its `version`; none yet, because version 1 is the first. */
export const migrations: readonly { readonly version: number; readonly sql: string }[] = [];
