import type { z } from "zod";
import { type EventIssue, MAX_ISSUES } from "./event-issue.ts";
import { formatPath } from "./issue-path.ts";
import { didYouMean } from "./near-match.ts";
import { isMissing, zodReason } from "./zod-reason.ts";

type ZodIssue = z.core.$ZodIssue;

/** Returns the field names allowed in the object at this path, for messages about an unknown field. */
export type FieldsAt = (path: readonly PropertyKey[]) => Iterable<string>;

/**
 * Converts Zod's issues to issues of this contract. `at` is the path of the validated value in the event. The schema must have
 * been run with `reportInput: true`, since the input distinguishes a missing field from a wrong one.
 */
export function toEventIssues(
  issues: readonly ZodIssue[],
  fieldsAt: FieldsAt,
  at: readonly PropertyKey[] = [],
): EventIssue[] {
  return issues
    .flatMap((issue) => toEventIssue(issue, [...at, ...issue.path], fieldsAt))
    .slice(0, MAX_ISSUES);
}

/** The fields of a JSON Schema's objects. None where a schema is more than objects and arrays of them. */
export function fieldsOfJsonSchema(schema: unknown): FieldsAt {
  return (path) => {
    let at = schema;
    for (const step of path) {
      at =
        typeof step === "number" ? memberOf(at, "items") : memberOf(memberOf(at, "properties"), String(step));
    }
    return Object.keys(Object(memberOf(at, "properties")));
  };
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  const member: unknown = Reflect.get(value, name);
  return member;
}

function toEventIssue(issue: ZodIssue, way: readonly PropertyKey[], fieldsAt: FieldsAt): EventIssue[] {
  const path = formatPath(way);
  if (isMissing(issue)) return [{ path, code: "missing", reason: "is required" }];
  switch (issue.code) {
    case "invalid_type":
      return [{ path, code: "wrong-type", reason: zodReason(issue) }];
    case "unrecognized_keys":
      return issue.keys.slice(0, MAX_ISSUES).map((key) => ({
        path: formatPath([...way, key]),
        code: "unknown-field",
        reason:
          way[0] === "data"
            ? `is not a field of this event type${didYouMean(key, fieldsAt(issue.path))}`
            : `is not a field of an event${didYouMean(key, fieldsAt(issue.path))}`,
      }));
    case "invalid_value":
      return [{ path, code: "not-allowed", reason: zodReason(issue) }];
    case "invalid_union":
      return [{ path, code: "no-match", reason: zodReason(issue) }];
    case "custom":
      return [{ path, code: customCode(issue.params), reason: zodReason(issue) }];
    default:
      return [{ path, code: KEBAB_CODES[issue.code], reason: zodReason(issue) }];
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
