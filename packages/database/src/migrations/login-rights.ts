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
  /** Null: there is no schema yet. */
  readonly schemaOwner: string | null;
  readonly ownsSchema: boolean;
  /** May create schemas in the database. */
  readonly mayCreateSchemas: boolean;
}

const RIGHTS = `
SELECT session_user::text AS name,
       current_database()::text AS database,
       current_setting('server_version_num')::integer >= 160000 AS postgres16,
       (SELECT r.rolsuper OR r.rolcreaterole FROM pg_roles AS r WHERE r.rolname = session_user) AS "mayCreateRoles",
       EXISTS (SELECT FROM pg_roles WHERE rolname = 'synap_app') AS "hasAppRole",
       coalesce((SELECT ${maySetRole("r.oid")} FROM pg_roles AS r WHERE r.rolname = 'synap_app'), false) AS "maySetRole",
       (SELECT pg_get_userbyid(n.nspowner)::text FROM pg_namespace AS n WHERE n.nspname = 'synap') AS "schemaOwner",
       coalesce((SELECT pg_has_role(session_user, n.nspowner, 'USAGE') FROM pg_namespace AS n
                  WHERE n.nspname = 'synap'), false) AS "ownsSchema",
       has_database_privilege(session_user, current_database(), 'CREATE') AS "mayCreateSchemas"`;

/** Reads the rights of the login. */
export async function readLogin(database: Database): Promise<LoginRights> {
  const [row] = await database.asOwner((owner) => owner.query<LoginRights>(RIGHTS));
  if (row === undefined) throw new Error("The query for the login's rights returned no row.");
  return row;
}

/** Checks the rights of a login before the first migration. @throws PrivilegesMissingError when a required role is missing */
export function requireRoles(login: LoginRights): void {
  if (login.hasAppRole || login.mayCreateRoles) return;
  throw new PrivilegesMissingError(login.name, "may not create the role synap_app, which is missing", [
    "CREATE ROLE synap_app NOLOGIN",
    "CREATE ROLE synap_sql NOLOGIN",
    grantAppRole(login),
  ]);
}

/** The error of a login that may not SET ROLE to synap_app. */
export function roleNotGranted(login: LoginRights): PrivilegesMissingError {
  return new PrivilegesMissingError(login.name, "may not run as the role synap_app", [grantAppRole(login)]);
}

function grantAppRole({ name, postgres16 }: LoginRights): string {
  return `GRANT synap_app TO ${quoteName(name)}${postgres16 ? " WITH SET TRUE, INHERIT TRUE" : ""}`;
}

/** Quotes a name for SQL. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
