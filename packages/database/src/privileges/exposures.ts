import { counted } from "@synap/types/internal";
import type { Database, SqlSession } from "../connection/sql-session.ts";
import { DANGEROUS_ROUTINES, HARDENING_STATEMENT, WRITABLE_TABLES } from "./hardening.ts";

/** A right by which an unrelated login could damage the log. `HARDENING_STATEMENT` revokes it. */
export interface Exposure {
  /**
   * routines: PUBLIC may execute internal functions of TimescaleDB, such as the one that drops a chunk.
   * connect: every login of the cluster may connect to this database.
   * create: every login may create functions and operators in the schema public, which sessions search: until PostgreSQL
   * 14 the default, kept by an upgrade.
   * tables: a role other than the owner may write a table of the log.
   */
  readonly kind: "routines" | "connect" | "create" | "tables";
  /** Number of routines or tables; 1 for the database. */
  readonly count: number;
  /** Up to three of them by name. */
  readonly examples: readonly string[];
}

// As a row for each kind that there is.
const EXPOSURES = `
WITH routines AS (${DANGEROUS_ROUTINES}
), tables AS (${WRITABLE_TABLES}
), found AS (
  SELECT 'routines' AS kind, signature AS name FROM routines
  UNION ALL
  SELECT 'tables', name FROM tables
  UNION ALL
  SELECT 'create', 'public' WHERE pg_catalog.has_schema_privilege('public', 'public', 'CREATE')
  UNION ALL
  SELECT 'connect', pg_catalog.current_database()
   WHERE pg_catalog.current_database() <> 'template1'
     AND pg_catalog.has_database_privilege('public', pg_catalog.current_database(), 'CONNECT')
)
SELECT kind, count(*) AS count, to_json((array_agg(name ORDER BY name))[1:3]) AS examples
  FROM found GROUP BY kind ORDER BY kind`;

/** Finds the rights by which unrelated logins could damage the log; none when it is hardened. Takes a few milliseconds. */
export async function findExposures(session: SqlSession): Promise<Exposure[]> {
  return session.query<Exposure>(EXPOSURES);
}

const WATCH_PAUSE_MS = 60_000;

/**
 * Creates a cached `findExposures` that may be called often: while there is no exposure it queries once a
 * minute, and otherwise on every call, so that a warning ends with its cause.
 *
 * @param now a monotonic clock, in milliseconds
 */
export function createExposureWatch(
  session: SqlSession,
  now: () => number = () => performance.now(),
): () => Promise<Exposure[]> {
  let closedAt: number | undefined;
  return async () => {
    if (closedAt !== undefined && now() - closedAt < WATCH_PAUSE_MS) return [];
    const exposures = await findExposures(session);
    closedAt = exposures.length === 0 ? now() : undefined;
    return exposures;
  };
}

/** Revokes the exposures that this login may revoke. @returns those left for an administrator */
export async function harden(database: Database): Promise<Exposure[]> {
  const found = await database.asOwner((owner) => findExposures(owner));
  if (found.length === 0) return found;
  return database.asOwner(async (owner) => {
    await owner.query("LOCK TABLE synap.migrations IN EXCLUSIVE MODE");
    await owner.execute(HARDENING_STATEMENT);
    return findExposures(owner);
  });
}

/** Describes exposures and their remedy in one sentence. */
export function describeExposures(exposures: readonly Exposure[]): string {
  const parts = exposures.map(({ kind, count, examples }) => {
    const names = `${examples.join(", ")}${count > examples.length ? ", ..." : ""}`;
    if (kind === "routines")
      return `any login may run ${counted(count, "internal function")} of TimescaleDB (${names})`;
    if (kind === "connect") return `any login of the cluster may connect to the database ${names}`;
    if (kind === "create")
      return `any login may create functions in the schema ${names}, which sessions search`;
    return `roles other than the owner may write ${count} tables of the log (${names})`;
  });
  return `${parts.join("; ")}. An administrator runs the statement that "migrate --print-hardening" prints, as a superuser.`;
}
