import { type Database, openDatabase } from "@synap/database";
import type { QueueDatabase, QueueSession } from "@synap/inngest-local";

/** The database as the stand-in needs it: it makes tables of its own, which Synap's role for queries may not. */
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
  const queue: QueueDatabase = {
    query: (text, parameters) => database.asOwner((session: QueueSession) => session.query(text, parameters)),
    transaction: (work) => database.asOwner(work),
  };
  return { queue, close: () => Promise.resolve() };
}
