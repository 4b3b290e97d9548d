import { isIP } from "node:net";

/** The part of a request that identifies its sender. Node's `IncomingMessage` is one. */
export interface RequestHead {
  readonly method?: string | undefined;
  readonly headers: {
    readonly host?: string | undefined;
    readonly origin?: string | undefined;
    readonly "sec-fetch-site"?: string | string[] | undefined;
  };
}

/** The reason to refuse a request. The detail is a sentence for the caller. */
export interface CallerFault {
  readonly code: "host-not-allowed" | "cross-site";
  readonly detail: string;
}

/** The address of a server, and the host names that requests may name. */
export interface CallerPolicy {
  /** The listening address, such as `127.0.0.1` or `0.0.0.0`. */
  readonly listensOn: string;
  /**
   * Host names, without ports, that are allowed in addition to those of this machine (`localhost`, `127.0.0.1`,
   * `[::1]`). `*` allows any. Default: none for a server that listens on a loopback address, any for others. Servers that
   * listen elsewhere always allow IP addresses: probes use one, and DNS rebinding can't.
   */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Origins whose pages may send requests that change something, as browsers write them. Default: none but the server's own. */
  readonly allowedOrigins?: readonly string[] | undefined;
}

/** Returns the reason to refuse a request, or undefined. */
export type CallerCheck = (request: RequestHead) => CallerFault | undefined;

/** Methods that change nothing. A page of another site may send them, but can't read the response. */
export const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Creates a check that refuses requests which a web page can send without its user's knowledge:
 *
 * - `host-not-allowed`: the request names another host. A page whose domain resolves to 127.0.0.1 (DNS rebinding) counts
 *   as same-origin to the browser, and only `Host` shows the difference.
 * - `cross-site`: a request that may change something comes from a page of another origin. Decided by `Sec-Fetch-Site`,
 *   which no page can forge and which stays correct behind a proxy that rewrites `Host`. Where the browser sends no
 *   `Sec-Fetch-Site`, `Origin` is compared with `Host`. A request with neither does not come from a browser.
 */
export function createCallerCheck({ listensOn, allowedHosts, allowedOrigins }: CallerPolicy): CallerCheck {
  const origins = new Set(allowedOrigins);
  const names = new Set(allowedHosts?.map((name) => name.toLowerCase()));
  const takesAnyHost = names.has("*") || (allowedHosts === undefined && !isLoopback(listensOn));
  const takesAddresses = !isLoopback(listensOn);
  const isHostAllowed = (hostname: string) =>
    takesAnyHost ||
    isLoopback(hostname) ||
    hostname === listensOn ||
    names.has(hostname) ||
    (takesAddresses && isIP(hostname.replace(/^\[|\]$/g, "")) !== 0);
  // Nearly every request names the same host as the previous one.
  let lastAllowed: string | undefined;

  return ({ method = "GET", headers }) => {
    const { host, origin } = headers;
    if (host !== undefined && host !== lastAllowed) {
      if (!isHostAllowed(hostnameOf(host))) return hostNotAllowed(host);
      lastAllowed = host;
    }
    if (SAFE_METHODS.has(method) || senderOf(headers) !== "other-origin") return undefined;
    if (origin !== undefined && origins.has(origin)) return undefined;
    return {
      code: "cross-site",
      detail: `A page of another site (${shown(origin ?? "unnamed")}) may not send ${method} requests here.`,
    };
  };
}

/**
 * The sender of a request, as the browser says: a page of the server's own origin, one of another origin, or the user, by the address
 * bar or a bookmark. `unknown` where nothing is said, as by programs that are no browsers.
 */
export type Sender = "same-origin" | "other-origin" | "user" | "unknown";

/** Finds out what has sent a request. */
export function senderOf({ host, origin, "sec-fetch-site": site }: RequestHead["headers"]): Sender {
  if (site === "same-origin") return site;
  if (site === "none") return "user";
  if (site !== undefined) return "other-origin";
  if (origin === undefined) return "unknown";
  return isSameOrigin(origin, host) ? "same-origin" : "other-origin";
}

/** True if a host name or address, without a port, names this machine. */
export function isLoopback(hostname: string): boolean {
  const name = hostname.toLowerCase();
  if (name === "localhost" || name.endsWith(".localhost") || name === "[::1]" || name === "::1") return true;
  return /^127(?:\.\d{1,3}){3}$/.test(name);
}

/** The host names in a text, separated by commas or spaces; undefined where there are none. */
export function readAllowedHosts(text: string | undefined): readonly string[] | undefined {
  const names = (text ?? "").split(/[\s,]+/).filter((name) => name !== "");
  return names.length === 0 ? undefined : names;
}

/** The host name in lower case, without the port; an IPv6 address keeps its brackets. */
function hostnameOf(host: string): string {
  return host.toLowerCase().replace(/:\d*$/, "").replace(/\.$/, "");
}

function isSameOrigin(origin: string | undefined, host: string | undefined): boolean {
  const authority = /^https?:\/\/([^/]+)$/i.exec(origin ?? "")?.[1];
  return authority !== undefined && authority.toLowerCase() === host?.toLowerCase();
}

function hostNotAllowed(host: string): CallerFault {
  return {
    code: "host-not-allowed",
    detail: `This server does not accept the host name ${shown(host)}. Use one of its own addresses, or allow the name.`,
  };
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
