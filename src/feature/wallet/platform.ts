/** The ledger as a service: `/wallets`, `/holds`, `/transfers`, `/transactions`, the trial balance. */
import type { Static } from "@sinclair/typebox";
import { holdTtlSec, metadataMaxBytes } from "../../../schema/bound.ts";
import {
  balanceAnswer,
  holdEndRequest,
  holdRequest,
  moveRequest,
  reversalRequest,
  transactionAnswer,
  transactionDetail,
  transactionQuery,
  transferBatchRequest,
  transferRequest,
  trialAnswer,
  trialQuery,
  walletAnswer,
  walletChange,
  walletParams,
  walletQuery,
  walletRequest,
} from "../../../schema/contract/wallet.ts";
import type { ProblemSlug } from "../../../schema/problem.ts";
import { instantMs, instantText } from "../../domain/instant.ts";
import { type FieldFault, invalid } from "../../domain/problem.ts";
import { batchAnswer, batchOf } from "../../http/platform/batch.ts";
import { byOf } from "../../http/platform/by.ts";
import type { Caller } from "../../http/platform/caller.ts";
import { faultsOf } from "../../http/platform/fault.ts";
import { shapeOf } from "../../http/platform/input.ts";
import { type Place, pageOf, totalMax } from "../../http/platform/page.ts";
import { operation, type PlatformCall, type PlatformRoute } from "../../http/platform/route.ts";
import type { Entry, Transaction, Wallet, WalletService } from "./service.ts";

const timeOrNull = (ms: number | null): string | null => (ms === null ? null : instantText(ms));

const walletView = ({ tenantUuid }: Caller, w: Wallet) => ({
  id: w.id,
  tenantId: tenantUuid,
  kind: w.kind,
  userId: w.userId,
  cardId: w.cardId,
  systemKey: w.systemKey,
  currency: w.currency,
  label: w.label,
  status: w.status,
  balance: w.balance,
  createdAt: instantText(w.createdAtMs),
  updatedAt: instantText(w.updatedAtMs),
  version: w.version,
});

const transactionView = (t: Transaction) => ({
  id: t.id,
  transactionId: t.id,
  type: t.type,
  status: t.status,
  amount: t.amount,
  currency: t.currency,
  walletId: t.walletId,
  counterWalletId: t.counterWalletId,
  balanceAfter: t.balanceAfter,
  description: t.description,
  metadata: t.metadata,
  reason: t.reason,
  referenceTransactionId: t.referenceId,
  reversed: t.isReversed,
  ttl: t.ttlSec,
  expiresAt: timeOrNull(t.expiresAtMs),
  source: t.source,
  createdBy: t.createdBy,
  createdAt: instantText(t.createdAtMs),
  updatedAt: instantText(t.updatedAtMs),
});

const entryView = ({ walletId, bucket, amount, atMs }: Entry) => ({
  walletId,
  bucket,
  amount,
  at: instantText(atMs),
});

interface HasMetadata {
  readonly metadata?: Readonly<Record<string, unknown>>;
}

const metadataFaults = ({ metadata }: HasMetadata): FieldFault[] => {
  if (metadata === undefined) return [];
  if (Buffer.byteLength(JSON.stringify(metadata)) <= metadataMaxBytes) return [];
  const message = `Must have at most ${metadataMaxBytes} bytes as JSON`;
  return [{ field: "metadata", message, code: "TOO_LONG" }];
};

type TransferBody = Static<typeof transferRequest>;

const transferFaults = (body: TransferBody): FieldFault[] => {
  const isSame = body.fromWalletId === body.toWalletId;
  const message = "Must be another wallet than fromWalletId";
  const same = { field: "toWalletId", message, code: "NOT_ALLOWED" } as const;
  return [...(isSame ? [same] : []), ...metadataFaults(body)];
};

const transferShape = shapeOf(transferRequest);

/** One item of a batch. @throws Problem validation-error */
function transferOf(item: unknown): TransferBody {
  if (!transferShape.check(item)) throw invalid(faultsOf(transferRequest, item));
  const body = item as TransferBody;
  const faults = transferFaults(body);
  if (faults.length > 0) throw invalid(faults);
  return body;
}

type Called = Pick<
  PlatformCall<unknown, unknown, unknown, Caller>,
  "caller" | "address" | "userAgent" | "traceId"
>;

const moverOf = (call: Called) => ({
  by: byOf(call),
  mayMoveHouse: call.caller.can("money.system"),
});

