import type { ExpectedVersion } from "@synap/types";
import { VERSION_TAG } from "@synap/types/http";
import type { ApiContext } from "../api-dependencies.ts";
import { Problem } from "../problems/problem.ts";

/**
 * Returns the expected version of a request, from If-Match, If-None-Match or its body, but only one of them.
 *
 * @throws Problem `precondition-invalid`
 */
export function readExpectedVersion(context: ApiContext, inBody?: ExpectedVersion): ExpectedVersion {
  const match = context.req.header("if-match");
  const noneMatch = context.req.header("if-none-match");
  if ([match, noneMatch, inBody].filter((given) => given !== undefined).length > 1) {
    throw invalid("Send the expected version once: in If-Match, in If-None-Match or as expectedVersion.");
  }
  if (noneMatch !== undefined) {
    if (noneMatch.trim() === "*") return "no-stream";
    throw invalid("If-None-Match allows only *, for a stream without events.");
  }
  if (match === undefined) return inBody ?? "any";
  if (match.trim() === "*") return "stream-exists";
  const version = VERSION_TAG.exec(match.trim())?.[1];
  if (version !== undefined) return Number(version);
  throw invalid('If-Match takes one version in quotes, as in "7", or *.');
}

/** The header ETag with a version, in the definition of a route. */
export const VERSION_ETAG = {
  description: "The version, for If-Match.",
  schema: { type: "string" },
} as const;

/** Formats a stream's version as an entity tag. */
export function versionTag(streamVersion: number): Record<string, string> {
  return { etag: `"${streamVersion}"` };
}

function invalid(detail: string): Problem {
  return new Problem("precondition-invalid", detail);
}
