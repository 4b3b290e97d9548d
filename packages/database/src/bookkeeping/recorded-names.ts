import type { SqlSession } from "../connection/sql-session.ts";

/** Kinds of names in filters. */
export type NamedThing = "event type" | "aggregate type" | "handler";

// Streams and dead letters are too many to list, so their names are only looked up.
const LISTED: Readonly<Record<NamedThing, string>> = {
  "event type": "SELECT name FROM synap.event_types ORDER BY name",
  "aggregate type": "SELECT DISTINCT aggregate_type AS name FROM synap.event_types ORDER BY name",
  // A projection has no checkpoint of its own name, but dead letters for each of its builds.
  handler: `
    SELECT handler AS name FROM synap.checkpoints WHERE handler NOT LIKE '%/%'
    UNION SELECT projection || '/' || build FROM synap.projection_builds
    ORDER BY name`,
};
const RECORDED: Readonly<Record<NamedThing, string>> = {
  "event type": "SELECT EXISTS (SELECT FROM synap.events WHERE type = $1) AS recorded",
  "aggregate type": `
    SELECT EXISTS (SELECT FROM synap.streams WHERE aggregate_type = $1)
        OR EXISTS (SELECT FROM synap.dead_letters WHERE aggregate_type = $1) AS recorded`,
  handler: "SELECT EXISTS (SELECT FROM synap.dead_letters WHERE handler = $1) AS recorded",
};

/** Lists the names that processes have published to the database, whether this release knows them or not. */
export async function listNames(session: SqlSession, thing: NamedThing): Promise<string[]> {
  const rows = await session.query<{ name: string }>(LISTED[thing]);
  return rows.map(({ name }) => name);
}

/** Checks that an event, a stream or a dead letter has this name, even if no running process knows it any more. */
export async function isRecordedName(session: SqlSession, thing: NamedThing, name: string): Promise<boolean> {
  const [row] = await session.query<{ recorded: boolean }>(RECORDED[thing], [name]);
  return row?.recorded ?? false;
}
