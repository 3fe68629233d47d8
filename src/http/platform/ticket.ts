/**
 * Stream tickets: what a browser puts into the address of an `EventSource`, which can send no header.
 * Each opens one stream within 60 s. Kept in memory by SHA-256, beside the access token that it stands
 * for, so that whatever ends the token ends the ticket.
 */
import { ticketLifeMs, ticketsMax } from "../../../schema/bound.ts";
import { Problem } from "../../domain/problem.ts";
import type { Random } from "../../system/random.ts";

const ticketForm = /^tk_[A-Za-z0-9_-]{43}$/;

export interface Ticket {
  /** `tk_` and 43 characters. */
  readonly ticket: string;
  readonly expiresAtMs: number;
}

interface Kept {
  readonly token: string;
  readonly expiresAtMs: number;
}

export class Tickets {
  /** In the order of issue, which is that of expiry. */
  readonly #kept = new Map<string, Kept>();

  constructor(private readonly random: Pick<Random, "bytes">) {}

  /** @param token the caller's access token. */
  issue(token: string, nowMs: number): Ticket {
    this.#sweep(nowMs);
    const ticket = `tk_${this.random.bytes(32).toBase64({ alphabet: "base64url", omitPadding: true })}`;
    const expiresAtMs = nowMs + ticketLifeMs;
    this.#kept.set(keyOf(ticket), { token, expiresAtMs });
    return { ticket, expiresAtMs };
  }

  /**
   * The access token behind a ticket, which is spent by this.
   * @throws Problem unauthorized: unknown or used · token-expired
   */
  redeem(ticket: string, nowMs: number): string {
    const key = ticketForm.test(ticket) ? keyOf(ticket) : "";
    const kept = this.#kept.get(key);
    if (kept === undefined) throw new Problem("unauthorized", "The ticket is unknown or used.");
    this.#kept.delete(key);
    if (kept.expiresAtMs <= nowMs) {
      throw new Problem("token-expired", "The ticket is past its life.");
    }
    return kept.token;
  }

  /** Drops what has lapsed a while ago, and the oldest where there are too many. */
  #sweep(nowMs: number): void {
    for (const [key, { expiresAtMs }] of this.#kept) {
      if (expiresAtMs + ticketLifeMs > nowMs && this.#kept.size < ticketsMax) return;
      this.#kept.delete(key);
    }
  }
}

const keyOf = (ticket: string): string => Bun.SHA256.hash(ticket, "hex");
