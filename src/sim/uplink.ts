/**
 * What a device hands in: its queue of events and its reports, kept until the backend has taken them.
 * Requests and replies get lost on the way, on purpose; what is sent again is the same.
 */
import type { Happened } from "./happened.ts";
import type { Report } from "./modeldesk.ts";
import { Radio } from "./radio.ts";

const batchMax = 1_000;

export class Uplink extends Radio {
  isOnline = true;
  /** Survives a restart, as flash memory would. */
  readonly queue: Happened[] = [];
  readonly reports: Report[] = [];
  /** A batch without an answer: the same bytes go out again. */
  #unanswered: { body: string; count: number } | null = null;
  #syncing: Promise<void> = Promise.resolve();

  protected report(
    eventType: Report["eventType"],
    cardId: string,
    counter: number | null,
    timestamp: number,
  ): void {
    const { terminalId } = this;
    this.reports.push({ terminalId, cardId, eventType, details: "", counter, timestamp });
  }

  /** Everything that a terminal does when it is online; a second call waits for the first. */
  sync(): Promise<void> {
    this.#syncing = this.#syncing.then(async () => {
      if (!this.isOnline) return;
      await this.#sendReports();
      await this.renew();
      await this.#upload();
    });
    return this.#syncing;
  }

  async #sendReports(): Promise<void> {
    for (let report = this.reports[0]; report; report = this.reports[0]) {
      const sent = report;
      await this.world.locks.run([sent.cardId ?? ""], async () => {
        const answer = await this.call({
          kind: "report",
          method: "POST",
          path: "/api/terminal-report",
          body: JSON.stringify(sent),
        });
        this.world.desk.reported(this.device, sent, answer, this.world.clock.now());
      });
      this.reports.shift();
    }
  }

  /** Oldest first, at most 1000 a batch, until the backend has all of it. */
  async #upload(): Promise<void> {
    const { trouble } = this.world;
    while (this.queue.length > 0 && this.device.policy) {
      if (this.#unanswered && this.random.chance(trouble.recut)) this.#unanswered = null;
      const max = this.random.chance(trouble.split) ? this.random.int(1, 40) : batchMax;
      const count = this.#unanswered?.count ?? Math.min(max, this.queue.length);
      const events = this.queue.slice(0, count);
      const body = this.#unanswered?.body ?? this.#batch(events);
      const loseRequest = this.random.chance(trouble.loseRequest);
      const isTaken = await this.#send(events, body, loseRequest);
      if (loseRequest || (isTaken && this.random.chance(trouble.loseReply))) {
        this.#unanswered = { body, count };
        continue;
      }
      // A refused batch is a finding already; sending it for ever would not mend it.
      this.#unanswered = null;
      this.queue.splice(0, count);
      if (this.random.chance(trouble.resend)) await this.#send(events, body, false);
    }
  }

  #batch(events: readonly Happened[]): string {
    return JSON.stringify({ terminalId: this.terminalId, events: events.map(({ wire }) => wire) });
  }

  async #send(events: readonly Happened[], body: string, loseRequest: boolean): Promise<boolean> {
    const cards = events.map(({ wire }) => wire.cardId);
    return this.world.locks.run(cards, async () => {
      const path = "/api/reconcile";
      const answer = await this.call({
        kind: "reconcile",
        method: "POST",
        path,
        body,
        loseRequest,
      });
      if (loseRequest) return false;
      this.world.model.batch(this.device, events, answer, this.world.clock.now());
      return true;
    });
  }
}
