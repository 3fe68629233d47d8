/**
 * The letters that Kartu writes, as text and as simple HTML. A letter keeps the token of its link, not
 * the link: where the server is reached is known when it is sent. Sending is not here.
 */
export type Letter =
  | { readonly kind: "verify"; readonly token: string }
  | { readonly kind: "reset"; readonly token: string }
  /** Asked into a tenant, as somebody new or as somebody known. */
  | { readonly kind: "invite"; readonly token: string; readonly tenantName: string }
  /** To a new user that an operator made without a password. */
  | { readonly kind: "setPassword"; readonly token: string; readonly tenantName: string }
  /** To the old address. */
  | { readonly kind: "emailChanged"; readonly tenantName?: string }
  | { readonly kind: "passwordChanged" };

export type LetterKind = Letter["kind"];

export interface Written {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** Where the link of a letter leads, below the server's address; the token goes behind it. */
export const linkPaths = {
  verify: "/verify-email",
  reset: "/reset-password",
  invite: "/accept-invite",
  setPassword: "/accept-invite",
} as const satisfies Partial<Record<LetterKind, string>>;

/** @param publicUrl address of the server, without a trailing slash. */
export function linkOf(letter: Letter, publicUrl: string): string | undefined {
  if (!("token" in letter)) return undefined;
  return `${publicUrl}${linkPaths[letter.kind]}?token=${letter.token}`;
}

interface Parts {
  readonly subject: string;
  readonly before: readonly string[];
  readonly button?: string;
  readonly after: readonly string[];
}

const unasked = "If you did not ask for this, do nothing: nothing changes.";

function partsOf(letter: Letter): Parts {
  switch (letter.kind) {
    case "verify":
      return {
        subject: "Confirm your email address",
        before: ["Please confirm that this is your address."],
        button: "Confirm the address",
        after: ["The link works once, for 24 hours.", unasked],
      };
    case "reset":
      return {
        subject: "Set a new password",
        before: ["Somebody, most likely you, asked for a new password."],
        button: "Set a new password",
        after: ["The link works once, for one hour.", unasked],
      };
    case "invite":
      return {
        subject: `You are invited to ${letter.tenantName}`,
        before: [`You are invited to ${letter.tenantName}.`],
        button: "Accept the invitation",
        after: ["The link works once, for 72 hours.", "If you do not want to join, do nothing."],
      };
    case "setPassword":
      return {
        subject: `Your account at ${letter.tenantName}`,
        before: [`An account was made for you at ${letter.tenantName}.`],
        button: "Set your password",
        after: ["The link works once, for 72 hours."],
      };
    case "emailChanged":
      return {
        subject: "Your email address was changed",
        before: ["Your account now has another email address; this one no longer signs you in."],
        after: [
          `If you did not expect this, talk to ${letter.tenantName ?? "whoever runs the server"}.`,
        ],
      };
    case "passwordChanged":
      return {
        subject: "Your password was changed",
        before: ["The password of your account was changed, and you are signed out elsewhere."],
        after: ["If that was not you, ask for a new password at once."],
      };
  }
}

/** Of a header field: no line of its own making (RFC 5322 §2.2). */
const oneLine = (text: string): string => text.replaceAll(/[\p{Cc}\s]+/gu, " ").trim();

const escaped = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);

/** The letter in words. @param publicUrl address of the server, without a trailing slash. */
export function writeLetter(letter: Letter, publicUrl: string): Written {
  const { subject, before, button, after } = partsOf(letter);
  const link = linkOf(letter, publicUrl);
  const lines = [...before, ...(link === undefined ? [] : [link]), ...after, "Kartu"];
  const paragraph = (text: string): string => `<p>${escaped(text)}</p>`;
  const linked =
    link === undefined ? [] : [`<p><a href="${escaped(link)}">${escaped(button ?? link)}</a></p>`];
  return {
    subject: oneLine(subject),
    text: `${lines.join("\n\n")}\n`,
    html: [
      ...['<!doctype html><html lang="en"><body>', ...before.map(paragraph)],
      ...[...linked, ...after.map(paragraph), "<p>Kartu</p></body></html>"],
    ].join("\n"),
  };
}
