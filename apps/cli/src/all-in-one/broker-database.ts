import { type Database, openDatabase } from "@synap/database";
import type { QueueDatabase, QueueSession } from "@synap/inngest-local";

/** The database as the stand-in needs it: with tables of its own. */
export interface BrokerDatabase {
  readonly queue: QueueDatabase;
  close(): Promise<void>;
}

/**
 * The stand-in's way into the database: on a server connections of its own, as a broker elsewhere would have;
 * on the embedded engine, which has one session, that session.
 */
export async function openBrokerDatabase(
  database: Database,
  url: string | undefined,
): Promise<BrokerDatabase> {
  if (url !== undefined) {
    const own = await openDatabase({ url, applicationRole: false, applicationName: "inngest-local" });
    return { queue: own, close: () => own.close() };
  }
  return { queue: await shareEmbedded(database), close: () => Promise.resolve() };
}

/**
 * A query as owner takes a transaction around it, which others wait for. With these rights it is just a query. They are
 * given for the tables that are there and for those that the stand-in makes when it starts.
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
