import type { z } from "zod";
import { type EventIssue, MAX_ISSUES } from "./event-issue.ts";
import { formatPath } from "./issue-path.ts";

type ZodIssue = z.core.$ZodIssue;

/**
 * Puts Zod's issues into the words of this contract. `at` is where the checked value stands in the event. The
 * schema must have been run with `reportInput: true`: a missing field is told from a wrong one by its input.
 */
export function toEventIssues(issues: readonly ZodIssue[], at: readonly PropertyKey[] = []): EventIssue[] {
  return issues.flatMap((issue) => toEventIssue(issue, [...at, ...issue.path])).slice(0, MAX_ISSUES);
}

function toEventIssue(issue: ZodIssue, way: readonly PropertyKey[]): EventIssue[] {
  const path = formatPath(way);
  switch (issue.code) {
    case "invalid_type":
      if (issue.input === undefined) return [{ path, code: "missing", reason: "is required" }];
      return [{ path, code: "wrong-type", reason: issue.message }];
    case "unrecognized_keys":
      return issue.keys.slice(0, MAX_ISSUES).map((key) => ({
        path: formatPath([...way, key]),
        code: "unknown-field",
        reason: way[0] === "data" ? "is not a field of this event type" : "is not a field of an event",
      }));
    case "invalid_value":
      if (issue.input === undefined) return [{ path, code: "missing", reason: "is required" }];
      return [{ path, code: "not-allowed", reason: issue.message }];
    case "invalid_union":
      if (issue.input === undefined) return [{ path, code: "missing", reason: "is required" }];
      return [{ path, code: "no-match", reason: "has none of the forms this field may have" }];
    case "custom":
      return [{ path, code: customCode(issue.params), reason: issue.message }];
    default:
      return [{ path, code: KEBAB_CODES[issue.code], reason: issue.message }];
  }
}

const KEBAB_CODES = {
  invalid_format: "wrong-format",
  too_small: "too-small",
  too_big: "too-big",
  not_multiple_of: "not-a-multiple",
  invalid_key: "wrong-key",
  invalid_element: "wrong-element",
} as const satisfies Partial<Record<ZodIssue["code"], string>>;

/** A refinement may name its own code with `params: { code: "..." }`. */
function customCode(params: Record<string, unknown> | undefined): string {
  const code = params?.["code"];
  return typeof code === "string" ? code : "invalid";
}
