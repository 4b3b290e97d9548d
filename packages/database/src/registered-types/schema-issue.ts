import { counted } from "@synap/types/internal";

/** A part of a schema that can't be registered. */
export interface SchemaIssue {
  /** JSON pointer into the schema. */
  readonly path: string;
  readonly code: SchemaIssueCode;
  readonly reason: string;
}

export type SchemaIssueCode =
  | "keyword-unsupported"
  | "keyword-invalid"
  | "format-unsupported"
  | "pattern-unsupported"
  | "reference-unknown"
  | "name-reserved"
  | "too-large"
  | "uncheckable"
  | "example-invalid";

/** Thrown for a JSON Schema that can't be that of a registered event type. */
export class RegisteredSchemaError extends Error {
  override readonly name = "RegisteredSchemaError";
  readonly code = "REGISTERED_SCHEMA_REFUSED";
  readonly issues: readonly SchemaIssue[];

  constructor(type: string, issues: readonly SchemaIssue[], options?: ErrorOptions) {
    const [first] = issues;
    const others = issues.length > 1 ? ` (and ${counted(issues.length - 1, "other fault")})` : "";
    super(`The schema of "${type}" can't be registered: ${describeIssue(first)}${others}.`, options);
    this.issues = issues;
  }
}

function describeIssue(issue: SchemaIssue | undefined): string {
  if (issue === undefined) return "it has a fault";
  return `${issue.path === "" ? "the schema" : issue.path} ${issue.reason}`;
}
