import type { JsonFinding } from "../body/inspect-json.ts";
import { Problem } from "./problem.ts";

/** The body is not JSON from the finding's position on, which the document carries as `position`. */
export function malformedJson({ reason, position }: JsonFinding): Problem {
  return new Problem("malformed-json", `The body is not JSON: ${reason}.`, {
    errors: [{ path: "", code: "malformed-json", reason }],
    members: { position },
  });
}
