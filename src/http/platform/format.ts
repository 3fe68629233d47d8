/**
 * The string formats that contracts name, and what each asks for in words. One table: TypeBox asks it
 * whether a value fits, problem documents how it should look.
 */
import { FormatRegistry } from "@sinclair/typebox";
import { emailMaxChars } from "../../../schema/bound.ts";
import { instantMs, isDate } from "../../domain/instant.ts";

interface Format {
  fits(text: string): boolean;
  /** The message of a value that does not. */
  readonly message: string;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** Outer shape alone: only a mail that arrives proves more. */
const email = /^[^\s@\p{Cc}\p{Cs}<>()[\],;:\\"]+@[^\s@\p{Cc}\p{Cs}<>()[\],;:\\"]+$/u;
const urlMaxChars = 2_048;

function isUrl(text: string): boolean {
  if (text.length > urlMaxChars || /[\s\p{Cc}]/u.test(text)) return false;
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.hostname !== "";
}

/** Of a domain, no part is empty and none begins or ends with a hyphen. */
function isEmail(text: string): boolean {
  const trimmed = text.trim();
  if (!email.test(trimmed) || trimmed.length > emailMaxChars) return false;
  const [local = "", domain = ""] = trimmed.split("@");
  if (local.startsWith(".") || local.endsWith(".") || local.includes("..")) return false;
  return domain.split(".").every((label) => label !== "" && !/^-|-$/.test(label));
}

const formats: Readonly<Record<string, Format>> = {
  uuid: { fits: (text) => uuid.test(text), message: "Must be a UUID in lower case" },
  email: { fits: isEmail, message: "Must be a valid email address" },
  "date-time": {
    fits: (text) => instantMs(text) !== undefined,
    message: "Must be an ISO 8601 time with a zone",
  },
  date: { fits: isDate, message: "Must be a date, YYYY-MM-DD" },
  uri: { fits: isUrl, message: "Must be an http or https URL" },
};

/** Puts the table in force; a format outside it would let nothing through. */
export function registerFormats(): void {
  for (const [name, { fits }] of Object.entries(formats)) FormatRegistry.Set(name, fits);
}

export const formatFits = (name: string, text: string): boolean =>
  formats[name]?.fits(text) ?? true;

export const formatMessage = (name: string): string =>
  formats[name]?.message ?? "Does not have the right form";
