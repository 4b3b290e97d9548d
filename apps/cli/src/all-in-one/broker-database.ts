import { type Database, openDatabase, PrivilegesMissingError } from "@synap/database";
import type { QueueDatabase, QueueSession } from "@synap/inngest-local";
import type { ServerUrls } from "@synap/service";

/** The database with the tables of the local broker. */
export interface BrokerDatabase {
  readonly queue: QueueDatabase;
  close(): Promise<void>;
}

/**
 * Opens the local broker's access to the database: separate connections on a server, as for a broker in another process, or the
 * one session of the embedded engine.
 */
export async function openBrokerDatabase(
  database: Database,
  server: ServerUrls | undefined,
): Promise<BrokerDatabase> {
  if (server !== undefined) {
    const own = await openDatabase({ ...server, applicationRole: false, applicationName: "inngest-local" });
    try {
      await requireQueueSchema(own);
    } catch (error) {
      await own.close();
      throw error;
    }
    return { queue: own, close: () => own.close() };
  }
  return { queue: await shareEmbedded(database), close: () => Promise.resolve() };
}

/**
 * Checks that the login may create the tables of the local broker's queue.
 *
 * @throws PrivilegesMissingError with the statement for an administrator
 */
async function requireQueueSchema(database: Database): Promise<void> {
  const [login] = await database.query<{ name: string; hasSchema: boolean; mayUse: boolean }>(`
    SELECT quote_ident(session_user) AS name, s.oid IS NOT NULL AS "hasSchema",
           CASE WHEN s.oid IS NULL THEN has_database_privilege(current_database(), 'CREATE')
                ELSE has_schema_privilege(s.oid, 'CREATE') END AS "mayUse"
      FROM (SELECT) AS one LEFT JOIN pg_namespace AS s ON s.nspname = 'inngest_local'`);
  if (login === undefined || login.mayUse) return;
  throw new PrivilegesMissingError(
    login.name.replaceAll('"', ""),
    'may not create the tables of the local broker, whose queue is in the schema "inngest_local" (an Inngest server needs none: --inngest=URL)',
    [
      login.hasSchema
        ? `GRANT USAGE, CREATE ON SCHEMA inngest_local TO ${login.name}`
        : `CREATE SCHEMA inngest_local AUTHORIZATION ${login.name}`,
    ],
  );
}

/**
 * Grants rights that let the local broker's queries run without a transaction as owner, for which others would wait. They cover
 * the existing tables and those that the local broker creates when it starts.
 */
const GRANTS = `
CREATE SCHEMA IF NOT EXISTS inngest_local;
GRANT USAGE ON SCHEMA inngest_local TO synap_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA inngest_local TO synap_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA inngest_local TO synap_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA inngest_local GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO synap_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA inngest_local GRANT USAGE ON SEQUENCES TO synap_app`;

async function shareEmbedded(database: Database): Promise<QueueDatabase> {
  const queries: QueueSession = database;
  if (database.capabilities.applicationRole) await database.asOwner((owner) => owner.execute(GRANTS));
  return {
    query: (text, parameters) => queries.query(text, parameters),
    transaction: (work) => database.asOwner(work),
  };
}
