import { setTimeout as sleep } from "node:timers/promises";
import type { EventCatalogue } from "@synap/types";
import { isTransient } from "./connection/database-errors.ts";
import { openDatabase } from "./connection/open-database.ts";
import type { Database } from "./connection/sql-session.ts";
import { migrate } from "./migrations/migrate.ts";
import { publishEventTypes } from "./sql-door/publish-event-types.ts";

/** How long a process that starts beside its database waits for it. */
export interface OpeningPatience {
  /** In milliseconds. Default 60,000. */
  readonly patience?: number | undefined;
  /** Called each time the database does not answer, about once a second. */
  readonly onWaiting?: ((error: unknown) => void) | undefined;
}

/**
 * Opens a server's database as an application process wants it: migrated, with the catalogue's event types published to
 * SQL. A database that does not answer yet is asked again, because machines start their services in any order.
 *
 * @throws DatabaseUnavailableError when the patience has run out; what `migrate` throws, at once.
 */
export async function openMigratedDatabase(
  url: string,
  catalogue: EventCatalogue,
  { patience = 60_000, onWaiting }: OpeningPatience = {},
): Promise<Database> {
  const deadline = Date.now() + patience;
  for (;;) {
    let database: Database | undefined;
    try {
      database = await openDatabase({ url });
      await migrate(database);
      await publishEventTypes(database, catalogue);
      return database;
    } catch (error) {
      await database?.close();
      if (!isTransient(error) || Date.now() > deadline) throw error;
      onWaiting?.(error);
      await sleep(1_000);
    }
  }
}