const money = { namespace: "money" } as const;
const wallets = { ...money, tag: "Wallets" } as const;
const movements = { ...money, tag: "Movements", idempotency: "required" } as const;
const books = { ...money, tag: "Books" } as const;

const id = "01936d7a-0000-7000-8000-000000000001";
const other = "01936d7a-0000-7000-8000-000000000002";
const txn = "01936d7a-0000-7000-8000-000000000005";
const at = "2026-11-21T16:33:00.000Z";
const user = "01936d7a-0000-7000-8000-000000000003";
const params = { id };
const balance = { available: 12_500, pending: 0, frozen: 0 };
const walletExample = {
  ...{ id, tenantId: "01936d7a-0000-7000-8000-000000000004", kind: "user" as const },
  ...{ userId: user, cardId: null, systemKey: null, currency: "IDR", label: "Canteen" },
  ...{ status: "active" as const, balance, createdAt: at, updatedAt: at, version: 1 },
};
const order = { amount: 12_500, description: "Lunch", metadata: { order: "A-17" } };
const transactionExample = {
  ...{ id: txn, transactionId: txn, type: "credit" as const, status: "completed" as const },
  ...{ amount: 12_500, currency: "IDR", walletId: id, counterWalletId: other },
  ...{ balanceAfter: balance, description: "Lunch", metadata: { order: "A-17" }, reason: null },
  ...{ referenceTransactionId: null, reversed: false, ttl: null, expiresAt: null },
  ...{ source: "platform" as const, createdBy: user, createdAt: at, updatedAt: at },
};
const held = {
  ...{ ...transactionExample, type: "hold" as const, status: "held" as const },
  ...{ counterWalletId: null, ttl: 259_200, expiresAt: "2026-11-24T16:33:00.000Z" },
  balanceAfter: { available: 0, pending: 0, frozen: 12_500 },
};
const transfer = { fromWalletId: id, toWalletId: other, ...order };
const transferred = { ...transactionExample, type: "transfer" as const };

/** What moving money on one wallet may be refused for. */
const inRefusals: readonly ProblemSlug[] = [
  "system-wallet",
  "wallet-closed",
  "card-wallet-live",
  "invalid-amount",
  "currency-mismatch",
  "amount-limit-exceeded",
];
const outRefusals: readonly ProblemSlug[] = [...inRefusals, "insufficient-funds"];
const transferRefusals: readonly ProblemSlug[] = [
  "not-found",
  "wallet-closed",
  "card-wallet-live",
  "wrong-state",
  "invalid-amount",
  "currency-mismatch",
  "amount-limit-exceeded",
  "insufficient-funds",
  "balance-limit-exceeded",
];

const located = ({ id: made }: { readonly id: string }): string => `/transactions/${made}`;

export const walletRoutes = (service: WalletService): PlatformRoute[] => [
  ...keepingRoutes(service),
  ...movementRoutes(service),
  ...transferRoutes(service),
  ...bookRoutes(service),
];

