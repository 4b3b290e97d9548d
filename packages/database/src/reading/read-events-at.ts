import { refuseArchivedPositions } from "../archive/archived-events.ts";
import { epochMs } from "../connection/moments.ts";
import type { SqlSession } from "../connection/sql-session.ts";
import { type BoundedEvents, type PageRow, readPage, selectPage } from "./page-bytes.ts";
import { queryAnySessionWithSharedPlan } from "./shared-plan.ts";

const POSITIONS = "ARRAY(SELECT p::bigint FROM jsonb_array_elements_text($1::text::jsonb) AS p)";

const BOUNDS = `
SELECT ${epochMs("min(min_timestamp)")} AS earliest, ${epochMs("max(max_timestamp)")} AS latest
  FROM synap.appends
 WHERE number IN (SELECT p::bigint >> 10 FROM jsonb_array_elements_text($1::text::jsonb) AS p)`;

const READ = selectPage(
  `
      SELECT * FROM synap.events
       WHERE "position" = ANY (${POSITIONS}) AND "timestamp" BETWEEN $3 AND $4
       ORDER BY "position"`,
  `"position"`,
  "$2",
);

/**
 * Reads the events at some positions, in their order, up to the one that reaches `maxBytes`. The append log has their time
 * bounds.
 * @throws EventsArchivedError
 */
export async function readEventsAt(
  session: SqlSession,
  positions: readonly number[],
  maxBytes: number,
): Promise<BoundedEvents> {
  const listed = JSON.stringify(positions);
  const [bounds] = await session.query<{ earliest: number | null; latest: number | null }>(BOUNDS, [listed]);
  if (bounds?.earliest == null || bounds.latest === null) return { events: [], isCut: false };
  const { earliest, latest } = bounds;
  // The events may be in any chunk between the bounds.
  const parameters = [listed, maxBytes, new Date(earliest), new Date(latest)];
  const rows = await queryAnySessionWithSharedPlan<PageRow>(session, READ, parameters);
  if (rows.length < positions.length) await refuseArchivedPositions(session, positions);
  return readPage(rows);
}
