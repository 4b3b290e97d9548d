import { checkMoment } from "@synap/types";
import type { Database } from "../connection/sql-session.ts";
import { notify } from "../observers.ts";

/** The events to compress, and a callback for progress. */
export interface CompressionRequest {
  /** Compress chunks that end before this moment. Exclude the days for which live events still arrive. */
  readonly before: Date;
  /** Called after each chunk, which is compressed in a separate transaction. */
  readonly onCompressed?: ((chunk: CompressedChunk) => void) | undefined;
}

/** A compressed chunk of events. */
export interface CompressedChunk {
  /** The events of this chunk happened at or after this moment ... */
  readonly from: Date;
  /** ... and before this one. */
  readonly to: Date;
  /** Size with indexes, in bytes, when the chunk was first compressed. */
  readonly bytesBefore: number;
  /** Size with indexes, in bytes, now. */
  readonly bytesAfter: number;
}

/** Thrown when the database does not support compression. */
export class CompressionUnavailableError extends Error {
  readonly code = "COMPRESSION_UNAVAILABLE";
  override readonly name = "CompressionUnavailableError";

  constructor(edition: "apache" | undefined) {
    super(
      edition === undefined
        ? "There is no store in this database yet: nothing to compress."
        : "Compression needs the Community edition of TimescaleDB; this database has the Apache edition.",
    );
  }
}

/**
 * Compresses the chunks of events that end before a moment, oldest first; a compressed one again if late events arrived
 * since. They stay readable, immutable and open for late events. Appends to a chunk wait while it is being compressed.
 * Repeat it from time to time; an interrupted run keeps the chunks done so far. In compressed days, time ranges and streams cost
 * nearly as before, and a search by user, correlation or type scans.
 *
 * @returns the chunks that were compressed
 * @throws InvalidMomentError; CompressionUnavailableError on the Apache edition or before the first migration.
 */
export async function compressEvents(
  database: Database,
  request: CompressionRequest,
): Promise<CompressedChunk[]> {
  const before = checkMoment("before", request.before);
  const { edition } = database.capabilities;
  if (edition !== "community") throw new CompressionUnavailableError(edition);
  await enableCompression(database);
  const due = await database.asOwner((owner) => owner.query<DueRow>(DUE, [before]));
  const compressed: CompressedChunk[] = [];
  for (const { chunk, is_compressed: again } of due) {
    const [row] = await database.asOwner(async (owner) => {
      if (again) await owner.query("SELECT public.decompress_chunk($1::text::regclass)", [chunk]);
      await owner.query("SELECT public.compress_chunk($1::text::regclass)", [chunk]);
      return owner.query<ChunkRow>(SIZES, [chunk]);
    });
    if (row === undefined) throw new Error(`The chunk ${chunk} was dropped while it was compressed.`);
    const done = { from: row.from, to: row.to, bytesBefore: row.bytes_before, bytesAfter: row.bytes_after };
    compressed.push(done);
    notify(request.onCompressed, done);
  }
  return compressed;
}

interface DueRow {
  readonly chunk: string;
  readonly is_compressed: boolean;
}

interface ChunkRow {
  readonly from: Date;
  readonly to: Date;
  readonly bytes_before: number;
  readonly bytes_after: number;
}

/**
 * Late events of a compressed chunk are stored uncompressed beside the compressed data. Such a chunk is
 * decompressed and compressed again: TimescaleDB 2.23 would compress the late events separately, between their neighbours in
 * time but not among them, and still consider the chunk ordered. A page of a time range would then lack them.
 */
const DUE = `
SELECT c.chunk, c.is_compressed
  FROM (
    SELECT format('%I.%I', chunk_schema, chunk_name) AS chunk, range_start, range_end, is_compressed
      FROM timescaledb_information.chunks
     WHERE hypertable_schema = 'synap' AND hypertable_name = 'events'
  ) AS c
 WHERE c.range_end <= $1
   AND (NOT c.is_compressed OR pg_relation_size(c.chunk::regclass) > 0)
 ORDER BY c.range_start`;

const SIZES = `
SELECT c.range_start AS "from", c.range_end AS "to",
       s.before_compression_total_bytes AS bytes_before,
       s.after_compression_total_bytes AS bytes_after
  FROM timescaledb_information.chunks AS c
  JOIN public.chunk_compression_stats('synap.events') AS s
    ON s.chunk_schema = c.chunk_schema AND s.chunk_name = c.chunk_name
 WHERE format('%I.%I', c.chunk_schema, c.chunk_name) = $1`;

const ENABLED = `
SELECT compression_enabled AS enabled
  FROM timescaledb_information.hypertables
 WHERE hypertable_schema = 'synap' AND hypertable_name = 'events'`;

/**
 * A thousand neighbours in time are compressed together, so a time range, a page of events, an event by its id and a reader
 * that catches up decompress little more than they need. Segmenting by stream instead made time ranges eight
 * times slower and saved no space. Settings made by an administrator are left alone.
 */
async function enableCompression(database: Database): Promise<void> {
  await database.asOwner(async (owner) => {
    const [events] = await owner.query<{ enabled: boolean }>(ENABLED);
    if (events?.enabled) return;
    await owner.execute(`
      ALTER TABLE synap.events SET (
        timescaledb.compress,
        timescaledb.compress_orderby = '"timestamp", "position"',
        timescaledb.compress_segmentby = ''
      )`);
  });
}