const keepingRoutes = (service: WalletService): PlatformRoute[] => [
  operation({
    ...wallets,
    method: "GET",
    path: "/wallets",
    operationId: "listWallets",
    summary: "Wallets of people, of cards and of the house",
    access: { permission: "money.wallets.read" },
    contract: { query: walletQuery, list: walletAnswer },
    status: 200,
    refusals: [],
    examples: {
      response: { data: [walletExample], meta: { cursor: null, hasMore: false, total: 1 } },
    },
    handle: (call) => {
      const { tenantId } = call.caller;
      const { limit: _limit, after: _after, ...filter } = call.query;
      return pageOf(
        call,
        {
          read: (after, limit) =>
            service.page(tenantId, filter, after && [Number(after[0]), Number(after[1])], limit),
          placeOf: ({ place }) => place,
          count: () => service.count(tenantId, filter),
        },
        ({ wallet }) => walletView(call.caller, wallet),
      );
    },
  }),
  operation({
    ...wallets,
    method: "POST",
    path: "/wallets",
    operationId: "createWallet",
    summary: "Open a wallet for a person",
    access: { permission: "money.wallets.write" },
    contract: { body: walletRequest, response: walletAnswer },
    status: 201,
    refusals: [],
    examples: {
      request: { userId: user, currency: "IDR", label: "Canteen" },
      response: { ...walletExample, balance: { available: 0, pending: 0, frozen: 0 } },
    },
    location: (made) => `/wallets/${made.id}`,
    handle: (call) =>
      call.write(async (tx) => {
        const { caller, body, nowMs } = call;
        const made = await service.create(tx, caller.tenantId, body, byOf(call), nowMs);
        return walletView(caller, made);
      }),
  }),
  operation({
    ...wallets,
    method: "GET",
    path: "/wallets/:id",
    operationId: "getWallet",
    summary: "A wallet",
    access: { permission: "money.wallets.read" },
    contract: { params: walletParams, response: walletAnswer },
    status: 200,
    refusals: [],
    examples: { params, response: walletExample },
    handle: async ({ caller, params: { id: wallet } }) =>
      walletView(caller, await service.find(caller.tenantId, wallet)),
  }),
  operation({
    ...wallets,
    method: "PATCH",
    path: "/wallets/:id",
    operationId: "updateWallet",
    summary: "Name a wallet",
    access: { permission: "money.wallets.write" },
    contract: { params: walletParams, body: walletChange, response: walletAnswer },
    status: 200,
    refusals: ["version-conflict", "wallet-closed"],
    examples: {
      params,
      request: { label: "Staff canteen", version: 1 },
      response: { ...walletExample, label: "Staff canteen", version: 2 },
    },
    handle: (call) =>
      call.write(async (tx) => {
        const { caller, body, nowMs } = call;
        const { tenantId } = caller;
        const by = byOf(call);
        const changed = await service.rename(tx, tenantId, call.params.id, body, by, nowMs);
        return walletView(caller, changed);
      }),
  }),
  operation({
    ...wallets,
    method: "GET",
    path: "/wallets/:id/balance",
    operationId: "getBalance",
    summary: "What a wallet holds",
    access: { permission: "money.wallets.read" },
    contract: { params: walletParams, response: balanceAnswer },
    status: 200,
    refusals: [],
    examples: { params, response: { walletId: id, currency: "IDR", ...balance, asOf: at } },
    handle: async ({ caller, params: { id: wallet }, nowMs }) => {
      const { currency, balance: now } = await service.find(caller.tenantId, wallet);
      return { walletId: wallet, currency, ...now, asOf: instantText(nowMs) };
    },
  }),
  operation({
    ...wallets,
    method: "POST",
    path: "/wallets/:id/close",
    operationId: "closeWallet",
    summary: "Close an empty wallet for good",
    access: { permission: "money.wallets.write" },
    contract: { params: walletParams, response: walletAnswer },
    status: 200,
    refusals: ["wallet-closed", "card-wallet-live", "system-wallet", "wallet-not-empty"],
    examples: {
      params,
      response: {
        ...walletExample,
        ...{ status: "closed", balance: { available: 0, pending: 0, frozen: 0 }, version: 2 },
      },
    },
    handle: (call) =>
      call.write(async (tx) => {
        const { caller, nowMs } = call;
        const by = byOf(call);
        return walletView(
          caller,
          await service.close(tx, caller.tenantId, call.params.id, by, nowMs),
        );
      }),
  }),
];

