import type { AppendOutcome } from "@synap/database";

/** Thrown when the store refuses an event that a handler appended, because the event is invalid. */
export class RefusedReactionError extends Error {
  readonly code = "REACTION_REFUSED";
  override readonly name = "RefusedReactionError";
  constructor(handler: string, outcome: AppendOutcome & { status: "rejected" }) {
    const reasons = outcome.issues.map((issue) => `${issue.path} ${issue.reason}`).join("; ");
    super(`Handler "${handler}" appended event ${outcome.id}, which the store refuses: ${reasons}`);
  }
}
