/**
 * A station and a terminal that use a few cards of their own and hand everything in, one call after the
 * other, so that what each answer must be is known. A call whose answer never came is made again, with
 * the same bytes, before anything else.
 */
import type { WireEvent } from "../chip.ts";
import { Chain } from "../chip.ts";
import { CardModel } from "./card.ts";
import type { Journal, Upload } from "./journal.ts";

export interface Post {
  readonly token: string;
  readonly terminalId: number;
}

interface Answer {
  readonly status: number;
  readonly retryAfterSec: number;
  readonly json: Readonly<Record<string, unknown>>;
}

/** A call under way: what it asks, and what is known once it is answered. */
interface Call {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly post: Post;
  readonly body?: string;
  readonly upload?: Upload;
  /** @throws Error the answer is wrong */
  readonly answered: (answer: Answer, isAgain: boolean) => void;
}

const callMaxMs = 20_000;
/** Beside these, a device's reports block nothing more that day. */
const tampersMax = 15;
/** Timestamps of a till's top-ups count up from here, because the same one again is the same top-up. */
const topupsFromSec = 1_750_000_000;

const wrong = (call: Call, { status, json }: Pick<Answer, "status" | "json">, why: string): Error =>
  new Error(
    `${call.method} ${call.path} ${call.body ?? ""}: ${status} ${JSON.stringify(json)}: ${why}`,
  );

const nowSec = (): number => Math.floor(Date.now() / 1000);

export class Till {
  readonly cards: CardModel[];
  readonly retired: CardModel[] = [];
  readonly #taken: Upload[] = [];
  #unsure: Call | undefined;
  #tampers = 0;
  #made = 0;
  /** Calls that were answered. */
  calls = 0;
  /** Calls that were refused because nothing can be recorded now. */
  refusals = 0;
  /** The server's clock may be where tokens are not valid: what is refused so is asked again. */
  isTimeless = false;

  constructor(
    readonly tenantId: number,
    readonly name: number,
    readonly station: Post,
    readonly terminal: Post,
    cards: readonly CardModel[],
    private readonly journal: Journal,
    private readonly roll: (max: number) => number,
  ) {
    this.cards = [...cards];
  }

  /** One thing; false if it had no answer. @throws Error a wrong answer */
  async step(url: string): Promise<boolean> {
    if (this.#unsure !== undefined) return await this.#again(url, this.#unsure);
    const turn = this.roll(100);
    if (turn < 50) return await this.#upload(url, this.#fresh());
    if (turn < 60) return await this.#upload(url, this.#late());
    if (turn < 68) return await this.#resend(url);
    if (turn < 73) return await this.#mixed(url);
    if (turn < 84) return await this.#topup(url);
    if (turn < 88) return await this.#report(url);
    if (turn < 90) return await this.#reissue(url);
    return await this.#look(url, this.#card());
  }

  /** Makes the call whose answer never came again; what it asked is then done. False: again no answer. */
  async settle(url: string): Promise<boolean> {
    return this.#unsure === undefined || (await this.#again(url, this.#unsure));
  }

  /** Holds each card against what the server says of it. False: no answer. @throws Error they differ */
  async check(url: string): Promise<boolean> {
    for (const card of [...this.cards, ...this.retired]) {
      if (!(await this.#look(url, card)) || !(await this.#history(url, card))) return false;
    }
    return true;
  }

  get blocked(): string[] {
    return [...this.cards, ...this.retired]
      .filter(({ status }) => status !== "ACTIVE")
      .map(({ cardId }) => cardId);
  }

  /** The cards that the tenant's list must name, all tills' of it together. False: no answer. */
  async checkBlocklist(url: string, expected: readonly string[]): Promise<boolean> {
    const wanted = [...expected].sort().join();
    return await this.#call(url, {
      method: "GET",
      path: "/api/blocklist",
      post: this.terminal,
      answered({ status, json }) {
        const add = (json.add ?? []) as readonly { cardId: string }[];
        const found = add.map(({ cardId }) => cardId).sort();
        if (status === 200 && found.join() === wanted) return;
        throw wrong(this, { status, json }, `blocked are ${wanted}`);
      },
    });
  }

  #card(): CardModel {
    return this.cards[this.roll(this.cards.length)] as CardModel;
  }

