/**
 * Letters: written in the transaction of what they tell of, sent after its COMMIT, tried again until
 * they arrive or are too old. At least once: a letter that was sent in the instant of a crash goes out
 * again, under the same message id. What they say is `domain/letter.ts`'s.
 */
import { type Letter, writeLetter } from "../../domain/letter.ts";
import { seal, sealNonceBytes, unseal } from "../../domain/seal.ts";
import type { Store, Writer } from "../../store/seam.ts";
import type { Mailer } from "../../system/mail.ts";
import type { Random } from "../../system/random.ts";
import { nextTurn } from "../../system/turn.ts";
import * as rows from "./store.ts";

export interface MailDeps {
  readonly store: Store;
  readonly random: Random;
  readonly masterKey: Uint8Array;
  readonly mailer: Pick<Mailer, "send">;
  /** Address that people reach the server at; may change once a port is bound. */
  readonly publicUrl: () => string;
  /** Told of a letter that did not go out; never its words or its link. */
  readonly failed: (
    what: { id: string; attempts: number; isGivenUp: boolean },
    error: unknown,
  ) => void;
}

export interface Outgoing {
  /** Mail address. */
  readonly to: string;
  readonly tenantId: number | null;
  readonly letter: Letter;
}

/** Waits after the first, second, … attempt; the last one goes on. */
const retryDelaysSec = [30, 120, 600, 1_800, 3_600] as const;
/** No link in a letter lives longer. */
const keptSec = 72 * 3_600;
/** Letters that are being sent at the same time. */
const atOnce = 5;

export type MailService = ReturnType<typeof mailService>;

export function mailService({ store, random, masterKey, mailer, publicUrl, failed }: MailDeps) {
  /** By number. */
  const sending = new Map<number, Promise<unknown>>();
  let looking: Promise<void> | undefined;
  let isWanted = false;
  let latestMs = 0;

  /** Puts a letter on its way; it stands or falls with `tx`, and goes out right after the COMMIT. */
  async function queue(
    tx: Writer,
    { to, tenantId, letter }: Outgoing,
    nowMs: number,
  ): Promise<void> {
    const uuid = random.uuid(nowMs);
    const bytes = new TextEncoder().encode(JSON.stringify(letter));
    const sealed = seal(masterKey, random.bytes(sealNonceBytes), placeOf(uuid), bytes);
    await rows.insertMail(tx, uuid, tenantId, to, sealed, nowMs);
    tx.onCommit(() => void sendDue(nowMs));
  }

  /** Sends what is due; resolves when nothing is being sent. What fails waits for its next turn. */
  function sendDue(nowMs: number): Promise<void> {
    latestMs = Math.max(latestMs, nowMs);
    look();
    return idle();
  }

  /**
   * One look at the outbox at a time; a wish for one meanwhile is another one after it. Never before the
   * answer to whoever asked for the letter is out: it would tell by its time that there was one.
   */
  function look(): void {
    isWanted = true;
    looking ??= nextTurn()
      .then(looks)
      .catch((error: unknown) => failed({ id: "", attempts: 0, isGivenUp: false }, error))
      .finally(() => {
        looking = undefined;
        if (isWanted) look();
      });
  }

  async function looks(): Promise<void> {
    while (isWanted) {
      isWanted = false;
      // What is sent while the store is read may be in what it answers, and gone from there since.
      const known = new Set(sending.keys());
      const due = await store.read((q) => rows.dueMail(q, latestMs, atOnce + known.size));
      for (const mail of due) {
        if (sending.size < atOnce && !known.has(mail.mailNo)) start(mail, latestMs);
      }
    }
  }

  /** A slow one holds up no other; whoever is done makes room for the next. */
  function start(mail: rows.Waiting, nowMs: number): void {
    const sent = sendOne(mail, nowMs).then(
      () => {
        sending.delete(mail.mailNo);
        look();
      },
      (error: unknown) => {
        sending.delete(mail.mailNo);
        // The store refuses: the letter is still there, for the next turn.
        failed({ id: mail.uuid, attempts: 0, isGivenUp: false }, error);
      },
    );
    sending.set(mail.mailNo, sent);
  }

  async function sendOne(mail: rows.Waiting, nowMs: number): Promise<void> {
    const { mailNo, uuid, recipient, sealedLetter } = mail;
    try {
      const bytes = unseal(masterKey, placeOf(uuid), sealedLetter);
      const letter = JSON.parse(new TextDecoder().decode(bytes)) as Letter;
      const written = writeLetter(letter, publicUrl());
      await mailer.send({ id: uuid, to: recipient, ...written }, nowMs);
    } catch (error) {
      return await postpone(mail, error, nowMs);
    }
    await store.write((tx) => rows.deleteMail(tx, mailNo));
  }

  async function postpone(mail: rows.Waiting, error: unknown, nowMs: number): Promise<void> {
    const attempts = mail.attempts + 1;
    const delaySec = retryDelaysSec[Math.min(attempts, retryDelaysSec.length) - 1] ?? 0;
    const nextAtMs = nowMs + delaySec * 1000;
    const isGivenUp = nextAtMs > mail.createdAtMs + keptSec * 1000;
    failed({ id: mail.uuid, attempts, isGivenUp }, error);
    await store.write((tx) =>
      isGivenUp ? rows.deleteMail(tx, mail.mailNo) : rows.retryMail(tx, mail.mailNo, nextAtMs),
    );
  }

  /** Resolves when nothing is being sent. */
  async function idle(): Promise<void> {
    while (looking !== undefined || sending.size > 0) {
      await Promise.all([looking, ...sending.values()]);
    }
  }

  /** Letters that have not gone out yet. */
  const waiting = (): Promise<number> => store.read(rows.countMail);

  return { queue, sendDue, idle, waiting };
}

const placeOf = (uuid: string) => ({ table: "mail_outbox", row: uuid, column: "sealed_letter" });
