/** The cookie that carries a refresh token where a sign-in asked for it (RFC 6265). */
import { refreshTokenLifeSec } from "../../../schema/bound.ts";

const cookieName = "kartu_rt";
const attributes = "HttpOnly; Secure; SameSite=Strict; Path=/";

/** `Set-Cookie` with a new token; the same text for the same token. */
export const refreshCookie = (token: string): string =>
  `${cookieName}=${token}; Max-Age=${refreshTokenLifeSec}; ${attributes}`;

/** `Set-Cookie` that takes the token away. */
export const endedCookie = `${cookieName}=; Max-Age=0; ${attributes}`;

/** The refresh token of a request's cookie, or undefined. */
export function cookieToken(request: Request): string | undefined {
  for (const pair of request.headers.get("cookie")?.split(";") ?? []) {
    const [name, value = ""] = pair.trim().split("=", 2);
    if (name === cookieName && value !== "") return value;
  }
  return undefined;
}
