/**
 * Letters on their way: sent after the COMMIT and not before, tried again, kept sealed, gone once sent;
 * by a real SMTP server, and as files.
 */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SMTPServer } from "smtp-server";
import { statement } from "../../schema/query/statement.ts";
import { mailService } from "../../src/feature/mail/service.ts";
import { type Mailer, openMailer } from "../../src/system/mail.ts";
import { type Foundation, foundations, startMs } from "./foundation.ts";

const open = foundations();
const directory = mkdtempSync(join(tmpdir(), "kartu-mail-"));
afterEach(() => rmSync(join(directory, "mail"), { recursive: true, force: true }));
process.on("exit", () => rmSync(directory, { recursive: true, force: true }));

const token = `pr_${"s".repeat(43)}`;
const letter = { kind: "reset", token } as const;
const to = "siti@example.com";

const outbox = statement<[], { letter: Uint8Array; attempts: number; next_at_ms: number }>(
  "test.outbox",
  "SELECT sealed_letter AS letter, attempts, next_at_ms FROM mail_outbox ORDER BY mail_no",
);

interface Told {
  readonly attempts: number;
  readonly isGivenUp: boolean;
}

function posting(world: Foundation, mailer: Pick<Mailer, "send">) {
  const failures: Told[] = [];
  const mail = mailService({
    ...{ store: world.store, random: world.random, masterKey: world.masterKey, mailer },
    publicUrl: () => "https://kartu.example",
    failed: ({ attempts, isGivenUp }) => failures.push({ attempts, isGivenUp }),
  });
  const post = (address = to, nowMs = startMs) =>
    world.store.write((tx) => mail.queue(tx, { to: address, tenantId: 1, letter }, nowMs));
  const rows = () => world.store.read((q) => q.all(outbox));
  return { mail, post, rows, failures };
}

describe("the outbox", () => {
  test("sends right after the COMMIT, under one message id, and is empty then", async () => {
    const world = await open();
    const sent: { id: string; to: string; at: number }[] = [];
    const { mail, post, rows } = posting(world, {
      send: async ({ id, to }, nowMs) => {
        expect(await rows()).toHaveLength(1);
        sent.push({ id, to, at: nowMs });
      },
    });
    await post();
    await mail.idle();
    expect(sent).toEqual([{ id: expect.any(String), to, at: startMs }]);
    expect(await mail.waiting()).toBe(0);
  });

  test("a write that fails posts nothing", async () => {
    const world = await open();
    const { mail } = posting(world, { send: () => Promise.reject(new Error("not to be sent")) });
    const write = world.store.write(async (tx) => {
      await mail.queue(tx, { to, tenantId: 1, letter }, startMs);
      throw new Error("rolled back");
    });
    expect(write).rejects.toThrow("rolled back");
    await mail.idle();
    expect(await mail.waiting()).toBe(0);
  });

  test("what waits is sealed: neither the token nor its words are in the row", async () => {
    const world = await open();
    const { mail, post, rows } = posting(world, { send: () => Promise.reject(new Error("down")) });
    await post();
    await mail.idle();
    const [row] = await rows();
    const text = Buffer.from(row?.letter ?? []).toString("latin1");
    expect(text).not.toContain(token);
    expect(text).not.toContain("reset");
  });

  test("tries again later and later, and gives up after 72 hours", async () => {
    const world = await open();
    let isDown = true;
    const { mail, post, rows, failures } = posting(world, {
      send: async () => {
        if (isDown) throw new Error("down");
      },
    });
    await post();
    await mail.idle();
    const delays: number[] = [];
    for (let nowMs = startMs; delays.length < 7; ) {
      const [row] = await rows();
      delays.push(((row?.next_at_ms ?? 0) - nowMs) / 1000);
      await mail.sendDue((row?.next_at_ms ?? 0) - 1);
      expect((await rows())[0]?.attempts).toBe(delays.length);
      nowMs = row?.next_at_ms ?? 0;
      await mail.sendDue(nowMs);
    }
    expect(delays).toEqual([30, 120, 600, 1_800, 3_600, 3_600, 3_600]);
    await mail.sendDue(startMs + 72 * 3_600_000);
    expect(failures.at(-1)?.isGivenUp).toBe(true);
    expect(await mail.waiting()).toBe(0);
    isDown = false;
    await post(to, startMs + 72 * 3_600_000);
    await mail.idle();
    expect(await mail.waiting()).toBe(0);
  });

  test("survives the process: another one sends what this one could not", async () => {
    const world = await open();
    const dead = posting(world, { send: () => Promise.reject(new Error("down")) });
    await dead.post();
    await dead.mail.idle();
    const sent: string[] = [];
    const next = posting(world, {
      send: async ({ text }) => {
        sent.push(text);
      },
    });
    await next.mail.sendDue(startMs + 30_000);
    expect(sent).toHaveLength(1);
    expect(sent[0]).toContain(`https://kartu.example/reset-password?token=${token}`);
  });

  test("one that is slow or fails holds up no other", async () => {
    const world = await open();
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const arrived = new Set<string>();
    const { mail, post } = posting(world, {
      send: async ({ to: address }) => {
        if (address.startsWith("slow")) await held;
        if (address.startsWith("bad")) throw new Error("no such mailbox");
        arrived.add(address);
        if (arrived.size === 60) release();
      },
    });
    await post("slow@example.com");
    await post("bad@example.com");
    for (let at = 0; at < 60; at++) await post(`u${at}@example.com`);
    await mail.idle();
    expect(arrived.size).toBe(61);
    expect(await mail.waiting()).toBe(1);
  });
});

