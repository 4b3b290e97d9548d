import type { Database } from "../connection/sql-session.ts";
import { ArchiveStateError } from "./archive-errors.ts";
import { type ArchivedFile, lockArchivedChunk } from "./archived-chunk.ts";
import { CHUNK_RANGES, type DueChunk, rangeOf, withinRange } from "./due-chunks.ts";
import {
  type EventColumn,
  type EventsDigest,
  type EventText,
  eventColumns,
  quoted,
  RunningDigest,
} from "./event-rows.ts";

/** Rows in memory at a time. An event has 240 KiB at most. */
const ROWS_AT_ONCE = 250;

/** The archive of a chunk, and the actor. */
export interface ArchiveTarget {
  /** URL of the archive, without secrets. */
  readonly destination: string;
  readonly format: string;
  /** The actor, as in `createdBy` of an event. */
  readonly by: string;
}

const BEGIN = `
INSERT INTO synap.archived_chunks AS kept (
  chunk, state, range_start, range_end, events, first_position, last_position, min_timestamp, max_timestamp, destination, format, archived_by
)
SELECT c.chunk, 'exporting', c.range_start, c.range_end, $2, $3, $4, $5::text::timestamptz, $6::text::timestamptz, $7, $8, $9
  FROM (${CHUNK_RANGES}) AS c
 WHERE c.chunk = $1
ON CONFLICT (chunk) DO UPDATE SET
  state = 'exporting', events = EXCLUDED.events, first_position = EXCLUDED.first_position, last_position = EXCLUDED.last_position,
  min_timestamp = EXCLUDED.min_timestamp, max_timestamp = EXCLUDED.max_timestamp, destination = EXCLUDED.destination,
  format = EXCLUDED.format, archived_by = EXCLUDED.archived_by, begun_at = clock_timestamp(), digest = NULL, files = '[]',
  verified_at = NULL
-- Another run may have dropped it since this statement began, and nothing else says where its events are.
WHERE kept.state IN ('exporting', 'verified')
RETURNING chunk`;

/**
 * Notes that a chunk is being archived. One whose archiving was interrupted begins again.
 * @throws ArchiveStateError for one that is not in the database, or was dropped or restored under this name
 */
export async function beginExport(
  database: Database,
  due: DueChunk,
  { destination, format, by }: ArchiveTarget,
): Promise<void> {
  const { chunk, events, firstPosition, lastPosition, from, to } = due;
  const parameters = [chunk, events, firstPosition, lastPosition, from, to, destination, format, by];
  await database.asOwner(async (owner) => {
    const rows = await owner.query(BEGIN, parameters);
    if (rows.length > 0) return;
    const archived = await lockArchivedChunk(owner, chunk);
    throw new ArchiveStateError(chunk, archived?.state, "in the database");
  });
}

/** The rows of a chunk, in the order of positions. */
export interface ChunkExport {
  readonly columns: readonly EventColumn[];
  /** Read while they are taken; once. */
  readonly rows: AsyncIterable<readonly EventText[]>;
}

/**
 * Reads the events of a chunk in one snapshot, some at a time, while `work` takes them. The embedded engine answers nothing else meanwhile.
 *
 * @param onRows is called with the number of events read so far
 * @returns their digest, once `work` has taken all of them
 */
export async function exportChunk(
  database: Database,
  chunk: string,
  work: (exported: ChunkExport) => Promise<void>,
  onRows?: (events: number) => void,
): Promise<EventsDigest> {
  return database.asOwner(async (owner) => {
    // The text of a moment depends on them.
    await owner.query(
      "SELECT set_config('TimeZone', 'UTC', true), set_config('DateStyle', 'ISO, MDY', true)",
    );
    const columns = await eventColumns(owner);
    const texts = columns.map(({ name }) => `e.${quoted(name)}::text AS ${quoted(name)}`).join(", ");
    await owner.query(
      `DECLARE synap_archive NO SCROLL CURSOR FOR
       SELECT ${texts}, encode(synap.event_digest(e), 'hex') AS "#digest"
         FROM synap.events AS e
        WHERE ${withinRange(await rangeOf(owner, chunk))}
        ORDER BY e."position"`,
    );
    const digest = new RunningDigest();
    let events = 0;
    async function* rows(): AsyncGenerator<readonly EventText[]> {
      for (;;) {
        const fetched = await owner.query<Record<string, string | null>>(
          `FETCH ${ROWS_AT_ONCE} FROM synap_archive`,
        );
        if (fetched.length === 0) return;
        const texts = fetched.map(({ "#digest": eventDigest, ...row }) => {
          digest.add({ position: Number(row["position"]), digest: String(eventDigest) });
          return row;
        });
        events += texts.length;
        yield texts;
        onRows?.(events);
      }
    }
    await work({ columns, rows: rows() });
    return digest.end();
  });
}

/** The files of an archived chunk, as they were read back, and where they are. */
export interface VerifiedExport extends EventsDigest, ArchiveTarget {
  readonly files: readonly ArchivedFile[];
}

/**
 * Notes that the archive of a chunk was read back, and has what the database has. Of two runs at a time, the place and the files are of the same one.
 * @throws ArchiveStateError when it is not being archived
 */
export async function markVerified(
  database: Database,
  chunk: string,
  { events, firstPosition, lastPosition, digest, files, destination, format, by }: VerifiedExport,
): Promise<void> {
  await database.asOwner(async (owner) => {
    const archived = await lockArchivedChunk(owner, chunk);
    if (archived?.state !== "exporting") throw new ArchiveStateError(chunk, archived?.state, "exporting");
    await owner.query(
      `UPDATE synap.archived_chunks
          SET state = 'verified', verified_at = clock_timestamp(), events = $2, first_position = $3, last_position = $4,
              digest = decode($5, 'hex'), files = $6::text::jsonb, destination = $7, format = $8, archived_by = $9
        WHERE chunk = $1`,
      [chunk, events, firstPosition, lastPosition, digest, JSON.stringify(files), destination, format, by],
    );
  });
}