const movementRoutes = (service: WalletService): PlatformRoute[] => [
  operation({
    ...movements,
    method: "POST",
    path: "/wallets/:id/credit",
    operationId: "creditWallet",
    summary: "Money comes in from outside",
    access: { permission: "money.credit", balance: true },
    contract: { params: walletParams, body: moveRequest, response: transactionAnswer },
    status: 201,
    refusals: [...inRefusals, "balance-limit-exceeded"],
    examples: { params, request: order, response: transactionExample },
    location: located,
    check: metadataFaults,
    handle: (call) =>
      call.write(async (tx) => {
        const { caller, body, nowMs } = call;
        const { tenantId } = caller;
        const by = byOf(call);
        return transactionView(await service.credit(tx, tenantId, call.params.id, body, by, nowMs));
      }),
  }),
  operation({
    ...movements,
    method: "POST",
    path: "/wallets/:id/debit",
    operationId: "debitWallet",
    summary: "Money goes out",
    access: { permission: "money.debit", balance: true },
    contract: { params: walletParams, body: moveRequest, response: transactionAnswer },
    status: 201,
    refusals: outRefusals,
    examples: { params, request: order, response: { ...transactionExample, type: "debit" } },
    location: located,
    check: metadataFaults,
    handle: (call) =>
      call.write(async (tx) => {
        const { caller, body, nowMs } = call;
        const { tenantId } = caller;
        const by = byOf(call);
        return transactionView(await service.debit(tx, tenantId, call.params.id, body, by, nowMs));
      }),
  }),
  operation({
    ...movements,
    method: "POST",
    path: "/wallets/:id/hold",
    operationId: "holdMoney",
    summary: "Set money aside",
    description: "It goes back by itself once `ttl` is over.",
    access: { permission: "money.hold", balance: true },
    contract: { params: walletParams, body: holdRequest, response: transactionAnswer },
    status: 201,
    refusals: [...outRefusals, "too-many-holds"],
    examples: { params, request: { ...order, ttl: 259_200 }, response: held },
    location: located,
    check: metadataFaults,
    handle: (call) =>
      call.write(async (tx) => {
        const { caller, nowMs } = call;
        const { ttl: ttlSec = holdTtlSec, ...rest } = call.body;
        const wanted = { ...rest, ttlSec };
        const { tenantId } = caller;
        const by = byOf(call);
        return transactionView(await service.hold(tx, tenantId, call.params.id, wanted, by, nowMs));
      }),
  }),
  ...(["confirm", "cancel"] as const).map((action) => {
    const status = action === "confirm" ? ("confirmed" as const) : ("canceled" as const);
    return operation({
      ...movements,
      method: "POST",
      path: `/holds/:id/${action}`,
      operationId: `${action}Hold`,
      summary: action === "confirm" ? "Take what a hold set aside" : "Give it back",
      access: { permission: "money.hold", balance: true },
      contract: { params: walletParams, body: holdEndRequest, response: transactionAnswer },
      status: 200,
      refusals: ["hold-not-active", "hold-expired"],
      examples: {
        params: { id: txn },
        request: { metadata: { receipt: "17" } },
        response: { ...held, status },
      },
      check: metadataFaults,
      handle: (call) =>
        call.write(async (tx) => {
          const { caller, body, nowMs } = call;
          const { tenantId } = caller;
          const { metadata } = body;
          const by = byOf(call);
          return transactionView(
            await service.endHold(tx, tenantId, call.params.id, status, metadata, by, nowMs),
          );
        }),
    });
  }),
];

/** Rows that one transfer writes, to bound a group. */
const transferWeight = 6;

const transferRoutes = (service: WalletService): PlatformRoute[] => [
  operation({
    ...movements,
    method: "POST",
    path: "/transfers",
    operationId: "transfer",
    summary: "From one wallet to another",
    description: "Accounts of the house need `money.system` too.",
    access: { permission: "money.transfer", balance: true },
    contract: { body: transferRequest, response: transactionAnswer },
    status: 201,
    refusals: transferRefusals,
    examples: { request: transfer, response: transferred },
    location: located,
    check: transferFaults,
    handle: (call) =>
      call.write(async (tx) => {
        const { caller, body, nowMs } = call;
        return transactionView(
          await service.transfer(tx, caller.tenantId, body, moverOf(call), nowMs),
        );
      }),
  }),
  operation({
    ...movements,
    method: "POST",
    path: "/transfers/batch",
    operationId: "transferBatch",
    summary: "Many transfers, each by itself",
    description: "One key for all of them; one that fails undoes no other.",
    access: { permission: "money.transfer", balance: true },
    contract: { body: transferBatchRequest, response: batchAnswer(transactionAnswer) },
    status: 201,
    alsoStatus: [207],
    size: "batch",
    refusals: [],
    examples: {
      request: { items: [transfer] },
      response: {
        data: [{ index: 0, status: 201, result: transferred }],
        meta: { succeeded: 1, failed: 0 },
      },
    },
    handle: (call) => {
      const { caller, nowMs } = call;
      const { items } = call.body;
      return call.write(
        (tx) =>
          service.transferMany(tx, caller.tenantId, moverOf(call), nowMs, (one) =>
            batchOf(call, items, 201, async (item) => transactionView(await one(transferOf(item)))),
          ),
        { weight: transferWeight * items.length },
      );
    },
  }),
  operation({
    ...movements,
    method: "POST",
    path: "/transactions/:id/reversal",
    operationId: "reverseTransaction",
    summary: "Take a transaction back, once",
    description:
      "A completed credit, debit or transfer of the last 365 days, or a top-up that still waits.",
    access: { permission: "money.reverse", balance: true },
    contract: { params: walletParams, body: reversalRequest, response: transactionAnswer },
    status: 201,
    refusals: [
      ...(["already-reversed", "not-reversible", "wallet-closed", "card-wallet-live"] as const),
      ...(["wrong-state", "insufficient-funds"] as const),
    ],
    examples: {
      params: { id: txn },
      request: { reason: "Wrong wallet" },
      response: {
        ...{ ...transactionExample, type: "reversal", description: null, metadata: null },
        ...{ reason: "Wrong wallet", referenceTransactionId: txn },
      },
    },
    location: located,
    handle: (call) =>
      call.write(async (tx) => {
        const { caller, body, nowMs } = call;
        const { tenantId } = caller;
        const mover = moverOf(call);
        return transactionView(
          await service.reverse(tx, tenantId, call.params.id, body.reason, mover, nowMs),
        );
      }),
  }),
];

