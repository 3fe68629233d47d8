/**
 * The ledger as a service: transfers out of one hot wallet and spread over many, one by one and in batches,
 * holds and their confirmation, and a page of a long statement. Every answer's balance is known before it
 * comes where a wallet is one connection's own; where many share it, amounts and sums are checked.
 */
import { randomUUID } from "node:crypto";
import { checkMoney, rowsOf } from "../check.ts";
import { Random } from "../domain/random.ts";
import { bareWorkload } from "../store/bare.ts";
import { groupTransfers } from "../store/ceilingmoney.ts";
import type { SignedIn } from "../store/people.ts";
import { copyVenue, type Running, type Site, type Workload } from "../workload.ts";
import { closedLoop } from "./load.ts";
import { runScript, serve, serverEnv } from "./process.ts";
import { leadMs, smallConnections, warmUpMs } from "./read.ts";
import { type Answer, bearer, requestBytes } from "./wire.ts";

/** Tokens are made before the server has an address. */
const settings = { KARTU_ISSUER: "https://bench.kartu.invalid" };
const off = { KARTU_RATE_PER_MIN: "0", KARTU_RATE_ADMIN_PER_MIN: "0" };
const spreadWallets = 100_000;
const batchWallets = 1_000;
const batchItems = 500;
const batchConnections = 4;
/** More take longer to make than to measure; `KARTU_BENCH_ENTRIES` says otherwise. */
const entriesUsual = 1_000_000;

interface Bank {
  readonly dataDir: string;
  readonly url: URL;
  readonly token: string;
  readonly wallets: readonly string[];
  stop(): Promise<void>;
}

/** A person signed in and wallets of theirs, in the closed file. */
async function fill(dataDir: string, wallets: number, further = 0) {
  const signIn = ["bench/store/people.ts", dataDir, "1", "1"];
  const [person] = (await runScript(signIn, settings)) as SignedIn[];
  const make = ["bench/store/wallets.ts", dataDir, String(wallets), String(further)];
  return { token: person?.accessToken ?? "", wallets: (await runScript(make)) as string[] };
}

async function openBank(site: Site, name: string, wallets: number, further = 0): Promise<Bank> {
  const dataDir = copyVenue(site, name);
  const filled = await fill(dataDir, wallets, further);
  const served = await serve(
    ["src/main.ts", "serve", "--data", dataDir, "--port", "0", "--json"],
    site.pins.server,
    { ...serverEnv, ...off, ...settings },
  );
  return { dataDir, url: served.url, ...filled, stop: served.stop };
}

const post = ({ url, token }: Bank, path: string, body: unknown): Uint8Array => {
  const headers = { ...bearer(token), "idempotency-key": randomUUID() };
  return requestBytes(url, "POST", `/api/v1${path}`, headers, JSON.stringify(body));
};

interface Seen {
  readonly id: string;
  readonly amount: number;
  readonly status: string;
  readonly walletId: string;
  readonly counterWalletId: string | null;
}

const seen = ({ status, body }: Answer, due: number): Seen => {
  if (status !== due) throw new Error(`money: ${status} ${body}`);
  return JSON.parse(body) as Seen;
};

/** A load of writes, whose rows are counted in the file in the end. */
function writing(
  bank: Bank,
  before: number,
  load: {
    readonly connections: number;
    next(connection: number): Uint8Array;
    /** Units of work, and transactions made. */
    check(answer: Answer, connection: number): { units: number; made: number };
  },
): Running {
  let made = 0;
  const sample = (windowMs: number) =>
    closedLoop({
      ...{ url: bank.url, connections: load.connections, leadMs, windowMs },
      next: load.next,
      check: (answer, connection) => {
        const done = load.check(answer, connection);
        made += done.made;
        return done.units;
      },
    });
  return {
    warmUp: async () => {
      await sample(warmUpMs);
    },
    sample,
    finish: async () => {
      await bank.stop();
      const rows = rowsOf(bank.dataDir, "txn");
      if (rows < before + made) throw new Error(`money: ${rows} rows for ${before + made}`);
      checkMoney(bank.dataDir);
    },
  };
}

/** Transactions of the venue and of the wallets. */
const rowsBefore = ({ dataDir }: Bank): number => rowsOf(dataDir, "txn");

interface Asked {
  readonly from: string;
  readonly to: string;
  readonly amount: number;
}

function transfers(site: Site, bank: Bank, draw: (random: Random) => readonly [number, number]) {
  const random = new Random(site.seed);
  return (): Asked => {
    const [from, to] = draw(random);
    const wallet = (at: number): string => bank.wallets[at] ?? "";
    return { from: wallet(from), to: wallet(to), amount: 1 + random.below(100) };
  };
}

const bodyOf = ({ from, to, amount }: Asked) => ({ fromWalletId: from, toWalletId: to, amount });

function checkTransfer(t: Seen, { from, to, amount }: Asked): void {
  const isRight = t.walletId === from && t.counterWalletId === to && t.amount === amount;
  if (!isRight || t.status !== "completed") throw new Error(`transfer: ${JSON.stringify(t)}`);
}

