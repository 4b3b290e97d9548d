import { isLoopback } from "@synap/http";
import type { RequestHead } from "./authentication.ts";
import type { Principal } from "./principal.ts";

/** The principal of requests without a credential from this machine. */
export const LOCAL_PRINCIPAL: Principal = {
  kind: "staff",
  id: "local",
  scopes: new Set(["publish", "read", "read-all", "act-for-others", "metrics"]),
  credential: { kind: "local", id: "local" },
};

/** Headers that proxies add, also those that name no address. What a proxy forwards need not come from this machine. */
const OF_PROXIES =
  /^(?:forwarded|via|x-forwarded.*|x-envoy-.+|x-real-ip|x-(?:cluster-)?client-ip|true-client-ip|cf-.+)$/;

/**
 * Checks that a request to a loopback listener comes from a program or a page of this machine itself: `Host` is a loopback name
 * (a domain that resolves here is DNS rebinding), no page of another origin has sent it, and no proxy has forwarded it.
 */
export function isFromThisMachine(request: RequestHead): boolean {
  const { host = "", origin, "sec-fetch-site": site } = request.headers;
  if (site !== undefined && site !== "same-origin" && site !== "none") return false;
  if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`) return false;
  return isDirect(request);
}

/** Checks that a request to a loopback listener names a loopback host, and that no proxy has forwarded it. */
export function isDirect({ headers, httpVersion }: RequestHead): boolean {
  const { host } = headers;
  // nginx forwards with HTTP/1.0 and its own Host unless it is configured otherwise, and adds nothing.
  if (host === undefined || httpVersion === "1.0" || !isLoopback(host.toLowerCase().replace(/:\d*$/, "")))
    return false;
  return !Object.keys(headers).some((name) => OF_PROXIES.test(name));
}
