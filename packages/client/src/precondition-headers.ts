import type { ExpectedVersion } from "./contract.ts";
import type { HeadersOf } from "./requests.ts";

/** Writes an expected version as the headers of RFC 9110. */
export function preconditionHeaders(expected: ExpectedVersion): HeadersOf<"closeStream"> {
  if (expected === "any") return {};
  if (expected === "no-stream") return { "if-none-match": "*" };
  return { "if-match": expected === "stream-exists" ? "*" : `"${expected}"` };
}
