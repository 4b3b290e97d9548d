import type { EventCatalogue } from "@synap/types";
import { openDatabase } from "./connection/open-database.ts";
import type { Database } from "./connection/sql-session.ts";
import { migrate } from "./migrations/migrate.ts";
import { publishEventTypes } from "./sql-door/publish-event-types.ts";
import { type OpeningPatience, waitForDatabase } from "./wait-for-database.ts";

/**
 * Opens a server's database as an application process wants it: migrated, with the catalogue's event types published to
 * SQL. A database that does not answer yet is asked again, because machines start their services in any order.
 *
 * @throws DatabaseUnavailableError when the patience has run out; what `migrate` throws, at once.
 */
export function openMigratedDatabase(
  url: string,
  catalogue: EventCatalogue,
  patience: OpeningPatience = {},
): Promise<Database> {
  return waitForDatabase(async () => {
    const database = await openDatabase({ url });
    try {
      await migrate(database);
      await publishEventTypes(database, catalogue);
      return database;
    } catch (error) {
      await database.close();
      throw error;
    }
  }, patience);
}
