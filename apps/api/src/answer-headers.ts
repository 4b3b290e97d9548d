import { SECURITY_HEADERS } from "@synap/http";

/** Headers of every answer of the API. `own` are specific to this answer and override the common ones. */
export function answerHeaders(
  requestId: string,
  own: Readonly<Record<string, string>>,
): Record<string, string> {
  // Answers hold events and read models, which no cache in between should keep.
  return { ...SECURITY_HEADERS, "cache-control": "no-store", "x-request-id": requestId, ...own };
}
