/**
 * One tenant of a simulated venue as its world knows it: devices, members, cards and chips, top-ups, and the
 * calls of devices and operators, each of which its auditor judges.
 */
import { Chip } from "../../../src/sim/chip.ts";
import { KeyCache } from "../../../src/sim/keyring.ts";
import { LocalDays } from "../../../src/sim/localday.ts";
import type { Answer } from "../../caller.ts";
import type { Auditor } from "../auditor/auditor.ts";
import type { Device, Tag } from "./device.ts";
import type { Host } from "./host.ts";
import type { Tally } from "./tally.ts";
import type { Earlier, TenantSeat } from "./template.ts";

export interface Member {
  readonly id: string;
  readonly userId: number;
}

/** What is changed under its version. */
export interface Versioned {
  readonly id: string;
  readonly version: number;
}

export interface Card {
  readonly cardId: string;
  readonly userId: number;
  readonly expiresAt: number;
}

/** What the auditor is to take for the answer. */
export type Alter = (
  call: { readonly method: string; readonly path: string },
  answer: Answer,
) => Answer;

interface Spent {
  readonly cardId: string;
  readonly amount: number;
  readonly timestamp: number;
}

export interface Sending {
  readonly body?: unknown;
  readonly key?: string | undefined;
  /** In place of the device's own. */
  readonly token?: string;
  readonly etag?: string;
  /** The body as it is, without a type of its own. */
  readonly raw?: { readonly text: string; readonly type: string };
}

/** Access tokens live for fifteen minutes. */
const tokenFreshSec = 600;

export class Tenancy {
  readonly devices: Device[] = [];
  readonly members: Member[] = [];
  readonly cards: Card[] = [];
  readonly tags: Tag[] = [];
  readonly zones: string[] = [];
  readonly topups: { readonly cardId: string; readonly topupId: string }[] = [];
  readonly policies = new Map<string, Versioned>();
  readonly spent: Spent[] = [];
  /** When a card was blocked, as far as those who asked for it know. */
  readonly blockedSec = new Map<string, number>();
  readonly days: LocalDays;
  readonly cache = new KeyCache();
  /** Ids of cards given so far. */
  made = 0;
  readonly #waiting: Earlier[];
  /** Tokens that a call has borne. */
  readonly #used = new Set<string>();
  #token = "";
  #tokenSec = Number.NEGATIVE_INFINITY;
  #keys = 0;

  constructor(
    readonly host: Host,
    readonly seat: TenantSeat,
    readonly auditor: Auditor,
    readonly tally: Tally,
    readonly alter: Alter = (_, answer) => answer,
  ) {
    this.days = new LocalDays(seat.timezone);
    this.#waiting = seat.earlier.slice();
    for (const { answer, ...call } of seat.earlier) {
      auditor.judge({ by: "operator", ...call }, answer, host.ground.place.startSec);
    }
  }

  /** What was made before the seed began, and nobody has taken up: the answer of its making. */
  waiting(noun: "zones" | "members" | "devices", role?: string): Answer | undefined {
    const at = this.#waiting.findIndex(
      ({ path, body }) =>
        path.endsWith(noun) && (role === undefined || (body as { role?: string }).role === role),
    );
    return at < 0 ? undefined : this.#waiting.splice(at, 1)[0]?.answer;
  }

  get nowSec(): number {
    return this.host.nowSec;
  }

  /** A UUID that no call bore before; the same in each run. */
  newKey(): string {
    this.#keys += 1;
    const name = `${this.host.ground.seed} ${this.seat.tenantId} ${this.#keys}`;
    const hex = Bun.SHA256.hash(name, "hex");
    const parts = [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`];
    return [...parts, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join("-");
  }

  newCardId(): string {
    this.made += 1;
    return `ca${this.made.toString(16).padStart(10, "0")}`;
  }

  newTag(cardId: string): Tag {
    const tag: Tag = { chip: new Chip(), cardId };
    this.tags.push(tag);
    return tag;
  }

  card(cardId: string): Card | undefined {
    return this.cards.find((card) => card.cardId === cardId);
  }

  noteBlock(cardId: string): void {
    if (!this.blockedSec.has(cardId)) this.blockedSec.set(cardId, this.nowSec);
  }

  /** A call of a device. Null: the server was killed and the answer never left it. */
  async call(
    device: Device | undefined,
    method: string,
    path: string,
    sending: Sending = {},
  ): Promise<Answer | null> {
    const token = sending.token ?? device?.token ?? "";
    const by = device?.deviceId ?? "nobody";
    return await this.#send(by, token, method, path, { ...sending, token });
  }

  /** A call of an operator who holds every permission; below `/api/v1`. */
  async operate(
    method: string,
    path: string,
    body?: unknown,
    key?: string,
  ): Promise<Answer | null> {
    const token = await this.#access();
    const sending = { ...(body !== undefined && { body }), key };
    return await this.#send("operator", token, method, `/api/v1${path}`, sending);
  }

  async #access(): Promise<string> {
    const { nowSec } = this;
    if (nowSec - this.#tokenSec > tokenFreshSec || nowSec < this.#tokenSec) {
      const body = { apiKey: this.seat.apiKey };
      const answer = await this.host.ask("POST", "/api/v1/auth/exchange", { body });
      this.#token = String((answer.json as { accessToken?: string }).accessToken);
      this.#tokenSec = nowSec;
    }
    return this.#token;
  }

  async #send(
    by: string,
    token: string,
    method: string,
    path: string,
    { body, key, etag, raw, token: given }: Sending,
  ): Promise<Answer | null> {
    const headers = {
      ...(key !== undefined && { "idempotency-key": key }),
      ...(etag !== undefined && { "if-none-match": etag }),
      ...(raw !== undefined && {
        "content-type": raw.type,
        "content-length": String(raw.text.length),
      }),
    };
    const sent = raw?.text ?? body;
    const nowSec = this.nowSec;
    // A token's first use spends its secret by a commit of its own, whatever the call comes to.
    const mayBeCut = this.#used.has(token);
    this.#used.add(token);
    const { answer, isCut, isDone } = await this.host.call(mayBeCut, method, path, {
      headers,
      ...(token !== "" && { token }),
      ...(sent !== undefined && { body: sent }),
    });
    this.tally.answered(by, method, path, body, answer);
    if (isDone) {
      const call = {
        ...{ by, method, path },
        ...(body !== undefined && { body }),
        ...(raw !== undefined && { body: raw.text, type: raw.type }),
        ...(key !== undefined && { key }),
        ...(etag !== undefined && { etag }),
        ...(given !== undefined && { token: given }),
      };
      this.auditor.judge(call, this.alter(call, answer), nowSec);
    }
    if (!isCut) return answer;
    this.host.restarted();
    return null;
  }

  /** Debits of a card that were written on its chips, in the day or week of a second. */
  spentIn(cardId: string, span: "day" | "week", timestamp: number): number {
    const { days } = this;
    const number = (at: number): number => (span === "day" ? days.day(at) : days.week(at));
    const wanted = number(timestamp);
    let sum = 0;
    for (const each of this.spent) {
      if (each.cardId === cardId && number(each.timestamp) === wanted) sum += each.amount;
    }
    return sum;
  }
}
