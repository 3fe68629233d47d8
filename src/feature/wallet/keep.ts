/**
 * Keeping wallets: opening one for a person, naming, closing, looking. A card's wallet is opened with the
 * card, one of the house on its first use. Money is not moved here.
 */
import { balanceOf, holds } from "../../domain/account.ts";
import type { By } from "../../domain/by.ts";
import type { Balance } from "../../domain/cardrecord.ts";
import { checkVersion, invalid, Problem } from "../../domain/problem.ts";
import type { Reader, Store, Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import type { CardService } from "../card/service.ts";
import type { MoneyService } from "../money/service.ts";
import { Tallies } from "./count.ts";
import type { WalletShelf } from "./shelf.ts";
import * as rows from "./store.ts";
import { type TellDeps, tellOf } from "./tell.ts";
import { type Wallet, walletOf, walletOfCard } from "./view.ts";

export interface KeepDeps extends TellDeps {
  readonly store: Store;
  readonly random: Random;
  readonly card: Pick<CardService, "book">;
  readonly shelf: WalletShelf;
  readonly money: Pick<MoneyService, "openWallet">;
}

export interface WalletQuery {
  /** Uuid of a person. */
  readonly userId?: string;
  readonly cardId?: string;
  readonly currency?: string;
  readonly kind?: "user" | "card" | "system";
  readonly status?: "active" | "closed";
}

/** Where a list of wallets goes on: the last number seen of the house's and people's, and of cards. */
export type WalletPlace = readonly [walletNo: number, cardNo: number];

export interface PlacedWallet {
  readonly wallet: Wallet;
  readonly place: WalletPlace;
}

interface Numbered {
  readonly no: number;
  readonly isCard: boolean;
  readonly wallet: Wallet;
}

const end = Number.MAX_SAFE_INTEGER;

/** A wallet and what writing to it needs. */
type Known =
  | { readonly row: rows.WalletRow; readonly card: null }
  | { readonly row: null; readonly card: rows.CardWalletRow };

const notFound = (): Problem => new Problem("not-found", "There is no such wallet.");

export function walletKeeping(deps: KeepDeps) {
  const { store, random } = deps;
  const tallies = new Tallies();

  async function withBalance(
    q: Reader,
    tenantId: number,
    row: rows.CardWalletRow,
  ): Promise<Wallet> {
    const card = await deps.card.book.read(q, tenantId, row.card_id);
    if (card === undefined) throw new RangeError(`card ${row.card_no} has no head`);
    return walletOfCard(row, balanceOf(card.head));
  }

  async function known(q: Reader, tenantId: number, id: string): Promise<Known | undefined> {
    const row = await rows.readWallet(q, tenantId, id);
    if (row !== undefined) return { row, card: null };
    const found = await rows.readCardOfWallet(q, tenantId, id);
    const card = found && (await rows.readCardWallet(q, tenantId, found.card_no));
    return card && { row: null, card };
  }

  const shown = async (q: Reader, tenantId: number, { row, card }: Known): Promise<Wallet> =>
    row === null ? await withBalance(q, tenantId, card) : walletOf(row);

  /** @throws Problem not-found */
  const find = (tenantId: number, id: string): Promise<Wallet> =>
    store.read(async (q) => {
      const found = await known(q, tenantId, id);
      if (found === undefined) throw notFound();
      return await shown(q, tenantId, found);
    });

  /** What a wallet holds inside a write, cards as the writer knows them. */
  async function current(tx: Writer, tenantId: number, found: Known): Promise<Wallet> {
    if (found.row !== null) return walletOf(found.row);
    const card = await deps.card.book.find(tx, tenantId, found.card.card_id);
    if (card === undefined) throw new RangeError(`card ${found.card.card_no} has no head`);
    return walletOfCard(found.card, balanceOf(card.head));
  }

  /** @throws Problem validation-error: there is no such person here */
  async function create(
    tx: Writer,
    tenantId: number,
    draft: { readonly userId: string; readonly currency: string; readonly label?: string | null },
    by: By,
    nowMs: number,
  ): Promise<Wallet> {
    const { userId, currency, label = null } = draft;
    const userNo = await rows.readUserNo(tx, tenantId, userId);
    if (userNo === undefined) {
      const message = "Must be a user of the tenant";
      throw invalid([{ field: "userId", message, code: "NOT_ALLOWED" }]);
    }
    const uuid = random.uuid(nowMs);
    await deps.money.openWallet(tx, { uuid, tenantId, userNo, currency, label }, nowMs);
    await tellOf(deps, tx, {
      ...{ tenantId, type: "money.wallet.created", entityType: "wallet", entityId: uuid, by },
      ...{ atMs: nowMs, after: { userId, currency, label }, data: { walletId: uuid, currency } },
    });
    const made = await rows.readWallet(tx, tenantId, uuid);
    if (made === undefined) throw new RangeError("a wallet that was made is not there");
    return walletOf(made);
  }

  async function mustKnow(tx: Writer, tenantId: number, id: string): Promise<Known> {
    const found = await known(tx, tenantId, id);
    if (found === undefined) throw notFound();
    if (found.row?.status === "closed") {
      throw new Problem("wallet-closed", "The wallet is closed.", { members: { state: "closed" } });
    }
    return found;
  }

  /** @throws Problem not-found · wallet-closed · version-conflict */
  async function rename(
    tx: Writer,
    tenantId: number,
    id: string,
    change: { readonly label?: string | null; readonly version?: number },
    by: By,
    nowMs: number,
  ): Promise<Wallet> {
    const found = await mustKnow(tx, tenantId, id);
    const { label: before, version } = found.row ?? found.card;
    checkVersion(change.version, version);
    const label = change.label === undefined ? before : change.label;
    if (found.row === null) {
      await rows.writeCardLabel(tx, tenantId, found.card.card_no, label, nowMs);
    } else await rows.writeLabel(tx, tenantId, found.row.wallet_no, label, nowMs);
    await tellOf(deps, tx, {
      ...{ tenantId, type: "money.wallet.updated", entityType: "wallet", entityId: id, by },
      ...{ atMs: nowMs, before: { label: before }, after: { label } },
    });
    return await current(tx, tenantId, await mustKnow(tx, tenantId, id));
  }

  /** For good. @throws Problem not-found · wallet-closed · system-wallet · card-wallet-live · wallet-not-empty */
  async function close(
    tx: Writer,
    tenantId: number,
    id: string,
    by: By,
    nowMs: number,
  ): Promise<Wallet> {
    const { row } = await mustKnow(tx, tenantId, id);
    if (row === null) {
      throw new Problem("card-wallet-live", "The wallet of a card is never closed by hand.");
    }
    if (row.kind === "system") {
      throw new Problem("system-wallet", "Accounts of the house are never closed.");
    }
    const balance: Balance = balanceOf(row);
    if (holds(balance) !== 0) throw new Problem("wallet-not-empty", "The wallet holds money.");
    await rows.writeClosed(tx, tenantId, row.wallet_no, nowMs);
    deps.shelf.drop(tx, id);
    const { currency } = row;
    await tellOf(deps, tx, {
      ...{ tenantId, type: "money.wallet.closed", entityType: "wallet", entityId: id, by },
      ...{
        atMs: nowMs,
        before: { status: "active", balance },
        after: { status: "closed", balance },
      },
      data: { walletId: id, currency },
    });
    const closed = await known(tx, tenantId, id);
    if (closed === undefined) throw notFound();
    return await current(tx, tenantId, closed);
  }

  const numbered = (row: rows.WalletRow): Numbered => ({
    no: row.wallet_no,
    isCard: false,
    wallet: walletOf(row),
  });
  const numberedCard = async (
    q: Reader,
    tenantId: number,
    row: rows.CardWalletRow,
  ): Promise<Numbered> => ({
    no: row.card_no,
    isCard: true,
    wallet: await withBalance(q, tenantId, row),
  });

  /** Cards that a filter lets through: wallets of cards are active, and in the tenant's currency. */
  async function cardsOf(
    q: Reader,
    tenantId: number,
    { userId, cardId, currency, kind, status }: WalletQuery,
    belowNo: number,
    limit: number,
  ): Promise<rows.CardWalletRow[]> {
    if (userId !== undefined || status === "closed" || (kind ?? "card") !== "card") return [];
    const inCurrency = (row: rows.CardWalletRow): boolean =>
      currency === undefined || row.currency === currency;
    if (cardId !== undefined) {
      const row = await rows.readCardWalletById(q, tenantId, cardId);
      return row !== undefined && row.card_no < belowNo && inCurrency(row) ? [row] : [];
    }
    return (await rows.pageCardWallets(q, tenantId, belowNo, limit)).filter(inCurrency);
  }

  async function others(
    q: Reader,
    tenantId: number,
    query: WalletQuery,
    belowNo: number,
    limit: number,
  ): Promise<rows.WalletRow[]> {
    const { userId, cardId, kind, currency = null, status = null } = query;
    if (cardId !== undefined || kind === "card") return [];
    const filter = { currency, status };
    if (userId !== undefined) {
      const userNo = await rows.readUserNo(q, tenantId, userId);
      if (userNo === undefined || kind === "system") return [];
      return await rows.pageWalletsOfUser(q, tenantId, userNo, filter, belowNo, limit);
    }
    const found: rows.WalletRow[] = [];
    for (const each of ["user", "system"] as const) {
      if (kind !== undefined && kind !== each) continue;
      found.push(...(await rows.pageWallets(q, tenantId, each, filter, belowNo, limit)));
    }
    return found;
  }

  /** Newest first, behind a place. */
  const page = (
    tenantId: number,
    query: WalletQuery,
    [walletNo, cardNo]: WalletPlace = [end, end],
    limit: number,
  ): Promise<PlacedWallet[]> =>
    store.read(async (q) => {
      const found = (await others(q, tenantId, query, walletNo, limit)).map(numbered);
      for (const row of await cardsOf(q, tenantId, query, cardNo, limit)) {
        found.push(await numberedCard(q, tenantId, row));
      }
      found.sort((a, b) => (a.wallet.id < b.wallet.id ? 1 : -1));
      let place: WalletPlace = [walletNo, cardNo];
      return found.slice(0, limit).map(({ no, isCard, wallet }) => {
        place = isCard ? [place[0], no] : [no, place[1]];
        return { wallet, place };
      });
    });

  async function countOthers(q: Reader, tenantId: number, query: WalletQuery): Promise<number> {
    const { userId, cardId, kind, currency = null, status = null } = query;
    if (cardId !== undefined || kind === "card") return 0;
    const filter = { currency, status };
    if (userId !== undefined) {
      const userNo = await rows.readUserNo(q, tenantId, userId);
      if (userNo === undefined || kind === "system") return 0;
      return await rows.countWalletsOfUser(q, tenantId, userNo, filter);
    }
    let count = 0;
    for (const each of ["user", "system"] as const) {
      if (kind !== undefined && kind !== each) continue;
      count +=
        currency === null && status === null
          ? await tallies.count(`${tenantId} ${each}`, (after) =>
              rows.countWalletsSince(q, tenantId, each, after),
            )
          : await rows.countWallets(q, tenantId, each, filter);
    }
    return count;
  }

  const count = (tenantId: number, query: WalletQuery): Promise<number> =>
    store.read(async (q) => {
      const [first] = await cardsOf(q, tenantId, query, end, 1);
      if (first === undefined) return await countOthers(q, tenantId, query);
      if (query.cardId !== undefined) return 1;
      const cards = await tallies.count(`${tenantId} card`, (after) =>
        rows.countCardsSince(q, tenantId, after),
      );
      return cards + (await countOthers(q, tenantId, query));
    });

  return { find, create, rename, close, page, count };
}
