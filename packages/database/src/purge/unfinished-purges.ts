import type { SqlSession } from "../connection/sql-session.ts";

/** The purges that are not finished. */
export interface UnfinishedPurges {
  /** Number of purges of which not every event is removed: interrupted, or under way. */
  readonly removing: number;
  /** Number of purges whose events may still be in read models. */
  readonly inReadModels: number;
  /** The projections with builds of before these purges, in the order of names. */
  readonly projections: readonly string[];
}

const UNFINISHED = `
SELECT count(*) FILTER (WHERE p.removed_at IS NULL) AS removing, count(p.removed_at) AS in_read_models,
       (SELECT coalesce(jsonb_agg(DISTINCT b.projection ORDER BY b.projection), '[]')
          FROM synap.projection_builds AS b
         WHERE b.build <= max(p.last_build)) AS projections
  FROM synap.purges AS p
 WHERE p.finished_at IS NULL`;

/** Counts the purges that are not finished, and names the projections that may hold purged events. */
export async function unfinishedPurges(session: SqlSession): Promise<UnfinishedPurges> {
  const [row] = await session.query<{
    removing: number;
    in_read_models: number;
    projections: readonly string[];
  }>(UNFINISHED);
  if (row === undefined) throw new Error("The query of the unfinished purges returned no row.");
  const { removing, in_read_models: inReadModels, projections } = row;
  return { removing, inReadModels, projections };
}
