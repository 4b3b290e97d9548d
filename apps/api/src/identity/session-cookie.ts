import { isLoopback } from "@synap/http";
import type { RequestHead } from "./authentication.ts";
import { isDirect } from "./local-access.ts";

const SESSION = "synap_session";

/** The name of the session's cookie over https. Browsers take it only with `Secure`, for `/` and without `Domain`: no other host can set it. */
export const SECURE_COOKIE = `__Host-${SESSION}`;

/** A cookie that the API sets, for one request and its response. */
export interface RequestCookie {
  /** Its value; undefined without one, and "" if there are several: which of them is ours can't be known. */
  readonly value: string | undefined;
  /** The header `Set-Cookie` that sets it. */
  set(value: string, maxAgeSeconds: number): string;
  /** The header `Set-Cookie` that removes it. */
  clear(): string;
}

/** Finds a cookie of the API in a request. */
export type SessionCookie = (request: RequestHead) => RequestCookie;

/**
 * Creates the access to the session's cookie. It is `Secure`, except where a browser of this machine talks to a loopback listener
 * itself, without a proxy: there is no https there. That cookie has the port in its name, because all ports of a host share their cookies.
 *
 * @param listensOn the listening address
 * @param base the name of another cookie of the API, which is kept likewise
 */
export function createSessionCookie(listensOn: string, base = SESSION): SessionCookie {
  const isPrivate = isLoopback(listensOn);
  return (request) => {
    const isPlain = isPrivate && isDirect(request);
    const port = /:(\d+)$/.exec(request.headers.host ?? "")?.[1];
    const name = isPlain ? `${base}${port === undefined ? "" : `_${port}`}` : `__Host-${base}`;
    const attributes = `Path=/; HttpOnly; SameSite=Lax${isPlain ? "" : "; Secure"}`;
    return {
      value: cookieValue(name, request.headers.cookie),
      set: (value, maxAgeSeconds) => `${name}=${value}; Max-Age=${maxAgeSeconds}; ${attributes}`,
      clear: () => `${name}=; Max-Age=0; ${attributes}`,
    };
  };
}

function cookieValue(name: string, header: string | undefined): string | undefined {
  if (header?.includes(name) !== true) return undefined;
  const values = header.split(";").flatMap((pair) => {
    const [given = "", ...value] = pair.split("=");
    return given.trim() === name ? [value.join("=").trim()] : [];
  });
  return values.length > 1 ? "" : values[0];
}
