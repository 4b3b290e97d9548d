/** A fault of an event: its path, a code and a reason. */
export interface EventIssue {
  /** Path in the event, for example `data.content`, `data.tags[0]` or `timestamp`. Empty for the event itself. */
  readonly path: string;
  /** Kind of fault, in kebab case and stable across releases, so that programs can branch on it. */
  readonly code: string;
  /** Explanation for people, which can follow the path. */
  readonly reason: string;
}

/** Maximum number of reported issues: the first hundred are enough to see what is wrong. */
export const MAX_ISSUES = 100;

/** Thrown when an event violates the contract. `issues` names every invalid field (at most 100). */
export class EventValidationError extends Error {
  override readonly name = "EventValidationError";
  readonly code = "EVENT_INVALID";
  readonly issues: readonly EventIssue[];

  constructor(issues: readonly EventIssue[], options?: ErrorOptions) {
    super(describeIssues(issues), options);
    this.issues = issues;
  }
}

function describeIssues(issues: readonly EventIssue[]): string {
  const shown = issues.slice(0, 3).map(({ path, reason }) => (path === "" ? reason : `${path}: ${reason}`));
  const more = issues.length > shown.length ? ` (and ${issues.length - shown.length} more)` : "";
  return `The event is not valid. ${shown.join("; ")}${more}`;
}
