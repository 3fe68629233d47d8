/**
 * What happens to cards through no rule broken by a terminal: torn writes, copies, rollbacks, tampering,
 * loss. Each mishap plays out on one card; what the server must make of it is the model's affair.
 */
import { hashHex } from "../domain/chain.ts";
import { Chip } from "./chip.ts";
import type { Fleet } from "./fleet.ts";
import { newWallet, type Wallet } from "./holder.ts";
import type { Terminal } from "./terminal.ts";

export type Mishap = (fleet: Fleet, wallet: Wallet) => void;

/** Pages of a whole write: 53 of the buffer, 16 of the trailer. */
const pagesTotal = 69;

const small = (wallet: Wallet): number => Math.max(1, Math.floor(wallet.balance / 10));

/** Two different terminals that can pay, or null in a fleet too small for the mishap. */
function pair(fleet: Fleet): [Terminal, Terminal] | null {
  const [a, b] = fleet.random.shuffle(fleet.terminals);
  return a && b ? [a, b] : null;
}

const pay = (fleet: Fleet, at: Terminal, wallet: Wallet) =>
  fleet.tap(at, wallet, { type: "debit", amount: small(wallet) });

/** A copy pays elsewhere: two histories from one counter on. */
const clone: Mishap = (fleet, wallet) => {
  const two = pair(fleet);
  if (!two || wallet.balance === 0 || !fleet.enter(wallet)) return;
  const copy: Wallet = { ...wallet, chip: wallet.chip.clone() };
  const payments = fleet.random.int(1, 4);
  pay(fleet, two[0], wallet);
  for (let i = 0; i < payments; i += 1) pay(fleet, two[1], copy);
  if (fleet.random.chance(0.5)) pay(fleet, two[0], wallet);
};

/** An older image is put back and shown where the newer one was seen. */
const replay: Mishap = (fleet, wallet) => {
  const two = pair(fleet);
  if (!two || wallet.balance === 0 || !fleet.enter(wallet)) return;
  const snapshot = wallet.chip.read();
  if (!pay(fleet, two[0], wallet).done) return;
  wallet.chip.rollback(snapshot);
  pay(fleet, two[0], wallet);
  wallet.isIdle = true;
};

/** An older image is put back and shown where nobody knows better. */
const rollback: Mishap = (fleet, wallet) => {
  const two = pair(fleet);
  if (!two || wallet.balance === 0 || !fleet.enter(wallet)) return;
  const snapshot = wallet.chip.read();
  pay(fleet, two[0], wallet);
  wallet.chip.rollback(snapshot);
  pay(fleet, two[1], wallet);
  pay(fleet, two[1], wallet);
  wallet.isIdle = true;
};

/** Bits flipped in both buffers: nothing opens. The member gets a new card. */
const tamper: Mishap = (fleet, wallet) => {
  for (const buffer of [0, 210]) {
    wallet.chip.flip((buffer + fleet.random.int(12, 209)) * 8 + fleet.random.int(0, 7));
  }
  const terminal = fleet.random.pick(fleet.terminals);
  fleet.tap(terminal, wallet, { type: "debit", amount: 1 });
  replace(fleet, wallet, false);
};

/** The card slips, the same tap tries again and succeeds. */
const slip: Mishap = (fleet, wallet) => {
  if (wallet.balance === 0 || !fleet.enter(wallet)) return;
  const hold = { pagesMax: fleet.random.int(0, pagesTotal - 1), retryPagesMax: pagesTotal };
  const wish = { type: "debit", amount: small(wallet), hold } as const;
  fleet.tap(fleet.random.pick(fleet.terminals), wallet, wish);
};

/** The card is pulled away; the terminal that was interrupted sees it again. */
const tear: Mishap = (fleet, wallet) => {
  const two = pair(fleet);
  if (!two || wallet.balance === 0 || !fleet.enter(wallet)) return;
  torn(fleet, two[0], wallet);
  pay(fleet, two[0], wallet);
};

/** The card is pulled away and shown to another terminal, then to a station. */
const tearAndLeave: Mishap = (fleet, wallet) => {
  const two = pair(fleet);
  if (!two || wallet.balance === 0 || !fleet.enter(wallet)) return;
  torn(fleet, two[0], wallet);
  pay(fleet, two[1], wallet);
  wallet.isIdle = true;
  fleet.later(wallet, async (station, now) => {
    await station.repair(wallet.chip, now);
  });
};

