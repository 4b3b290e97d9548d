import type { EventCatalogue } from "@synap/types";
import type { Database } from "../connection/sql-session.ts";
import { RELEASE } from "../release.ts";

export interface SyncEventTypesOptions {
  /** Recorded with each changed type. Default: the release of this package. */
  readonly release?: string | undefined;
}

// Sorted, so that processes that start together don't deadlock.
const PUBLISH = `
INSERT INTO synap.event_types AS kept (name, aggregate_type, description, json_schema, example, release)
SELECT t.name, t."aggregateType", t.description, t."jsonSchema", t.example, $2
  FROM json_to_recordset($1::text::json) AS t(
    name text, "aggregateType" text, description text, "jsonSchema" json, example json
  )
 ORDER BY t.name COLLATE "C"
ON CONFLICT (name) DO UPDATE
   SET aggregate_type = EXCLUDED.aggregate_type,
       description = EXCLUDED.description,
       json_schema = EXCLUDED.json_schema,
       example = EXCLUDED.example,
       release = EXCLUDED.release,
       updated_at = now()
 WHERE (kept.aggregate_type, kept.description, kept.json_schema::text, kept.example::text)
       IS DISTINCT FROM
       (EXCLUDED.aggregate_type, EXCLUDED.description, EXCLUDED.json_schema::text, EXCLUDED.example::text)
RETURNING name`;

/**
 * Writes the catalogue's event types into `synap.event_types`, where the SQL API reads them. Call it after `migrate`.
 *
 * Idempotent: only changed types are written. Types that this catalogue does not contain are kept, because another
 * process may use them; to remove one, delete its row as the owner.
 *
 * @returns the names of the types that were new or had changed.
 * @throws DatabaseUnavailableError
 */
export async function syncEventTypes(
  database: Database,
  catalogue: EventCatalogue,
  options: SyncEventTypesOptions = {},
): Promise<string[]> {
  const types = catalogue.types.map(({ name, aggregateType, description, jsonSchema, example }) => ({
    name,
    aggregateType,
    description,
    jsonSchema,
    example,
  }));
  const rows = await database.query<{ name: string }>(PUBLISH, [
    JSON.stringify(types),
    options.release ?? RELEASE,
  ]);
  return rows.map((row) => row.name).sort();
}
