/**
 * What a request says about itself before anything is decided: its path, its id and the address it came
 * from; and what every answer says back. Not who is calling: that is the guard's.
 */
import { isIP } from "node:net";

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** `X-Request-ID` when it is a UUID, else a new one: nobody writes free text into our log. */
export function requestIdOf(request: Request, make: () => string): string {
  const given = request.headers.get("x-request-id");
  return given !== null && given.length === 36 && uuid.test(given) ? given.toLowerCase() : make();
}

/** Without brackets, port and the IPv4-in-IPv6 prefix; null when it is no address. */
function bareAddress(text: string): string | null {
  let address = text.trim();
  if (address.startsWith("[")) address = address.slice(1, address.indexOf("]"));
  else if (address.includes(".") && address.includes(":") && !address.includes("::")) {
    address = address.slice(0, address.indexOf(":"));
  }
  if (address.toLowerCase().startsWith("::ffff:") && isIP(address.slice(7)) === 4)
    return address.slice(7);
  return isIP(address) === 0 ? null : address.toLowerCase();
}

/**
 * The client's address: the socket's, or the entry of `X-Forwarded-For` that the outermost of `hops`
 * believed proxies wrote, counted from the right; what stands left of it is the client's own claim. An
 * entry that is no address leaves the last good one.
 */
export function addressOf(request: Request, socketAddress: string, hops: number): string {
  // The socket gives IPv4 addresses bare.
  const isBare = !socketAddress.includes(":");
  let address = isBare ? socketAddress : (bareAddress(socketAddress) ?? socketAddress);
  if (hops === 0) return address;
  const entries = request.headers.get("x-forwarded-for")?.split(",") ?? [];
  for (let hop = 1; hop <= hops && hop <= entries.length; hop++) {
    const entry = bareAddress(entries[entries.length - hop] ?? "");
    if (entry === null) break;
    address = entry;
  }
  return address;
}

/**
 * What one client can't change at will: an IPv4 address whole, of an IPv6 address the first 64 bits,
 * since a single host commonly owns all that follow.
 */
export function addressKey(address: string): string {
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.split("::", 2);
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Math.max(0, 8 - left.length - right.length);
  return [...left, ...new Array<string>(zeros).fill("0"), ...right].slice(0, 4).join(":");
}

/**
 * The path of a request's URL as received, without query. The URL is a path alone where the `Host` of
 * the request was none that could stand in one.
 */
export function pathOf(url: string): string {
  const start = url.startsWith("/") ? 0 : url.indexOf("/", url.indexOf("://") + 3);
  if (start < 0) return "/";
  const query = url.indexOf("?", start);
  return query < 0 ? url.slice(start) : url.slice(start, query);
}

/** The query of a request's URL, without `?`; empty when there is none. */
export function queryOf(url: string): string {
  const query = url.indexOf("?");
  return query < 0 ? "" : url.slice(query + 1);
}

/** Of a query in which nothing is to be decoded: no `%`, no `+`. */
const plainQuery = /^[A-Za-z0-9_.~:,=&-]*$/;

/** The parameters of a query, as `URLSearchParams` has them; at a third of its cost where they are plain. */
export function parametersOf(query: string): Iterable<[name: string, value: string]> {
  if (!plainQuery.test(query)) return new URLSearchParams(query);
  const parameters: [string, string][] = [];
  for (let start = 0; start < query.length; ) {
    let end = query.indexOf("&", start);
    if (end < 0) end = query.length;
    if (end > start) {
      const equals = query.indexOf("=", start);
      const nameEnd = equals < 0 || equals > end ? end : equals;
      parameters.push([query.slice(start, nameEnd), query.slice(nameEnd + 1, end)]);
    }
    start = end + 1;
  }
  return parameters;
}

/**
 * Headers of every answer. Most are no pages, so they load nothing, stand in no frame and tell no other
 * site where they were, should a browser be led to show one (OWASP REST Security Cheat Sheet); a page
 * says itself what it may load. That only TLS is spoken is for whoever ends TLS to say (RFC 6797 §7.2).
 */
const always = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY",
} as const;

/** To be copied, natively, at half the cost of reading the members of an object. */
export const alwaysHeaders = new Headers(always);
export const jsonHeaders = new Headers({ ...always, "content-type": "application/json" });

/** Headers that every answer carries, whatever it is. */
export const commonHeaders = (requestId: string): Record<string, string> => ({
  "x-request-id": requestId,
  ...always,
});
