import type { Database } from "@synap/database";
import { saveCheckpoint } from "@synap/database/internal";
import type { StoredEvent } from "@synap/types";
import type { HandlerContext, IEventHandler } from "../src/index.ts";

/** An event that a test's handler has received. */
export interface SeenEvent {
  readonly handler: string;
  readonly eventId: string;
}

/** Creates the table in which {@link seeing} handlers record their events. */
export async function createSeenTable(database: Database): Promise<void> {
  await database.asOwner((transaction) =>
    transaction.execute(`
      CREATE SCHEMA seen;
      GRANT USAGE ON SCHEMA seen TO synap_app;
      CREATE TABLE seen.events (
        ordinal bigint GENERATED ALWAYS AS IDENTITY,
        handler text NOT NULL,
        event_id uuid NOT NULL,
        position bigint NOT NULL
      );
      GRANT SELECT, INSERT ON seen.events TO synap_app;`),
  );
}

/** Creates a handler that records every event it receives and then runs the test's code. */
export function seeing(
  name: string,
  options: Partial<Pick<IEventHandler, "mode" | "eventTypes">> & {
    readonly afterwards?: (events: readonly StoredEvent[], context: HandlerContext) => unknown;
  } = {},
): IEventHandler {
  return {
    name,
    description: "Records its events.",
    mode: options.mode ?? "async",
    eventTypes: options.eventTypes ?? "all",
    async handle(events, context) {
      for (const event of events) {
        await context.transaction.query(
          "INSERT INTO seen.events (handler, event_id, position) VALUES ($1, $2, $3)",
          [name, event.id, event.position],
        );
      }
      await options.afterwards?.(events, context);
    },
  };
}

/** Ids of the committed events that a handler has received, in that order. */
export async function seenBy(database: Database, handler: string): Promise<string[]> {
  const rows = await database.query<{ event_id: string }>(
    "SELECT event_id FROM seen.events WHERE handler = $1 ORDER BY ordinal",
    [handler],
  );
  return rows.map((row) => row.event_id);
}

/** Moves a handler's checkpoint to the end of the log, so that it does not receive events of other tests. */
export async function beginNow(database: Database, handler: string): Promise<void> {
  const [row] = await database.query<{ position: number }>(
    "SELECT coalesce(max(last_position), 0)::bigint AS position FROM synap.appends",
  );
  await saveCheckpoint(database, handler, row?.position ?? 0);
}
