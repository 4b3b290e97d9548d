import {
  DatabaseUnavailableError,
  EventsArchivedError,
  type LogReader,
  type Visibility,
} from "@synap/database";
import { withTimeLimit } from "@synap/database/internal";
import { amendmentOf, type EventIssue, type SynapEvent } from "@synap/types";
import { amendmentIssue, archivedAmendmentIssue } from "@synap/types/internal";
import type { Principal } from "../identity/principal.ts";
import { visibilityOf } from "../identity/visibility.ts";

/**
 * Judges the corrections and retractions among a sender's events: each must name a stored event that he may see. Returns the issues of those
 * that are to be refused.
 *
 * @throws DatabaseUnavailableError if the named events can't be looked up
 */
export type AmendedLookup = (
  sender: Principal,
  events: readonly SynapEvent[],
) => Promise<ReadonlyMap<SynapEvent, EventIssue>>;

/** Time limit of all look-ups of a request, in milliseconds. */
const PATIENCE_MS = 2_000;
const NONE: ReadonlyMap<SynapEvent, EventIssue> = new Map();

/** Creates a look-up of the events that corrections and retractions name. Requests without any of these cost nothing. */
export function createAmendedLookup(store: {
  visibleTo(visibility: Visibility): Pick<LogReader, "getById">;
}): AmendedLookup {
  return async (sender, events) => {
    const amending = events.filter((event) => amendmentOf(event) !== undefined);
    if (amending.length === 0) return NONE;
    const reader = store.visibleTo(visibilityOf(sender));
    return withTimeLimit(judge(reader, amending), PATIENCE_MS, () => {
      throw new DatabaseUnavailableError(`no answer within ${PATIENCE_MS} ms`);
    });
  };
}

async function judge(
  reader: Pick<LogReader, "getById">,
  events: readonly SynapEvent[],
): Promise<ReadonlyMap<SynapEvent, EventIssue>> {
  const issues = new Map<SynapEvent, EventIssue>();
  for (const event of events) {
    const named = amendmentOf(event)?.eventId;
    try {
      const issue = named && amendmentIssue(event, await reader.getById(named));
      if (issue) issues.set(event, issue);
    } catch (error) {
      if (!(error instanceof EventsArchivedError)) throw error;
      issues.set(event, archivedAmendmentIssue(event, error.chunk));
    }
  }
  return issues;
}
