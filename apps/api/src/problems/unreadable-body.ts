import type { JsonFinding } from "../body/inspect-json.ts";
import { Problem } from "./problem.ts";

/**
 * The problem of a body that can't be read at all: it is not JSON from some position on, which the document carries as
 * `position`, or it holds too many values. Undefined when the findings are about parts of the body.
 */
export function unreadableBody(findings: readonly JsonFinding[], maxValues: number): Problem | undefined {
  if (findings.some(({ code }) => code === "too-many-values")) return tooManyValues(maxValues);
  const syntax = findings.find(({ code }) => code === "malformed-json");
  if (syntax === undefined) return undefined;
  const { reason, position } = syntax;
  return new Problem("malformed-json", `The body is not JSON: ${reason}.`, {
    errors: [{ path: "", code: "malformed-json", reason }],
    members: { position },
  });
}

function tooManyValues(limit: number): Problem {
  const detail = `The body may hold at most ${limit} values, objects and arrays included. Send fewer events at a time.`;
  return new Problem("too-many-values", detail, { members: { limit } });
}
