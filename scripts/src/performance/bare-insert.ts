import type { Database } from "@synap/database";
import type { SynapEvent } from "@synap/types";

/**
 * The ceiling of the append: the same rows into the same table by one statement, with nothing that makes an event store
 * of it: no check, no identity, no stream, no order, no log. The rows go as JSON, which took less time than arrays of
 * columns (`unnest`), and than jsonb.
 */
const INSERT = `
INSERT INTO synap.events (
  "position", stream_version, "timestamp", recorded_at, valid_from, valid_to, id, causation_id, version, type,
  aggregate_type, aggregate_id, user_id, created_by, source, request_id, correlation_id, idempotency_key, data, metadata
)
SELECT e."position", e."streamVersion", e."timestamp", e."recordedAt", e."validFrom", e."validTo", e.id, e."causationId",
       e.version, e.type, e."aggregateType", e."aggregateId", e."userId", e."createdBy", e.source, e."requestId",
       e."correlationId", e."idempotencyKey", e.data, e.metadata
  FROM json_to_recordset($1::text::json) AS e (
         "position" bigint, "streamVersion" bigint, "timestamp" timestamptz(3), "recordedAt" timestamptz(3),
         "validFrom" timestamptz(3), "validTo" timestamptz(3), id uuid, "causationId" uuid, version text, type text,
         "aggregateType" text, "aggregateId" text, "userId" text, "createdBy" text, source text, "requestId" text,
         "correlationId" text, "idempotencyKey" text, data jsonb, metadata jsonb
       )`;

/** The same, and the ids into the table that finds them over all chunks. */
const INSERT_WITH_IDS = `
WITH inserted AS (${INSERT}
  RETURNING id, "timestamp", "position", stream_version
)
INSERT INTO synap.event_ids (id, "timestamp", "position", stream_version) SELECT * FROM inserted`;

/** A row for the bare insert: an event with what the store would have added. */
export type BareRow = SynapEvent & {
  readonly position: number;
  readonly streamVersion: number;
  readonly recordedAt: string;
};

/** Lets the application role insert rows without the append, in a database that is thrown away afterwards. */
export async function allowBareInserts(database: Database): Promise<void> {
  await database.asOwner((owner) =>
    owner.execute(`
      GRANT INSERT ON synap.events, synap.event_ids TO synap_app;
      GRANT USAGE ON SEQUENCE synap.append_sequence TO synap_app;`),
  );
}

/** Makes rows of events, outside of what is timed. They take a number of the append sequence, so that indexes grow alike. */
export async function makeRows(database: Database, events: readonly SynapEvent[]): Promise<BareRow[]> {
  const [taken] = await database.query<{ number: number }>(
    "SELECT nextval('synap.append_sequence') AS number",
  );
  const number = taken?.number ?? 0;
  const recordedAt = new Date().toISOString();
  return events.map((event, index) => ({
    ...event,
    position: number * 1_024 + index,
    streamVersion: number,
    recordedAt,
  }));
}

/** Inserts rows in one statement, which is its own transaction. */
export async function insertBare(database: Database, rows: readonly BareRow[]): Promise<void> {
  await database.query(INSERT, [JSON.stringify(rows)]);
}

/** Inserts rows and their ids in one statement, which is its own transaction. */
export async function insertBareWithIds(database: Database, rows: readonly BareRow[]): Promise<void> {
  await database.query(INSERT_WITH_IDS, [JSON.stringify(rows)]);
}
