import type { z } from "zod";
import { formatPath } from "./issue-path.ts";

type ZodIssue = z.core.$ZodIssue;

/**
 * Formats a Zod issue so that it can follow the name of a field: `must be a string, not a number`. A message that the
 * schema defines is kept. The schema must have been run with `reportInput: true`.
 */
export function zodReason(issue: ZodIssue): string {
  return ZODS_OWN.test(issue.message) ? predicateOf(issue) : issue.message;
}

/** One fault of a value that a schema refused. */
export interface ZodFault {
  readonly code: "missing" | "unknown-field" | "invalid";
  /** Path of the field; empty for the value itself. */
  readonly path: string;
  /** The reason, phrased to follow the name of the field. */
  readonly reason: string;
}

/** The faults that Zod found, an unknown field each on its own. The schema must have been run with `reportInput: true`. */
export function zodFaults(issues: readonly ZodIssue[]): ZodFault[] {
  return issues.flatMap((issue): ZodFault | ZodFault[] => {
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => ({
        code: "unknown-field",
        path: formatPath([...issue.path, key]),
        reason: "is not a known field",
      }));
    }
    const path = formatPath(issue.path);
    return isMissing(issue) && path !== ""
      ? { code: "missing", path, reason: "is required" }
      : { code: "invalid", path, reason: zodReason(issue) };
  });
}

const MAX_FAULTS = 20;

/**
 * The first faults that Zod found as one text: `port must be a number, not a string; host is required`. The schema must have
 * been run with `reportInput: true`.
 *
 * @param whole the name of the value itself: "the body"
 */
export function describeZodIssues(issues: readonly ZodIssue[], whole: string): string {
  const faults = zodFaults(issues);
  const texts = faults
    .slice(0, MAX_FAULTS)
    .map(({ path, reason }) => `${path === "" ? whole : path} ${reason}`);
  return [...texts, ...(faults.length > MAX_FAULTS ? [`and ${faults.length - MAX_FAULTS} more`] : [])].join(
    "; ",
  );
}

/** True if the value is missing, which Zod reports as a wrong type. */
export function isMissing({ code, input }: ZodIssue): boolean {
  return input === undefined && ["invalid_type", "invalid_value", "invalid_union"].includes(code);
}

/** The beginnings of Zod's own messages, which are sentences and can't follow a name. */
const ZODS_OWN = /^(?:Invalid |Too small: |Too big: |Unrecognized key)/;

function predicateOf(issue: ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `must be ${KINDS[issue.expected] ?? `of type ${issue.expected}`}, not ${kindOf(issue.input)}`;
    case "invalid_value": {
      const values = issue.values.map((value) =>
        typeof value === "string" ? JSON.stringify(value) : String(value),
      );
      return values.length === 1 ? `must be ${values[0]}` : `must be one of ${values.join(", ")}`;
    }
    case "too_small":
      return `must ${bound(issue.origin, issue.inclusive === false ? "more than" : "at least", issue.minimum)}`;
    case "too_big":
      return `must ${bound(issue.origin, issue.inclusive === false ? "less than" : "at most", issue.maximum)}`;
    case "invalid_format":
      return issue.format === "regex"
        ? `must match the pattern ${issue.pattern}`
        : `must be a valid ${FORMATS[issue.format] ?? issue.format}`;
    case "not_multiple_of":
      return `must be a multiple of ${issue.divisor}`;
    case "unrecognized_keys":
      return `has unknown fields: ${issue.keys.slice(0, MAX_FAULTS).join(", ")}`;
    case "invalid_union":
      return "has none of the forms that are allowed here";
    case "invalid_key":
      return "has a key that is not allowed";
    case "invalid_element":
      return "has an element that is not allowed";
    default:
      return "is not valid";
  }
}

function bound(origin: string, relation: string, limit: number | bigint): string {
  if (origin === "string") return `have ${relation} ${limit} character${limit === 1 ? "" : "s"}`;
  if (origin === "array" || origin === "set" || origin === "map")
    return `have ${relation} ${limit} item${limit === 1 ? "" : "s"}`;
  return `be ${relation} ${limit}`;
}

const KINDS: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "a JSON object",
  record: "a JSON object",
  array: "an array",
  tuple: "an array",
  null: "null",
};

const FORMATS: Readonly<Record<string, string>> = {
  uuid: "UUID",
  email: "e-mail address",
  url: "URL",
  datetime: "date-time, as in 2026-01-31T09:00:00Z",
  date: "date, as in 2026-01-31",
  time: "time, as in 09:00:00",
};

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "number" && !Number.isInteger(value))
    return Number.isNaN(value) ? "NaN" : "a fraction";
  return value === undefined ? "missing" : `a${typeof value === "object" ? "n" : ""} ${typeof value}`;
}
