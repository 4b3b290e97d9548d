import type { EventIssue } from "@synap/types";

/** Renames the field with which the path of an issue begins. */
export function renameField(issue: EventIssue, rename: (field: string) => string): EventIssue {
  const [field = ""] = /^\w*/.exec(issue.path) ?? [];
  return { ...issue, path: `${rename(field)}${issue.path.slice(field.length)}` };
}
