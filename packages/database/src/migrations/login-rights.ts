import { maySetRole } from "../connection/capabilities.ts";
import type { Database } from "../connection/sql-session.ts";
import { PrivilegesMissingError } from "./migration-errors.ts";

/** The rights of a database's login that migrating and running depend on. */
export interface LoginRights {
  readonly name: string;
  readonly database: string;
  readonly postgres16: boolean;
  readonly mayCreateRoles: boolean;
  readonly hasAppRole: boolean;
  /** May become synap_app. */
  readonly maySetRole: boolean;
  /** May grant synap_app, to itself as well. */
  readonly mayGrantRole: boolean;
  /** Null: there is no schema yet. */
  readonly schemaOwner: string | null;
  readonly ownsSchema: boolean;
  /** May create schemas in the database. */
  readonly mayCreateSchemas: boolean;
  readonly databaseOwner: string;
  readonly hasExtension: boolean;
}

const RIGHTS = `
SELECT session_user::text AS name,
       current_database()::text AS database,
       current_setting('server_version_num')::integer >= 160000 AS postgres16,
       (SELECT r.rolsuper OR r.rolcreaterole FROM pg_roles AS r WHERE r.rolname = session_user) AS "mayCreateRoles",
       EXISTS (SELECT FROM pg_roles WHERE rolname = 'synap_app') AS "hasAppRole",
       coalesce((SELECT ${maySetRole("r.oid")} FROM pg_roles AS r WHERE r.rolname = 'synap_app'), false) AS "maySetRole",
       -- Since PostgreSQL 16, CREATEROLE alone does not suffice to grant a role that somebody else has created.
       coalesce((SELECT l.rolsuper OR pg_has_role(session_user, r.oid, 'MEMBER WITH ADMIN OPTION')
                        OR (l.rolcreaterole AND current_setting('server_version_num')::integer < 160000)
                   FROM pg_roles AS r, pg_roles AS l
                  WHERE r.rolname = 'synap_app' AND l.rolname = session_user), false) AS "mayGrantRole",
       (SELECT pg_get_userbyid(n.nspowner)::text FROM pg_namespace AS n WHERE n.nspname = 'synap') AS "schemaOwner",
       coalesce((SELECT pg_has_role(session_user, n.nspowner, 'USAGE') FROM pg_namespace AS n
                  WHERE n.nspname = 'synap'), false) AS "ownsSchema",
       has_database_privilege(session_user, current_database(), 'CREATE') AS "mayCreateSchemas",
       (SELECT pg_get_userbyid(d.datdba)::text FROM pg_database AS d WHERE d.datname = current_database()) AS "databaseOwner",
       EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') AS "hasExtension"`;

/** Reads the rights of the login. */
export async function readLogin(database: Database): Promise<LoginRights> {
  const [row] = await database.asOwner((owner) => owner.query<LoginRights>(RIGHTS));
  if (row === undefined) throw new Error("The query for the login's rights returned no row.");
  return row;
}

/**
 * Checks the rights of a login before anything is applied.
 *
 * @throws PrivilegesMissingError naming all that an administrator has to run
 */
export function requireRights(login: LoginRights): void {
  const lacks: string[] = [];
  const statements: string[] = [];
  if (login.schemaOwner === null && !login.mayCreateSchemas) {
    lacks.push(
      `may not create schemas in this database, as the login of its owner "${login.databaseOwner}" may`,
    );
    if (!login.hasExtension) statements.push(CREATE_EXTENSION);
    statements.push(grantCreate(login));
  }
  if (!login.hasAppRole && !login.mayCreateRoles) {
    lacks.push("may not create the role synap_app, which is missing");
    statements.push(
      "CREATE ROLE synap_app NOLOGIN",
      "CREATE ROLE synap_sql NOLOGIN",
      "CREATE ROLE synap_sql_own NOLOGIN",
      "CREATE ROLE synap_reader NOLOGIN",
      `GRANT synap_reader TO synap_app${login.postgres16 ? " WITH SET TRUE, INHERIT FALSE" : ""}`,
      grantAppRole(login),
    );
  } else if (login.hasAppRole && !login.maySetRole && !login.mayGrantRole) {
    lacks.push("may not run as the role synap_app, which another database of this server has created");
    statements.push(grantAppRole(login));
  }
  if (lacks.length > 0) throw new PrivilegesMissingError(login.name, lacks.join(", and "), statements);
}

const CREATE_EXTENSION = "CREATE EXTENSION IF NOT EXISTS timescaledb SCHEMA public";

/** The statement that lets a login create schemas. */
export function grantCreate({ name, database }: LoginRights): string {
  return `GRANT CREATE ON DATABASE ${quoteName(database)} TO ${quoteName(name)}`;
}

/** The error of a login that may not SET ROLE to synap_app. */
export function roleNotGranted(login: LoginRights): PrivilegesMissingError {
  return new PrivilegesMissingError(login.name, "may not run as the role synap_app", [grantAppRole(login)]);
}

/** With the right to pass it on for a login with CREATEROLE, which sets up other logins. */
function grantAppRole({ name, postgres16, mayCreateRoles }: LoginRights): string {
  const options = postgres16
    ? ` WITH ${mayCreateRoles ? "ADMIN TRUE, " : ""}SET TRUE, INHERIT TRUE`
    : mayCreateRoles
      ? " WITH ADMIN OPTION"
      : "";
  return `GRANT synap_app TO ${quoteName(name)}${options}`;
}

/** Quotes a name for SQL. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