const placeOf = (after: Place): [number, number, number] => [
  Number(after[0]),
  Number(after[1]),
  Number(after[2]),
];

const bookRoutes = (service: WalletService): PlatformRoute[] => [
  operation({
    ...books,
    method: "GET",
    path: "/transactions",
    operationId: "listTransactions",
    summary: "What moved money, newest first",
    description: "Debits and unannounced credits of cards are among them.",
    access: { permission: "money.wallets.read" },
    contract: { query: transactionQuery, list: transactionAnswer },
    status: 200,
    refusals: ["not-found"],
    examples: {
      query: { walletId: id },
      response: { data: [transactionExample], meta: { cursor: null, hasMore: false, total: 1 } },
    },
    handle: (call) => {
      const { caller } = call;
      const { limit: _limit, after: _after, from, to, ...rest } = call.query;
      if (rest.walletId === undefined && !caller.can("money.ledger.read")) {
        const message = "Is required without money.ledger.read";
        throw invalid([{ field: "walletId", message, code: "REQUIRED" }], "query");
      }
      const fromMs = from === undefined ? undefined : instantMs(from);
      const toMs = to === undefined ? undefined : instantMs(to);
      const filter = {
        ...rest,
        ...(fromMs !== undefined && { fromMs }),
        ...(toMs !== undefined && { toMs }),
      };
      const { page, count } = service.transactions;
      return pageOf(
        call,
        {
          read: (after, limit) => page(caller.tenantId, filter, after && placeOf(after), limit),
          placeOf: ({ place }) => place,
          count: () => count(caller.tenantId, filter, totalMax),
          capped: true,
        },
        ({ transaction }) => transactionView(transaction),
      );
    },
  }),
  operation({
    ...books,
    method: "GET",
    path: "/transactions/:id",
    operationId: "getTransaction",
    summary: "A transaction with its entries",
    access: { permission: "money.wallets.read" },
    contract: { params: walletParams, response: transactionDetail },
    status: 200,
    refusals: [],
    examples: {
      params: { id: txn },
      response: {
        ...transactionExample,
        entries: [
          { walletId: other, bucket: "available", amount: -12_500, at },
          { walletId: id, bucket: "available", amount: 12_500, at },
        ],
      },
    },
    handle: async ({ caller, params: { id: wanted } }) => {
      const { transaction, entries } = await service.transaction(caller.tenantId, wanted);
      return { ...transactionView(transaction), entries: entries.map(entryView) };
    },
  }),
  operation({
    ...books,
    method: "GET",
    path: "/money/trial-balance",
    operationId: "getTrialBalance",
    summary: "Whether the books are square",
    description: "A line for each account of the house, one for all people and one for all cards.",
    access: { permission: "money.ledger.read" },
    contract: { query: trialQuery, response: trialAnswer },
    status: 200,
    refusals: [],
    examples: {
      response: {
        data: [
          {
            currency: "IDR",
            sum: 0,
            accounts: [
              {
                ...{ kind: "system", systemKey: "cash", walletId: other, wallets: 1 },
                ...{ available: -12_500, pending: 0, frozen: 0 },
              },
              { kind: "user", systemKey: null, walletId: null, wallets: 3, ...balance },
            ],
          },
        ],
        asOf: at,
      },
    },
    handle: async ({ caller, query, nowMs }) => {
      const lines = await service.trialBalance(caller.tenantId, query.currency);
      const data = lines.map(({ accounts, ...line }) => ({ ...line, accounts: [...accounts] }));
      return { data, asOf: instantText(nowMs) };
    },
  }),
];
