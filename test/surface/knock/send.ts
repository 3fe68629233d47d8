/** Knocks as they are sent: by whom, with which parts in place of their own. */

import type { House } from "../house.ts";
import type { Served } from "../served.ts";
import type { Knock } from "./knock.ts";
import type { Door } from "./table.ts";

/** What is in place of a knock's own; null takes it away. */
export interface Instead {
  readonly method?: string;
  /** Put behind the path. */
  readonly suffix?: string;
  readonly token?: string | null;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly base?: string;
}

/** Whose call it is, of a knock made in a house. */
const tokenOf = ({ row }: Door, knock: Knock, house: House): string | undefined =>
  knock.token ?? (row.may === "public" ? undefined : house.owner);

const anyId = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=\/)[0-9a-f]{12}(?=\/|\?|$)/;

/** The call, with something else where the id in its path is. */
export const lost = (knock: Knock, id = "nothing"): Knock => ({
  ...knock,
  path: knock.path.replace(anyId, () => id),
});

/** Path and the rest of a knock, as `Estate.send` takes them. */
export function parts(door: Door, knock: Knock, house: House, instead: Instead = {}) {
  const { method = door.route.method, suffix = "", base = door.base } = instead;
  const key = door.row.keyed && { "idempotency-key": crypto.randomUUID() };
  const headers = (key ?? instead.headers) && { ...key, ...instead.headers };
  const token = instead.token === undefined ? tokenOf(door, knock, house) : instead.token;
  const body = instead.body === undefined ? knock.body : instead.body;
  const form = instead.body === undefined ? knock.form : undefined;
  const isRead = method === "GET" || method === "HEAD";
  const sent = {
    ...(token !== undefined && { token }),
    ...(!isRead && body !== undefined && { body }),
    ...(!isRead && form !== undefined && { form }),
    ...(headers !== undefined && { headers }),
  };
  return [method, `${base}${knock.path}${suffix}`, sent, true] as const;
}

export const send = (
  door: Door,
  knock: Knock,
  house: House,
  instead?: Instead,
): Promise<Response> => house.estate.send(...parts(door, knock, house, instead));

/** Status, and the slug of a refusal, whose form is proved. */
export const outcome = (
  door: Door,
  knock: Knock,
  house: House,
  instead?: Instead,
): Promise<string> => house.estate.outcome(...parts(door, knock, house, instead));

/** What `look` complains of, of each door, by its name. */
export async function walk(
  doors: readonly Door[],
  look: (door: Door) => Promise<string | null | undefined>,
): Promise<string[]> {
  const complaints: string[] = [];
  for (const door of doors) {
    const complaint = await look(door);
    if (complaint != null) complaints.push(`${door.name}: ${complaint}`);
  }
  return complaints;
}

/** Null when an answer is what it should be. */
export const unless = (answer: string, expected: string, what = ""): string | null =>
  answer === expected ? null : `${what}${what && ": "}${answer}, not ${expected}`;

/** What a look at the tables found changed since another, by table. */
export async function changed(
  estate: Served,
  before: Readonly<Record<string, string>>,
): Promise<string[]> {
  const after = await estate.everything();
  return Object.keys(after).filter((name) => after[name] !== before[name]);
}