function torn(fleet: Fleet, terminal: Terminal, wallet: Wallet): void {
  // Sometimes the retry is torn as well.
  const pagesMax = fleet.random.int(0, pagesTotal - 1);
  const hold = fleet.random.chance(0.3)
    ? { pagesMax, retryPagesMax: fleet.random.int(0, pagesTotal - 1) }
    : { pagesMax };
  fleet.tap(terminal, wallet, { type: "debit", amount: small(wallet), hold });
}

/** A top-up whose write fails: given back, or found to have landed. */
const tornTopup: Mishap = (fleet, wallet) => {
  const amount = fleet.amountMean * 5;
  const hold = { pagesMax: fleet.random.int(0, pagesTotal - 1) };
  fleet.later(wallet, (station, now) => station.topUp(wallet.chip, amount, now, hold));
  wallet.isIdle = true;
};

/** A settled top-up is cancelled: an equal one that waits goes in its place, else it is too late. */
const secondThoughts: Mishap = (fleet, wallet) => {
  const amount = fleet.amountMean * 2;
  const isMuddled = fleet.random.chance(0.5);
  const isSettled = fleet.random.chance(0.5);
  wallet.isIdle = true;
  fleet.later(wallet, async (station, now) => {
    await fleet.topUp(station, wallet, amount, now);
    if (isSettled) await station.sync();
    if (isMuddled) await station.muddle(wallet.cardId, amount, now);
    else await station.regret(wallet.cardId);
  });
};

/** Lost: blocked at the desk, used by the finder where the list is stale, then replaced. */
const lost: Mishap = (fleet, wallet) => {
  const two = pair(fleet);
  if (!two || wallet.balance < 100 || !fleet.enter(wallet)) return;
  wallet.isIdle = true;
  fleet.later(wallet, (station, now) => station.block(wallet.cardId, now));
  for (const terminal of two) {
    const amount = small(wallet);
    fleet.tap(terminal, wallet, { type: "debit", amount, rogue: true });
    terminal.isOnline = false;
  }
  replace(fleet, wallet, false);
};

/** An active card is exchanged at the desk, now and then with a top-up still on its way. */
const exchange: Mishap = (fleet, wallet) => {
  wallet.isIdle = true;
  if (fleet.random.chance(0.5)) {
    const amount = fleet.amountMean * 3;
    fleet.later(wallet, (station, now) => fleet.topUp(station, wallet, amount, now));
  }
  replace(fleet, wallet, true);
};

/** The new card joins everyday life once the station has made it. */
function replace(fleet: Fleet, wallet: Wallet, isReadable: boolean): void {
  wallet.isIdle = true;
  const next = newWallet(replacementOf(wallet.cardId), wallet.member);
  next.isIdle = true;
  fleet.wallets.push(next);
  fleet.later(wallet, async (station, now) => {
    const old = isReadable ? wallet.chip : undefined;
    const { cardId, member } = wallet;
    if (await station.reissue(cardId, next.cardId, next.chip, member, now, old)) {
      next.balance = fleet.world.model.cards.get(next.cardId)?.opening ?? 0;
      next.isIdle = false;
    }
  });
}

/** Known beforehand, so that calls about the new card can be kept in order as well. */
export const replacementOf = (cardId: string): string =>
  hashHex((Number.parseInt(cardId, 16) + 0x5bd1e995) % 2 ** 48);

/** A chip that was never registered, and one full of noise. */
const strangers: Mishap = (fleet, wallet) => {
  const noise = new Chip(fleet.random.bytes(484));
  const terminal = fleet.random.pick(fleet.terminals);
  for (const chip of [new Chip(), noise]) {
    fleet.tap(terminal, { ...wallet, chip }, { type: "checkin", amount: 0 });
  }
};

export const mishaps: Readonly<Record<string, Mishap>> = {
  clone,
  replay,
  rollback,
  tamper,
  slip,
  tear,
  tearAndLeave,
  tornTopup,
  secondThoughts,
  lost,
  exchange,
  strangers,
};
