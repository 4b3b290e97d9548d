import type { Database } from "../connection/sql-session.ts";

/** An inline handler, or an inline version of a projection, with the types of its events. */
export interface InlineConsumer {
  readonly name: string;
  /** The version of a projection; undefined for a handler. */
  readonly version?: number | undefined;
  readonly eventTypes: readonly string[];
}

// One statement, so that a concurrent post_event sees the old consumers or the new ones.
const REPLACE = `
WITH wanted AS MATERIALIZED (
  SELECT c.name, c.version, c."eventType" AS event_type
    FROM jsonb_to_recordset($1::text::jsonb) AS c(name text, version integer, "eventType" text)
), removed AS (
  DELETE FROM synap.inline_consumers AS c
   WHERE NOT EXISTS (
     SELECT FROM wanted AS w WHERE (w.event_type, w.name, w.version) = (c.event_type, c.name, c.version)
   )
)
INSERT INTO synap.inline_consumers (name, version, event_type)
SELECT w.name, w.version, w.event_type FROM wanted AS w ORDER BY w.event_type COLLATE "C", w.name COLLATE "C", w.version
ON CONFLICT DO NOTHING`;

/**
 * Replaces the inline consumers in the database by those of a worker, so that `post_event` parks its events for them. Idempotent.
 *
 * @throws DatabaseUnavailableError
 */
export async function syncInlineConsumers(
  database: Pick<Database, "query">,
  consumers: readonly InlineConsumer[],
): Promise<void> {
  const rows = consumers.flatMap(({ name, version = 0, eventTypes }) =>
    eventTypes.map((eventType) => ({ name, version, eventType })),
  );
  await database.query(REPLACE, [JSON.stringify(rows)]);
}
