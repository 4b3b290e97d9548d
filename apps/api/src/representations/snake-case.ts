import type { EventIssue } from "@synap/types";
import { SNAKE_CASE_FIELDS, snakeName } from "@synap/types/internal";
import { renameField } from "./rename-field.ts";

/** An event with its fields in camel case. */
export interface UnifiedEvent {
  readonly event: object;
  /** Fields that were sent in both spellings. */
  readonly issues: readonly EventIssue[];
  /** Names the field of an issue as the sender has spelt it, or would. */
  readonly named: (issue: EventIssue) => EventIssue;
}

/**
 * Renames the fields of an event that are in snake case, and nothing inside of them. Undefined if none is: nearly every
 * event has its fields as they are stored, and is not copied.
 */
export function unifySpelling(sent: object): UnifiedEvent | undefined {
  if (!Object.keys(sent).some((name) => SNAKE_CASE_FIELDS.has(name))) return undefined;
  const issues: EventIssue[] = [];
  const fields = Object.entries(sent).map(([name, value]) => {
    const field = SNAKE_CASE_FIELDS.get(name);
    if (field === undefined) return [name, value];
    if (Object.hasOwn(sent, field))
      issues.push({ path: name, code: "spelt-twice", reason: `is given as "${field}" too` });
    return [field, value];
  });
  return {
    event: Object.fromEntries(fields),
    issues,
    named: (issue) => renameField(issue, (field) => (Object.hasOwn(sent, field) ? field : snakeName(field))),
  };
}

/** Members whose content senders and event types have named. */
export const OTHERS_WORDS: ReadonlySet<string> = new Set([
  "data",
  "metadata",
  "state",
  "jsonSchema",
  "example",
]);

/** Writes the names of a response in snake case, but not those inside `data`, `metadata` and the state of an aggregate. */
export function inSnakeCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inSnakeCase);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      snakeName(name),
      OTHERS_WORDS.has(name) ? member : inSnakeCase(member),
    ]),
  );
}
