import type { AppendOutcome } from "@synap/database";

/** The store refused an event that a handler appended: the handler makes events that are not valid. */
export class RefusedReactionError extends Error {
  readonly code = "REACTION_REFUSED";
  override readonly name = "RefusedReactionError";
  constructor(handler: string, outcome: AppendOutcome & { status: "rejected" }) {
    const reasons = outcome.issues.map((issue) => `${issue.path} ${issue.reason}`).join("; ");
    super(`Handler "${handler}" appended event ${outcome.id}, which the store refuses: ${reasons}`);
  }
}
