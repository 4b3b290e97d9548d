import type { SqlSession } from "../src/index.ts";

const FINGERPRINT = `
SELECT json_build_object(
  'events', (SELECT json_agg(e ORDER BY e."position") FROM synap.events AS e),
  'streams', (SELECT json_agg(s ORDER BY s.aggregate_id) FROM synap.streams AS s),
  'appends', (SELECT json_agg(a ORDER BY a.number) FROM synap.appends AS a),
  'ids', (SELECT json_agg(i ORDER BY i.id) FROM synap.event_ids AS i),
  'chunks', (SELECT json_agg(c ORDER BY c.id) FROM _timescaledb_catalog.chunk AS c),
  'slices', (SELECT json_agg(d ORDER BY d.id) FROM _timescaledb_catalog.dimension_slice AS d),
  'dimensions', (SELECT json_agg(d ORDER BY d.id) FROM _timescaledb_catalog.dimension AS d),
  'hypertables', (SELECT json_agg(h ORDER BY h.id) FROM _timescaledb_catalog.hypertable AS h),
  'policies', (SELECT json_agg(j ORDER BY j.id) FROM _timescaledb_config.bgw_job AS j WHERE j.hypertable_id IS NOT NULL),
  'triggers', (SELECT json_agg(t.tgname ORDER BY t.oid) FROM pg_trigger AS t),
  'tables', (SELECT json_agg(json_build_array(c.relname, c.relacl::text, c.relowner, c.reloptions) ORDER BY c.oid)
               FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
              WHERE n.nspname IN ('synap', '_timescaledb_internal') AND c.relkind IN ('r', 'S') AND c.relpersistence = 'p')
)::text AS state`;

/** Fingerprint of the log and of TimescaleDB's metadata about it. */
export async function logFingerprint(session: SqlSession): Promise<string | undefined> {
  return (await session.query<{ state: string }>(FINGERPRINT))[0]?.state;
}