describe("as files", () => {
  test("one .eml a letter, for the owner's eyes only", async () => {
    const world = await open();
    const folder = join(directory, "mail");
    const mailer = openMailer({
      smtpUrl: undefined,
      from: "Kartu <k@k.example>",
      directory: folder,
    });
    expect(existsSync(folder)).toBe(false);
    const { mail, post } = posting(world, mailer);
    await post();
    await mail.idle();
    const names = readdirSync(folder);
    expect(names).toEqual([expect.stringMatching(new RegExp(`^${startMs}-[0-9a-f-]{36}\\.eml$`))]);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, names[0] ?? "")).mode & 0o777).toBe(0o600);
    const text = readFileSync(join(folder, names[0] ?? ""), "utf8");
    for (const line of ["From: Kartu <k@k.example>", `To: ${to}`, "Subject: Set a new password"]) {
      expect(text.split("\r\n")).toContain(line);
    }
    expect(text).toMatch(/^Message-ID: <[0-9a-f-]{36}@k\.example>\r$/m);
    expect(text.replaceAll("=\r\n", "").replaceAll("=3D", "=")).toContain(`?token=${token}`);
  });
});

describe("by SMTP", () => {
  const mails: { from: string; to: string[]; text: string }[] = [];
  let server: SMTPServer;
  let url: string;
  beforeEach(async () => {
    mails.length = 0;
    server = new SMTPServer({
      authOptional: true,
      disabledCommands: ["STARTTLS"],
      onRcptTo: ({ address }, _session, done) =>
        done(address.startsWith("nobody") ? new Error("no such mailbox") : null),
      onData: (stream, { envelope }, done) => {
        let text = "";
        stream.on("data", (chunk) => (text += chunk));
        stream.on("end", () => {
          const from = envelope.mailFrom === false ? "" : envelope.mailFrom.address;
          mails.push({ from, to: envelope.rcptTo.map(({ address }) => address), text });
          done();
        });
      },
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
  });
  afterEach(() => new Promise<void>((resolve) => server.close(resolve)));

  test("arrives; a mailbox that is not there is tried again", async () => {
    const world = await open();
    const mailer = openMailer({ smtpUrl: url, from: "k@k.example", directory });
    const { mail, post, failures } = posting(world, mailer);
    await post();
    await post("nobody@example.com");
    await mail.idle();
    expect(mails).toEqual([{ from: "k@k.example", to: [to], text: expect.any(String) }]);
    expect(mails[0]?.text).toContain("Auto-Submitted: auto-generated");
    expect(failures).toEqual([{ attempts: 1, isGivenUp: false }]);
    expect(await mail.waiting()).toBe(1);
    mailer.close();
  });

  test("a server that is away: the letter waits, and goes out when it is back", async () => {
    const world = await open();
    const port = (server.server.address() as AddressInfo).port;
    await new Promise<void>((resolve) => server.close(resolve));
    const mailer = openMailer({ smtpUrl: url, from: "k@k.example", directory });
    const { mail, post } = posting(world, mailer);
    await post();
    await mail.idle();
    expect(await mail.waiting()).toBe(1);
    server = new SMTPServer({
      authOptional: true,
      disabledCommands: ["STARTTLS"],
      onData: (stream, _session, done) => {
        stream.on("data", () => undefined);
        stream.on("end", () => {
          mails.push({ from: "", to: [], text: "" });
          done();
        });
      },
    });
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    await mail.sendDue(startMs + 30_000);
    expect(mails).toHaveLength(1);
    expect(await mail.waiting()).toBe(0);
    mailer.close();
  });
});
