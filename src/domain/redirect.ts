/**
 * Addresses that a sign-in may lead back to, and writing an answer into one. An address is compared as
 * text, whole (RFC 9700 §2.1); who may use which is not here.
 */
const loopback: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Whether an http address stays on the machine. */
export const isLoopback = (url: URL): boolean => loopback.has(url.hostname);

/**
 * https, http on the machine itself, or an application's own scheme with a dot in it (RFC 8252 §7.1);
 * no user, no fragment.
 */
export function isRedirectUri(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || /[\s\p{Cc}#]/u.test(text)) return false;
  if (url.username !== "" || url.password !== "") return false;
  if (url.protocol === "https:") return true;
  if (url.protocol === "http:") return isLoopback(url);
  return /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:$/.test(url.protocol);
}

/** The address with these parameters added to its own; what is undefined is left out. */
export function withParams(
  address: string,
  params: Readonly<Record<string, string | null | undefined>>,
): string {
  const added = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined && value !== null) added.append(name, value);
  }
  const joint = address.includes("?") ? (/[?&]$/.test(address) ? "" : "&") : "?";
  return `${address}${joint}${added}`;
}
