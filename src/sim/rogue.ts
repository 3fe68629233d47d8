/**
 * What terminals do that break their own rules, or that are in an insider's hands: over the limits,
 * without the op, at impossible times, with forged or senseless events. The value has moved, so the
 * server must take and flag most of it, and the rest it must refuse with the right reason.
 */
import { nextCounter, writeImage } from "../domain/write.ts";
import type { Fleet } from "./fleet.ts";
import { type Happened, happened, type WireEvent } from "./happened.ts";
import type { Wallet } from "./holder.ts";
import type { Mishap } from "./mishap.ts";
import type { Terminal } from "./terminal.ts";
import { program } from "./writer.ts";

const uint24Max = 16_777_215;
const daySec = 86_400;

const anyTerminal = (fleet: Fleet): Terminal => fleet.random.pick(fleet.terminals);

const rogueDebit = (fleet: Fleet, terminal: Terminal, wallet: Wallet, amount: number) =>
  fleet.tap(terminal, wallet, { type: "debit", amount, rogue: true });

/** More in one go, in a day, in a week than the policy allows, filled up in between. */
const spender: Mishap = (fleet, wallet) => {
  const { policy } = anyTerminal(fleet);
  if (!policy || policy.maxBalance > uint24Max) return;
  const amount = policy.singleTxLimit + 1;
  if (policy.maxBalance - wallet.balance < amount) return;
  wallet.isIdle = true;
  spend(fleet, wallet, policy.maxBalance, amount, 2);
};

function spend(fleet: Fleet, wallet: Wallet, full: number, amount: number, rounds: number): void {
  fleet.later(wallet, async (station, now) => {
    if (full > wallet.balance) await fleet.topUp(station, wallet, full - wallet.balance, now);
  });
  fleet.next(() => {
    if (!fleet.enter(wallet)) return;
    const terminal = anyTerminal(fleet);
    for (let i = 0; i < 4 && wallet.balance >= amount; i += 1) {
      rogueDebit(fleet, terminal, wallet, amount);
    }
    if (rounds > 1) spend(fleet, wallet, full, amount, rounds - 1);
  });
}

/** More on the card than it may hold; nobody paid it in either. */
const hoard: Mishap = (fleet, wallet) => {
  const { policy } = anyTerminal(fleet);
  if (!policy || wallet.balance > policy.maxBalance) return;
  const amount = policy.maxBalance - wallet.balance + 1;
  wallet.isIdle = true;
  if (amount > uint24Max || policy.maxBalance >= policy.hardCeiling) return;
  fleet.later(wallet, async (station, now) => {
    fleet.tap(station, wallet, { type: "credit", amount, rogue: true }, now);
    await station.sync();
    await station.topUp(wallet.chip, 1, now);
  });
  fleet.next(() => {
    if (fleet.enter(wallet)) rogueDebit(fleet, anyTerminal(fleet), wallet, 1);
  });
};

/** A card past its end: an honest terminal refuses it, a rogue one doesn't. */
const outlive: Mishap = (fleet, wallet) => {
  if (wallet.expiresAt === 0 || wallet.balance === 0) return;
  wallet.isIdle = true;
  const pay = () => {
    const terminal = anyTerminal(fleet);
    if (!fleet.enter(wallet)) return;
    fleet.tap(terminal, wallet, { type: "debit", amount: 1 });
    rogueDebit(fleet, terminal, wallet, 1);
  };
  pay();
  fleet.next(pay);
};

/** Money written on the card that nobody paid in; sometimes the station owns up to it later. */
const freeMoney: Mishap = (fleet, wallet) => {
  const amount = fleet.amountMean * 7 + 1;
  const isHonestInTheEnd = fleet.random.chance(0.5);
  wallet.isIdle = true;
  fleet.later(wallet, async (station, now) => {
    fleet.tap(station, wallet, { type: "credit", amount, rogue: true }, now);
    await station.sync();
    if (isHonestInTheEnd) await fleet.topUp(station, wallet, amount, now);
  });
  fleet.next(() => {
    if (!fleet.enter(wallet)) return;
    rogueDebit(fleet, anyTerminal(fleet), wallet, wallet.balance);
  });
};

/** A payment terminal that tops up by itself, a gate that takes payments. */
const wrongOp: Mishap = (fleet, wallet) => {
  if (!fleet.enter(wallet)) return;
  const amount = fleet.amountMean;
  fleet.tap(anyTerminal(fleet), wallet, { type: "credit", amount, rogue: true });
  const door = fleet.random.pick(fleet.doors);
  if (wallet.balance > 0) rogueDebit(fleet, door, wallet, 1);
  wallet.isIdle = true;
};

