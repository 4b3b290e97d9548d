import { type ArchivedEvents, archivedEvents } from "../archive/archived-chunk.ts";
import { type ChainStatus, chainStatus } from "../chain/chain-status.ts";
import { type MissingChunk, missingChunks } from "../chain/missing-chunks.ts";
import { epochMs, isoFromEpoch } from "../connection/moments.ts";
import type { SqlSession } from "../connection/sql-session.ts";
import { unfinishedErasures } from "../erasure/unfinished-erasures.ts";
import { type Exposure, findExposures } from "../privileges/exposures.ts";
import { lowSharedResources, type SharedResource } from "../privileges/shared-resources.ts";
import { currentEpoch, type Epoch } from "../restore/epoch.ts";
import { type ForeignLocks, foreignLocks } from "../subscriptions/foreign-locks.ts";
import { type WatermarkHolder, watermarkHolder } from "../subscriptions/watermark-holder.ts";
import { type HandlerRetry, handlerRetries } from "./handler-retries.ts";
import { type LockHolder, lockHolders } from "./lock-holders.ts";
import { type FailureCount, unhandledFailures } from "./unhandled-failures.ts";

/** The figures of the store. */
export interface StoreStatistics {
  readonly events: {
    /** Number of events ever stored. Exact up to a million appends, then estimated. */
    readonly stored: number;
    /** Number of streams. Exact up to a million, then estimated. */
    readonly streams: number;
    /** Position of the newest committed append's last event; 0 in an empty store. */
    readonly lastPosition: number;
    /** Position up to which events can be read. */
    readonly watermark: number;
    /** The session that holds the watermark back; absent when none does. */
    readonly watermarkHolder?: WatermarkHolder;
    /** Sessions of other programs with locks in the store's namespace, which are ignored; absent when there are none. */
    readonly foreignLocks?: readonly ForeignLocks[];
    /** When the newest append was recorded. */
    readonly lastRecordedAt?: string;
  };
  readonly handlers: readonly HandlerStatistics[];
  /** The sessions for whose locks others wait; absent when none waits. */
  readonly lockHolders?: readonly LockHolder[];
  /** Unhandled failures of handler code in the last day; absent when there were none. */
  readonly unhandledFailures?: readonly FailureCount[];
  /** Number of open dead letters. */
  readonly deadLetters: number;
  /** Rights by which unrelated logins could damage the log; absent when there are none. */
  readonly exposures?: readonly Exposure[];
  /** Shared resources of the database server that are nearly used up; absent when there are none. */
  readonly sharedResources?: readonly SharedResource[];
  /** The hash chain over the log. */
  readonly chain: ChainStatus;
  /** The current epoch. */
  readonly epoch: Epoch;
  /** Chunks of events that were dropped; absent when none was. */
  readonly missingChunks?: readonly MissingChunk[];
  /** The events that are in an archive and not in the database; absent when there are none. */
  readonly archived?: ArchivedEvents;
  /** Number of erasures of personal data that were interrupted, or that a hold keeps back; absent when there is none. */
  readonly unfinishedErasures?: number;
  /** Size in bytes, including all chunks and indexes. */
  readonly databaseSize: number;
}

export interface HandlerStatistics {
  /** The name of a handler, or of a checkpoint of a projection's build: `tasks-view/2`, `tasks-view/2/1of4`. */
  readonly name: string;
  /** The projection, if the checkpoint belongs to a build. */
  readonly projection?: string;
  /** The role of that build. */
  readonly role?: "live" | "building" | "previous";
  /** Position of the last processed event. */
  readonly checkpoint: number;
  /** Number of stored events after the checkpoint. Exact up to 100,000 appends behind. */
  readonly lag: number;
  readonly updatedAt: string;
  /** The pending retry after a failure; absent when nothing failed. */
  readonly retrying?: HandlerRetry;
}

// Counting is cheap up to a million rows; beyond, the planner's own estimate is near enough for a status page.
const STATISTICS = `
WITH size AS (
  SELECT (SELECT reltuples FROM pg_class WHERE oid = 'synap.appends'::regclass) AS appends,
         (SELECT reltuples FROM pg_class WHERE oid = 'synap.streams'::regclass) AS streams
), newest AS (
  SELECT last_position, recorded_at FROM synap.appends ORDER BY number DESC LIMIT 1
)
SELECT CASE
         WHEN size.appends < 1e6 THEN (SELECT coalesce(sum(count), 0)::bigint FROM synap.appends)
         ELSE (SELECT (size.appends * avg(s.count))::bigint FROM (SELECT count FROM synap.appends ORDER BY number DESC LIMIT 10000) AS s)
       END AS events,
       CASE WHEN size.streams < 1e6 THEN (SELECT count(*) FROM synap.streams) ELSE size.streams::bigint END AS streams,
       coalesce((SELECT last_position FROM newest), 0) AS last_position,
       (SELECT ${epochMs("recorded_at")} FROM newest) AS last_recorded_at,
       synap.append_watermark() * 1024 + 1023 AS watermark,
       (SELECT count(*) FROM synap.dead_letters WHERE status = 'open') AS open_dead_letters,
       pg_database_size(current_database()) AS database_size
  FROM size`;

