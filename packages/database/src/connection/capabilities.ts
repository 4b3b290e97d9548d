import type { DatabaseCapabilities } from "./sql-session.ts";

/** The row that `capabilityQuery` returns. */
export interface CapabilityRow {
  readonly postgres_version: string;
  readonly timescaledb_version: string | null;
  readonly license: string | null;
  readonly may_set_role: boolean;
}

/**
 * SQL expression that is true if the login may SET ROLE to a role. Since PostgreSQL 16 a member may lack that right: creating a role makes its
 * creator a member that may only administer it.
 */
export function maySetRole(role: string): string {
  return `pg_has_role(session_user, ${role},
             CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN 'SET' ELSE 'MEMBER' END)`;
}

/**
 * SQL for the database's capabilities. The role counts only once its schema exists: before the first migration it
 * has no rights.
 */
export const capabilityQuery = `
  SELECT current_setting('server_version') AS postgres_version,
         (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS timescaledb_version,
         current_setting('timescaledb.license', true) AS license,
         coalesce((
           SELECT ${maySetRole("r.oid")}
                  AND has_schema_privilege(r.oid, n.oid, 'USAGE')
             FROM pg_roles AS r, pg_namespace AS n
            WHERE r.rolname = 'synap_app' AND n.nspname = 'synap'
         ), false) AS may_set_role`;

/** Reads the answer to `capabilityQuery`. */
export function readCapabilities(row: CapabilityRow, wantsRole: boolean): DatabaseCapabilities {
  const installed = row.timescaledb_version !== null;
  return {
    postgresVersion: row.postgres_version.split(" ")[0] ?? row.postgres_version,
    timescaledbVersion: row.timescaledb_version ?? undefined,
    edition: !installed ? undefined : row.license === "timescale" ? "community" : "apache",
    applicationRole: wantsRole && row.may_set_role,
  };
}
