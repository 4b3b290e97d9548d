import { appendBatchIn } from "../append/append-events.ts";
import { isLockTimeout } from "../connection/database-errors.ts";
import { epochMs, isoFromEpoch } from "../connection/moments.ts";
import type { Database, SqlSession, Transaction } from "../connection/sql-session.ts";
import { ArchiveOutdatedError, ArchiveStateError } from "./archive-errors.ts";
import { ARCHIVE_EVENT_TYPE, archiveCatalogue } from "./archive-event.ts";
import { type ArchivedChunk, lockArchivedChunk } from "./archived-chunk.ts";
import { positionRuns } from "./archived-ranges.ts";
import { type ChunkRange, rangeOf, withinRange } from "./due-chunks.ts";

/** Wait for a lock, in milliseconds: whoever reads the log meanwhile waits as long. And the number of attempts. */
const LOCK_MS = 300;
const ATTEMPTS = 200;
/** Time in which others go on, in milliseconds. */
const PAUSE_MS = 100;

/**
 * Drops a chunk that is archived and verified: counts and digests it again, keeps what the chain and the readers need to know of its events, and
 * appends an event `events.archived`. All of it in one transaction. Late events of the chunk wait meanwhile.
 *
 * @returns the position of that event
 * @throws ArchiveStateError for one that is not verified; ArchiveOutdatedError when it got other events since; the error of a lock
 *   (`isLockTimeout`) when readers held theirs too long
 */
export async function dropArchivedChunk(database: Database, chunk: string): Promise<number> {
  return database.asOwner(async (owner) => {
    const noted = await lockArchivedChunk(owner, chunk);
    if (noted?.state !== "verified") throw new ArchiveStateError(chunk, noted?.state, "verified");
    const range = await rangeOf(owner, chunk);
    // Bounds that were noted before the chunk was read may be too narrow.
    const archived = { ...noted, ...(await refuseOutdated(owner, noted, range)) };
    for (const statement of KEPT) await owner.query(statement(withinRange(range)), [chunk]);
    await withLock(
      owner,
      `LOCK TABLE synap.archived_ranges, synap.archived_chunks, ${chunk} IN ACCESS EXCLUSIVE MODE`,
    );
    const position = await record(owner, archived);
    await owner.query("DELETE FROM synap.chained_chunks WHERE chunk = $1", [chunk]);
    await owner.query(
      `UPDATE synap.archived_chunks
          SET state = 'dropped', dropped_at = clock_timestamp(), "position" = $2, min_timestamp = $3::text::timestamptz,
              max_timestamp = $4::text::timestamptz
        WHERE chunk = $1`,
      [chunk, position, archived.from, archived.to],
    );
    const { start, end } = range;
    const dropped = await owner.query<{ name: string }>(
      `SELECT name FROM public.drop_chunks('synap.events', older_than => to_timestamp($2::bigint / 1000.0),
                                           newer_than => to_timestamp($1::bigint / 1000.0)) AS d(name)`,
      [start, end],
    );
    if (dropped.length !== 1 || dropped[0]?.name !== chunk)
      throw new Error(
        `Dropping ${chunk} would drop ${dropped.map(({ name }) => name).join(", ") || "nothing"}.`,
      );
    return position;
  });
}

/** Keeps others from changing the chunk, and compares it with what was archived. */
async function refuseOutdated(
  owner: Transaction,
  { chunk, events, digest }: ArchivedChunk,
  range: ChunkRange,
): Promise<Pick<ArchivedChunk, "from" | "to">> {
  await withLock(owner, `LOCK TABLE ${chunk} IN SHARE MODE`);
  const [row] = await owner.query<OutdatedRow>(
    `SELECT count(*) AS events, ${epochMs('min(e."timestamp")')} AS first, ${epochMs('max(e."timestamp")')} AS last,
            encode(sha256(coalesce(string_agg(synap.event_digest(e), ''::bytea ORDER BY e."position"), '')), 'hex') AS digest,
            max(e."position") <= (SELECT max(k.last_position) FROM synap.chain_blocks AS k)
              AND max(e."position") <= (SELECT f."position" FROM synap.event_counts_end AS f) AS is_behind
       FROM synap.events AS e
      WHERE ${withinRange(range)}`,
  );
  if (row === undefined) throw new Error("The digest of a chunk returned no row.");
  if (row.digest !== digest || row.is_behind !== true)
    throw new ArchiveOutdatedError(chunk, row.events, events);
  return { from: isoFromEpoch(row.first), to: isoFromEpoch(row.last) };
}

