/** One thing that is wrong with an event: where, what kind, and a sentence a person can act on. */
export interface EventIssue {
  /** Where in the event, for example `data.content`, `data.tags[0]` or `timestamp`. Empty for the event itself. */
  readonly path: string;
  /** What kind of fault, in kebab case, stable across releases, for programs to decide on. */
  readonly code: string;
  /** Why it was refused, for people. */
  readonly reason: string;
}

/** No event is answered with more issues than this: the first hundred are enough to see what went wrong. */
export const MAX_ISSUES = 100;

/** Thrown when an event does not keep the contract. `issues` names every field at fault (at most 100). */
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
