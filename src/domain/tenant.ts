/** What a tenant is called and counted in, and which passwords are good enough. */
import { OperatorRefused } from "./operator.ts";

export const tenantDefaults = { currency: "IDR", timezone: "Asia/Jakarta" } as const;
const passwordMinChars = 12;
const passwordMaxChars = 128;
const slugMaxChars = 64;

const invalid = (field: string, message: string): never => {
  throw new OperatorRefused("validation-error", `${field}: ${message}`, field);
};

/**
 * The name in lower case, what is neither letter a–z nor digit as `-`, runs of it once and none at the
 * ends. A name without any such letter gets one from `id`, a uuid: each venue has a slug of its own.
 */
export function slugOf(name: string, id: string): string {
  const slug = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, slugMaxChars)
    .replace(/^-|-$/g, "");
  return slug === "" ? `tenant-${id.slice(-8)}` : slug;
}

/** ISO 4217 by its shape. @throws OperatorRefused `validation-error` */
export function checkCurrency(currency: string): void {
  if (!/^[A-Z]{3}$/.test(currency)) invalid("currency", "must be three capital letters");
}

/** A zone of the IANA database. @throws OperatorRefused `validation-error` */
export function checkTimezone(timezone: string): void {
  try {
    new Intl.DateTimeFormat("en", { timeZone: timezone });
  } catch {
    invalid("timezone", "must be a time zone such as Asia/Jakarta");
  }
}

/** @throws OperatorRefused `validation-error` */
export function checkPassword(password: string, email: string): void {
  if (password.length < passwordMinChars || password.length > passwordMaxChars) {
    invalid("password", `must have ${passwordMinChars} to ${passwordMaxChars} characters`);
  }
  if (password.toLowerCase() === email.toLowerCase()) invalid("password", "must not be the email");
}
