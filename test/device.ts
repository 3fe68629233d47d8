/** A commissioned device of a venue under test, and the calls it makes. */
import type { Role } from "../src/domain/identity.ts";
import type { Answer, Call, CallOptions, VenueClock } from "./caller.ts";
import type { WireEvent } from "./chip.ts";

export interface BatchAnswer {
  readonly accepted: number;
  readonly rejected: number;
  readonly flags: readonly { counter: number; cardId: string; reason: string }[];
  readonly rejections: readonly {
    index: number;
    counter: number;
    cardId: string;
    reason: string;
  }[];
  readonly batchId: string;
}

export class DeviceUnderTest {
  constructor(
    private readonly caller: Call,
    private readonly clock: VenueClock,
    readonly deviceId: string,
    readonly role: Role,
    readonly terminalId: number,
    public token: string,
  ) {}

  call<T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers?: CallOptions["headers"],
  ): Promise<Answer<T>> {
    const { token } = this;
    return this.caller<T>(method, path, {
      token,
      ...(body !== undefined && { body }),
      ...(headers !== undefined && { headers }),
    });
  }

  /** Fetches a grant. */
  async grant(): Promise<Record<string, unknown>> {
    const { status, json } = await this.call("GET", "/api/session-grant");
    if (status !== 200) throw new Error(`no grant: ${status} ${JSON.stringify(json)}`);
    return json;
  }

  upload(...events: readonly WireEvent[]): Promise<Answer<BatchAnswer>> {
    const { terminalId } = this;
    return this.call<BatchAnswer>("POST", "/api/reconcile", { terminalId, events });
  }

  /** Uploads what must be taken whole. Returns the flags as `counter reason`. */
  async hand(...events: readonly WireEvent[]): Promise<string[]> {
    const { status, json } = await this.upload(...events);
    if (status !== 200 || json.accepted !== events.length) {
      throw new Error(`not taken: ${status} ${JSON.stringify(json)}`);
    }
    return json.flags.map(({ counter, reason }) => `${counter} ${reason}`);
  }

  report(report: Readonly<Record<string, unknown>>): Promise<Answer> {
    const { terminalId } = this;
    const timestamp = this.clock.nowSec();
    const rest = { cardId: null, details: "", counter: null, timestamp };
    return this.call("POST", "/api/terminal-report", { terminalId, ...rest, ...report });
  }

  topup(
    cardId: string,
    amount: number,
    more: Readonly<Record<string, unknown>> = {},
  ): Promise<Answer<{ topupId: string; balance: number; status: string; counter: number }>> {
    const timestamp = this.clock.nowSec();
    return this.call("POST", `/api/cards/${cardId}/topup`, {
      amount,
      operatorId: 7,
      timestamp,
      ...more,
    });
  }

  cancel(cardId: string, topupId: string) {
    return this.call("POST", `/api/cards/${cardId}/topup/${topupId}/cancel`);
  }

  block(cardId: string, reason = "lost") {
    const timestamp = this.clock.nowSec();
    const body = { reason, operatorId: 7, timestamp };
    return this.call("POST", `/api/cards/${cardId}/block`, body);
  }

  reissue(cardId: string, newCardId: string, more: Readonly<Record<string, unknown>> = {}) {
    const timestamp = this.clock.nowSec();
    return this.call("POST", `/api/cards/${cardId}/reissue`, {
      newCardId,
      keyVersion: 1,
      operatorId: 7,
      timestamp,
      ...more,
    });
  }

  read(cardId: string) {
    return this.call("GET", `/api/cards/${cardId}`);
  }
}
