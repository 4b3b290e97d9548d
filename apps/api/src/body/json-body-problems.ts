import type { ProblemCode } from "@synap/types/http";

/** What any route that takes JSON may answer about the form of a body, for the definition of the route. */
export const JSON_BODY_PROBLEMS = [
  "malformed-json",
  "invalid-utf8",
  "body-missing",
  "body-interrupted",
  "body-too-large",
  "too-many-values",
  "unsupported-media-type",
  "unsupported-encoding",
] as const satisfies readonly ProblemCode[];