// A checkpoint may be in the middle of an append, whose earlier events don't count.
const CHECKPOINTS = `
SELECT c.handler, c."position", ${epochMs("c.updated_at")} AS updated_at, b.projection, b.role,
       (SELECT coalesce(sum(CASE WHEN n.number = c."position" >> 10 THEN n.last_position - c."position" ELSE n.count END), 0)::bigint
          FROM (
            SELECT number, count, last_position FROM synap.appends
             WHERE number >= c."position" >> 10 AND last_position > c."position"
             ORDER BY number LIMIT 100000
          ) AS n) AS lag
  FROM (
    SELECT handler, "position", updated_at FROM synap.checkpoints
    UNION ALL
    -- The very first pass failed, and its checkpoint was rolled back with it.
    SELECT f.handler, 0, f.failed_at FROM synap.handler_failures AS f
     WHERE NOT EXISTS (SELECT FROM synap.checkpoints AS c WHERE c.handler = f.handler)
  ) AS c
  LEFT JOIN synap.projection_builds AS b
    ON b.projection || '/' || b.build = substring(c.handler FROM '^[^/]+/[0-9]+')
 ORDER BY c.handler`;

interface StatisticsRow {
  readonly events: number;
  readonly streams: number;
  readonly last_position: number;
  readonly last_recorded_at: number | null;
  readonly watermark: number;
  readonly open_dead_letters: number;
  readonly database_size: number;
}

/** Reads the figures of the status route. Takes a few milliseconds. */
export async function storeStatistics(session: SqlSession): Promise<StoreStatistics> {
  const [row] = await session.query<StatisticsRow>(STATISTICS);
  if (row === undefined) throw new Error("The statistics query returned no row.");
  const handlers = await session.query<{
    handler: string;
    position: number;
    updated_at: number;
    lag: number;
    projection: string | null;
    role: "live" | "building" | "previous" | null;
  }>(CHECKPOINTS);
  const retries = await handlerRetries(session);
  const unhandled = await unhandledFailures(session);
  const holder = await watermarkHolder(session);
  const foreign = await foreignLocks(session);
  const holders = await lockHolders(session);
  const exposures = await findExposures(session);
  const sharedResources = await lowSharedResources(session);
  const chain = await chainStatus(session);
  const epoch = await currentEpoch(session);
  const missing = await missingChunks(session);
  const archived = await archivedEvents(session);
  const erasures = await unfinishedErasures(session);
  return {
    events: {
      stored: row.events,
      streams: row.streams,
      lastPosition: row.last_position,
      watermark: row.watermark,
      ...(holder !== undefined && { watermarkHolder: holder }),
      ...(foreign.length > 0 && { foreignLocks: foreign }),
      ...(row.last_recorded_at !== null && { lastRecordedAt: isoFromEpoch(row.last_recorded_at) }),
    },
    handlers: handlers.map(({ handler, position, updated_at, lag, projection, role }) => ({
      name: handler,
      ...(projection !== null && role !== null && { projection, role }),
      checkpoint: position,
      lag,
      updatedAt: isoFromEpoch(updated_at),
      ...retryOf(handler, retries),
    })),
    ...(holders.length > 0 && { lockHolders: holders }),
    ...(unhandled.length > 0 && { unhandledFailures: unhandled }),
    deadLetters: row.open_dead_letters,
    ...(exposures.length > 0 && { exposures }),
    ...(sharedResources.length > 0 && { sharedResources }),
    chain,
    epoch,
    ...(missing.length > 0 && { missingChunks: missing }),
    ...(archived.chunks > 0 && { archived }),
    ...(erasures > 0 && { unfinishedErasures: erasures }),
    databaseSize: row.database_size,
  };
}

/** Finds a checkpoint's retry. Waiting streams of a build are recorded under its name and shown with its first segment. */
function retryOf(
  checkpoint: string,
  retries: ReadonlyMap<string, HandlerRetry>,
): Pick<HandlerStatistics, "retrying"> {
  const retrying = retries.get(checkpoint) ?? retries.get(checkpoint.replace(/\/1of\d+$/, ""));
  return retrying === undefined ? {} : { retrying };
}
