import type { IncomingHttpHeaders } from "node:http";
import { ConfigurationError } from "@synap/service";

/** Time for which a browser may keep the answer to a preflight request, in seconds. */
const MAX_AGE = 600;

/** The methods of the routes, for the headers that list them. */
export const METHODS = "GET, HEAD, POST, PUT, DELETE";

/** Headers of responses that pages of other origins may read, in addition to those that every page may. */
const EXPOSED = [
  "allow",
  "etag",
  "link",
  "location",
  "preference-applied",
  "ratelimit",
  "ratelimit-policy",
  "retry-after",
  "www-authenticate",
  "x-request-id",
  "x-synap-position",
];

/** Headers of a response to a page of a listed origin. Credentials of the browser, such as cookies, are never allowed. */
export function corsHeaders(origin: string): Readonly<Record<string, string>> {
  return { "access-control-allow-origin": origin, "access-control-expose-headers": EXPOSED.join(", ") };
}

/** Headers of the response to a preflight request of a listed origin. */
export function preflightHeaders(origin: string): Readonly<Record<string, string>> {
  return {
    "access-control-allow-origin": origin,
    "access-control-allow-methods": METHODS,
    // The wildcard does not include authorization.
    "access-control-allow-headers": "*, authorization",
    "access-control-max-age": String(MAX_AGE),
  };
}

/** True for a request with which a browser asks whether a page may send another one. */
export function isPreflight(method: string | undefined, headers: IncomingHttpHeaders): boolean {
  return method === "OPTIONS" && headers["access-control-request-method"] !== undefined;
}

/**
 * Reads origins, separated by commas or spaces.
 *
 * @throws ConfigurationError for what is not exactly an origin as browsers send it, such as a pattern or an address with a path
 */
export function readOrigins(name: string, text: string | undefined): readonly string[] {
  const origins = (text ?? "").split(/[\s,]+/).filter((origin) => origin !== "");
  for (const origin of origins) {
    // A URL may have * in its host.
    if (/^https?:[^*]*$/.test(origin) && URL.canParse(origin) && new URL(origin).origin === origin) continue;
    throw new ConfigurationError(
      `${name}: ${JSON.stringify(origin)} is not an origin, such as https://shop.example or http://localhost:5173. ` +
        "Each is named exactly; there are no patterns.",
    );
  }
  return origins;
}
