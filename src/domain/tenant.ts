/** What a tenant is called and counted in, and which tenants may hang below which. */
import { slugMaxChars } from "../../schema/bound.ts";
import { OperatorRefused } from "./operator.ts";
import type { FieldFault } from "./problem.ts";

export const tenantDefaults = { currency: "IDR", timezone: "Asia/Jakarta", locale: "en" } as const;

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

/** The slug with a number behind it, for names that several have. */
export function numberedSlug(slug: string, number: number): string {
  const end = `-${number}`;
  return slug.slice(0, slugMaxChars - end.length).replace(/-$/, "") + end;
}

/** A zone of the IANA database. */
function isTimezone(timezone: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: timezone });
    // `+07:00` is a zone to the runtime, but has no name and no history.
    return /^[A-Za-z]/.test(timezone);
  } catch {
    return false;
  }
}

/** A language tag (BCP 47, RFC 5646 §2.1) in its canonical form, or undefined. */
export function localeOf(tag: string): string | undefined {
  try {
    return Intl.getCanonicalLocales(tag)[0];
  } catch {
    return undefined;
  }
}

/** What a contract can't say of a tenant's settings. */
export function settingFaults(settings: {
  readonly timezone?: string;
  readonly locale?: string;
}): FieldFault[] {
  const faults: FieldFault[] = [];
  if (settings.timezone !== undefined && !isTimezone(settings.timezone)) {
    const message = "Must be a time zone such as Asia/Jakarta";
    faults.push({ field: "timezone", message, code: "INVALID_FORMAT" });
  }
  if (settings.locale !== undefined && localeOf(settings.locale) === undefined) {
    const message = "Must be a language tag such as id-ID";
    faults.push({ field: "locale", message, code: "INVALID_FORMAT" });
  }
  return faults;
}

/** ISO 4217 by its shape. @throws OperatorRefused `validation-error` */
export function checkCurrency(currency: string): void {
  if (/^[A-Z]{3}$/.test(currency)) return;
  const message = "currency: must be three capital letters";
  throw new OperatorRefused("validation-error", message, "currency");
}

/** @throws OperatorRefused `validation-error` */
export function checkTimezone(timezone: string): void {
  if (isTimezone(timezone)) return;
  const message = "timezone: must be a time zone such as Asia/Jakarta";
  throw new OperatorRefused("validation-error", message, "timezone");
}

export type TenantType = "platform" | "partner" | "client";

/** Whether a tenant of this type may have one of that type below it. */
export const mayHold = (parent: TenantType, child: "partner" | "client"): boolean =>
  parent === "platform" || (parent === "partner" && child === "client");
