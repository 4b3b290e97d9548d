import { SECURITY_HEADERS } from "@synap/http";

/** Returns the headers of a response. `own` are specific to it and override the common ones. */
export function responseHeaders(
  requestId: string,
  own: Readonly<Record<string, string>>,
): Record<string, string> {
  // Caches must not store responses, which contain events and read models.
  return { ...SECURITY_HEADERS, "cache-control": "no-store", "x-request-id": requestId, ...own };
}
