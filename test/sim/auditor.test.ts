/**
 * The auditor against the real server: histories that it must find in order, and the same histories with
 * one thing in them that is not as it was, which it must notice.
 */
import { describe, expect, test } from "bun:test";
import { venues } from "../harness.ts";
import { Divergence } from "./auditor/auditor.ts";
import { chainHistories } from "./history/chain.ts";
import { doorHistories } from "./history/door.ts";
import { moneyHistories } from "./history/money.ts";
import { liesOf, retell, type Tape } from "./history/tape.ts";
import { Watched } from "./history/watched.ts";

const open = venues();
const tapes: Tape[] = [];
const histories = { ...chainHistories, ...moneyHistories, ...doorHistories };

describe("the server agrees with the auditor", () => {
  for (const [name, history] of Object.entries(histories)) {
    test(name, async () => {
      const at = await Watched.open(await open());
      await history(at);
      tapes.push(await at.audit());
    });
  }
});

async function isNoticed(tape: Tape, lie: Parameters<typeof retell>[1]): Promise<boolean> {
  try {
    await retell(tape, lie);
    return false;
  } catch (error) {
    if (error instanceof Divergence) return true;
    throw error;
  }
}

/** Parts of the device surface that the rules leave to the server, or whose proof stands elsewhere. */
const freeOfDevices = ["message", "batchId", "signature", "remove", "remove[]"];
/** Parts of the operator surface that the model has no word for. */
const freeOfOperators = [
  ...["title", "detail", "instance", "traceId", "state", "field", "type", "cursor", "hasMore"],
  ...["id", "eventId", "batchId", "walletId", "counterWalletId", "settlementWalletId", "scopeId"],
  ...["transactionId", "referenceTransactionId", "deviceId", "createdBy", "decidedBy", "closedBy"],
  ...["createdAt", "updatedAt", "decidedAt", "closedAt", "activatedAt", "retiredAt", "asOf"],
  ...["blockedAt", "blockedBy", "blockReason", "secretExpiresAt", "tokenIssuedAt", "expiresAt"],
  ...["tokenExpiresAt", "lastSeenAt", "lastUploadAt", "since", "version", "policyVersion", "ttl"],
  ...["name", "email", "note", "reason", "description", "metadata", "source", "sha256", "rows"],
  ...["payload", "svg", "currency", "reversed", "belongsTo", "statusCode", "allowedOps"],
  ...["limit", "total", "conflict", "fromCounter", "toCounter", "silent24h", "unseenUntil"],
  ...["topups", "topupAmount", "rejected", "flagged", "lateEvents", "refunds", "refundAmount"],
  ...["succeeded", "failed"],
];
/** Whole answers, and parts whose names are judged elsewhere. */
const freeElsewhere = [
  /^GET \/api\/v1\/fleet\/policies 200 /,
  / \.exposure\.amount$/,
  / \.sources\.\w+$/,
  / \.today\.\w+$/,
  / \.data\[\]\.problem\.status$/,
  // Accounts that nothing has moved on need not be there.
  /trial-balance 200 \.data\[\]\.accounts\[\]\.(kind|systemKey|wallets)$/,
];

function isFree(about: string): boolean {
  const isOperators = about.includes(" /api/v1/");
  const leaf = about.replace(/\.last$/, "").replace(/^.* \S*\./, "");
  const free = isOperators ? freeOfOperators : freeOfDevices;
  return free.includes(leaf) || (isOperators && freeElsewhere.some((each) => each.test(about)));
}

test("whatever is altered in an answer or in the file is noticed, but for what is free", async () => {
  const about = new Set<string>();
  const unnoticed: string[] = [];
  for (const tape of tapes) {
    for (const lie of liesOf(tape)) {
      if (about.has(lie.about) || isFree(lie.about)) continue;
      about.add(lie.about);
      if (!(await isNoticed(tape, lie))) unnoticed.push(lie.about);
    }
  }
  expect(unnoticed).toEqual([]);
  // A tape of nothing would pass too.
  expect(about.size).toBeGreaterThan(400);
});

test("what was told is told again without a fault", async () => {
  for (const tape of tapes) await retell(tape);
});
