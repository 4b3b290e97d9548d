import { amendmentOf, type EventIssue, type SynapEvent } from "@synap/types";
import { type AmendableEvent, amendmentIssue, archivedAmendmentIssue } from "@synap/types/internal";
import { EventsArchivedError } from "../events-archived.ts";

/** Finds the stored event with an id; undefined if there is none. */
export type FindAmended = (id: string) => Promise<AmendableEvent | undefined>;

/**
 * Judges the corrections and retractions among the events of an append by the events that they name. One of an earlier event of the same
 * append may be stored with it.
 *
 * @param events undefined in the place of those that are refused anyway
 * @returns an issue in the place of each that is to be refused
 */
export async function judgeAmendments(
  events: readonly (SynapEvent | undefined)[],
  findAmended: FindAmended,
): Promise<readonly (EventIssue | undefined)[]> {
  const earlier = new Map<string, SynapEvent>();
  const issues: (EventIssue | undefined)[] = [];
  for (const event of events) {
    const named = event && amendmentOf(event)?.eventId;
    try {
      const amended = named === undefined ? undefined : (earlier.get(named) ?? (await findAmended(named)));
      issues.push(event && amendmentIssue(event, amended));
    } catch (error) {
      // The others of the append are none the worse for it.
      if (!(event !== undefined && error instanceof EventsArchivedError)) throw error;
      issues.push(archivedAmendmentIssue(event, error.chunk));
    }
    if (event !== undefined) earlier.set(event.id, event);
  }
  return issues;
}
