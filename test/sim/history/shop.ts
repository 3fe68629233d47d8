/** What histories begin with and look at. */
import type { Watched } from "./watched.ts";

export type History = (at: Watched) => Promise<void>;

let keys = 0;

/** A key that no call bore before. */
export function uuid(): string {
  keys += 1;
  return `00000000-0000-4000-8000-${keys.toString(16).padStart(12, "0")}`;
}

export const daySec = 86_400;

/** A station, a till, and a card that holds so much and is checked in. */
export async function shop(at: Watched, amount = 50_000) {
  const station = await at.working("station");
  const till = await at.working("terminal");
  const card = await at.card(station);
  await at.upload(station, card.admin({ at: at.nowSec }));
  await at.topup(station, card.cardId, amount);
  await at.upload(station, card.credit(amount, { at: at.nowSec }));
  await at.upload(till, card.checkin({ at: at.nowSec }));
  return { station, till, card, path: `/api/cards/${card.cardId}` };
}

export async function looks(at: Watched, { till, path }: Awaited<ReturnType<typeof shop>>) {
  await at.call(till, "GET", path);
  await at.call(till, "GET", `${path}/events?limit=100`);
  await at.desk("GET", path.replace("/api", "/fleet"));
}
