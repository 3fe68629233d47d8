/**
 * Mail on its way out of this machine: to an SMTP server, or, where none is set, into files that can be
 * read, one a message. What is written, and trying again, is not here. The library comes in with the
 * first message: most commands send none.
 */
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Message {
  /** Uuid; the message is the same however often it is sent. */
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export interface Mailer {
  /** Resolves once the server took it, or the file is there. @throws whatever went wrong */
  send(message: Message, nowMs: number): Promise<void>;
  /** `smtp` or `files`. */
  readonly kind: "smtp" | "files";
  close(): void;
}

export interface MailSettings {
  /** `smtp://` or `smtps://`; undefined: files. */
  readonly smtpUrl: string | undefined;
  readonly from: string;
  /** Where the files go; made when the first is written. */
  readonly directory: string;
}

const timeoutMs = 10_000;

export function openMailer({ smtpUrl, from, directory }: MailSettings): Mailer {
  const domain = from.slice(from.lastIndexOf("@") + 1).replace(/>\s*$/, "") || "localhost";
  const headed = ({ id, to, subject, text, html }: Message, nowMs: number) => ({
    ...{ from, to: { name: "", address: to }, subject, text, html },
    ...{ messageId: `<${id}@${domain}>`, date: new Date(nowMs) },
    // Nobody reads answers, and no machine should send any.
    headers: { "auto-submitted": "auto-generated" },
  });
  if (smtpUrl === undefined) return toFiles(headed, directory);
  const timeouts = { connectionTimeout: timeoutMs, greetingTimeout: timeoutMs };
  const address = withParameters(smtpUrl, {
    ...{ ...timeouts, socketTimeout: timeoutMs, dnsTimeout: timeoutMs },
  });
  const transport = lazily(async () => (await import("nodemailer")).createTransport(address));
  return {
    kind: "smtp",
    send: async (message, nowMs) => {
      await (await transport.open()).sendMail(headed(message, nowMs));
    },
    close: transport.close,
  };
}

/** Settings of the transport as parameters of its address, where it reads them from. */
function withParameters(address: string, parameters: Readonly<Record<string, number>>): string {
  const url = new URL(address);
  for (const [name, value] of Object.entries(parameters)) {
    if (!url.searchParams.has(name)) url.searchParams.set(name, String(value));
  }
  return url.href;
}

function toFiles(headed: (message: Message, nowMs: number) => object, directory: string): Mailer {
  const transport = lazily(async () => {
    const { createTransport } = await import("nodemailer");
    return createTransport({ streamTransport: true, buffer: true, newline: "windows" });
  });
  return {
    kind: "files",
    send: async (message, nowMs) => {
      const { message: bytes } = await (await transport.open()).sendMail(headed(message, nowMs));
      if (!Buffer.isBuffer(bytes)) throw new TypeError("mail: a buffer was expected");
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      const path = join(directory, `${nowMs}-${message.id}.eml`);
      writeFileSync(`${path}.part`, bytes, { mode: 0o600 });
      renameSync(`${path}.part`, path);
    },
    close: transport.close,
  };
}

/** Made when it is first asked for. */
function lazily<T extends { close(): void }>(make: () => Promise<T>) {
  let made: Promise<T> | undefined;
  return {
    open: (): Promise<T> => {
      made ??= make();
      return made;
    },
    close: (): void => void made?.then((transport) => transport.close()),
  };
}
