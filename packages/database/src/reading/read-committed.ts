import type { StoredEvent } from "@synap/types";
import { ARCHIVED_BETWEEN, refuseArchived } from "../archive/archived-events.ts";
import { epochMs } from "../connection/moments.ts";
import type { SqlParameter, SqlSession } from "../connection/sql-session.ts";
import { MAX_PAGE_BYTES, type PageRow, readPage, selectPage } from "./page-bytes.ts";

export interface CommittedRequest {
  readonly after: number;
  readonly types: readonly string[] | "all";
  /** Maximum number of events to read. */
  readonly limit: number;
}

const BOUNDS = `
SELECT ${epochMs("min(min_timestamp)")} AS earliest, ${epochMs("max(max_timestamp)")} AS latest
  FROM (SELECT min_timestamp, max_timestamp FROM synap.appends
         WHERE number >= $1::bigint >> 10 AND last_position > $1::bigint
         ORDER BY number LIMIT $2) AS a`;

const WANTED = `
      "timestamp" BETWEEN $1 AND $2 AND "position" > $3
       AND ($4::text IS NULL OR type = ANY (ARRAY(SELECT jsonb_array_elements_text($4::text::jsonb))))`;

const READ = selectPage(
  `
      SELECT * FROM synap.events WHERE ${WANTED} ORDER BY "position" LIMIT $5`,
  `"position"`,
  "$6",
);

const READ_POSITIONS = `
SELECT "position" FROM synap.events WHERE ${WANTED} ORDER BY "position" LIMIT $5`;

/**
 * Reads the committed events after a position, including those beyond the watermark, so unfinished appends with lower
 * numbers are missing. The caller must keep appends from committing, or handle the missing ones. Undefined when there are
 * more than `limit` events or appends, or when the events are too large for one page.
 * @throws EventsArchivedError when one of the events after the position is archived
 */
export async function readCommitted(
  session: SqlSession,
  request: CommittedRequest,
): Promise<readonly StoredEvent[] | undefined> {
  const parameters = await findCommitted(session, request);
  if (parameters === undefined || parameters === "none") return parameters && [];
  const rows = await session.query<PageRow>(READ, [...parameters, MAX_PAGE_BYTES]);
  const { events, isCut } = readPage(rows);
  return isCut || events.length > request.limit ? undefined : events;
}

/** Reads the positions of the events that `readCommitted` would return, of any size. */
export async function readCommittedPositions(
  session: SqlSession,
  request: CommittedRequest,
): Promise<readonly number[] | undefined> {
  const parameters = await findCommitted(session, request);
  if (parameters === undefined || parameters === "none") return parameters && [];
  const rows = await session.query<{ position: number }>(READ_POSITIONS, parameters);
  return rows.length > request.limit ? undefined : rows.map(({ position }) => position);
}

// In the caller's transaction, whose lock on the table keeps the chunks as they are for what it reads afterwards. Of all that follows, because
// the caller can't go on where a part of it ends.
const ARCHIVED = `SELECT (${ARCHIVED_BETWEEN}) AS archived`;

/** Builds the parameters of a read of committed events; undefined when there are too many appends. */
async function findCommitted(
  session: SqlSession,
  { after, types, limit }: CommittedRequest,
): Promise<SqlParameter[] | "none" | undefined> {
  const appends = await session.query(
    "SELECT FROM synap.appends WHERE number >= $1::bigint >> 10 AND last_position > $1::bigint LIMIT $2",
    [after, limit + 1],
  );
  if (appends.length > limit) return undefined;
  const [bounds] = await session.query<{ earliest: number | null; latest: number | null }>(BOUNDS, [
    after,
    limit + 1,
  ]);
  if (bounds?.earliest == null || bounds.latest === null) return "none";
  const [found] = await session.query<{ archived: string | null }>(ARCHIVED, [
    after,
    Number.MAX_SAFE_INTEGER,
  ]);
  refuseArchived(found?.archived ?? undefined);
  const wanted = types === "all" ? null : JSON.stringify(types);
  return [new Date(bounds.earliest), new Date(bounds.latest), after, wanted, limit + 1];
}
