import { SECURITY_HEADERS } from "@synap/http";

/** The headers of every answer of the API. `own` are those of this one, and win. */
export function answerHeaders(
  requestId: string,
  own: Readonly<Record<string, string>>,
): Record<string, string> {
  // Answers hold events and read models, which no cache on the way should keep.
  return { ...SECURITY_HEADERS, "cache-control": "no-store", "x-request-id": requestId, ...own };
}
