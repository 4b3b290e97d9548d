import type { EventCatalogue } from "@synap/types";
import { openDatabase } from "./connection/open-database.ts";
import type { ServerOptions } from "./connection/server-database.ts";
import type { Database } from "./connection/sql-session.ts";
import { type MigrateOptions, migrate } from "./migrations/migrate.ts";
import { notify } from "./observers.ts";
import { describeExposures } from "./privileges/exposures.ts";
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
  {
    onExposed,
    limits,
    applications,
    ...patience
  }: OpeningPatience & {
    /** Called with a sentence when other logins could harm the log and this one may not end it. */
    readonly onExposed?: ((message: string) => void) | undefined;
    /** The application's own SQL. */
    readonly applications?: MigrateOptions["applications"];
    readonly limits?: Pick<ServerOptions, "maxConnections" | "lockTimeout"> | undefined;
  } = {},
): Promise<Database> {
  return waitForDatabase(async () => {
    const database = await openDatabase({ url, ...limits });
    try {
      const { exposures } = await migrate(database, { applications });
      await publishEventTypes(database, catalogue);
      if (exposures.length > 0) notify(onExposed, describeExposures(exposures));
      return database;
    } catch (error) {
      await database.close();
      throw error;
    }
  }, patience);
}