interface OutdatedRow {
  readonly events: number;
  readonly first: number;
  readonly last: number;
  readonly digest: string;
  readonly is_behind: boolean | null;
}

/**
 * The statements that keep what is needed of the events of the chunk $1: the runs of their positions, the blocks of the chain that are wholly of them, the digests of the
 * others, and what they are about.
 */
const KEPT: readonly ((within: string) => string)[] = [
  (within) => `
    INSERT INTO synap.archived_ranges (first_position, last_position, chunk)
    SELECT r.first_position, r.last_position, $1
      FROM (${positionRuns(`SELECT e."position" FROM synap.events AS e WHERE ${within}`)}) AS r`,
  (within) => `
    INSERT INTO synap.archived_blocks (number, chunk)
    ${blocks(within)}
    SELECT b.number, $1 FROM blocks AS b WHERE b.is_whole`,
  (within) => `
    INSERT INTO synap.archived_digests ("position", chunk, digest)
    ${blocks(within)}
    SELECT e."position", $1, synap.event_digest(e)
      FROM bounds AS b
     CROSS JOIN synap.events AS e
      JOIN blocks AS k ON k.place = width_bucket(e."position" - 1, b.lasts) + 1
     WHERE NOT k.is_whole AND ${within}`,
  (within) => `
    INSERT INTO synap.archived_keys (hash, chunk)
    SELECT DISTINCT synap.archive_key(k.kind, k.value), c.number
      FROM (
        SELECT DISTINCT k.kind, k.value
          FROM synap.events AS e
         CROSS JOIN LATERAL (
            VALUES ('user', e.user_id), ('correlation', e.correlation_id), ('causation', e.causation_id::text), ('creator', e.created_by),
                   ('type', e.type), ('aggregate', e.aggregate_type), ('stream', e.aggregate_type || '/' || e.aggregate_id)
          ) AS k (kind, value)
         WHERE k.value IS NOT NULL AND ${within}
      ) AS k
     CROSS JOIN synap.archived_chunks AS c
     WHERE c.chunk = $1`,
];

/** SQL: "blocks", those of the chain that have events of the chunk $1, and whether they have no other. One look at each event, in any order. */
function blocks(within: string): string {
  return `
    WITH bounds AS MATERIALIZED (
      SELECT array_agg(k.last_position ORDER BY k.number) AS lasts, array_agg(k.number ORDER BY k.number) AS numbers,
             array_agg(k.events ORDER BY k.number) AS sizes
        FROM synap.archived_chunks AS c
        JOIN synap.chain_blocks AS k ON k.last_position >= c.first_position
       WHERE c.chunk = $1
         AND k.number <= (SELECT min(l.number) FROM synap.chain_blocks AS l WHERE l.last_position >= c.last_position)
    ), found AS MATERIALIZED (
      SELECT width_bucket(e."position" - 1, b.lasts) + 1 AS place, count(*) AS events
        FROM bounds AS b
       CROSS JOIN synap.events AS e
       WHERE ${within}
       GROUP BY 1
    ), blocks AS MATERIALIZED (
      SELECT f.place, b.numbers[f.place] AS number, f.events = b.sizes[f.place] AS is_whole FROM found AS f CROSS JOIN bounds AS b
    )`;
}

/** Takes locks without making others wait for long: gives up after a moment, and tries again. */
export async function withLock(owner: Transaction, statement: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await owner.savepoint(async (inner) => {
        await inner.query("SELECT set_config('lock_timeout', $1, true)", [`${LOCK_MS}ms`]);
        await inner.query(statement);
        await inner.query("SELECT set_config('lock_timeout', '0', true)");
      });
      return;
    } catch (error) {
      if (!isLockTimeout(error) || attempt === ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

/** Appends the event that records it. @returns its position */
async function record(owner: SqlSession & Transaction, archived: ArchivedChunk): Promise<number> {
  const { chunk, events, firstPosition, lastPosition, from, to, digest, destination, format, files } =
    archived;
  const event = archiveCatalogue.createSynapEvent({
    type: ARCHIVE_EVENT_TYPE,
    createdBy: archived.archivedBy,
    source: "archive",
    data: {
      chunk,
      events,
      firstPosition,
      lastPosition,
      from,
      to,
      digest: digest ?? "",
      destination,
      format,
      files: [...files],
    },
  });
  const [appended] = await appendBatchIn(owner, [event], undefined);
  if (appended?.outcome.status !== "stored")
    throw new Error(`The event that ${chunk} was archived was not stored.`);
  return appended.outcome.position;
}