  /** New events of some cards, in order; now and then one is held back. */
  #fresh(): WireEvent[] {
    const events: WireEvent[] = [];
    for (let cards = 1 + this.roll(3); cards > 0; cards -= 1) {
      const card = this.#card();
      for (let left = 1 + this.roll(12); left > 0; left -= 1) {
        const event = card.next(this.roll, nowSec());
        if (this.roll(25) === 0) card.held.push(event);
        else events.push(event);
      }
    }
    return events;
  }

  /** What was held back, in any order. */
  #late(): WireEvent[] {
    const events: WireEvent[] = [];
    for (const { held } of [...this.cards, ...this.retired]) {
      while (held.length > 0 && this.roll(3) > 0) {
        events.push(...held.splice(this.roll(held.length), 1));
      }
    }
    return events;
  }

  #modelOf(cardId: string): CardModel {
    const card = [...this.cards, ...this.retired].find((each) => each.cardId === cardId);
    if (card === undefined) throw new Error(`no card ${cardId}`);
    return card;
  }

  /** `known` are sent too, in front, and were recorded before. */
  async #upload(
    url: string,
    events: readonly WireEvent[],
    known: readonly WireEvent[] = [],
  ): Promise<boolean> {
    if (events.length === 0) return true;
    const { tenantId, terminal, journal } = this;
    const { terminalId, token } = terminal;
    const all = [...known, ...events];
    const body = JSON.stringify({ terminalId, events: all });
    const upload: Upload = {
      ...{ tenantId, events, body, token },
      batchId: undefined,
      isRecorded: undefined,
    };
    journal.send(upload);
    const recorded = (): void => {
      for (const event of events) this.#modelOf(event.cardId).record(event);
      this.#taken.push(upload);
      if (this.#taken.length > 40) this.#taken.shift();
      journal.close(upload);
    };
    return await this.#call(url, {
      method: "POST",
      path: "/api/reconcile",
      post: terminal,
      body,
      upload,
      answered(answer, isAgain) {
        const { status, json } = answer;
        if (isAgain && upload.isRecorded === true) {
          if (status !== 409 || json.error !== "duplicate_counter" || json.rejected !== all.length)
            throw wrong(this, answer, "it was recorded before");
          return recorded();
        }
        const isTaken = json.accepted === events.length && json.rejected === known.length;
        if (status !== 200 || !isTaken) throw wrong(this, answer, `${events.length} are new`);
        upload.batchId = json.batchId as string;
        recorded();
      },
    });
  }

  /** A batch that was acknowledged, as after a lost answer. */
  async #resend(url: string): Promise<boolean> {
    const upload = this.#taken[this.roll(Math.max(1, this.#taken.length))];
    if (upload === undefined) return true;
    return await this.#call(url, {
      method: "POST",
      path: "/api/reconcile",
      post: this.terminal,
      body: upload.body,
      answered(answer) {
        if (answer.status === 409 && answer.json.error === "duplicate_counter") return;
        throw wrong(this, answer, "all of it was acknowledged before");
      },
    });
  }

  async #mixed(url: string): Promise<boolean> {
    const upload = this.#taken[this.roll(Math.max(1, this.#taken.length))];
    const known = upload?.events.slice(0, 1 + this.roll(5)) ?? [];
    return await this.#upload(url, this.#fresh(), known);
  }

  async #topup(url: string): Promise<boolean> {
    const card = this.#card();
    if (card.status !== "ACTIVE") return true;
    const amount = 1 + this.roll(60);
    this.#made += 1;
    const timestamp = topupsFromSec + this.#made;
    return await this.#call(url, {
      method: "POST",
      path: `/api/cards/${card.cardId}/topup`,
      post: this.station,
      body: JSON.stringify({ amount, operatorId: 7, timestamp }),
      answered(answer) {
        const balance = card.worth + amount;
        if (
          answer.status !== 200 ||
          answer.json.balance !== balance ||
          answer.json.status !== "PENDING"
        )
          throw wrong(this, answer, `the balance is ${balance}`);
        card.worth = balance;
        card.pending.push(amount);
        card.toWrite.push(amount);
      },
    });
  }

  async #report(url: string): Promise<boolean> {
    const card = this.#card();
    const isTamper = this.roll(6) === 0 && this.#tampers < tampersMax;
    if (isTamper) this.#tampers += 1;
    this.#made += 1;
    const { terminalId } = this.terminal;
    const eventType = isTamper ? "tamper" : "write_failure";
    const { cardId } = card;
    const rest = { details: "", counter: this.#made, timestamp: nowSec() };
    return await this.#call(url, {
      method: "POST",
      path: "/api/terminal-report",
      post: this.terminal,
      body: JSON.stringify({ terminalId, cardId, eventType, ...rest }),
      answered(answer) {
        if (answer.status !== 204) throw wrong(this, answer, "a report is taken");
        if (!isTamper) card.needsValidation = true;
        else if (card.status === "ACTIVE") card.status = "BLOCKED_TAMPER";
      },
    });
  }

  async #reissue(url: string): Promise<boolean> {
    const at = this.roll(this.cards.length);
    const card = this.cards[at] as CardModel;
    this.#made += 1;
    const { name } = this;
    const newCardId = `fe${name.toString(16).padStart(4, "0")}${this.#made.toString(16).padStart(6, "0")}`;
    const timestamp = nowSec();
    const fields = { newCardId, keyVersion: 1, operatorId: 7, timestamp };
    const replace = (moved: number): void => {
      const chain = new Chain(newCardId, { balance: moved, timestamp });
      this.retired.push(card);
      this.cards[at] = new CardModel(chain, moved);
    };
    return await this.#call(url, {
      method: "POST",
      path: `/api/cards/${card.cardId}/reissue`,
      post: this.station,
      body: JSON.stringify(fields),
      answered(answer) {
        const moved = card.close();
        if (answer.status !== 201 || answer.json.balance !== moved)
          throw wrong(this, answer, `${moved} moves`);
        replace(moved);
      },
    });
  }

  /** What a card's record says. */
  async #look(url: string, card: CardModel): Promise<boolean> {
    const expected = card.shown;
    return await this.#call(url, {
      method: "GET",
      path: `/api/cards/${card.cardId}`,
      post: this.terminal,
      answered({ status, json }) {
        const found = Object.fromEntries(Object.keys(expected).map((key) => [key, json[key]]));
        if (status === 200 && Bun.deepEquals(found, expected)) return;
        throw wrong(this, { status, json }, JSON.stringify(expected));
      },
    });
  }

  /** The newest events of a card. */
  async #history(url: string, card: CardModel): Promise<boolean> {
    const newest = [...card.recorded.keys()].sort((a, b) => b - a).slice(0, 50);
    return await this.#call(url, {
      method: "GET",
      path: `/api/cards/${card.cardId}/events?limit=50`,
      post: this.terminal,
      answered({ status, json }) {
        const events = (json.events ?? []) as readonly WireEvent[];
        // What the card was given before the journal began is below.
        const isRight = newest.every((counter, i) => {
          const [found, due] = [events[i], card.recorded.get(counter)];
          return (
            found?.counter === counter &&
            found.type === due?.type &&
            found.amount === due.amount &&
            found.balanceAfter === due.balanceAfter &&
            found.timestamp === due.timestamp
          );
        });
        if (status === 200 && isRight) return;
        throw wrong(this, { status, json }, `counters are ${newest}`);
      },
    });
  }

  async #again(url: string, call: Call): Promise<boolean> {
    return await this.#call(url, call, true);
  }

  async #call(url: string, call: Call, isAgain = false): Promise<boolean> {
    const answer = await send(url, call);
    if (answer?.status === 503) this.#refused(answer, call);
    const isLost =
      answer === undefined || answer.status === 503 || (answer.status === 401 && this.isTimeless);
    if (isLost) {
      if (call.method === "POST") this.#unsure = call;
      return false;
    }
    this.#unsure = undefined;
    this.calls += 1;
    call.answered(answer, isAgain);
    return true;
  }

  /** It says so in the words that are due, and when to come again. */
  #refused(answer: Answer, call: Call): void {
    this.refusals += 1;
    if (answer.json.error !== "unavailable" || !(answer.retryAfterSec >= 1))
      throw wrong(call, answer, "a refusal says that it is one, and for how long");
  }
}

/** Undefined: no answer, or not a whole one. */
async function send(url: string, { method, path, post, body }: Call): Promise<Answer | undefined> {
  try {
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${post.token}`, "content-type": "application/json" },
      ...(body !== undefined && { body }),
      signal: AbortSignal.timeout(callMaxMs),
    });
    const text = await response.text();
    const retryAfterSec = Number(response.headers.get("retry-after"));
    return { status: response.status, retryAfterSec, json: text === "" ? {} : JSON.parse(text) };
  } catch (error) {
    if (error instanceof Error && error.name === "TimeoutError") throw error;
    return undefined;
  }
}