const single = (
  name: string,
  wallets: number,
  draw: (random: Random) => readonly [number, number],
  about: string,
): Workload => ({
  name,
  unit: "transfers/s",
  over: "ceiling-transfer",
  about,
  start: async (site) => {
    const bank = await openBank(site, name, wallets);
    const ask = transfers(site, bank, draw);
    const asked: Asked[] = [];
    return writing(bank, rowsBefore(bank), {
      connections: smallConnections,
      next: (connection) => {
        const order = ask();
        asked[connection] = order;
        return post(bank, "/transfers", bodyOf(order));
      },
      check: (answer, connection) => {
        const order = asked[connection];
        if (order === undefined) throw new Error("an answer to nothing");
        checkTransfer(seen(answer, 201), order);
        return { units: 1, made: 1 };
      },
    });
  },
});

const two = (random: Random, count: number): readonly [number, number] => {
  const from = random.below(count);
  const to = random.below(count - 1);
  return [from, to < from ? to : to + 1];
};

const batch: Workload = {
  name: "transfer-batch",
  unit: "transfers/s",
  about: `POST /api/v1/transfers/batch, ${batchItems} a call, between any two of ${batchWallets} wallets`,
  start: async (site) => {
    const bank = await openBank(site, "transfer-batch", batchWallets);
    const ask = transfers(site, bank, (random) => two(random, batchWallets));
    const asked: Asked[][] = [];
    return writing(bank, rowsBefore(bank), {
      connections: batchConnections,
      next: (connection) => {
        const orders = Array.from({ length: batchItems }, ask);
        asked[connection] = orders;
        return post(bank, "/transfers/batch", { items: orders.map(bodyOf) });
      },
      check: ({ status, body }, connection) => {
        if (status !== 201) throw new Error(`batch: ${status} ${body.slice(0, 1_000)}`);
        const { data } = JSON.parse(body) as { data: { result: Seen }[] };
        for (const [at, order] of (asked[connection] ?? []).entries()) {
          const result = data[at]?.result;
          if (result === undefined) throw new Error("batch: an item without an answer");
          checkTransfer(result, order);
        }
        return { units: batchItems, made: batchItems };
      },
    });
  },
};

/** Each connection holds on a wallet of its own, and confirms. */
const holds: Workload = {
  name: "hold-confirm",
  unit: "calls/s",
  about: "POST /api/v1/wallets/{id}/hold, then /holds/{id}/confirm, in turn",
  start: async (site) => {
    const bank = await openBank(site, "hold-confirm", spreadWallets);
    const random = new Random(site.seed);
    const live: (string | undefined)[] = [];
    return writing(bank, rowsBefore(bank), {
      connections: smallConnections,
      next: (connection) => {
        const hold = live[connection];
        if (hold !== undefined) return post(bank, `/holds/${hold}/confirm`, {});
        const wallet = bank.wallets[random.below(bank.wallets.length)] ?? "";
        return post(bank, `/wallets/${wallet}/hold`, { amount: 1 + random.below(100) });
      },
      check: (answer, connection) => {
        const isHeld = live[connection] === undefined;
        const { id, status } = seen(answer, isHeld ? 201 : 200);
        if (status !== (isHeld ? "held" : "confirmed")) throw new Error(`hold: ${answer.body}`);
        live[connection] = isHeld ? id : undefined;
        return { units: 1, made: isHeld ? 1 : 0 };
      },
    });
  },
};

const statement: Workload = {
  name: "statement",
  unit: "pages/s",
  about:
    "GET /api/v1/transactions?walletId=…, pages of 50 one behind the other, of a long statement",
  start: async (site) => {
    const further = Number(process.env.KARTU_BENCH_ENTRIES ?? entriesUsual);
    const bank = await openBank(site, "statement", 1, further);
    const path = `/api/v1/transactions?walletId=${bank.wallets[0]}&limit=50`;
    const cursors: (string | null)[] = [];
    const sample = (windowMs: number) =>
      closedLoop({
        ...{ url: bank.url, connections: 1, leadMs, windowMs },
        next: (connection) => {
          const cursor = cursors[connection];
          const where = typeof cursor === "string" ? `${path}&cursor=${cursor}` : path;
          return requestBytes(bank.url, "GET", where, bearer(bank.token));
        },
        check: ({ status, body }, connection) => {
          if (status !== 200) throw new Error(`statement: ${status} ${body}`);
          const { data, meta } = JSON.parse(body) as {
            data: unknown[];
            meta: { cursor: string | null; total: number };
          };
          if (data.length !== 50 || meta.total < Math.min(further, 100_000)) {
            throw new Error(`statement: ${data.length} of ${meta.total}`);
          }
          cursors[connection] = meta.cursor;
          return 1;
        },
      });
    return {
      warmUp: async () => {
        await sample(warmUpMs);
      },
      sample,
      finish: () => bank.stop(),
    };
  },
};

export const moneyWorkloads: readonly Workload[] = [
  single(
    "transfer-hot",
    1_001,
    (random) => [0, 1 + random.below(1_000)],
    "POST /api/v1/transfers, all out of one wallet: durable, double entry, 64 connections",
  ),
  single(
    "transfer-spread",
    spreadWallets,
    (random) => two(random, spreadWallets),
    "the same between any two of 100 000 wallets",
  ),
  batch,
  holds,
  statement,
  bareWorkload({
    name: "ceiling-transfer",
    unit: "transfers/s",
    about: `yardstick: the statements of a transfer in a bare loop, ${groupTransfers} a COMMIT`,
    script: "bench/store/ceilingmoney.ts",
    table: "txn",
    prepare: async (dataDir) => {
      await fill(dataDir, spreadWallets);
    },
  }),
];
