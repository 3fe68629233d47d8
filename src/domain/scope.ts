/**
 * Scopes of an application: words about the person (OpenID Connect Core §5.4) and permissions, exact,
 * `prefix.*` or `*`. Their grammar, and what is left of them where a person holds less. Pure sets.
 */
import { permissionsMax } from "../../schema/bound.ts";
import { covers, isGrant, permissionCatalogue } from "./permission.ts";

/** What an application may learn about the person, with what that means to them. */
const personal: Readonly<Record<string, string>> = {
  openid: "Know who you are",
  profile: "See your name",
  email: "See your email address",
  offline_access: "Stay signed in while you are away",
};

/** Every application may ask for them. */
export const personalScopes: readonly string[] = Object.keys(personal);

/** A word about the person, no permission. */
export const isPersonal = (scope: string): boolean => Object.hasOwn(personal, scope);

/** Whether an application may be registered with it. */
export const isScope = (scope: string): boolean => isPersonal(scope) || isGrant(scope);

/** The words of a `scope` parameter, each once (RFC 6749 §3.3); undefined if it breaks the grammar. */
export function readScope(text: string | undefined): string[] | undefined {
  if (text === undefined || text === "") return [];
  const words = text.split(" ");
  if (words.length > permissionsMax) return undefined;
  if (!words.every((word) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(word))) return undefined;
  return [...new Set(words)];
}

/**
 * Scopes ∩ held, as permissions: of each pair that overlaps, the narrower. Words about the person fall
 * out, and so does all that begins with `system.`, which no application has.
 */
export function meet(scopes: readonly string[], held: readonly string[]): string[] {
  const asked = scopes.filter((scope) => !isPersonal(scope));
  const both = new Set(asked.filter((scope) => covers(held, scope)));
  for (const permission of held) if (covers(asked, permission)) both.add(permission);
  return [...both];
}

/** What of the scopes asked for is outside of those that the application was registered with. */
export const beyond = (asked: readonly string[], registered: readonly string[]): string[] =>
  asked.filter((scope) => !isPersonal(scope) && !covers(registered, scope));

/** What an application is given: the words about the person, and of the rest what they hold. */
export const given = (asked: readonly string[], held: readonly string[]): string[] => [
  ...asked.filter(isPersonal),
  ...meet(asked, held),
];

/** For the person who is asked. */
export function scopeLine(scope: string): string {
  const known =
    personal[scope] ?? permissionCatalogue.find(({ name }) => name === scope)?.description;
  if (known !== undefined) return known;
  if (scope === "*") return "Everything that you may do";
  return scope.endsWith(".*")
    ? `Everything that you may do under ${scope.slice(0, -2)}`
    : `Use ${scope}`;
}
