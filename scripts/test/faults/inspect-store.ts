import type { SqlSession } from "@synap/database";
import { BROKEN_STREAMS, countRows, STORED_TWICE } from "../../src/stress/store-laws.ts";
import type { PublishedEvent } from "./published-events.ts";

/** Comparison of the store after the faults with the events that were answered 2xx. All but the first must be zero. */
export interface Findings {
  /** Answered 2xx and stored. */
  readonly stored: number;
  /** Answered 2xx and not stored. */
  readonly lost: number;
  /** Stored and never sent. */
  readonly unknown: number;
  /** Ids that more than one row of the events has. */
  readonly storedTwice: number;
  /** Streams whose versions are not 1, 2, 3 ... up to what the stream's own row says. */
  readonly brokenStreams: number;
  /** Positions that more than one event has. */
  readonly sharedPositions: number;
  /** Notes that a handler completed not at all, or more than once. */
  readonly notesNotCompletedOnce: number;
  /** Notes that are not in the read model. */
  readonly notesNotProjected: number;
  readonly deadLetters: number;
}

/** Asks the tables themselves, not the code under test. */
export async function inspectStore(
  session: SqlSession,
  published: readonly PublishedEvent[],
): Promise<Findings> {
  const rows = await session.query<{ id: string }>(
    "SELECT id FROM synap.events WHERE type <> 'note.creation.completed'",
  );
  const stored = new Set(rows.map(({ id }) => id));
  const sent = new Set(published.map(({ id }) => id));
  const count = (query: string) => countRows(session, query);
  return {
    stored: [...sent].filter((id) => stored.has(id)).length,
    lost: [...sent].filter((id) => !stored.has(id)).length,
    unknown: [...stored].filter((id) => !sent.has(id)).length,
    storedTwice: await count(STORED_TWICE),
    brokenStreams: await count(BROKEN_STREAMS),
    sharedPositions: await count(
      'SELECT "position" FROM synap.events GROUP BY "position" HAVING count(*) > 1',
    ),
    notesNotCompletedOnce: await count(`
      SELECT FROM synap.events AS requested
      WHERE requested.type = 'note.creation.requested'
        AND (SELECT count(*) FROM synap.events AS completed
              WHERE completed.type = 'note.creation.completed' AND completed.causation_id = requested.id) <> 1`),
    notesNotProjected: await count(`
      SELECT FROM synap.events AS e
      WHERE e.type = 'note.creation.requested' AND NOT EXISTS (SELECT FROM synap_read.notes AS n WHERE n.id = e.aggregate_id)`),
    deadLetters: await count("SELECT FROM synap.dead_letters"),
  };
}

/** Returns the required findings when `published` events were answered 2xx. */
export function asPromised(published: number): Findings {
  return {
    stored: published,
    lost: 0,
    unknown: 0,
    storedTwice: 0,
    brokenStreams: 0,
    sharedPositions: 0,
    notesNotCompletedOnce: 0,
    notesNotProjected: 0,
    deadLetters: 0,
  };
}