/** Moves that the state does not allow. */
const wrongState: Mishap = (fleet, wallet) => {
  const terminal = anyTerminal(fleet);
  const wrong = wallet.state === 1 ? "checkin" : "checkout";
  fleet.tap(terminal, wallet, { type: wrong, amount: 0, rogue: true });
  fleet.tap(terminal, wallet, { type: wrong, amount: 0, rogue: true });
  if (wallet.balance > 0) rogueDebit(fleet, terminal, wallet, 1);
  wallet.isIdle = true;
};

/** A clock days ahead, one days behind. */
const wrongTime: Mishap = (fleet, wallet) => {
  if (wallet.balance === 0 || !fleet.enter(wallet)) return;
  const terminal = anyTerminal(fleet);
  const days = fleet.random.pick([-4, 4]);
  // Made while the grant is good; only the event's own time is wrong.
  const event = rogueDebit(fleet, terminal, wallet, 1);
  if (event.done) forge(terminal, { timestamp: fleet.now + days * daySec });
  wallet.isIdle = true;
};

/** Changes the newest event of a queue after its hash was made. */
function forge(terminal: Terminal, change: Partial<WireEvent>): void {
  const last = terminal.queue.pop();
  if (!last) return;
  terminal.queue.push({ ...last, wire: { ...last.wire, ...change }, intact: false });
}

/** One field of an event altered on the way. */
const forged: Mishap = (fleet, wallet) => {
  if (wallet.balance < 10 || !fleet.enter(wallet)) return;
  const terminal = anyTerminal(fleet);
  const event = fleet.tap(terminal, wallet, { type: "debit", amount: 2 });
  if (!event.done) return;
  const { wire } = event.event;
  const changes: Partial<WireEvent>[] = [
    { amount: wire.amount + 1 },
    { balanceAfter: wire.balanceAfter + 1 },
    { hash: fleet.random.bytes(6).toHex() },
    { timestamp: wire.timestamp + 7 },
  ];
  forge(terminal, fleet.random.pick(changes));
  fleet.tap(terminal, wallet, { type: "debit", amount: 1 });
};

/** Someone with the keys writes a balance out of thin air; the hashes are in order. */
const insider: Mishap = (fleet, wallet) => {
  if (!fleet.enter(wallet)) return;
  const terminal = anyTerminal(fleet);
  const reading = terminal.look(wallet.chip, fleet.now);
  if (reading.kind !== "ok") return;
  const { card, keys } = reading;
  const rich = { ...card, plain: { ...card.plain, balance: card.plain.balance + 500 } };
  const written = writeImage(rich, keys, {
    type: "debit",
    amount: 1,
    timestamp: fleet.now,
    // With and without counters left out.
    counter: nextCounter(card) + fleet.random.int(0, 2),
    offline: fleet.random.chance(0.5),
    suspect: fleet.random.chance(0.5),
  });
  program(wallet.chip, written);
  terminal.queue.push(happened("debit", card, written));
  wallet.isIdle = true;
};

/** Events that no card wrote: unknown, senseless, far off, and one sent twice in a batch. */
const junk: Mishap = (fleet, wallet) => {
  const terminal = anyTerminal(fleet);
  const { cardId } = wallet;
  const base: WireEvent = {
    cardId,
    counter: 9_000,
    type: "debit",
    amount: 5,
    balanceAfter: 5,
    timestamp: fleet.now,
    hash: fleet.random.bytes(6).toHex(),
  };
  const events: WireEvent[] = [
    { ...base, cardId: fleet.random.bytes(6).toHex() },
    { ...base, amount: 0 },
    { ...base, amount: uint24Max + 1 },
    { ...base, type: "checkin" },
    { ...base, type: "credit", balanceAfter: 4_000_000_000 },
    { ...base, counter: 2 ** 53 - 1 },
    { ...base, counter: 60_000 },
  ];
  const last = terminal.queue.at(-1);
  for (const wire of events) terminal.queue.push(invented(wire));
  if (last) terminal.queue.push(last);
};

const invented = (wire: WireEvent): Happened => ({ wire, parent: "", start: -1, intact: false });

export const rogues: Readonly<Record<string, Mishap>> = {
  spender,
  hoard,
  outlive,
  freeMoney,
  wrongOp,
  wrongState,
  wrongTime,
  forged,
  insider,
  junk,
};
